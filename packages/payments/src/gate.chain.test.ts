import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { expectFigures } from '../test/fault.js'
import { type Market, openMarket, PRICE } from '../test/market.js'
import { readReceiptHeaders } from './codec/classify.js'
import type { Gate } from './gate.js'
import { DEVNET, MAINNET } from './network.js'
import { createRecentBlockhash } from './recent-blockhash.js'
import { keypairSigner, signerAddress } from './solana.js'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let market: Market
const gates: Gate[] = []
beforeAll(async () => {
  market = await openMarket()
})
afterEach(() => {
  market.chain.setOptions({ dropSends: 0, failSends: 0, confirmDelayMs: 0, delayMs: 0 })
  for (const gate of gates.splice(0)) gate.close()
})
afterAll(() => market.close())

/** A busy machine takes its time; nothing is asserted about it. */
const SOON = { timeout: 20_000 }
const FEE = 10_001n

function open(options: Parameters<Market['gate']>[0] = {}) {
  const gate = market.gate(options)
  gates.push(gate)
  let handled = 0
  let served = 0
  return {
    gate,
    handled: () => handled,
    async visit(headers: Record<string, string>, terms = market.terms) {
      const verdict = await gate.decide(market.request(headers), terms)
      if (verdict.kind === 'respond') {
        if (verdict.status === 200) served++
        return verdict
      }
      handled++
      if (verdict.kind === 'pass')
        await verdict.complete({ status: 200, body: new TextEncoder().encode('ok') })
      served++
      return { kind: 'send', status: 200, headers: verdict.headers, body: 'ok', outcome: 'paid' }
    },
    /** What came of a fault: by the chain, the handler and the answers. */
    async figures(before: Awaited<ReturnType<Market['balances']>>) {
      const { buyer, merchant } = await moved(before)
      return { runs: handled, credited: merchant, debited: -buyer, served }
    },
  }
}

/** What moved since, in tokens, and in lamports of the sponsor. */
async function moved(before: Awaited<ReturnType<Market['balances']>>) {
  const after = await market.balances()
  return {
    buyer: after.buyer - before.buyer,
    merchant: after.merchant - before.merchant,
    sponsor: after.sponsor - before.sponsor,
  }
}
const ONE_SALE = { buyer: -PRICE, merchant: PRICE, sponsor: -FEE }
const NOTHING = { buyer: 0n, merchant: 0n, sponsor: 0n }
const SOLD = { runs: 1, credited: PRICE, debited: PRICE }
const NOT_SOLD = { runs: 0, credited: 0n, debited: 0n, served: 0 }

test('50 parallel copies of one payment: one sale on the chain, one run of the handler, one receipt for all', async () => {
  const shop = open()
  const before = await market.balances()
  const headers = await market.pay()
  const answers = await Promise.all(Array.from({ length: 50 }, () => shop.visit(headers)))
  expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200))
  expect(new Set(answers.map((answer) => answer.headers['PAYMENT-RESPONSE'])).size).toBe(1)
  expect(await moved(before)).toEqual(ONE_SALE)
  expectFigures(
    { fault: 'parallel copies of one payment', times: `${answers.length} copies` },
    await shop.figures(before),
    { ...SOLD, served: 50 },
  )
})

test('two honest purchases under one blockhash are two sales', async () => {
  const shop = open()
  const before = await market.balances()
  market.chain.pauseClock()
  const [one, two] = [await market.pay(), await market.pay('v1')]
  market.chain.resumeClock()
  const answers = await Promise.all([shop.visit(one), shop.visit(two)])
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
  expect(await moved(before)).toEqual({ buyer: -2n * PRICE, merchant: 2n * PRICE, sponsor: -2n * FEE })
})

test('a node that takes the payment and answers with an error: debited once, served', async () => {
  const shop = open()
  const before = await market.balances()
  market.chain.setOptions({ failSends: 1 })
  const headers = await market.pay()
  expect((await shop.visit(headers)).status).toBe(200)
  expect((await shop.visit(headers)).status).toBe(200)
  expect(await moved(before)).toEqual(ONE_SALE)
  expectFigures(
    { fault: 'RPC takes the payment and answers with an error', times: '1 send, then 1 copy' },
    await shop.figures(before),
    { ...SOLD, served: 2 },
  )
})

test('a send that is lost is sent again, the same bytes', async () => {
  const shop = open()
  const before = await market.balances()
  market.chain.setOptions({ dropSends: 1 })
  expect((await shop.visit(await market.pay())).status).toBe(200)
  expect(await moved(before)).toEqual(ONE_SALE)
})

test('a confirmation that stays hidden is 503 with the signature; the same header gets the goods later', async () => {
  const shop = open({ settler: market.settler({ confirmTimeoutMs: 200 }), watchEveryMs: 20, waitMs: 100 })
  const before = await market.balances()
  market.chain.setOptions({ confirmDelayMs: 60_000 })
  const headers = await market.pay()
  const first = await shop.visit(headers)
  expect([first.status, first.outcome]).toEqual([503, 'unknown'])
  const { transaction } = JSON.parse(String(first.body))
  expect((await shop.visit(headers)).status).toBe(503)
  const fault = 'confirmation stays hidden'
  expectFigures({ fault, times: '2 copies while it is: 503' }, await shop.figures(before), {
    ...SOLD,
    runs: 0,
    served: 0,
  })
  market.chain.setOptions({ confirmDelayMs: 0 })
  await expect.poll(async () => (await shop.visit(headers)).status, SOON).toBe(200)
  expect(await shop.gate.receipt(transaction)).toMatchObject({ success: true, transaction, amount: PRICE })
  expect(await moved(before)).toEqual(ONE_SALE)
  expectFigures({ fault, times: 'copies until it shows' }, await shop.figures(before), { ...SOLD, served: 1 })
})

test('a payment whose blockhash died before it was sent is refused and costs nobody anything', async () => {
  const shop = open()
  const before = await market.balances()
  const headers = await market.pay()
  market.chain.expireBlockhashes()
  const answer = await shop.visit(headers)
  expect(answer).toMatchObject({ status: 402, reason: 'invalid_exact_svm_transaction_simulation_failed' })
  expect(await moved(before)).toEqual(NOTHING)
  expectFigures(
    { fault: 'blockhash expires before the broadcast', times: '1 payment' },
    await shop.figures(before),
    NOT_SOLD,
  )
})

test('a payment that was sent and never landed is 402 once its blockhash is dead, and the next one is served', async () => {
  const shop = open()
  const before = await market.balances()
  const headers = await market.pay()
  market.chain.setOptions({ dropSends: 1_000 })
  market.chain.resetStats()
  const lost = shop.visit(headers)
  await expect.poll(() => market.chain.stats().requests.sendTransaction ?? 0, SOON).toBeGreaterThan(0)
  market.chain.expireBlockhashes()
  market.chain.advanceSlots(200)
  expect(await lost).toMatchObject({ status: 402, outcome: 'settle_failed', reason: 'aetherkit_dead' })
  market.chain.setOptions({ dropSends: 0 })
  expect((await shop.visit(headers)).status).toBe(402)
  expect(await moved(before)).toEqual(NOTHING)
  const fault = 'blockhash expires after the broadcast'
  expectFigures({ fault, times: '2 copies of one payment' }, await shop.figures(before), NOT_SOLD)
  expect((await shop.visit(await market.pay())).status).toBe(200)
  expect(await moved(before)).toEqual(ONE_SALE)
  expectFigures({ fault, times: 'another payment after it' }, await shop.figures(before), {
    ...SOLD,
    served: 1,
  })
})

test('a sponsor without SOL sells nothing and costs nobody anything; when it has some the same payment is served', async () => {
  const shop = open()
  const { facilitator } = market.chain.wallets
  const full = market.chain.lamportsOf(facilitator.publicKey)
  const headers = await market.pay()
  market.chain.setLamports(facilitator.publicKey, FEE - 1n)
  const before = await market.balances()
  const answer = await shop.visit(headers)
  expect(answer).toMatchObject({ status: 402, reason: 'invalid_exact_svm_transaction_simulation_failed' })
  expect(await moved(before)).toEqual(NOTHING)
  const fault = 'sponsor out of SOL'
  expectFigures({ fault, times: '1 payment' }, await shop.figures(before), NOT_SOLD)
  market.chain.setLamports(facilitator.publicKey, full)
  expect((await shop.visit(headers)).status).toBe(200)
  expectFigures({ fault, times: 'the same one after a refill' }, await shop.figures(before), {
    ...SOLD,
    served: 1,
  })
})

test('a payee without a token account is told by name, and nothing moves', async () => {
  const shop = open()
  const payee = signerAddress(keypairSigner(randomBytes(32)))
  const terms = { ...market.terms, accepts: market.terms.accepts.map((it) => ({ ...it, payTo: payee })) }
  const headers = await market.pay('v2', terms)
  const before = await market.balances()
  const answer = await shop.visit(headers, terms)
  expect(answer).toMatchObject({ status: 402, reason: 'aetherkit_destination_missing' })
  expect(await market.chain.tokensOf(payee)).toBeUndefined()
  expect(await moved(before)).toEqual(NOTHING)
  expectFigures(
    { fault: "payee's token account missing", times: '1 payment' },
    { ...(await shop.figures(before)), credited: (await market.chain.tokensOf(payee)) ?? 0n },
    NOT_SOLD,
  )
})

test('a payer who cannot pay is told insufficient_funds, and the handler never runs', async () => {
  const shop = open()
  const { buyer } = market.chain.wallets
  const held = (await market.balances()).buyer
  const headers = await market.pay()
  await market.chain.setTokens(buyer.publicKey, PRICE - 1n)
  expect(await shop.visit(headers)).toMatchObject({ status: 402, reason: 'insufficient_funds' })
  await market.chain.setTokens(buyer.publicKey, held)
  expect(shop.handled()).toBe(0)
})

test('several payments on a balance for one: one sale, the others refused, the sponsor pays for one', async () => {
  const shop = open()
  const { buyer } = market.chain.wallets
  const held = (await market.balances()).buyer
  const payments = await Promise.all(Array.from({ length: 4 }, () => market.pay()))
  await market.chain.setTokens(buyer.publicKey, PRICE)
  const before = await market.balances()
  const answers = await Promise.all(payments.map((headers) => shop.visit(headers)))
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 402, 402, 402])
  expect(await moved(before)).toEqual(ONE_SALE)
  await market.chain.setTokens(buyer.publicKey, held)
})

test('a node that is away is 503 without a signature, and the same payload is served when it is back', async () => {
  let away = false
  const fetch: typeof globalThis.fetch = (url, init) =>
    away ? Promise.reject(new Error('ECONNREFUSED')) : globalThis.fetch(url, init)
  const shop = open({ settler: market.settler({ fetch: (url, init) => fetch(url, init) }) })
  const headers = await market.pay()
  away = true
  const answer = await shop.visit(headers)
  expect([answer.status, answer.outcome, answer.headers['PAYMENT-RESPONSE']]).toEqual([
    503,
    'unknown',
    undefined,
  ])
  away = false
  const served = await shop.visit(headers)
  expect(served.status).toBe(200)
  const receipt = readReceiptHeaders((name) => served.headers[name.toUpperCase()])
  expect(receipt).toMatchObject({ success: true, payer: market.chain.wallets.buyer.publicKey })
})

test('an offer brings a blockhash of its own, asked for once by many requests', async () => {
  let asked = 0
  const recentBlockhash = createRecentBlockhash({
    rpcUrl: market.chain.rpcUrl,
    network: DEVNET,
    fetch(url, init) {
      asked++
      return fetch(url, init)
    },
  })
  const { gate } = open({ recentBlockhash })
  const offers = await Promise.all(
    Array.from({ length: 20 }, () => gate.offer(market.request(), market.terms)),
  )
  expect(asked).toBe(1)
  for (const { accepts } of offers) {
    expect(accepts[0]).toMatchObject({
      recentBlockhash: expect.any(String),
      lastValidBlockHeight: expect.any(BigInt),
    })
  }
  expect(await recentBlockhash(MAINNET)).toBeUndefined()
})
