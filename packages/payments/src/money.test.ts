import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PaymentError } from './errors.js'
import { atomicAmount, formatAmount, formatMoney, parseAmount, parsePrice } from './money.js'
import { DEVNET, MAINNET } from './network.js'

const USDC = '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU'

const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (PaymentError.is(error)) return error.code
    throw error
  }
  return 'accepted'
}

test('every cent from 0.01 to 1,000.00 is exact, as text and as number', () => {
  const wrong: string[] = []
  for (let cents = 1; cents <= 100_000; cents++) {
    const text = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
    const expected = BigInt(cents) * 10_000n
    const read = [
      parseAmount(text, 6),
      parsePrice(`$${text}`, DEVNET).amount,
      parsePrice(cents / 100, DEVNET).amount,
    ]
    if (read.some((amount) => amount !== expected) || formatAmount(expected, 6) !== text) wrong.push(text)
  }
  expect(wrong).toEqual([])
})

test('formatting and parsing are inverse for every amount and every number of decimals', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
      fc.integer({ min: 0, max: 9 }),
      (amount, decimals) => {
        expect(parseAmount(formatAmount(amount, decimals), decimals)).toBe(amount)
      },
    ),
  )
})

test.each([
  '0',
  '0.00',
  '$0',
  '-1',
  '$-0.10',
  '$1,000',
  '1,5',
  '1e-3',
  '0.10USDC',
  '.5',
  '5.',
  '01',
  ' 1',
  '1 ',
  '',
  '$',
  '١',
  '0x10',
  '0.0000001',
  'NaN',
  'Infinity',
  '1_000',
  '$$1',
  '18446744073710',
  '€1',
])('price %j is refused', (price) => expect(codeOf(() => parsePrice(price, DEVNET))).toBe('invalid_price'))

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e-7, 0.1 + 0.2, 1.1 * 1.1])(
  'number %d is refused',
  (price) => {
    expect(codeOf(() => parsePrice(price, DEVNET))).toBe('invalid_price')
  },
)

test('a ticker picks the token, an unknown one is refused', () => {
  expect(parsePrice('$0.10', DEVNET)).toEqual({ asset: USDC, amount: 100_000n })
  expect(parsePrice('0.10 USDT', MAINNET).asset).toBe('Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB')
  expect(codeOf(() => parsePrice('0.10 USDT', DEVNET))).toBe('unknown_asset')
  expect(codeOf(() => parsePrice('0.10 DOGE', MAINNET))).toBe('unknown_asset')
})

test.each(['0', '0.5', '-1', '1e3', '', '01', '18446744073709551616'])(
  'atomic amount %j is refused',
  (amount) => {
    expect(codeOf(() => parsePrice({ asset: USDC, amount }, DEVNET))).toBe('invalid_price')
  },
)

test('an atomic amount is taken as it is', () => {
  expect(atomicAmount('18446744073709551615')).toBe(2n ** 64n - 1n)
  expect(parsePrice({ asset: USDC, amount: 1n }, DEVNET)).toEqual({ asset: USDC, amount: 1n })
})

test('money reads as people write it', () => {
  expect(formatMoney({ asset: USDC, amount: 100_000n }, DEVNET)).toBe('0.10 USDC')
  expect(formatMoney({ asset: USDC, amount: 1n }, DEVNET)).toBe('0.000001 USDC')
  expect(formatMoney({ asset: 'x', amount: 5n }, DEVNET)).toBe('5 of x')
  expect(formatAmount(5n, 0)).toBe('5')
  expect(() => parseAmount('1', 10)).toThrow(RangeError)
})
