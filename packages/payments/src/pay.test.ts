/** The paying fetch against a real seller on the local chain, judged by balances and runs of the handler. */

import type { JsonObject } from '@aetherkit/core'
import { expect, test } from 'vitest'
import { PRICE } from '../test/market.js'
import { newBuyer } from '../test/stall.js'
import { buyer, market, paid, payer, reopenStall, stall } from '../test/trade.js'
import { decodeHeader, encodeHeader } from './codec/header.js'
import { createPaymentIdentifiers } from './extension/payment-identifier.js'
import { memoryJournal } from './journal.js'
import { createLedger } from './ledger/ledger.js'
import { memoryStore } from './ledger/memory.js'
import { type PaidReceipt, type PayingFetchOptions, payingFetch } from './pay.js'

test('a priced route is paid once and served, with a receipt', async () => {
  const receipts: PaidReceipt[] = []
  const paying = payer({ onReceipt: (receipt) => receipts.push(receipt) })
  const response = await paying(`${stall.origin}/goods`)
  expect([response.status, await response.text(), response.url]).toEqual([
    200,
    'goods',
    `${stall.origin}/goods`,
  ])
  expect([await paid(), stall.runs, stall.asked.length]).toEqual([1, 1, 2])
  const [listed] = await paying.receipts()
  expect(listed).toMatchObject({
    url: `${stall.origin}/goods`,
    description: 'goods',
    amount: PRICE,
    price: '0.10 USDC',
    payTo: market.chain.wallets.merchant.publicKey,
    isServed: true,
  })
  expect(receipts).toEqual([{ ...listed, isServed: false }])
  expect(await stall.gate.receipt(listed!.transaction)).toMatchObject({ success: true, payer: buyer.address })
})

test('method, headers and body are the same in the paid request', async () => {
  const paying = payer()
  const init = { method: 'POST', headers: { 'content-type': 'text/x', 'x-mine': 'a' }, body: ' for me' }
  expect(await (await paying(`${stall.origin}/goods`, init)).text()).toBe('goods for me')
  expect(stall.asked).toMatchObject([
    { method: 'POST', body: ' for me', isPaid: false, headers: { 'content-type': 'text/x', 'x-mine': 'a' } },
    { method: 'POST', body: ' for me', isPaid: true, headers: { 'content-type': 'text/x', 'x-mine': 'a' } },
  ])
})

test('a Request, a stream as body and a URL are taken as fetch takes them', async () => {
  const paying = payer()
  const streamed = { method: 'POST', body: new Blob([' streamed']).stream(), duplex: 'half' }
  expect(await (await paying(new Request(`${stall.origin}/goods`, streamed))).text()).toBe('goods streamed')
  expect(await (await paying(new URL('/goods#part', stall.origin))).text()).toBe('goods')
  expect(await paid()).toBe(2)
})

test('a free route costs nothing and is asked once', async () => {
  const response = await payer()(`${stall.origin}/free`)
  expect([response.status, await response.text()]).toEqual([200, 'free'])
  expect([await paid(), stall.asked.length]).toEqual([0, 1])
})

test('a 402 that is no challenge goes to the caller as it came', async () => {
  stall.before = (_, response) => {
    response.writeHead(402, { 'x-why': 'because' }).end('{"pay":"by cheque"}')
    return true
  }
  const response = await payer()(`${stall.origin}/goods`)
  expect([response.status, response.headers.get('x-why')]).toEqual([402, 'because'])
  expect(await response.json()).toEqual({ pay: 'by cheque' })
  expect(stall.asked).toHaveLength(1)
})

test('a request that brings its own payment is left alone', async () => {
  const headers = { 'payment-signature': encodeHeader({ x402Version: 3 }) }
  expect((await payer()(`${stall.origin}/goods`, { headers })).status).toBe(400)
  expect(stall.asked).toHaveLength(1)
})

test.each(['v1', 'seed'] as const)('a seller that speaks %s only is paid in its words', async (dialect) => {
  const original = stall.gate.decide
  stall.gate.decide = async (request, terms) => {
    const verdict = await original(request, terms)
    if (verdict.kind !== 'respond') {
      const { 'PAYMENT-RESPONSE': _, ...headers } = verdict.headers as Record<string, string>
      return { ...verdict, headers }
    }
    const { 'PAYMENT-REQUIRED': _, ...rest } = verdict.headers as Record<string, string>
    const { x402Version: _version, ...body } = JSON.parse(String(verdict.body))
    if (dialect === 'v1') return { ...verdict, headers: rest }
    return { ...verdict, headers: rest, body: JSON.stringify(body) }
  }
  const paying = payer()
  const response = await paying(`${stall.origin}/goods`)
  expect(await response.text()).toBe('goods')
  expect(stall.asked[1]?.headers['x-payment']).toBeDefined()
  expect(stall.asked[1]?.headers['payment-signature']).toBeUndefined()
  expect(await paying.receipts()).toMatchObject([{ transaction: expect.stringMatching(/^\w{80,}$/) }])
  expect(await paid()).toBe(1)
})

test('two equal requests one after the other are two purchases, read or not', async () => {
  const paying = payer()
  await paying(`${stall.origin}/goods`)
  expect(await (await paying(`${stall.origin}/goods`)).text()).toBe('goods')
  expect([await paid(), stall.runs]).toEqual([2, 2])
})

test('with an idempotency key any number of equal requests, at once or later, is one purchase', async () => {
  const journal = memoryJournal()
  const init = { headers: { 'idempotency-key': 'order 7' } }
  const paying = payer({ journal })
  const answers = await Promise.all(Array.from({ length: 5 }, () => paying(`${stall.origin}/goods`, init)))
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(Array(5).fill('goods'))
  expect(await (await payer({ journal })(`${stall.origin}/goods`, init)).text()).toBe('goods')
  expect([await paid(), stall.runs]).toEqual([1, 1])
  await paying(`${stall.origin}/goods`, { headers: { 'idempotency-key': 'order 8' } })
  expect(await paid()).toBe(2)
})

test('without a node it pays offers that bring a blockhash, and no others', async () => {
  const options = { signer: buyer.signer, network: 'solana-devnet' }
  await expect(payingFetch(fetch, options)(`${stall.origin}/goods`)).rejects.toMatchObject({
    code: 'offer_refused',
  })
  const recentBlockhash = async () => {
    const { createRpc, resultValue } = await import('./rpc.js')
    const value = resultValue(await createRpc(market.chain.rpcUrl).call('getLatestBlockhash', []))
    const { blockhash } = value as { blockhash: string }
    return { blockhash, lastValidBlockHeight: 1n }
  }
  await reopenStall({ recentBlockhash })
  expect(await (await payingFetch(fetch, options)(`${stall.origin}/goods`)).text()).toBe('goods')
  // With a node the blockhash is checked, and its height is not the seller's to say.
  const journal = memoryJournal()
  expect(await (await payer({ journal })(`${stall.origin}/goods`)).text()).toBe('goods')
  const [entry] = await journal.entries()
  expect(BigInt(entry!.lastValidBlockHeight!)).toBeGreaterThan(1n)
})

test('a seller who wants a payment id gets one; with a key it charges once even when the journal is lost', async () => {
  const store = memoryStore()
  const identifiers = createPaymentIdentifiers({ store, required: true })
  await reopenStall({ identifiers, ledger: createLedger(store) })
  const init = { headers: { 'idempotency-key': 'order 9' } }
  for (let i = 0; i < 2; i++)
    expect(await (await payer()(`${stall.origin}/goods`, init)).text()).toBe('goods')
  expect(new Set(stall.payments()).size).toBe(2)
  expect([await paid(), stall.runs]).toEqual([1, 1])
  expect(await (await payer()(`${stall.origin}/goods`)).text()).toBe('goods')
  expect([await paid(), stall.runs]).toEqual([2, 2])
})

test('what the seller said is echoed word for word', async () => {
  stall.terms = {
    flow: 'authorization',
    resource: {
      url: `${stall.origin}/goods`,
      description: 'goods',
      mimeType: 'text/plain',
      serviceName: 'Stall',
      tags: ['a', 'b'],
      iconUrl: 'https://shop.example/icon.png',
    },
    accept: { extra: { paymentFlow: 'authorization', note: { deep: [1, 'two', false] } } },
  }
  let offered: JsonObject = {}
  const original = stall.gate.decide
  stall.gate.decide = async (request, terms) => {
    const verdict = await original(request, terms)
    if (verdict.kind === 'respond' && verdict.status === 402) {
      const decoded = decodeHeader(verdict.headers['PAYMENT-REQUIRED'] ?? '')
      if (decoded.ok) offered = decoded.value
    }
    return verdict
  }
  expect(await (await payer()(`${stall.origin}/goods`)).text()).toBe('goods')
  const sent = decodeHeader(stall.payments()[0] ?? '')
  const { resource, accepts, extensions } = offered
  const accepted = Array.isArray(accepts) ? accepts[0] : undefined
  expect(sent).toMatchObject({ ok: true, value: { x402Version: 2, resource, accepted, extensions } })
  expect(accepted).toMatchObject({
    extra: { paymentFlow: 'authorization', note: { deep: [1, 'two', false] } },
  })
})

test('it is a fetch: whatever takes one takes it', () => {
  const provider: { fetch: typeof globalThis.fetch } = { fetch: payer() }
  expect(provider.fetch).toBeTypeOf('function')
})

test('a quote says what it would cost and whether it would be paid, and pays nothing', async () => {
  const paying = payer({ budget: { perCall: '$0.50', total: '$0.15' } })
  expect(await paying.quote(`${stall.origin}/free`)).toEqual({ isFree: true, status: 200 })
  expect(await paying.quote(`${stall.origin}/goods`)).toMatchObject({
    isFree: false,
    purchase: {
      price: '0.10 USDC',
      amount: PRICE,
      flow: 'upfront',
      isKnownPayee: false,
      host: new URL(stall.origin).host,
    },
  })
  expect(await paid()).toBe(0)
  await paying(`${stall.origin}/goods`)
  const quote = await paying.quote(`${stall.origin}/goods`)
  expect(quote).toMatchObject({ purchase: { isKnownPayee: true }, fault: { code: 'budget_exceeded' } })
  expect(await paying.budgetLeft()).toEqual({ perCall: 500_000n, total: 50_000n })
  const poor = await newBuyer(market, 1n)
  const quoted = await payer({ signer: poor.signer }).quote(`${stall.origin}/goods`)
  expect(quoted).toMatchObject({ fault: { code: 'insufficient_funds' } })
})

test.each<[string, Partial<PayingFetchOptions>, string]>([
  ['an unknown network', { network: 'bitcoin' }, 'unknown_network'],
  ['a cap that is no amount', { budget: { total: '1,000' } }, 'invalid_option'],
  ['a patience that is no number', { patienceMs: Number.NaN }, 'invalid_option'],
])('%s is refused at construction', (_name, options, code) => {
  expect(() => payer(options)).toThrow(expect.objectContaining({ code }))
})

test('a demo key is refused with a node elsewhere, and without any', () => {
  const { secretKey, publicKey } = market.chain.wallets.buyer
  const signer = { publicKey: { toBase58: () => publicKey }, secretKey }
  const network = 'solana-devnet'
  const refusal = expect.objectContaining({ code: 'demo_key' })
  expect(() => payingFetch(fetch, { signer, network, rpcUrl: 'https://api.devnet.solana.com' })).toThrow(
    refusal,
  )
  expect(() => payingFetch(fetch, { signer, network })).toThrow(refusal)
})
