/** Both ends of the MCP carrier on the local chain (spec payments 14, P18), judged by balances and runs of the tool. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Market, openMarket, PRICE } from '../../test/market.js'
import { newBuyer } from '../../test/stall.js'
import type { Gate, GateOptions } from '../gate.js'
import { memoryJournal } from '../journal.js'
import { type McpBuyerOptions, mcpBuyer } from './mcp-buyer.js'
import { MCP_PAYMENT, MCP_RECEIPT, type McpResult } from './mcp-result.js'
import { type PricedTool, sellTool } from './mcp-seller.js'

const FUNDS = 5_000_000n
let market: Market
let buyer: Awaited<ReturnType<typeof newBuyer>>
let gate: Gate

beforeAll(async () => {
  market = await openMarket()
})
afterAll(() => market.close())
beforeEach(async () => {
  buyer = await newBuyer(market, FUNDS)
})
afterEach(() => gate.close())

/** A server with one priced tool, and what arrives there; `lose` drops answers on the way back. */
function openServer(options: { tool?: PricedTool; gates?: Partial<GateOptions>; lose?: number } = {}) {
  gate = market.gate(options.gates)
  const { merchant } = market.chain.wallets
  const seller = { gate, network: 'solana-devnet', payTo: merchant.publicKey }
  const paid = sellTool(seller, options.tool ?? { price: '$0.10', description: 'A forecast' })
  let lose = options.lose ?? 0
  const server = {
    runs: 0,
    payments: [] as unknown[],
    answers: [] as McpResult[],
    failing: false,
    onRun: async () => {},
    async answer(given: unknown, payment: unknown): Promise<McpResult> {
      if (payment !== undefined) server.payments.push(payment)
      const meta = payment === undefined ? undefined : { [MCP_PAYMENT]: payment }
      const result = await paid({ name: 'forecast', arguments: given, meta }, async () => {
        server.runs++
        await server.onRun()
        if (server.failing) return { isError: true, content: [{ type: 'text', text: 'no forecast' }] }
        return { content: [{ type: 'text', text: `sunny ${JSON.stringify(given)}` }] }
      })
      if (payment !== undefined && lose-- > 0) throw new Error('the connection broke')
      server.answers.push(result)
      return JSON.parse(JSON.stringify(result))
    },
    send: (given: unknown) => (payment: unknown) => server.answer(given, payment),
  }
  return server
}

function openBuyer(options: Partial<McpBuyerOptions> = {}) {
  return mcpBuyer({
    server: 'weather',
    signer: buyer.signer,
    network: 'solana-devnet',
    rpcUrl: market.chain.rpcUrl,
    patienceMs: 8_000,
    ...options,
  })
}

const paid = async () => Number((FUNDS - (await buyer.tokens())) / PRICE)
const city = { city: 'Oslo' }

describe('a priced tool', () => {
  test('answers a call without payment by an offer, structured and as text, and does not run', async () => {
    const server = openServer()
    const result = await server.answer(city, undefined)
    expect(result).toMatchObject({
      isError: true,
      structuredContent: {
        x402Version: 2,
        error: 'payment_required',
        resource: { url: 'mcp://tool/forecast', description: 'A forecast' },
        accepts: [{ scheme: 'exact', amount: '100000' }],
      },
    })
    expect(JSON.parse(String(result.content[0]?.text))).toEqual(result.structuredContent)
    expect(server.runs).toBe(0)
  })

  test('is paid once and served, with the receipt in the metadata', async () => {
    const server = openServer()
    const result = await openBuyer().call({ name: 'forecast', arguments: city }, server.send(city))
    expect(result).toMatchObject({
      content: [{ text: 'sunny {"city":"Oslo"}' }],
      _meta: { [MCP_RECEIPT]: { success: true, network: market.chain.network, payer: buyer.address } },
    })
    expect([await paid(), server.runs]).toEqual([1, 1])
    expect(server.payments).toMatchObject([{ x402Version: 2, resource: { url: 'mcp://tool/forecast' } }])
  })

  test('is served once over copies of a payment, and the copies get the same result', async () => {
    const server = openServer()
    await openBuyer().call({ name: 'forecast', arguments: city }, server.send(city))
    const copies = await Promise.all([1, 2, 3].map(() => server.answer(city, server.payments[0])))
    for (const copy of copies)
      expect(copy).toMatchObject({
        content: [{ text: 'sunny {"city":"Oslo"}' }],
        _meta: { [MCP_RECEIPT]: { success: true } },
      })
    expect([await paid(), server.runs]).toEqual([1, 1])
  })

  test('refuses a payment that was made for other arguments, or is none', async () => {
    const server = openServer()
    await openBuyer().call({ name: 'forecast', arguments: city }, server.send(city))
    expect(await server.answer({ city: 'Rome' }, server.payments[0])).toMatchObject({
      isError: true,
      structuredContent: { outcome: 'payment_rejected', reason: 'aetherkit_binding_invalid' },
    })
    for (const garbage of ['text', 7, { x402Version: 9 }, []]) {
      const { structuredContent } = await server.answer(city, garbage)
      expect(structuredContent).toMatchObject({ outcome: 'malformed' })
      expect(structuredContent).not.toHaveProperty('accepts')
    }
    expect(server.runs).toBe(1)
  })

  test('says that a settlement failed by an offer, and nothing of the result of the tool leaves', async () => {
    const tool: PricedTool = { price: '$0.10', flow: 'authorization' }
    const server = openServer({ tool })
    server.onRun = () => market.chain.setTokens(buyer.address, 0n)
    const buying = openBuyer({ patienceMs: 1_000 })
    const call = buying.call({ name: 'forecast', arguments: city }, server.send(city))
    await expect(call).rejects.toMatchObject({ name: 'PaymentError' })
    const [, told] = server.answers
    expect(told).toMatchObject({ isError: true, structuredContent: { x402Version: 2, accepts: [{}] } })
    expect(JSON.stringify(server.answers)).not.toContain('sunny')
    expect(server.runs).toBeGreaterThan(0)
  })

  test('is settled after it ran when it is sold with authorization', async () => {
    const server = openServer({ tool: { price: '$0.10', flow: 'authorization' } })
    server.onRun = async () => expect(await paid()).toBe(0)
    const sold = await openBuyer().call({ name: 'forecast', arguments: city }, server.send(city))
    expect(sold._meta).toMatchObject({ [MCP_RECEIPT]: { success: true } })
    expect([await paid(), server.runs]).toEqual([1, 1])
  })

  test('whose tool fails after the payment is good for another try with the same payment', async () => {
    const server = openServer()
    const journal = memoryJournal()
    server.failing = true
    const call = { name: 'forecast', arguments: city }
    const failed = await openBuyer({ journal }).call(call, server.send(city))
    expect(failed).toMatchObject({ isError: true, _meta: { [MCP_RECEIPT]: { success: true } } })
    server.failing = false
    const served = await openBuyer({ journal }).call(call, server.send(city))
    expect(served.content).toMatchObject([{ text: 'sunny {"city":"Oslo"}' }])
    expect(await paid()).toBe(1)
  })

  test('tells an unknown outcome by its code, and never as an offer', async () => {
    const server = openServer({ gates: { settler: market.settler({ confirmTimeoutMs: 200 }) } })
    market.chain.setOptions({ confirmDelayMs: 60_000 })
    const buying = openBuyer({ patienceMs: 300 })
    await expect(buying.call({ name: 'forecast', arguments: city }, server.send(city))).rejects.toMatchObject(
      { code: 'payment_unknown' },
    )
    market.chain.setOptions({ confirmDelayMs: 0 })
    const told = server.answers[1]
    expect(told).toMatchObject({
      isError: true,
      structuredContent: { error: 'settlement_unknown', outcome: 'unknown', retryAfter: 2 },
      _meta: { [MCP_RECEIPT]: { success: false } },
    })
    expect(told?.structuredContent).not.toHaveProperty('accepts')
  })
})

describe('a buyer', () => {
  test('presents the same payment again when the answer is lost, also after a restart', async () => {
    const server = openServer({ lose: 1 })
    const journal = memoryJournal()
    const call = { name: 'forecast', arguments: city }
    const result = await openBuyer({ journal }).call(call, server.send(city), { idempotencyKey: 'k1' })
    expect(result.content).toMatchObject([{ text: 'sunny {"city":"Oslo"}' }])
    const again = await openBuyer({ journal }).call(call, server.send(city), { idempotencyKey: 'k1' })
    expect(again.content).toEqual(result.content)
    expect(new Set(server.payments.map((each) => JSON.stringify(each))).size).toBe(1)
    expect([await paid(), server.runs]).toEqual([1, 1])
  })

  test('refuses before it signs what is over budget, not approved, or of another payee than before', async () => {
    const server = openServer()
    const call = { name: 'forecast', arguments: city }
    const attempts: [Partial<McpBuyerOptions>, string][] = [
      [{ budget: { perCall: '$0.05' } }, 'budget_exceeded'],
      [{ approve: () => false }, 'not_approved'],
      [{ policy: { hosts: ['shop.example'] } }, 'offer_refused'],
    ]
    for (const [options, code] of attempts)
      await expect(openBuyer(options).call(call, server.send(city))).rejects.toMatchObject({ code })
    expect([await paid(), server.runs, server.payments.length]).toEqual([0, 0, 0])
  })

  test('says what a call costs, and leaves a free result and its errors as they are', async () => {
    const server = openServer()
    const buying = openBuyer()
    const call = { name: 'forecast', arguments: city }
    expect(await buying.quote(call, server.send(city))).toMatchObject({
      isFree: false,
      purchase: { price: '0.10 USDC', host: 'weather.stdio.invalid' },
    })
    const failed: McpResult = { isError: true, content: [{ type: 'text', text: 'out of order' }] }
    expect(await buying.call(call, async () => failed)).toBe(failed)
    const error = Object.assign(new Error('no such tool'), { code: -32602 })
    await expect(buying.call(call, () => Promise.reject(error))).rejects.toBe(error)
  })

  test.each<[string, (offer: Record<string, unknown>) => McpResult]>([
    ['text alone', (offer) => ({ isError: true, content: [{ type: 'text', text: JSON.stringify(offer) }] })],
    [
      'text under x402/error',
      (offer) => ({
        isError: true,
        content: [{ type: 'text', text: JSON.stringify({ 'x402/error': { code: 402, ...offer } }) }],
      }),
    ],
    [
      'a JSON-RPC error 402',
      (offer) => {
        throw Object.assign(new Error('Payment required'), { code: 402, data: offer })
      },
    ],
    [
      'a JSON-RPC error -32042',
      (offer) => {
        throw Object.assign(new Error('Payment required'), { code: -32042, data: { x402: offer } })
      },
    ],
  ])('reads an offer in %s', async (_form, dress) => {
    const server = openServer()
    const call = { name: 'forecast', arguments: city }
    const result = await openBuyer().call(call, async (payment) => {
      const answer = await server.answer(city, payment)
      return answer.isError ? dress({ ...Object(answer.structuredContent) }) : answer
    })
    expect(result._meta).toMatchObject({ [MCP_RECEIPT]: { success: true } })
    expect(await paid()).toBe(1)
  })

  test('pays a v1 offer with a v1 payment', async () => {
    const server = openServer()
    const call = { name: 'forecast', arguments: city }
    // A payment of version 1 is answered by an offer of version 1, whatever else is wrong with it.
    const v1 = { x402Version: 1, scheme: 'exact', network: 'solana-devnet', payload: { transaction: 'AAAA' } }
    const { structuredContent: offer } = await server.answer(city, v1)
    expect(offer).toMatchObject({ x402Version: 1, accepts: [{ maxAmountRequired: '100000' }] })
    const result = await openBuyer().call(call, async (payment) => {
      if (payment === undefined) return server.answer(city, v1)
      return server.answer(city, payment)
    })
    expect(server.payments.at(-1)).toMatchObject({ x402Version: 1, network: 'solana-devnet' })
    expect(result.content).toMatchObject([{ text: 'sunny {"city":"Oslo"}' }])
  })

  test.each(['not a name!', 'ftp://shop.example', ''])('refuses %j as a server', (server) => {
    expect(() => openBuyer({ server })).toThrow(expect.objectContaining({ code: 'invalid_option' }))
  })
})
