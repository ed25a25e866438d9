/** Agents that cost money, as tools (spec a2a 4.3, 8.1; frameworks 3): proved by balances on a local chain. */
import { type Devnet, startDevnet } from '@aetherkit/devnet'
import {
  createGate,
  createLedger,
  createSolanaSettler,
  DEVNET,
  keypairSigner,
  memoryStore,
  signerAddress,
} from '@aetherkit/payments'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atEnd, type Helper, openHelper } from '../test/agents.js'
import { a2aContext, a2aTools, memoryAgentConversations } from './a2a.js'
import type { AgentPayment } from './a2a-payment.js'
import { approvalText } from './approval.js'
import { callTool } from './run-tool.js'
import { toolChecks } from './testing.js'

let chain: Devnet
let shop: Helper
beforeAll(async () => {
  chain = await startDevnet({ slotMs: 20 })
})
afterAll(() => chain.close())

const PRICE = 100_000n
const earned = async () => (await chain.tokensOf(chain.wallets.merchant.publicKey)) ?? 0n

async function open(change: Partial<AgentPayment> = {}) {
  const { merchant, facilitator } = chain.wallets
  const settler = createSolanaSettler({
    rpcUrl: chain.rpcUrl,
    network: DEVNET,
    sponsors: [keypairSigner(facilitator.secretKey)],
  })
  const gate = createGate({ settler, ledger: createLedger(memoryStore()), rateLimit: false })
  atEnd(() => gate.close())
  const url = 'https://agent.example'
  const payment = { gate, network: 'solana-devnet', payTo: merchant.publicKey, price: '$0.10', url }
  shop = await openHelper({ payment })
  const signer = keypairSigner(crypto.getRandomValues(new Uint8Array(32)))
  await chain.setTokens(signerAddress(signer), 5_000_000n)
  const wallet: AgentPayment = { signer, network: 'solana-devnet', rpcUrl: chain.rpcUrl, ...change }
  const set = await a2aTools({ agents: { shop: { ...shop.source, payment: wallet } } })
  atEnd(() => set.close())
  const [tool] = set.tools
  if (tool === undefined) throw new Error('no tool')
  return { tool, wallet }
}

const ctxOf = () => a2aContext({ threadId: crypto.randomUUID(), conversations: memoryAgentConversations() })

test('[tools-payment] up to askAbove an agent is paid unasked, once for a call id, and the result says what it cost', async () => {
  const { tool } = await open({ askAbove: '$0.20' })
  const before = await earned()
  const ctx = ctxOf()
  const order = { message: 'hello' }
  expect(approvalText(tool, ctx, order)).toBe(false)
  const done = await callTool(tool, ctx, order, { callId: 'c1' })
  expect(done).toMatchObject({ output: { state: 'completed', paid: '0.10 USDC' } })
  expect(await callTool(tool, ctx, order, { callId: 'c1' })).toEqual(done)
  expect(await earned()).toBe(before + PRICE)
  expect(shop.executions).toHaveLength(1)
})

test('[tools-payment] above it nothing is paid until max_price says so, and a human is asked for that', async () => {
  const { tool } = await open()
  const before = await earned()
  const ctx = ctxOf()
  const refused = await callTool(tool, ctx, { message: 'hello' }, { callId: 'c1' })
  expect(refused).toMatchObject({ error: { code: 'OVER_LIMIT', paid: false, retryable: true } })
  expect(JSON.stringify(refused)).toContain('0.10 USDC')
  expect(await earned()).toBe(before)
  const order = { message: 'hello', max_price: '0.10' }
  expect(approvalText(tool, ctx, order)).toBe('Pay shop up to $0.10 for "hello"?')
  const denied = await callTool(tool, { ...ctx, approve: () => false }, order, { callId: 'c2' })
  expect(denied).toMatchObject({ error: { code: 'NEEDS_APPROVAL', paid: false } })
  expect(await earned()).toBe(before)
  const bought = await callTool(tool, { ...ctx, approve: () => true }, order, { callId: 'c3' })
  expect(bought).toMatchObject({ output: { state: 'completed', paid: '0.10 USDC' } })
  expect(await earned()).toBe(before + PRICE)
})

test('[tools-payment] the budget holds whatever was approved', async () => {
  const { tool } = await open({ budget: { perCall: '$0.05' } })
  const before = await earned()
  const refused = await callTool(tool, ctxOf(), { message: 'hello', max_price: '5' })
  expect(refused).toMatchObject({ error: { code: 'OVER_LIMIT', paid: false } })
  expect(await earned()).toBe(before)
})

test.each(['perDay', 'total'])(
  '[tools-payment] agents that share a wallet share its budget: %s',
  async (cap) => {
    const { wallet } = await open({ askAbove: '$0.20', budget: { [cap]: '$0.15' } })
    const agents = { one: { ...shop.source, payment: wallet }, two: { ...shop.source, payment: wallet } }
    const { tools, close } = await a2aTools({ agents, style: 'delegate' })
    atEnd(close)
    const [tool] = tools
    if (tool === undefined) throw new Error('no tool')
    const before = await earned()
    const ctx = ctxOf()
    expect(await callTool(tool, ctx, { agent: 'one', message: 'hello' })).toMatchObject({ ok: true })
    expect(await callTool(tool, ctx, { agent: 'two', message: 'hello' })).toMatchObject({
      error: { code: 'OVER_LIMIT', paid: false },
    })
    // And one that is connected later.
    const later = await a2aTools({
      agents: { three: { ...shop.source, payment: wallet } },
      style: 'delegate',
    })
    atEnd(later.close)
    expect(await callTool(later.tools[0]!, ctx, { agent: 'three', message: 'hello' })).toMatchObject({
      error: { code: 'OVER_LIMIT', paid: false },
    })
    expect(await earned()).toBe(before + PRICE)
  },
)

test('11.1: a paying agent passes the conformance suite', async () => {
  const { tool } = await open({ askAbove: '$0.20' })
  const before = await earned()
  const checks = toolChecks([
    {
      definition: tool,
      input: { message: 'hello' },
      context: ctxOf,
      spending: { otherInput: { message: 'other' }, payments: () => shop.executions.length },
    },
  ])
  // Two underscores between agent and skill are the form of these names (spec a2a 8.1).
  for (const { run } of checks.slice(1)) await run()
  expect(await earned()).toBeGreaterThan(before)
})
