import { createLedger, createPaymentIdentifiers, memoryStore, payingFetch } from '@aetherkit/payments'
import { base58 } from '@scure/base'
import { describe, expect, test } from 'vitest'
import { AGENT, CALLER_SEED, request } from '../../test/dialect.js'
import { type Loose, useTown } from '../../test/sale.js'
import { PRICE, type Shop } from '../../test/shop.js'
import type { JsonRecord } from '../model.js'
import { payForTask } from '../payment/pay-for-task.js'
import { paidAgentRequest } from './paid-request.js'
import { agentRequest } from './request.js'

const town = useTown()
const ACCEPT_402 = { accept: 'application/json, application/vnd.x402+json' }

async function post(shop: Shop, params: JsonRecord, headers: Record<string, string> = {}) {
  const response = await fetch(shop.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', method: 'agent.request', id: 'a', params }),
  })
  const body: Loose = await response.json()
  return { status: response.status, headers: response.headers, body }
}
const decode = (header: string | null): Loose =>
  JSON.parse(Buffer.from(header ?? '', 'base64').toString('utf8'))
const ask = { key: CALLER_SEED, to: AGENT, action: 'echo', payload: { text: 'hi' } }

describe('4.2: an unpaid call of the dialect', () => {
  test('200 with payment_required: the three fields of the docs, and x402 v2 and v1 beside them', async () => {
    const shop = await town.now.open()
    const { status, body } = await post(shop, request())
    expect(status).toBe(200)
    const { result } = body
    expect(result).toMatchObject({ status: 'payment_required', data: null })
    const { amount, asset, payTo, network, x402, x402v1 } = result.paymentRequired
    const { merchant } = town.now.chain.wallets
    expect([amount, asset, payTo, network]).toEqual([
      String(PRICE),
      'USDC',
      merchant.publicKey,
      'solana-devnet',
    ])
    expect(x402).toMatchObject({
      x402Version: 2,
      accepts: [{ network: 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1' }],
    })
    expect(x402v1).toMatchObject({
      x402Version: 1,
      accepts: [{ network: 'solana-devnet', maxAmountRequired: amount }],
    })
    expect(shop.runs.count).toBe(0)
  })

  test('402 when it is asked for: one answer for readers of v2, of v1 and of the docs', async () => {
    const shop = await town.now.open()
    const { status, headers, body } = await post(shop, request(), ACCEPT_402)
    expect(status).toBe(402)
    expect(decode(headers.get('payment-required'))).toMatchObject({
      x402Version: 2,
      error: 'payment_required',
    })
    expect(body).toMatchObject({ x402Version: 1, error: 'payment_required', accepts: [{ scheme: 'exact' }] })
    const { requirements } = body
    expect(decode(headers.get('x-payment-requirements'))).toEqual(requirements)
    expect(requirements).toMatchObject({
      scheme: 'exact',
      network: 'solana-devnet',
      asset: town.now.chain.mint,
      payTo: town.now.chain.wallets.merchant.publicKey,
      maxAmountRequired: String(PRICE),
      resource: 'https://agent.example',
      description: expect.any(String),
      maxTimeoutSeconds: expect.any(Number),
    })
  })

  test('402 for everybody when the route says so', async () => {
    const shop = await town.now.open({ agent: { dialect: { http402: true } } })
    expect((await post(shop, request())).status).toBe(402)
  })

  test('what fails before it is priced is not billed', async () => {
    const shop = await town.now.open({ agent: { dialect: { actions: { echo: {} } } } })
    const { body } = await post(shop, request({ action: 'nothing' }))
    expect(body.error.code).toBe(-32601)
  })
})

describe('4.2: a paid call of the dialect', () => {
  test('an x402 fetch pays with the very same bytes: the unpaid answer has not used them up', async () => {
    const shop = await town.now.open()
    const before = await town.now.sold()
    const there = async (_url: RequestInfo | URL, init?: RequestInit) => {
      const { status, headers, body } = await fetch(shop.url, init)
      return new Response(body, { status, headers })
    }
    const response = await payingFetch(there, town.now.wallet())('https://agent.example', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...ACCEPT_402 },
      body: JSON.stringify({ jsonrpc: '2.0', method: 'agent.request', id: 'a', params: request() }),
    })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ id: 'a', result: { status: 'success' } })
    expect((await town.now.sold()) - before).toBe(PRICE)
  })

  test('agentRequest with a buyer: paid once, by policy, with both receipt headers', async () => {
    const shop = await town.now.open()
    const before = await town.now.sold()
    const unpaid = await agentRequest(shop.url, ask)
    expect(unpaid).toMatchObject({ status: 'payment_required', paymentRequired: { asset: 'USDC' } })
    const bought = await paidAgentRequest(shop.url, { ...ask, buyer: town.now.buyer() })
    expect(bought).toMatchObject({
      status: 'success',
      data: { said: '{"text":"hi"}' },
      receipt: { success: true },
    })
    expect(shop.runs.count).toBe(1)
    expect((await town.now.sold()) - before).toBe(PRICE)
  })

  test('the same payment in new requests, in copies and at once: settled once, run once, one answer', async () => {
    const shop = await town.now.open()
    const before = await town.now.sold()
    const header = await paymentHeader(shop)
    const copy = request({ payload: ask.payload })
    const answers = await Promise.all([
      post(shop, copy, header),
      post(shop, copy, header),
      post(shop, request({ payload: ask.payload }), header),
    ])
    const later = await post(shop, request({ payload: ask.payload }), header)
    for (const { body, headers } of [...answers, later]) {
      expect(body.result).toEqual({ status: 'success', data: { said: '{"text":"hi"}' } })
      expect(decode(headers.get('payment-response'))).toMatchObject({
        success: true,
        network: expect.stringMatching(/^solana:/),
      })
      expect(decode(headers.get('x-payment-response'))).toMatchObject({
        success: true,
        network: 'solana-devnet',
      })
    }
    expect(shop.runs.count).toBe(1)
    expect((await town.now.sold()) - before).toBe(PRICE)
  })

  test('a payment is for the caller and the payload it was offered for', async () => {
    const shop = await town.now.open()
    const header = await paymentHeader(shop)
    const other = await post(shop, request({ payload: { text: 'other' } }), header)
    expect(other.body.result).toMatchObject({
      status: 'payment_required',
      reason: 'aetherkit_binding_invalid',
    })
    const stranger = await post(shop, request({ payload: ask.payload }, new Uint8Array(32).fill(5)), header)
    expect(stranger.body.result.status).toBe('payment_required')
    expect(shop.runs.count).toBe(0)
  })

  test('X-PAYMENT pays as well; a header that is none is a fault without any work', async () => {
    const shop = await town.now.open()
    const { 'PAYMENT-SIGNATURE': header = '' } = await paymentHeader(shop)
    const { x402Version: _version, payload } = decode(header)
    const v1 = { x402Version: 1, scheme: 'exact', network: 'solana-devnet', payload }
    const malformed = await post(shop, request({ payload: ask.payload }), { 'X-PAYMENT': 'what?' })
    expect(malformed.body.error).toMatchObject({ code: -32000, data: { code: 'PAYMENT_MALFORMED' } })
    const value = Buffer.from(JSON.stringify(v1)).toString('base64')
    const paid = await post(shop, request({ payload: ask.payload }), { 'X-PAYMENT': value })
    expect(paid.body.result.status).toBe('success')
  })

  test('an agent that answers 402 is paid as well', async () => {
    const shop = await town.now.open({ agent: { dialect: { http402: true } } })
    const bought = await paidAgentRequest(shop.url, { ...ask, buyer: town.now.buyer() })
    expect(bought.status).toBe('success')
    expect(shop.runs.count).toBe(1)
  })

  test('4.2: payment-identifier: a buyer that lost its journal pays again under the same name, and is charged once', async () => {
    const store = memoryStore()
    const gate = { ledger: createLedger(store), identifiers: createPaymentIdentifiers({ store }) }
    const shop = await town.now.open({ gate })
    const before = await town.now.sold()
    const buy = () =>
      paidAgentRequest(shop.url, { ...ask, buyer: town.now.buyer(), idempotencyKey: 'order-1' })
    const first = await buy()
    expect(await buy()).toEqual(first)
    expect(shop.runs.count).toBe(1)
    expect((await town.now.sold()) - before).toBe(PRICE)
  })

  test('the payment of a task that is gone is used up', async () => {
    const shop = await town.now.open({ agent: { limits: { taskTtlMs: 1, evictionMs: 20 } } })
    const header = await paymentHeader(shop)
    await post(shop, request({ payload: ask.payload }), header)
    const poll = async () =>
      (await post(shop, request({ payload: ask.payload }), header)).body.error?.data.code
    await expect.poll(poll, { timeout: 10_000 }).toBe('PAYMENT_CONFLICT')
    expect(shop.runs.count).toBe(1)
  })

  test('option: the payer must be the sender', async () => {
    const shop = await town.now.open({ payment: { payerIsCaller: true } })
    const header = await paymentHeader(shop)
    const { body } = await post(shop, request({ payload: ask.payload }), header)
    expect(body.result).toMatchObject({ status: 'payment_required', reason: 'aetherkit_other_payer' })
    const key = town.now.chain.wallets.buyer.secretKey.slice(0, 32)
    expect(base58.encode(town.now.chain.wallets.buyer.secretKey.slice(32))).toBe(
      town.now.chain.wallets.buyer.publicKey,
    )
    const bought = await paidAgentRequest(shop.url, { ...ask, key, buyer: town.now.buyer() })
    expect(bought.status).toBe('success')
  })

  test('unknown is no payment_required: an error that names the transaction, and the same payment later', async () => {
    const shop = await town.now.open({ gate: town.now.hasty(), payment: { patienceMs: 50 } })
    const header = await paymentHeader(shop)
    town.now.chain.setOptions({ confirmDelayMs: 60_000 })
    const open = await post(shop, request({ payload: ask.payload }), header)
    expect(open.body.error).toMatchObject({ code: -32000, data: { code: 'PAYMENT_NOT_SETTLED' } })
    const http = await post(shop, request({ payload: ask.payload }), { ...header, ...ACCEPT_402 })
    expect([409, 503]).toContain(http.status)
    town.now.chain.setOptions({ confirmDelayMs: 0 })
    const poll = async () => (await post(shop, request({ payload: ask.payload }), header)).body.result?.status
    await expect.poll(poll, { timeout: 20_000 }).toBe('success')
    expect(shop.runs.count).toBe(1)
  })

  test('4: the payment of a dialect call buys nothing on the other surface', async () => {
    const shop = await town.now.open()
    const before = await town.now.sold()
    const header = await paymentHeader(shop)
    expect((await post(shop, request({ payload: ask.payload }), header)).body.result.status).toBe('success')
    const payload = decode(header['PAYMENT-SIGNATURE'] ?? '')
    const message = {
      messageId: crypto.randomUUID(),
      role: 'ROLE_USER',
      parts: [{ data: { action: 'echo', payload: ask.payload } }],
      metadata: { 'x402.payment.status': 'payment-submitted', 'x402.payment.payload': payload },
    }
    const response = await fetch(shop.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'a2a-version': '1.0' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'SendMessage', params: { message } }),
    })
    const { result } = (await response.json()) as Loose
    expect(result.task.status.message.metadata['x402.payment.status']).toBe('payment-failed')
    expect(shop.runs.count).toBe(1)
    expect((await town.now.sold()) - before).toBe(PRICE)
  })
})

/** A header that pays for `ask`, which was not presented yet. */
async function paymentHeader(shop: Shop): Promise<Record<string, string>> {
  const unpaid = await agentRequest(shop.url, ask)
  if (unpaid.status !== 'payment_required') throw new Error('it was free')
  let header: Record<string, string> = {}
  const metadata = {
    'x402.payment.status': 'payment-required',
    'x402.payment.required': unpaid.paymentRequired.x402 as JsonRecord,
  }
  const message = { messageId: 'm', role: 'ROLE_AGENT', parts: [], metadata } as const
  const task = { id: 't', contextId: 'c', status: { state: 'TASK_STATE_INPUT_REQUIRED', message } } as const
  await payForTask(task, {
    agent: shop.url,
    buyer: town.now.buyer(),
    send: async (paying) => {
      const payload = paying.metadata?.['x402.payment.payload']
      header = { 'PAYMENT-SIGNATURE': Buffer.from(JSON.stringify(payload)).toString('base64') }
      return { ...task, status: { state: 'TASK_STATE_COMPLETED' } }
    },
  })
  return header
}
