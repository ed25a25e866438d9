/** An AI SDK app that buys: small things by itself, dear ones after an approval, and nothing above its budget. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { toAiSdkTools } from '@aetherkit/ai-sdk'
import { startDevnet } from '@aetherkit/devnet'
import { paywall } from '@aetherkit/express'
import {
  createGate,
  createLedger,
  createSolanaSettler,
  DEVNET,
  keypairSigner,
  memoryStore,
} from '@aetherkit/payments'
import { paymentContext, paymentTools } from '@aetherkit/tools/payments'
import { generateText, type ModelMessage, stepCountIs } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import express from 'express'

// A shop with three prices, on a local test chain.
const devnet = await startDevnet({ slotMs: 20 })
const { merchant, facilitator, buyer } = devnet.wallets
const settler = createSolanaSettler({
  rpcUrl: devnet.rpcUrl,
  network: DEVNET,
  sponsors: [keypairSigner(facilitator.secretKey)],
})
const gate = createGate({ settler, ledger: createLedger(memoryStore()) })
const app = express()
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
const shop = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const paid = paywall({ gate, network: 'solana-devnet', payTo: merchant.publicKey, baseUrl: shop })
app.get('/joke', paid({ price: '$0.02' }), (_request, response) => {
  response.send('Why did the agent cross the relay?')
})
app.get('/report', paid({ price: '$0.50' }), (_request, response) => {
  response.send('Agents buy more than they sell.')
})
app.get('/novel', paid({ price: '$5.00' }), (_request, response) => {
  response.send('It was a dark and stormy night.')
})

// The wallet: up to five cents no human is asked, and no more than a dollar is spent at once.
const ctx = paymentContext(
  {
    signer: keypairSigner(buyer.secretKey),
    network: 'solana-devnet',
    rpcUrl: devnet.rpcUrl,
    budget: { perCall: '$1', perDay: '$3' },
  },
  { askAbove: '$0.05' },
)
const tools = toAiSdkTools(paymentTools, ctx)

// The model is scripted so that the example runs without a key: put your own in its place.
const buy = (path: string, max_price: string) => ({ url: shop + path, max_price, pay_to: merchant.publicKey })
const script = [buy('/joke', '0.02'), buy('/report', '0.50'), undefined, buy('/novel', '5'), undefined]
const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}
let step = 0
const model = new MockLanguageModelV3({
  doGenerate: async () => {
    const input = script[step++]
    return {
      content: input
        ? [
            {
              type: 'tool-call',
              toolCallId: `call-${step}`,
              toolName: 'paid_fetch',
              input: JSON.stringify(input),
            },
          ]
        : [{ type: 'text', text: 'Done.' }],
      finishReason: { unified: input ? 'tool-calls' : 'stop', raw: undefined },
      usage,
      warnings: [],
    }
  },
})
// With a client that sends the history, also set `experimental_toolApprovalSecret`: it can edit what was approved.
const ask = (messages: ModelMessage[]) =>
  generateText({ model, tools, messages, stopWhen: stepCountIs(5), maxRetries: 0 })

// The joke is bought at once; the report waits for a human.
const start: ModelMessage[] = [{ role: 'user', content: 'Buy the joke, then the report.' }]
const paused = await ask(start)
for (const { toolResults } of paused.steps)
  for (const { toolName, output } of toolResults) console.log(toolName, output)
const request = paused.content.find((part) => part.type === 'tool-approval-request')
assert.ok(request)
assert.equal(await devnet.tokensOf(merchant.publicKey), 20_000n)

const { approvalId } = request
const approved: ModelMessage[] = [
  ...start,
  ...paused.response.messages,
  { role: 'tool', content: [{ type: 'tool-approval-response', approvalId, approved: true }] },
]
const { response } = await ask(approved)
assert.match(JSON.stringify(response.messages), /Agents buy more than they sell/)
assert.equal(await devnet.tokensOf(merchant.publicKey), 520_000n)

// A novel over the cap: the human may approve, the wallet does not.
const wanted = await ask([{ role: 'user', content: 'Buy the novel.' }])
const novel = wanted.content.find((part) => part.type === 'tool-approval-request')
assert.ok(novel)
const refused = await ask([
  { role: 'user', content: 'Buy the novel.' },
  ...wanted.response.messages,
  {
    role: 'tool',
    content: [{ type: 'tool-approval-response', approvalId: novel.approvalId, approved: true }],
  },
])
assert.match(JSON.stringify(refused.response.messages), /OVER_LIMIT/)
assert.equal(await devnet.tokensOf(merchant.publicKey), 520_000n)
assert.equal(await devnet.tokensOf(buyer.publicKey), 99_480_000n)
console.log('bought a joke and a report for 0.52 USDC; the novel was over the cap')

gate.close()
server.close()
await devnet.close()
