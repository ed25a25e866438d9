import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { DEVNET } from '../network.js'
import { receiptHeaders, seedReceipt, writeOffer } from '../offer.js'
import { isReason } from '../reason.js'
import type { Offer, Receipt, Requirement } from '../requirement.js'
import { readOffer, readPaymentHeader, readPaymentHeaders, readReceiptHeaders } from './classify.js'
import { decodeHeader, encodeHeader } from './header.js'
import * as v1 from './v1.js'
import * as v2 from './v2.js'

const vectors = JSON.parse(
  readFileSync(new URL('../../../../test/vectors/payments.json', import.meta.url), 'utf8'),
)
const requirement: Requirement = {
  ...vectors.terms,
  scheme: 'exact',
  amount: BigInt(vectors.terms.amount),
  lastValidBlockHeight: BigInt(vectors.terms.lastValidBlockHeight),
}
const offer: Offer = { resource: vectors.resource, accepts: [requirement], extensions: {} }
const receipt: Receipt = {
  success: true,
  transaction: '5h'.repeat(40),
  network: DEVNET,
  payer: vectors.payer,
  amount: 100_000n,
}
const headers = (map: Record<string, string>) => (name: string) => map[name]
const why = { error: 'payment_required', outcome: 'unpaid' }

test('v2: challenge, payment and receipt are the golden ones, both ways', () => {
  expect(encodeHeader(v2.writeChallenge(offer))).toBe(vectors.v2.required)
  expect(encodeHeader(v2.writePayment(offer, requirement, vectors.transaction))).toBe(vectors.v2.payment)
  expect(encodeHeader(v2.writeReceipt(receipt))).toBe(vectors.v2.receipt)
  const read = readOffer(headers({ 'payment-required': vectors.v2.required }), '{}')
  expect(read).toMatchObject({
    ok: true,
    dialect: 'v2',
    offer: { accepts: [requirement], resource: vectors.resource },
  })
  expect(readPaymentHeader(vectors.v2.payment)).toMatchObject({
    ok: true,
    payment: { dialect: 'v2', network: DEVNET, transaction: vectors.transaction, accepted: requirement },
  })
  expect(readReceiptHeaders(headers({ 'payment-response': vectors.v2.receipt }))).toEqual(receipt)
  expect(readReceiptHeaders(headers({ 'payment-response': vectors.v2.failure }))).toMatchObject({
    success: false,
    transaction: '',
    errorReason: 'settlement_failed',
  })
})

test('v1: challenge, payment and receipt are the golden ones, both ways', () => {
  expect(encodeHeader(v1.writePayment(requirement, vectors.transaction, 'v1'))).toBe(vectors.v1.payment)
  expect(encodeHeader(v1.writeReceipt(receipt))).toBe(vectors.v1.receipt)
  expect(readOffer(headers({}), vectors.v1.body)).toMatchObject({
    ok: true,
    dialect: 'v1',
    offer: { accepts: [requirement] },
  })
  expect(readPaymentHeader(vectors.v1.payment)).toMatchObject({
    ok: true,
    payment: { dialect: 'v1', network: DEVNET },
  })
  expect(readReceiptHeaders(headers({ 'x-payment-response': vectors.v1.receipt }))).toEqual(receipt)
})

test('seed: header alone, body alone, and the whole body in the header are all read', () => {
  const { required, body } = vectors.seed
  expect(encodeHeader(v1.writeRequirement(requirement, offer.resource, 'seed'))).toBe(required)
  const whole = encodeHeader(JSON.parse(body))
  for (const [map, text] of [
    [{ 'x-payment-requirements': required }, ''],
    [{}, body],
    [{ 'x-payment-requirements': whole }, 'not json'],
  ] as const) {
    expect(readOffer(headers(map), text)).toMatchObject({
      ok: true,
      dialect: 'seed',
      offer: { accepts: [requirement] },
    })
  }
})

test('one 402 is read by each kind of buyer in its own dialect', () => {
  const { headers: sent, body } = writeOffer(offer, why)
  const byName = Object.fromEntries(Object.entries(sent).map(([name, value]) => [name.toLowerCase(), value]))
  const text = JSON.stringify(body)
  const buyers = [
    headers(byName),
    headers({}),
    headers({ 'x-payment-requirements': byName['x-payment-requirements'] ?? '' }),
  ]
  expect(buyers.map((buyer, i) => readOffer(buyer, i === 2 ? '{}' : text))).toMatchObject([
    { dialect: 'v2', offer: { accepts: [requirement] } },
    { dialect: 'v1', offer: { accepts: [requirement] } },
    { dialect: 'seed', offer: { accepts: [requirement] } },
  ])
  expect(sent).toMatchObject({ 'Cache-Control': 'no-store' })
  expect(body).toMatchObject({ error: 'payment_required', outcome: 'unpaid' })
})

test('either version is taken in either header; two headers must hold one transaction', () => {
  for (const name of ['payment-signature', 'x-payment']) {
    expect(readPaymentHeaders(headers({ [name]: vectors.v2.payment }))).toMatchObject({
      payment: { dialect: 'v2' },
    })
    expect(readPaymentHeaders(headers({ [name]: vectors.v1.payment }))).toMatchObject({
      payment: { dialect: 'v1' },
    })
  }
  expect(readPaymentHeaders(headers({}))).toBeUndefined()
  const both = { 'payment-signature': vectors.v2.payment, 'x-payment': vectors.v1.payment }
  expect(readPaymentHeaders(headers(both))).toMatchObject({ ok: true, payment: { dialect: 'v2' } })
  const other = encodeHeader(v1.writePayment(requirement, 'AgAA', 'v1'))
  expect(readPaymentHeaders(headers({ ...both, 'x-payment': other }))).toMatchObject({
    ok: false,
    reason: 'aetherkit_two_payments',
  })
})

test.each((vectors.malformed as { note: string; header: string }[]).filter(({ header }) => header !== ''))(
  'a malformed header is aetherkit_malformed_payment: $note',
  ({ header }) => {
    expect(readPaymentHeader(header)).toMatchObject({ ok: false, reason: 'aetherkit_malformed_payment' })
  },
)

test('a bare signature, an unknown version, a foreign chain and scheme have words of their own', () => {
  expect(readPaymentHeader('5'.repeat(88))).toMatchObject({ reason: 'aetherkit_bare_signature' })
  expect(readPaymentHeader(encodeHeader({ x402Version: 3 }))).toMatchObject({
    reason: 'invalid_x402_version',
  })
  const payload = { transaction: 'AgAA' }
  expect(
    readPaymentHeader(encodeHeader({ x402Version: 1, scheme: 'exact', network: 'base', payload })),
  ).toMatchObject({ reason: 'invalid_network' })
  expect(
    readPaymentHeader(encodeHeader({ x402Version: 1, scheme: 'upto', network: 'solana', payload })),
  ).toMatchObject({ reason: 'unsupported_scheme' })
})

test('entries of other schemes and chains are skipped, and none left is a refusal', () => {
  const challenge = v2.writeChallenge(offer) as { accepts: object[] }
  const foreign = { ...challenge.accepts[0], network: 'eip155:8453' }
  const mixed = encodeHeader({ ...challenge, accepts: [foreign, ...challenge.accepts] })
  expect(readOffer(headers({ 'payment-required': mixed }), '')).toMatchObject({
    ok: true,
    offer: { accepts: [requirement] },
  })
  const none = encodeHeader({ ...challenge, accepts: [foreign] })
  expect(readOffer(headers({ 'payment-required': none }), '')).toMatchObject({
    ok: false,
    reason: 'invalid_network',
  })
})

test('a 402 that is no challenge is left to the caller', () => {
  expect(readOffer(headers({}), 'please pay at the counter')).toBeUndefined()
  expect(readOffer(headers({}), '{"error":"quota"}')).toBeUndefined()
})

test('extensions beyond the header budget go to the body, terms beyond it are refused', () => {
  const large = { catalogue: { info: 'x'.repeat(7000) } }
  const { headers: sent, body } = writeOffer({ ...offer, extensions: large }, why)
  expect(sent['PAYMENT-REQUIRED']?.length).toBeLessThan(6144)
  expect(body.extensions).toEqual(large)
  const accepts = Array.from({ length: 40 }, () => requirement)
  expect(() => writeOffer({ ...offer, accepts }, why)).toThrow(
    expect.objectContaining({ code: 'invalid_option' }),
  )
})

test('receipts go out in both headers, the seed receipt keeps number and text', () => {
  const sent = receiptHeaders(receipt)
  expect(sent['PAYMENT-RESPONSE']).toBe(vectors.v2.receipt)
  expect(sent['X-PAYMENT-RESPONSE']).toBe(vectors.v1.receipt)
  expect(seedReceipt('sig', 100_000n, 6)).toEqual({ txHash: 'sig', amount: 0.1, amountAtomic: '100000' })
})

test('a client may append to an extension but not alter it', () => {
  const offered = { shop: { info: { id: 1 }, schema: {} } }
  expect(v2.echoesExtensions(offered, { shop: { info: { id: 1, mine: 2 }, schema: {} } })).toBe(true)
  expect(v2.echoesExtensions(offered, {})).toBe(true)
  expect(v2.echoesExtensions(offered, { shop: { info: { id: 2 }, schema: {} } })).toBe(false)
})

test('a reason from a peer is known by its word, whatever prefix or tail it has', () => {
  expect(isReason('amount_mismatch: 5', 'invalid_exact_svm_payload_amount_mismatch')).toBe(true)
  expect(isReason('mismatch', 'invalid_network')).toBe(false)
  expect(isReason(7, 'invalid_network')).toBe(false)
})

test('header decoding keeps integers beyond a double', () => {
  const decoded = decodeHeader(encodeHeader({ n: 18446744073709551615n }))
  expect(decoded.ok && decoded.value.n).toBe(18446744073709551615n)
})
