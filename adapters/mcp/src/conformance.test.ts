/** Every tool of ours through the conformance suite of tools, as an MCP tool (spec frameworks 11.1). */
import { type Client, connect } from '@aetherkit/client'
import { createRelay, type Relay } from '@aetherkit/relay'
import { aetherTools } from '@aetherkit/tools'
import { paymentContext, paymentTools } from '@aetherkit/tools/payments'
import { aetherToolCases, paymentToolCases, type ToolSurface, toolChecks } from '@aetherkit/tools/testing'
import { Client as McpClient } from '@modelcontextprotocol/client'
import { InMemoryTransport, type McpServer } from '@modelcontextprotocol/server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShop, type Shop } from '../test/shop.js'
import { aetherServer, mcpServer, registerTools } from './index.js'
import { inputSchema } from './input-schema.js'

let relay: Relay
let client: Client
let peer: Client
let shop: Shop

beforeAll(async () => {
  relay = await createRelay()
  client = await connect(relay.url)
  peer = await connect(relay.url)
  shop = await openShop()
})
afterAll(async () => {
  await Promise.all([client?.close(), peer?.close(), shop?.close()])
  await relay?.close()
})

async function connected(server: McpServer): Promise<McpClient> {
  const mcp = new McpClient({ name: 'test', version: '1' })
  const [ours, theirs] = InMemoryTransport.createLinkedPair()
  await Promise.all([server.connect(ours), mcp.connect(theirs)])
  return mcp
}

/** The schema as it is listed, and all that the host gets of a call. */
const mcp: ToolSurface = {
  name: 'MCP',
  convert: (definition) => inputSchema(definition)['~standard'].jsonSchema.input({ target: 'draft-2020-12' }),
  async call(definition, ctx, input, { callId, onBug }) {
    const host = await connected(mcpServer([definition], ctx, { onBug }))
    const keyed = definition.annotations?.spends === true && { idempotency_key: `purchase-${callId}` }
    const result = await host.callTool({ name: definition.name, arguments: { ...Object(input), ...keyed } })
    await host.close()
    return result
  },
}

it('every Aether tool passes the conformance suite', async () => {
  for (const { name, run } of toolChecks(await aetherToolCases(client, peer), [mcp]))
    await expect(run(), name).resolves.toBeUndefined()
})

it('every payment tool passes the conformance suite', async () => {
  const wallet = await shop.wallet()
  let scope = 0
  const context = () => paymentContext(wallet, { scope: String(scope++), approve: () => true })
  const cases = await paymentToolCases(context, {
    url: `${shop.origin}/long`,
    otherUrl: `${shop.origin}/other`,
    payTo: shop.seller.payTo,
    payments: () => shop.sold,
  })
  for (const { name, run } of toolChecks(cases, [mcp])) await expect(run(), name).resolves.toBeUndefined()
  expect(await shop.earned()).toBe(BigInt(shop.sold) * 100_000n)
})

it('lists every tool of ours, each with both schemas', async () => {
  const server = aetherServer(client)
  registerTools(server, paymentTools, paymentContext(await shop.wallet()))
  const host = await connected(server)
  const { tools } = await host.listTools()
  expect(tools.map(({ name }) => name)).toEqual([...aetherTools, ...paymentTools].map(({ name }) => name))
  for (const { name, inputSchema, outputSchema, annotations } of tools) {
    expect([inputSchema.type, outputSchema?.type], name).toEqual(['object', 'object'])
    expect(annotations?.destructiveHint, name).toBe(name === 'paid_fetch' || name === 'aether_state_write')
  }
  await host.close()
})
