import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type Market, openMarket, PRICE } from '../test/market.js'
import { createCredits, creditGrant, creditOnFailure } from './credit.js'
import { createLedger } from './ledger/ledger.js'
import { memoryStore } from './ledger/memory.js'
import { createRefunds, refundOnFailure } from './refund.js'
import type { Paid } from './serve.js'
import { keypairSigner } from './solana.js'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let market: Market
const open: { close(): unknown }[] = []
beforeAll(async () => {
  market = await openMarket()
})
afterEach(() => {
  market.chain.setOptions({ dropSends: 0, failSends: 0, confirmDelayMs: 0 })
  for (const it of open.splice(0)) it.close()
})
afterAll(() => market.close())

const KEY = new Uint8Array(32).fill(3)

function newRefunds(store = memoryStore(), confirmTimeoutMs = 30_000) {
  const refunds = createRefunds({
    settler: market.settler({ confirmTimeoutMs }),
    store,
    signer: keypairSigner(market.chain.wallets.merchant.secretKey),
    rpcUrl: market.chain.rpcUrl,
  })
  return { refunds, store }
}

/** A payment that has been settled, through a gate with these hooks. */
async function buy(options: Parameters<Market['gate']>[0] = {}) {
  const gate = market.gate(options)
  open.push(gate)
  const headers = await market.pay()
  const decide = () => gate.decide(market.request(headers), market.terms)
  const pass = await decide()
  if (pass.kind !== 'pass') throw new Error(JSON.stringify(pass))
  return { gate, pass, decide }
}

test('a handler that fails after the payment: one reverse transfer, and the payment fetches nothing more', async () => {
  const { refunds } = newRefunds()
  const before = await market.balances()
  const { pass, decide } = await buy({ onHandlerFailure: refundOnFailure(refunds) })
  await pass.fail(new Error('disk full'))
  const { buyer, merchant } = await market.balances()
  expect([buyer - before.buyer, merchant - before.merchant]).toEqual([0n, 0n])
  const again = await decide()
  expect(again).toMatchObject({ kind: 'respond', status: 409 })
  expect('body' in again && JSON.parse(String(again.body))).toMatchObject({ returned: 'refunded' })
})

test('20 refunds of one payment at once, by two sellers on one store, are one transfer', async () => {
  const { pass } = await buy()
  const { refunds, store } = newRefunds()
  const other = newRefunds(store).refunds
  const before = await market.balances()
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? refunds : other).refund(pass.paid, 40_000n)),
  )
  await expect
    .poll(() => refunds.refund(pass.paid), { timeout: 20_000 })
    .toMatchObject({ state: 'refunded', amount: 40_000n })
  const after = await market.balances()
  expect([after.buyer - before.buyer, after.merchant - before.merchant]).toEqual([40_000n, -40_000n])
})

test('a refund whose confirmation was hidden is finished later, never sent as another one', async () => {
  const { pass } = await buy()
  const { refunds } = newRefunds(memoryStore(), 100)
  const before = await market.balances()
  market.chain.setOptions({ confirmDelayMs: 60_000 })
  expect(await refunds.refund(pass.paid)).toMatchObject({ state: 'pending' })
  market.chain.setOptions({ confirmDelayMs: 0 })
  await expect.poll(() => refunds.recover(), { timeout: 20_000 }).toBe(1)
  expect(await refunds.refund(pass.paid)).toMatchObject({ state: 'refunded', amount: PRICE })
  expect((await market.balances()).buyer - before.buyer).toBe(PRICE)
})

test('a refund beyond the payment is a RangeError, one the seller cannot cover fails with insufficient_funds', async () => {
  const { pass } = await buy()
  const { refunds } = newRefunds()
  await expect(refunds.refund(pass.paid, PRICE + 1n)).rejects.toThrow(RangeError)
  const { merchant } = market.chain.wallets
  const held = (await market.balances()).merchant
  await market.chain.setTokens(merchant.publicKey, 0n)
  expect(await refunds.refund(pass.paid)).toEqual({ state: 'failed', reason: 'insufficient_funds' })
  await market.chain.setTokens(merchant.publicKey, held)
  expect(await refunds.refund(pass.paid)).toMatchObject({ state: 'refunded' })
})

test('prepaid credit: one payment, 1,000 calls, the exact remainder back in one transfer', async () => {
  const store = memoryStore()
  const credits = createCredits({ store, keys: [KEY] })
  const { refunds } = newRefunds(store)
  const before = await market.balances()
  const { pass } = await buy()
  const token = await credits.open(pass.paid)
  const calls = await Promise.all(Array.from({ length: 1_000 }, () => credits.debit(token, 77n)))
  expect(calls.every(({ ok }) => ok)).toBe(true)
  expect(await credits.balance(token)).toMatchObject({ total: PRICE, spent: 77_000n, isOpen: true })
  expect(await credits.debit(token, 23_001n)).toMatchObject({ ok: false, reason: 'insufficient_funds' })
  const closed = await Promise.all([credits.close(token, refunds), credits.close(token, refunds)])
  expect(closed.some((it) => it.ok && it.refund?.state === 'refunded' && it.refund.amount === 23_000n)).toBe(
    true,
  )
  expect(await credits.debit(token, 1n)).toMatchObject({ ok: false, reason: 'invalid_payment' })
  expect((await market.balances()).buyer - before.buyer).toBe(-77_000n)
})

test('a token is only as good as its mac, a debit is undone once, a rotated key still opens', async () => {
  const store = memoryStore()
  const paid: Paid = {
    paymentId: 'ab'.repeat(32),
    payer: 'p',
    network: market.terms.accepts[0]!.network,
    asset: market.chain.mint,
    amount: 100n,
    transaction: 't',
    resourceUrl: '',
  }
  const token = await createCredits({ store, keys: [KEY] }).open(paid)
  const credits = createCredits({ store, keys: [new Uint8Array(32), KEY] })
  const forged = `${token.slice(0, -3)}AAA`
  expect(await credits.debit(forged, 1n)).toMatchObject({ ok: false, reason: 'invalid_payment' })
  const debit = await credits.debit(token, 60n)
  if (!debit.ok) throw new Error('refused')
  expect(debit.left).toBe(40n)
  await debit.undo()
  await debit.undo()
  expect(await credits.balance(token)).toMatchObject({ spent: 0n })
  await expect(credits.debit(token, 0n)).rejects.toThrow(RangeError)
  expect(() => createCredits({ store, keys: [new Uint8Array(8)] })).toThrow(
    expect.objectContaining({ code: 'invalid_option' }),
  )
})

test('a failed handler leaves a credit, and the next request is served from it without a payment', async () => {
  const ledger = createLedger(memoryStore())
  const credits = createCredits({ store: ledger.store, keys: [KEY] })
  const { gate, pass } = await buy({
    ledger,
    onRequest: creditGrant(credits),
    onHandlerFailure: creditOnFailure(credits),
  })
  const { headers } = await pass.fail(new Error('timeout'))
  const token = headers['X-Credit'] ?? ''
  const request = market.request({ 'x-credit': token })
  const failing = await gate.decide(request, market.terms)
  if (failing.kind !== 'grant') throw new Error('no grant')
  await failing.settle?.({ status: 502 })
  const grant = await gate.decide(request, market.terms)
  expect(grant).toMatchObject({ kind: 'grant', headers: { 'X-Credit-Balance': '0' } })
  const spent = await gate.decide(request, market.terms)
  expect(spent).toMatchObject({ kind: 'respond', status: 402, reason: 'insufficient_funds' })
  expect(await gate.decide(market.request({ 'x-credit': 'c1.nothing' }), market.terms)).toMatchObject({
    status: 402,
    reason: 'invalid_payment',
  })
})
