/** Paid tools with the published x402 packages as buyer and as seller, over MCP (spec payments 14, 17). */
import { Client } from '@modelcontextprotocol/client'
import { type CallToolResult, InMemoryTransport, McpServer } from '@modelcontextprotocol/server'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { openShop, type Shop } from '../test/shop.js'
import { loadPeer } from '../test/x402-peer.mjs'
import { type CallParams, paidTool, payingMcpClient } from './index.js'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const peer = loadPeer()
const skipped = peer === undefined ? ' - SKIPPED: not installed, node test/interop/install.mjs gets them' : ''
const oslo: CallParams = { name: 'forecast', arguments: { city: 'Oslo' } }
const RECEIPT = 'x402/payment-response'

describe.skipIf(peer === undefined)(`paid tools with the published x402 packages${skipped}`, () => {
  let shop: Shop
  let runs = 0
  const forecast = ({ city }: { city: string }): CallToolResult => {
    runs++
    return { content: [{ type: 'text', text: `sunny in ${city}` }] }
  }

  beforeAll(async () => {
    shop = await openShop()
  })
  afterAll(() => shop?.close())

  async function connected(register: (server: McpServer) => void) {
    const server = new McpServer({ name: 'weather', version: '1' })
    register(server)
    const client = new Client({ name: 'test', version: '1' })
    const [ours, theirs] = InMemoryTransport.createLinkedPair()
    await Promise.all([server.connect(ours), client.connect(theirs)])
    return (params: CallParams, signal?: AbortSignal) => client.callTool(params, signal && { signal })
  }
  const config = { description: 'Forecast', inputSchema: z.object({ city: z.string() }) }

  it('their buyer reads our offer, pays it, and is served once', async () => {
    const { rpcUrl, network, wallets } = shop.devnet
    const call = await connected((server) =>
      server.registerTool(
        'forecast',
        config,
        paidTool('forecast', { price: '$0.10' }, shop.seller, forecast),
      ),
    )
    const buy = await peer?.createBuyer({ secretKey: wallets.buyer.secretKey, rpcUrl, network })
    const before = [await shop.earned(), runs] as const
    const result = await buy?.(call, oslo)
    expect(result).toMatchObject({
      content: [{ text: 'sunny in Oslo' }],
      _meta: { [RECEIPT]: { success: true, network, payer: wallets.buyer.publicKey } },
    })
    expect([(await shop.earned()) - before[0], runs - before[1]]).toEqual([100_000n, 1])
  })

  it('our buyer reads their offer, pays it, and is served', async () => {
    const { rpcUrl, network, wallets } = shop.devnet
    const { facilitator, merchant } = wallets
    const options = {
      secretKey: facilitator.secretKey,
      rpcUrl,
      network,
      payTo: merchant.publicKey,
      price: '$0.10',
    }
    const sell = await peer?.createSeller(options)
    const sold = sell?.('forecast', forecast)
    const call = await connected((server) =>
      server.registerTool('forecast', config, async (args, { mcpReq }) => {
        if (sold === undefined) throw new Error('no peer')
        return sold(args, mcpReq._meta)
      }),
    )
    const before = [await shop.earned(), runs] as const
    const paying = payingMcpClient(call, { ...(await shop.wallet()), server: 'weather' })
    const result = await paying.callTool(oslo)
    expect(result).toMatchObject({
      content: [{ text: 'sunny in Oslo' }],
      _meta: { [RECEIPT]: { success: true } },
    })
    expect([(await shop.earned()) - before[0], runs - before[1]]).toEqual([100_000n, 1])
  })
})
