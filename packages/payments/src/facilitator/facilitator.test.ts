import { createServer } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { callOf, closeAll, listen, open, post, serve } from '../../test/facilitator.js'
import { expectFigures } from '../../test/fault.js'
import { type Market, openMarket, PRICE } from '../../test/market.js'
import { openShop, scriptedSettler } from '../../test/shop.js'
import { DEVNET } from '../network.js'
import { refuse } from '../reason.js'
import type { Settler } from '../settler.js'
import { createFacilitatorClient } from './client.js'
import { facilitatorListener } from './node.js'

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
    const shop = sell(settler)
    const before = await market.balances()
    const headers = await market.pay()
    expect(await shop.visit(headers)).toMatchObject({ kind: 'respond', status: 503, outcome: 'unknown' })
    expect((await shop.visit(headers)).kind).toBe('pass')
    expectFigures(
      { fault: 'facilitator down', times: '2 answers lost after the settlement, then 1 copy' },
      await shop.figures(before),
      { runs: 1, credited: PRICE, debited: PRICE, served: 1 },
    )
  })

  test('a facilitator that is down is 503, and nobody is debited until it is back', async () => {
    const { facilitator } = await listen(market.settler())
    const listener = facilitatorListener(facilitator)
    const url = await serve(createServer(listener))
    const server = open.at(-1)
    const shop = sell(createFacilitatorClient({ url }))
    const headers = await market.pay()
    const before = await market.balances()
    await server?.close()
    const down = await Promise.all(Array.from({ length: 3 }, () => shop.visit(headers)))
    expect(down).toMatchObject(Array(3).fill({ status: 503 }))
    const fault = 'facilitator down'
    expectFigures({ fault, times: '3 copies while it is' }, await shop.figures(before), {
      runs: 0,
      credited: 0n,
      debited: 0n,
      served: 0,
    })
    await serve(createServer(listener), Number(new URL(url).port))
    expect((await shop.visit(headers)).kind).toBe('pass')
    expectFigures({ fault, times: '1 copy when it is back' }, await shop.figures(before), {
      runs: 1,
      credited: PRICE,
      debited: PRICE,
      served: 1,
    })
  })

  /** A shop that settles through it, and what came of its visits. */
  function sell(settler: Settler) {
    const gate = market.gate({ settler, leaseMs: 100 })
    open.push(gate)
    let [runs, served] = [0, 0]
    return {
      async visit(headers: Record<string, string>) {
        const verdict = await gate.decide(market.request(headers), market.terms)
        if (verdict.kind === 'pass') {
          runs++
          await verdict.complete({ status: 200, body: new TextEncoder().encode('ok') })
        }
        if (verdict.kind === 'pass' || (verdict.kind === 'respond' && verdict.status === 200)) served++
        return verdict
      },
      async figures(before: Awaited<ReturnType<Market['balances']>>) {
        const { merchant, buyer } = await market.balances()
        return { runs, credited: merchant - before.merchant, debited: before.buyer - buyer, served }
      },
    }
  }
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
