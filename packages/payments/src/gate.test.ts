import { expect, test, vi } from 'vitest'
import { buyer, merchant, openShop, PRICE, type Script, transactionOf } from '../test/shop.js'
import { readOffer, readReceiptHeaders } from './codec/classify.js'
import { encodeHeader } from './codec/header.js'
import { refuse } from './reason.js'
import type { Json } from './requirement.js'
import { signerAddress } from './solana.js'

vi.setConfig({ testTimeout: 30_000 })

const lower = (headers: Readonly<Record<string, string>>) => {
  const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  return (name: string) => byName.get(name)
}

test('a paid request runs the handler once and carries the receipt in both headers', async () => {
  const shop = openShop()
  for (const dialect of ['v2', 'v1'] as const) {
    const answer = await shop.visit(await shop.pay(dialect))
    expect(answer).toMatchObject({ status: 200, body: 'ok', headers: { 'Cache-Control': 'private' } })
    expect(readReceiptHeaders(lower(answer.headers))).toMatchObject({
      success: true,
      payer: signerAddress(buyer),
      amount: PRICE,
    })
  }
  expect(shop.handled).toBe(2)
})

const failing = (script: Script) => () => openShop({ script })
const payHeaders = (shop: ReturnType<typeof openShop>) => shop.pay()

test.each<{
  outcome: string
  shop: () => ReturnType<typeof openShop>
  headers: (shop: ReturnType<typeof openShop>) => Promise<Record<string, string>> | Record<string, string>
  status: number
  error: string
  word: string
  reason?: string
  retry?: boolean
  signature?: boolean
}>([
  {
    outcome: 'no payment',
    shop: openShop,
    headers: () => ({}),
    status: 402,
    error: 'payment_required',
    word: 'unpaid',
  },
  {
    outcome: 'refused by static verification',
    shop: openShop,
    headers: (shop) => shop.pay('v2', { signer: buyer, accepted: (it) => ({ ...it, feePayer: merchant }) }),
    status: 402,
    error: 'payment_invalid',
    word: 'payment_rejected',
    reason: 'invalid_exact_svm_fee_payer_not_managed_by_facilitator',
  },
  {
    outcome: 'refused by the chain before anything was sent',
    shop: failing({ signs: false, settle: async () => refuse('insufficient_funds') }),
    headers: payHeaders,
    status: 402,
    error: 'payment_invalid',
    word: 'payment_rejected',
    reason: 'insufficient_funds',
  },
  {
    outcome: 'refused by binding',
    shop: openShop,
    headers: (shop) => shop.pay('v2', { url: 'https://shop.example/other' }),
    status: 402,
    error: 'payment_invalid',
    word: 'payment_rejected',
    reason: 'aetherkit_binding_invalid',
  },
  {
    outcome: 'no binding at all',
    shop: openShop,
    headers: (shop) => shop.pay('v2', { accepted: ({ memo: _, ...it }) => it }),
    status: 402,
    error: 'payment_invalid',
    word: 'payment_rejected',
    reason: 'aetherkit_binding_missing',
  },
  {
    outcome: 'paid another price',
    shop: openShop,
    headers: (shop) => shop.pay('v2', { accepted: (it) => ({ ...it, amount: it.amount - 1n }) }),
    status: 402,
    error: 'payment_invalid',
    word: 'payment_rejected',
    reason: 'aetherkit_offer_mismatch',
  },
  {
    outcome: 'another scheme',
    shop: openShop,
    headers: () => ({
      'x-payment': encodeHeader({
        x402Version: 1,
        scheme: 'upto',
        network: 'solana',
        payload: { transaction: 'AgAA' },
      }),
    }),
    status: 402,
    error: 'payment_invalid',
    word: 'payment_rejected',
    reason: 'unsupported_scheme',
  },
  {
    outcome: 'definite settle failure',
    shop: failing({
      settle: async (id) => ({
        ...refuse('invalid_exact_svm_transaction_failed'),
        transaction: transactionOf(id),
      }),
    }),
    headers: payHeaders,
    status: 402,
    error: 'settlement_failed',
    word: 'settle_failed',
    reason: 'invalid_exact_svm_transaction_failed',
    signature: true,
  },
  {
    outcome: 'header not base64',
    shop: openShop,
    headers: () => ({ 'x-payment': 'not base64!' }),
    status: 400,
    error: 'payment_malformed',
    word: 'malformed',
    reason: 'aetherkit_malformed_payment',
  },
  {
    outcome: 'unknown version',
    shop: openShop,
    headers: () => ({ 'payment-signature': encodeHeader({ x402Version: 9 }) }),
    status: 400,
    error: 'payment_malformed',
    word: 'malformed',
    reason: 'invalid_x402_version',
  },
  {
    outcome: 'two headers with different transactions',
    shop: openShop,
    headers: async (shop) => ({ ...(await shop.pay('v1')), ...(await shop.pay('v2')) }),
    status: 400,
    error: 'payment_malformed',
    word: 'malformed',
    reason: 'aetherkit_two_payments',
  },
  {
    outcome: 'settle outcome unknown',
    shop: failing({
      settle: async (id) => ({
        ...refuse('settlement_pending'),
        transaction: transactionOf(id),
        pending: true,
      }),
    }),
    headers: payHeaders,
    status: 503,
    error: 'settlement_unknown',
    word: 'unknown',
    reason: 'settlement_pending',
    retry: true,
    signature: true,
  },
  {
    outcome: 'the node died after the broadcast',
    shop: failing({ settle: () => Promise.reject(new Error('socket hang up')) }),
    headers: payHeaders,
    status: 503,
    error: 'settlement_unknown',
    word: 'unknown',
    reason: 'settlement_pending',
    retry: true,
    signature: true,
  },
  {
    outcome: 'the node is away before anything was sent',
    shop: failing({ signs: false, settle: async () => refuse('unexpected_verify_error') }),
    headers: payHeaders,
    status: 503,
    error: 'facilitator_unavailable',
    word: 'unknown',
    reason: 'aetherkit_facilitator_unavailable',
    retry: true,
  },
])('$outcome is $status $error, $word', async ({ shop: open, headers, ...expected }) => {
  const shop = open()
  const answer = await shop.visit(await headers(shop))
  const body = JSON.parse(answer.body)
  expect(answer.status).toBe(expected.status)
  expect(body).toMatchObject({ error: expected.error, outcome: expected.word })
  expect(body.reason).toBe(expected.reason)
  expect(answer.headers['Retry-After'] !== undefined).toBe(expected.retry === true)
  expect(body.transaction !== undefined || answer.headers['PAYMENT-RESPONSE'] !== undefined).toBe(
    expected.signature === true,
  )
  if (expected.signature) {
    const receipt = readReceiptHeaders(lower(answer.headers))
    expect(receipt).toMatchObject({ success: false, errorReason: expected.reason })
    expect(receipt?.transaction).not.toBe('')
  }
  if (expected.status === 402) {
    expect(readOffer(lower(answer.headers), answer.body)).toMatchObject({
      ok: true,
      offer: { error: expected.error, accepts: [{ amount: PRICE, payTo: merchant }] },
    })
  }
  expect(answer.headers['Cache-Control']).toBe('no-store')
  expect(shop.handled).toBe(0)
  shop.gate.close()
})

test('terms beyond the header budget are told once as header_budget, and their extensions go to the body', async () => {
  const errors: unknown[] = []
  const extensions = { bazaar: { info: { text: 'x'.repeat(7_000) } } }
  const shop = openShop({ terms: { extensions }, onError: (error) => errors.push(error) })
  for (let visits = 0; visits < 3; visits++) {
    const { headers, body } = await shop.visit({})
    expect(headers['PAYMENT-REQUIRED']?.length).toBeLessThan(6 * 1024)
    expect(JSON.parse(body).extensions).toEqual(extensions)
  }
  expect(errors).toMatchObject([{ name: 'PaymentError', code: 'header_budget' }])
  const small: unknown[] = []
  await openShop({ onError: (error) => small.push(error) }).visit({})
  expect(small).toEqual([])
})

test('what a route declares comes back as it was, or with more in it; altered it is extension_echo_mismatch', async () => {
  const extensions = { survey: { info: { question: 'why', choices: ['a'] }, schema: {} } }
  const shop = openShop({ terms: { extensions } })
  const echo = (info: Json) => shop.pay('v2', { extensions: () => ({ survey: { info } }) })
  expect(await shop.visit(await echo({ question: 'why', choices: ['a'], answer: 'so' }))).toMatchObject({
    status: 200,
  })
  expect(await shop.visit(await shop.pay('v2', { extensions: () => ({}) }))).toMatchObject({ status: 200 })
  const altered = await shop.visit(await echo({ question: 'what', choices: ['a'] }))
  expect([altered.status, JSON.parse(altered.body).reason]).toEqual([402, 'extension_echo_mismatch'])
  expect([shop.handled, shop.settler.settled]).toEqual([2, 2])
})

test.each([
  { waitMs: Number.NaN },
  { leaseMs: 0 },
  { keepBytes: -1 },
  { watchEveryMs: Number.POSITIVE_INFINITY },
])('a gate with %j is invalid_option', (limit) => {
  expect(() => openShop(limit)).toThrow(expect.objectContaining({ code: 'invalid_option' }))
})
