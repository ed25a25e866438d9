import { expect, test } from 'vitest'
import {
  accountsOf,
  brokenCap,
  type CapName,
  dollarsOf,
  formatDollars,
  readCaps,
  type Spending,
} from './budget.js'
import { DEVNET, MAINNET } from './network.js'

const spending: Spending = { network: DEVNET, host: 'shop.example', dollars: 100_000n, at: 0 }

test('caps are exact to the micro-dollar, and zero is a cap', () => {
  expect(readCaps({ perCall: '$0.10', perHost: '2.01', perDay: 4.02, total: '0' })).toEqual({
    perCall: 100_000n,
    perHost: 2_010_000n,
    perDay: 4_020_000n,
    total: 0n,
  })
  expect(readCaps({})).toEqual({})
})

test.each(['1,000', '-1', '1e3', 'lots', '', '0.0000001', Number.NaN, Number.POSITIVE_INFINITY, '$ 1'])(
  'a cap of %s is invalid_option',
  (total) => {
    expect(() => readCaps({ total })).toThrow(expect.objectContaining({ code: 'invalid_option' }))
  },
)

test('a token unit is a dollar, rounded up to the micro-dollar', () => {
  expect([
    dollarsOf(100_000n, 6),
    dollarsOf(10n, 2),
    dollarsOf(1n, 9),
    dollarsOf(1_001n, 9),
    dollarsOf(5n, 0),
  ]).toEqual([100_000n, 100_000n, 1n, 2n, 5_000_000n])
  expect(formatDollars(100_000n)).toBe('$0.10')
})

test.each<[CapName, string | undefined]>([
  ['perCall', undefined],
  ['perHost', `${DEVNET}/host/shop.example`],
  ['perDay', `${DEVNET}/day/1970-01-01`],
  ['total', `${DEVNET}/total`],
])('%s is broken by one micro-dollar too many', (cap, account) => {
  const spentOf = (key: string) => (key === account ? 900_000n : 0n)
  const limit = account === undefined ? 100_000n : 1_000_000n
  expect(brokenCap(spending, { [cap]: limit }, spentOf)).toBeUndefined()
  const left = account === undefined ? limit - 1n : 99_999n
  expect(brokenCap(spending, { [cap]: limit - 1n }, spentOf)).toEqual({ cap, left })
})

test('what is left is never below zero', () => {
  expect(brokenCap(spending, { total: 1n }, () => 5n)).toEqual({ cap: 'total', left: 0n })
})

test('each network has accounts of its own', () => {
  const keys = ([DEVNET, MAINNET] as const).map((network) =>
    accountsOf({ ...spending, network }).map(({ key }) => key),
  )
  expect(new Set(keys.flat()).size).toBe(6)
})
