import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { callOf, closeAll, listen, open, post } from '../../test/facilitator.js'
import { type Market, openMarket, PRICE } from '../../test/market.js'
import { openShop, scriptedSettler } from '../../test/shop.js'
import { DEVNET } from '../network.js'
import { refuse } from '../reason.js'
import { createFacilitatorClient } from './client.js'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })
afterEach(closeAll)

describe('over the local chain', () => {
  let market: Market
  beforeAll(async () => {
    market = await openMarket()
  })
  afterAll(() => market.close())

  test('supported lists both versions with the fee payer, and the signers', async () => {
    const { url } = await listen(market.settler())
    const feePayer = market.chain.wallets.facilitator.publicKey
    expect(await (await fetch(`${url}/supported`)).json()).toEqual({
      kinds: [
        { x402Version: 2, scheme: 'exact', network: DEVNET, extra: { feePayer } },
        { x402Version: 1, scheme: 'exact', network: 'solana-devnet', extra: { feePayer } },
      ],
      extensions: [],
      signers: { 'solana:*': [feePayer] },
    })
  })

  test('verify and settle over HTTP: one sale, and every repeated settle answers the recorded result', async () => {
    const { url } = await listen(market.settler())
    const before = await market.balances()
    const call = await callOf(await market.pay('v2'))
    const payer = market.chain.wallets.buyer.publicKey
    expect((await post(url, 'verify', call)).json).toEqual({ isValid: true, payer })
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(url, 'settle', call)))
    expect(new Set(answers.map(({ json }) => JSON.stringify(json))).size).toBe(1)
    expect(answers[0]?.json).toEqual({
      success: true,
      transaction: expect.any(String),
      network: DEVNET,
      payer,
      amount: PRICE.toString(),
    })
    expect((await post(url, 'verify', call)).json).toMatchObject({
      isValid: false,
      invalidReason: 'duplicate_settlement',
    })
    expect((await market.balances()).merchant - before.merchant).toBe(PRICE)
  })

  test.each(['v1', 'v2'] as const)(
    'our gate sells through our facilitator over HTTP, %s',
    async (dialect) => {
      const { url } = await listen(market.settler())
      const gate = market.gate({ settler: createFacilitatorClient({ url }) })
      open.push(gate)
      const before = await market.balances()
      const headers = await market.pay(dialect)
      const decide = () => gate.decide(market.request(headers), market.terms)
      const verdict = await decide()
      if (verdict.kind !== 'pass') throw new Error(JSON.stringify(verdict))
      await verdict.complete({ status: 200, body: new TextEncoder().encode('ok') })
      expect(await decide()).toMatchObject({ kind: 'respond', status: 200, outcome: 'replayed' })
      expect(await gate.receipt(verdict.paid.transaction)).toMatchObject({ success: true, amount: PRICE })
      expect((await market.balances()).merchant - before.merchant).toBe(PRICE)
    },
  )

  test('an answer that is lost after the settlement is 503, and the same payload is served by the record', async () => {
    const { url } = await listen(market.settler())
    let lost = 2
    const settler = createFacilitatorClient({
      url,
      async fetch(input, init) {
        const response = await fetch(input, init)
        if (input.endsWith('/settle') && lost-- > 0) throw new Error('socket hang up')
        return response
      },
    })
    const gate = market.gate({ settler, leaseMs: 100 })
    open.push(gate)
    const before = await market.balances()
    const headers = await market.pay()
    const first = await gate.decide(market.request(headers), market.terms)
    expect(first).toMatchObject({ kind: 'respond', status: 503, outcome: 'unknown' })
    const second = await gate.decide(market.request(headers), market.terms)
    expect(second.kind).toBe('pass')
    expect((await market.balances()).merchant - before.merchant).toBe(PRICE)
  })
})

test('whatever is asked, the answer carries isValid or success', async () => {
  const { url } = await listen(scriptedSettler())
  const malformed = [
    '',
    'not json',
    '[]',
    '{}',
    { paymentPayload: { x402Version: 7 } },
    { paymentPayload: { x402Version: 2 } },
  ]
  for (const body of malformed) {
    expect(await post(url, 'verify', body)).toMatchObject({
      status: 400,
      json: { isValid: false, invalidReason: expect.any(String) },
    })
    expect(await post(url, 'settle', body)).toMatchObject({
      status: 400,
      json: { success: false, errorReason: expect.any(String), transaction: '' },
    })
  }
  expect(await post(url, 'settle', 'x'.repeat(300_000))).toMatchObject({
    status: 400,
    json: { success: false },
  })
  expect(await (await fetch(`${url}/nothing`)).json()).toMatchObject({ isValid: false })
})

test('a caller beyond its rate is 429 with Retry-After, one without authority 401, a fault 500: all with the keys', async () => {
  const limited = await listen(scriptedSettler(), { rateLimit: { burst: 1, perSecond: 0.001 } })
  await post(limited.url, 'verify', {})
  const answer = await post(limited.url, 'settle', {})
  expect(answer).toMatchObject({
    status: 429,
    json: { success: false, errorReason: 'aetherkit_rate_limited' },
  })
  expect(answer.headers.get('retry-after')).toBe('1')
  const closed = await listen(scriptedSettler(), {
    authorize: ({ headers }) => headers.get('authorization') === 'Bearer key',
  })
  expect(await post(closed.url, 'verify', {})).toMatchObject({ status: 401, json: { isValid: false } })
  const broken = await listen({
    ...scriptedSettler(),
    verifyStatic: () => Promise.reject(new Error('fault')),
  })
  const call = await callOf(await openShop().pay())
  expect(await post(broken.url, 'settle', call)).toMatchObject({
    status: 500,
    json: { success: false, errorReason: 'unexpected_settle_error' },
  })
})

test('a refusal of the chain travels with its reason, and nothing was sent', async () => {
  const { url } = await listen(
    scriptedSettler({ signs: false, settle: async () => refuse('insufficient_funds', 'secret detail') }),
  )
  const { json } = await post(url, 'settle', await callOf(await openShop().pay()))
  expect(json).toMatchObject({ success: false, errorReason: 'insufficient_funds', transaction: '' })
  expect(JSON.stringify(json)).not.toContain('secret')
})

test('hooks of the facilitator: one settlement is told once, and an abort moves nothing', async () => {
  const told: unknown[] = []
  const settler = scriptedSettler()
  const { url } = await listen(settler, { onSettled: (it) => told.push(it) })
  const call = await callOf(await openShop().pay())
  await post(url, 'settle', call)
  await post(url, 'settle', call)
  expect(told).toEqual([
    { paymentId: expect.any(String), transaction: expect.any(String), payer: expect.any(String) },
  ])
  const closed = scriptedSettler()
  const refusing = await listen(closed, { onBeforeSettle: () => 'not today' })
  expect((await post(refusing.url, 'settle', call)).json).toMatchObject({
    success: false,
    errorReason: 'invalid_payment',
  })
  expect(closed.settled).toBe(0)
})
