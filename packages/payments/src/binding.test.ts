import { createHmac, hkdfSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { type BoundRequest, createBinding } from './binding.js'
import { DEVNET, type Network, TESTNET } from './network.js'

const keys = [new Uint8Array(32).fill(1)]
const request: BoundRequest = { method: 'GET', url: 'https://shop.example/a?b=1' }
const terms = { amount: 100_000n, asset: 'Asset', payTo: 'Seller', network: DEVNET as Network }
const at = (seconds: number, list = keys) => createBinding({ keys: list, now: () => seconds * 1000 })

test('a memo is 44 characters, unique, and good for its own request and terms', () => {
  const binding = at(1_750_000_000)
  const memo = binding.make(request, terms, 300)
  expect(memo).toMatch(/^x1\./)
  expect(memo).toHaveLength(44)
  expect(binding.make(request, terms, 300)).not.toBe(memo)
  expect(binding.check(memo, request, terms)).toEqual({ ok: true })
})

test('the mac is the one an independent HMAC gives', () => {
  const binding = createBinding({
    keys,
    now: () => 1_750_000_000_000,
    randomBytes: () => new Uint8Array(8).fill(7),
  })
  const exp = (1_750_000_300).toString(36)
  const nonce = Buffer.alloc(8, 7).toString('base64url')
  const key = Buffer.from(hkdfSync('sha256', keys[0]!, '', `x402-memo ${DEVNET}`, 32))
  const text = ['GET', request.url, '', '100000', 'Asset', 'Seller', exp, nonce].join('\n')
  const mac = createHmac('sha256', key).update(text).digest().subarray(0, 16).toString('base64url')
  expect(binding.make(request, terms, 300)).toBe(`x1.${exp}.${nonce}.${mac}`)
})

test.each<[string, Partial<BoundRequest>, Partial<typeof terms>]>([
  ['method', { method: 'POST' }, {}],
  ['url', { url: 'https://shop.example/a?b=2' }, {}],
  ['body', { bodySha256: '00' }, {}],
  ['amount', {}, { amount: 99_999n }],
  ['asset', {}, { asset: 'Other' }],
  ['payee', {}, { payTo: 'Other' }],
])('another %s is aetherkit_binding_invalid', (_name, otherRequest, otherTerms) => {
  const memo = at(1000).make(request, terms, 300)
  const verdict = at(1000).check(memo, { ...request, ...otherRequest }, { ...terms, ...otherTerms })
  expect(verdict).toMatchObject({ ok: false, reason: 'aetherkit_binding_invalid' })
})

test('another network is invalid although the mint is the same', () => {
  const memo = at(1000).make(request, terms, 300)
  expect(at(1000).check(memo, request, { ...terms, network: TESTNET })).toMatchObject({
    reason: 'aetherkit_binding_invalid',
  })
})

test('an old memo is expired, an altered expiry is invalid', () => {
  const memo = at(1000).make(request, terms, 300)
  expect(at(1300).check(memo, request, terms)).toEqual({ ok: true })
  expect(at(1301).check(memo, request, terms)).toMatchObject({ reason: 'aetherkit_binding_expired' })
  const [version, , nonce, mac] = memo.split('.')
  expect(at(1301).check([version, 'zzzz', nonce, mac].join('.'), request, terms)).toMatchObject({
    reason: 'aetherkit_binding_invalid',
  })
})

test('the previous key still checks, an unknown one does not', () => {
  const memo = at(1000).make(request, terms, 300)
  const next = new Uint8Array(32).fill(2)
  expect(at(1000, [next, keys[0]!]).check(memo, request, terms)).toEqual({ ok: true })
  expect(at(1000, [next]).check(memo, request, terms)).toMatchObject({ reason: 'aetherkit_binding_invalid' })
})

test.each([
  '',
  'x1',
  'x2.a.AAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA',
  'hello',
  'x1..AAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA',
  `x1.a.${'A'.repeat(300)}`,
])('%j is no memo of ours', (memo) =>
  expect(at(1).check(memo, request, terms)).toMatchObject({ reason: 'aetherkit_binding_invalid' }),
)

test('short keys are refused', () => {
  expect(() => createBinding({ keys: [new Uint8Array(31)] })).toThrow(
    expect.objectContaining({ code: 'invalid_option' }),
  )
  expect(() => createBinding({ keys: [] })).toThrow(expect.objectContaining({ code: 'invalid_option' }))
})
