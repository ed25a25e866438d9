/** Paid tools between the published clients and our server, on the local chain, judged by the merchant's account (spec payments 14). */
import { memoryJournal, type PayingFetchOptions } from '@aetherkit/payments'
import { defineTool, type OnBug, ToolError } from '@aetherkit/tools'
import { paymentContext, paymentTools } from '@aetherkit/tools/payments'
import { Client as Client2, type Transport } from '@modelcontextprotocol/client'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport as Memory1 } from '@modelcontextprotocol/sdk/inMemory.js'
import { type CallToolResult, InMemoryTransport, McpServer } from '@modelcontextprotocol/server'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { definitions, testContext } from '../test/fixture.js'
import { openShop, type Shop } from '../test/shop.js'
import { mcpServer, paidTool, payingMcpClient } from './index.js'

const PRICE = 100_000n
const RECEIPT = 'x402/payment-response'
let shop: Shop
let before = 0n
const open: { close(): Promise<void> }[] = []

beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop?.close())
beforeEach(async () => {
  before = await shop.earned()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()))
})

const earned = async () => Number((await shop.earned()) - before) / Number(PRICE)

/** A server of somebody who prices a tool of his own; `lose` drops that many answers to paid calls. */
function forecastServer() {
  const runs: string[] = []
  const serve = () => {
    const server = new McpServer({ name: 'weather', version: '1' })
    const inputSchema = z.object({ city: z.string() })
    const price = { price: '$0.10', description: 'A forecast' }
    const forecast = paidTool(
      'forecast',
      price,
      shop.seller,
      ({ city }: { city: string }): CallToolResult => {
        runs.push(city)
        return { content: [{ type: 'text', text: `sunny in ${city}` }] }
      },
    )
    server.registerTool('forecast', { description: 'Forecast', inputSchema }, forecast)
    return server
  }
  return { runs, serve }
}

type Caller = (
  params: { name: string; arguments?: Record<string, unknown>; _meta?: Record<string, unknown> },
  signal?: AbortSignal,
) => Promise<CallToolResult>
type Connect = (server: McpServer) => Promise<Caller>

const clients: Record<string, Connect> = {
  'SDK v1': async (server) => {
    const client = new Client1({ name: 'test', version: '1' })
    const [ours, theirs] = Memory1.createLinkedPair()
    await Promise.all([server.connect(ours as Transport), client.connect(theirs)])
    open.push(client)
    await client.listTools()
    return async (params, signal) =>
      (await client.callTool(params, undefined, signal && { signal })) as CallToolResult
  },
  'SDK v2': async (server) => {
    const client = new Client2({ name: 'test', version: '1' })
    const [ours, theirs] = InMemoryTransport.createLinkedPair()
    await Promise.all([server.connect(ours), client.connect(theirs)])
    open.push(client)
    await client.listTools()
    return (params, signal) => client.callTool(params, signal && { signal })
  },
}

describe.each(Object.entries(clients))('through %s', (_name, connect) => {
  const oslo = { name: 'forecast', arguments: { city: 'Oslo' } }
  const buyerOf = async (call: Caller, change: Partial<PayingFetchOptions> = {}) =>
    payingMcpClient(call, { ...(await shop.wallet(change)), server: 'weather' })

  it('a call without payment gets the offer, and the tool does not run', async () => {
    const { runs, serve } = forecastServer()
    const result = await (await connect(serve()))(oslo)
    expect(result).toMatchObject({
      isError: true,
      structuredContent: {
        x402Version: 2,
        resource: { url: 'mcp://tool/forecast' },
        accepts: [{ scheme: 'exact' }],
      },
    })
    expect(JSON.parse(String(Object(result.content[0]).text))).toEqual(result.structuredContent)
    expect(runs).toEqual([])
  })

  it('a paying client pays once, and gets the result with its receipt', async () => {
    const { runs, serve } = forecastServer()
    const paying = await buyerOf(await connect(serve()))
    const result = await paying.callTool(oslo)
    expect(result).toMatchObject({
      content: [{ type: 'text', text: 'sunny in Oslo' }],
      _meta: { [RECEIPT]: { success: true, network: shop.devnet.network } },
    })
    expect([await earned(), runs.length]).toEqual([1, 1])
    expect(await paying.payments.receipts()).toMatchObject([
      { price: '0.10 USDC', isServed: true, url: 'https://weather.stdio.invalid/tools/forecast' },
    ])
  })

  it('a payment whose answer is lost is presented again: one payment, one run, the same result', async () => {
    const { runs, serve } = forecastServer()
    const call = await connect(serve())
    const payments = new Set<string>()
    let lose = 2
    const losing: Caller = async (params, signal) => {
      const payment = params._meta?.['x402/payment']
      const result = await call(params, signal)
      if (payment === undefined) return result
      payments.add(JSON.stringify(payment))
      if (lose-- > 0) throw new Error('the connection broke')
      return result
    }
    const result = await (await buyerOf(losing)).callTool(oslo)
    expect(result.content).toEqual([{ type: 'text', text: 'sunny in Oslo' }])
    expect([await earned(), runs.length, payments.size]).toEqual([1, 1, 1])
  })

  it('the same key is the same purchase, also for a client that starts anew', async () => {
    const { runs, serve } = forecastServer()
    const call = await connect(serve())
    const wallet = await shop.wallet({ journal: memoryJournal() })
    const results: CallToolResult[] = []
    for (let each = 0; each < 2; each++) {
      const paying = payingMcpClient(call, { ...wallet, server: 'weather' })
      results.push(await paying.callTool(oslo, { idempotencyKey: 'order-1' }))
    }
    expect(results[1]).toEqual(results[0])
    expect([await earned(), runs.length]).toEqual([1, 1])
  })

  it('a replayed payment gets the kept result, and is worth nothing for other arguments', async () => {
    const { runs, serve } = forecastServer()
    const call = await connect(serve())
    let payment: unknown
    const noting: Caller = (params, signal) => {
      payment = params._meta?.['x402/payment'] ?? payment
      return call(params, signal)
    }
    await (await buyerOf(noting)).callTool(oslo)
    const _meta = { 'x402/payment': payment }
    expect((await call({ ...oslo, _meta })).content).toEqual([{ type: 'text', text: 'sunny in Oslo' }])
    const other = await call({ name: 'forecast', arguments: { city: 'Rome' }, _meta })
    expect(other).toMatchObject({
      isError: true,
      structuredContent: { x402Version: 2, reason: 'aetherkit_binding_invalid' },
    })
    expect([await earned(), runs]).toEqual([1, ['Oslo']])
  })

  it.each<[Partial<PayingFetchOptions>, string]>([
    [{ budget: { perCall: '$0.09' } }, 'budget_exceeded'],
    [{ approve: () => false }, 'not_approved'],
    [{ network: 'solana' }, 'offer_refused'],
  ])('a purchase that %j forbids is refused before it is signed', async (change, code) => {
    const { runs, serve } = forecastServer()
    const paying = await buyerOf(await connect(serve()), { ...change, ...(change.network && { rpcUrl: '' }) })
    await expect(paying.callTool(oslo)).rejects.toMatchObject({ code })
    expect([await earned(), runs.length]).toEqual([0, 0])
  })

  it('a definition with a price is sold, its failure is not charged twice, and its secrets stay', async () => {
    let failing = true
    const lookUp = defineTool({
      name: 'look_up',
      description: 'Looks up',
      input: z.object({ id: z.string().describe('What') }),
      output: z.object({ id: z.string() }),
      annotations: { readOnly: true },
      async execute(_ctx: object, { id }: { id: string }) {
        if (failing)
          throw id === 'bug' ? new Error('hunter2') : new ToolError({ code: 'TIMEOUT', message: 'late' })
        return { id }
      },
    })
    const onBug: OnBug = () => {}
    const prices = { ...shop.seller, tools: { look_up: { price: '$0.10' } } }
    const call = await connect(mcpServer([lookUp], {}, { prices, onBug }))
    const paying = await buyerOf(call)
    const params = { name: 'look_up', arguments: { id: 'bug' } }
    const failed = await paying.callTool(params)
    expect(failed).toMatchObject({ isError: true, _meta: { [RECEIPT]: { success: true } } })
    expect(JSON.stringify(failed)).not.toContain('hunter2')
    failing = false
    expect((await paying.callTool(params)).structuredContent).toEqual({ id: 'bug' })
    expect(await earned()).toBe(1)
  })

  it('a priced tool asks no human, and what needs one is denied and given back', async () => {
    const ctx = testContext()
    const prices = { ...shop.seller, tools: { pay: { price: '$0.10', flow: 'authorization' as const } } }
    const paying = await buyerOf(await connect(mcpServer(definitions, ctx, { prices })))
    const denied = await paying.callTool({
      name: 'pay',
      arguments: { amount: '500', idempotency_key: 'purchase-1' },
    })
    expect(JSON.stringify(denied)).toContain('NEEDS_APPROVAL')
    expect([await earned(), ctx.payments]).toEqual([0, 0])
  })

  it('paid_fetch buys over HTTP within the budget, once for a key, and is denied without a human', async () => {
    const wallet = await shop.wallet({ budget: { perCall: '$0.50', total: '$0.15' } })
    const call = await connect(mcpServer(paymentTools, paymentContext(wallet, { askAbove: '$0.10' })))
    const order = (path: string, max_price: string, key: string) => ({
      name: 'paid_fetch',
      arguments: {
        url: shop.origin + path,
        max_price,
        pay_to: shop.seller.payTo,
        idempotency_key: `order-${key}`,
      },
    })
    for (let each = 0; each < 2; each++) {
      const bought = await call(order('/a', '0.10', 'first'))
      expect(bought.structuredContent).toMatchObject({
        status: 200,
        paid: true,
        receipt: { amount: '0.10 USDC' },
      })
    }
    const codes: unknown[] = []
    for (const [path, price, key] of [
      ['/b', '0.10', 'second'],
      ['/c', '0.20', 'dearer'],
    ] as const) {
      const { isError, content } = await call(order(path, price, key))
      expect(isError).toBe(true)
      codes.push(JSON.parse(String(Object(content[0]).text)).error)
    }
    expect(codes).toEqual(['OVER_LIMIT', 'NEEDS_APPROVAL'])
    expect(await earned()).toBe(1)
  })
})
