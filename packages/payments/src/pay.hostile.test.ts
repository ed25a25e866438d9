/** Sellers who cheat, and the rules that hold before anything is signed (spec payments 12, 1 to 6). */

import { expect, test } from 'vitest'
import { PRICE } from '../test/market.js'
import { openStall } from '../test/stall.js'
import { buyer, market, countedPayer as payer, signed, spent, stall } from '../test/trade.js'
import { readPaymentHeaders } from './codec/classify.js'
import { memoryJournal } from './journal.js'
import { DEVNET, MAINNET } from './network.js'
import { receiptHeaders, writeOffer } from './offer.js'
import type { PayingFetchOptions } from './pay.js'
import type { Offer, Requirement } from './requirement.js'
import { encodeBase58 } from './solana.js'

/** The stall's own offer, changed. */
function offering(change: Partial<Requirement>, resource: Partial<Offer['resource']> = {}) {
  stall.before = async ({ isPaid, url, method }, response) => {
    if (isPaid) return false
    const asked = { method, url: `${stall.origin}${url}`, header: () => undefined }
    const terms = { ...market.terms, resource: { url: asked.url, description: 'x', mimeType: 'text/plain' } }
    const offer = await stall.gate.offer(asked, terms)
    const accepts = offer.accepts.map((requirement) => ({ ...requirement, ...change }))
    const changed = { ...offer, accepts, resource: { ...offer.resource, ...resource } }
    const { headers, body } = writeOffer(changed, { error: 'payment_required', outcome: 'unpaid' })
    response.writeHead(402, { ...headers }).end(JSON.stringify(body))
    return true
  }
}

const STRANGER = encodeBase58(new Uint8Array(32).fill(9))

test.each<[string, Partial<Requirement>, Partial<Offer['resource']>, Partial<PayingFetchOptions>, string]>([
  ['a price above the cap of a call', { amount: 1_000_001n }, {}, {}, 'budget_exceeded'],
  ['a resource of another origin', {}, { url: 'https://elsewhere.example/goods' }, {}, 'offer_refused'],
  ['a resource on another port', {}, { url: 'http://127.0.0.1:1/goods' }, {}, 'offer_refused'],
  ['a resource that is no place', {}, { url: 'mcp://tool/x' }, {}, 'offer_refused'],
  ['a memo of 257 bytes', { memo: 'm'.repeat(257) }, {}, {}, 'offer_refused'],
  ['a memo that is not printable', { memo: 'a\u001b[2Jb' }, {}, {}, 'offer_refused'],
  ['a memo that turns the text around', { memo: 'a\u202eb' }, {}, {}, 'offer_refused'],
  ['terms of another network', { network: MAINNET }, {}, {}, 'offer_refused'],
  ['a token that is not on the list', { asset: STRANGER }, {}, {}, 'offer_refused'],
  ['a known token that the caller took off it', {}, {}, { policy: { assets: ['USDG'] } }, 'offer_refused'],
  ['an offer that never ends', { maxTimeoutSeconds: 3_601 }, {}, {}, 'offer_refused'],
  ['a host that is not on the list', {}, {}, { policy: { hosts: ['shop.example'] } }, 'offer_refused'],
  ['a choice that takes none', {}, {}, { policy: { choose: () => undefined } }, 'offer_refused'],
  ['an approval that is denied', {}, {}, { approve: () => false }, 'not_approved'],
])('%s: refused before anything is signed', async (_name, change, resource, options, code) => {
  offering(change, resource)
  await expect(payer(options)(`${stall.origin}/goods`)).rejects.toMatchObject({ code })
  expect([signed, stall.payments(), await spent()]).toEqual([0, [], 0n])
})

test('the buyer as payee or as fee payer is offer_refused', async () => {
  for (const change of [{ payTo: buyer.address }, { feePayer: buyer.address }]) {
    offering(change)
    await expect(payer()(`${stall.origin}/goods`)).rejects.toMatchObject({ code: 'offer_refused' })
  }
  expect([signed, await spent()]).toEqual([0, 0n])
})

test('a challenge that cannot be read is offer_refused, with its reason', async () => {
  stall.before = (_, response) => {
    response.writeHead(402, { 'payment-required': 'bm8ganNvbg==' }).end()
    return true
  }
  const refusal = { code: 'offer_refused', reason: 'aetherkit_malformed_payment' }
  await expect(payer()(`${stall.origin}/goods`)).rejects.toMatchObject(refusal)
})

test('a body without end on a 402 is no challenge and does not hang', async () => {
  stall.before = (_, response) => {
    response.writeHead(402)
    const more = setInterval(() => response.write('x'.repeat(100_000)), 1)
    response.once('close', () => clearInterval(more))
    return true
  }
  const response = await payer()(`${stall.origin}/goods`)
  expect(response.status).toBe(402)
  await response.body?.cancel()
})

test('less than the price in the account is insufficient_funds before signing', async () => {
  await market.chain.setTokens(buyer.address, PRICE - 1n)
  await expect(payer()(`${stall.origin}/goods`)).rejects.toMatchObject({ code: 'insufficient_funds' })
  expect(signed).toBe(0)
})

test('a node on another chain is unknown_network before signing', async () => {
  const rpcFetch = async () => Response.json({ jsonrpc: '2.0', id: 1, result: STRANGER })
  await expect(payer({ rpcFetch })(`${stall.origin}/goods`)).rejects.toMatchObject({
    code: 'unknown_network',
  })
  expect(signed).toBe(0)
})

test('a host that was paid through one wallet is not paid through another, unless the caller allows it', async () => {
  const journal = memoryJournal()
  await payer({ journal })(`${stall.origin}/goods`)
  await market.chain.setTokens(STRANGER, 0n)
  stall.terms = { accept: { payTo: STRANGER } }
  await expect(payer({ journal })(`${stall.origin}/goods`)).rejects.toMatchObject({ code: 'payee_changed' })
  expect([signed, await spent()]).toEqual([1, PRICE])
  const asked: unknown[] = []
  const allowPayee = (change: unknown) => {
    asked.push(change)
    return true
  }
  await payer({ journal, policy: { allowPayee } })(`${stall.origin}/goods`)
  expect(asked).toMatchObject([
    { offered: STRANGER, known: [market.chain.wallets.merchant.publicKey], host: new URL(stall.origin).host },
  ])
  await payer({ journal })(`${stall.origin}/goods`)
  expect(await spent()).toBe(3n * PRICE)
})

test('an offer that was reached by a redirect to another origin is not paid', async () => {
  const other = await openStall(market)
  stall.before = ({ url }, response) => {
    response.writeHead(307, { location: `${other.origin}${url}` }).end()
    return true
  }
  await expect(payer()(`${stall.origin}/goods`)).rejects.toMatchObject({ code: 'offer_refused' })
  expect([signed, other.payments()]).toEqual([0, []])
  await other.close()
})

test('a payment does not follow a redirect to another origin', async () => {
  const other = await openStall(market)
  stall.before = ({ isPaid, url }, response) => {
    if (!isPaid) return false
    response.writeHead(307, { location: `${other.origin}${url}` }).end()
    return true
  }
  await expect(payer()(`${stall.origin}/goods`)).rejects.toMatchObject({ code: 'payment_unknown' })
  expect([other.asked, await spent()]).toEqual([[], 0n])
  await other.close()
})

test('over plain http only this machine is paid', async () => {
  const asked: string[] = []
  const proxy: typeof fetch = (input, init) => {
    const url = new URL(String(input))
    asked.push(url.href)
    return fetch(`${stall.origin}${url.pathname}`, init)
  }
  // As a proxy would answer: the address is the one that was asked for.
  const through: typeof fetch = async (input, init) => {
    const response = await proxy(input, init)
    return new Response(response.body, { status: response.status, headers: response.headers })
  }
  offering({}, { url: 'http://shop.example/goods' })
  await expect(payer({}, through)('http://shop.example/goods')).rejects.toMatchObject({
    code: 'offer_refused',
  })
  expect([signed, asked]).toEqual([0, ['http://shop.example/goods']])
})

test('a blockhash of the seller’s that is no recent one is not used', async () => {
  offering({ recentBlockhash: STRANGER, lastValidBlockHeight: 1n })
  const journal = memoryJournal()
  expect(await (await payer({ journal })(`${stall.origin}/goods`)).text()).toBe('goods')
  expect((await journal.entries())[0]?.blockhash).not.toBe(STRANGER)
})

test('a seller who takes the money and says it failed is not paid again', async () => {
  const original = stall.gate.decide
  let transaction = ''
  stall.gate.decide = async (request, terms) => {
    const verdict = await original(request, terms)
    if (verdict.kind === 'pass') {
      transaction = verdict.paid.transaction
      await verdict.complete({ status: 200, body: new Uint8Array() })
    }
    if (transaction === '') return verdict
    const why = { error: 'settlement_failed', outcome: 'settle_failed', reason: 'aetherkit_dead' }
    const { headers, body } = writeOffer(await stall.gate.offer(request, terms), why)
    const failure = { success: false, transaction, network: DEVNET, errorReason: 'aetherkit_dead' } as const
    const all = { ...headers, ...receiptHeaders(failure) }
    return {
      kind: 'respond',
      status: 402,
      headers: all,
      body: JSON.stringify(body),
      outcome: 'settle_failed',
    }
  }
  const paying = payer()
  for (let i = 0; i < 2; i++)
    await expect(paying(`${stall.origin}/goods`)).rejects.toMatchObject({ code: 'payment_unknown' })
  expect([signed, new Set(stall.payments()).size, await spent()]).toEqual([1, 1, PRICE])
  expect(await paying.receipts()).toMatchObject([{ isServed: false, transaction }])
})

test('a failed transaction of somebody else’s proves nothing: the payment stays open', async () => {
  const headers = await market.pay()
  const { buyer } = market.chain.wallets
  const payment = readPaymentHeaders((name) => headers[name])
  if (payment?.ok !== true || payment.payment.accepted === undefined) throw new Error('no payment')
  const failed = await market.settler().settle(payment.payment, payment.payment.accepted, {
    onSigned: () => market.chain.setTokens(buyer.publicKey, 0n),
  })
  if (failed.ok || failed.transaction === undefined) throw new Error('it should have landed and failed')
  const { transaction } = failed
  stall.before = ({ isPaid }, response) => {
    if (!isPaid) return false
    const failure = {
      success: false,
      transaction,
      network: DEVNET,
      errorReason: 'transaction_failed',
    } as const
    response.writeHead(402, { ...receiptHeaders(failure) }).end()
    return true
  }
  const journal = memoryJournal()
  await expect(payer({ journal, patienceMs: 1_000 })(`${stall.origin}/goods`)).rejects.toMatchObject({
    code: 'payment_unknown',
  })
  expect(await journal.entries()).toMatchObject([{ state: 'open' }])
  expect(signed).toBe(1)
})

test('another payment is signed only when the first is dead: sends that get lost, then expiry', async () => {
  const journal = memoryJournal()
  stall.before = ({ isPaid }, response) => {
    if (!isPaid || stall.payments().length > 1) return false
    setTimeout(() => {
      market.chain.advanceSlots(151)
      response.destroy()
    }, 20)
    return true
  }
  expect(await (await payer({ journal })(`${stall.origin}/goods`)).text()).toBe('goods')
  expect((await journal.entries()).map(({ state }) => state)).toEqual(['dead', 'served'])
  expect([signed, new Set(stall.payments()).size, await spent()]).toEqual([2, 2, PRICE])
})
