/** A LangChain agent that buys: it asks for the price, a human approves, and a replayed approval pays nothing more. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { startDevnet } from '@aetherkit/devnet'
import { paywall } from '@aetherkit/express'
import { interruptOn, toLangChainTools } from '@aetherkit/langchain'
import {
  createGate,
  createLedger,
  createSolanaSettler,
  DEVNET,
  keypairSigner,
  memoryStore,
} from '@aetherkit/payments'
import { paymentContext, paymentTools } from '@aetherkit/tools/payments'
import { fakeModel } from '@langchain/core/testing'
import { Command, MemorySaver } from '@langchain/langgraph'
import express from 'express'
import { AIMessage, createAgent, HumanMessage, humanInTheLoopMiddleware } from 'langchain'
import { z } from 'zod'

// A shop with one priced route, on a local test chain.
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
app.get(
  '/weather',
  paid({ price: '$0.10', description: 'the weather of tomorrow' }),
  (_request, response) => {
    response.json({ tomorrow: 'sunny' })
  },
)

// The agent's wallet: whatever a model or a human says, no more than this is spent.
const ctx = paymentContext({
  signer: keypairSigner(buyer.secretKey),
  network: 'solana-devnet',
  rpcUrl: devnet.rpcUrl,
  budget: { perCall: '$0.25', perDay: '$1' },
})

// The model is scripted so that the example runs without a key: put your own in its place.
const quoted = z.object({ terms: z.object({ max_price: z.string(), pay_to: z.string() }) })
const model = fakeModel()
  .respondWithTools([{ id: 'call-1', name: 'quote', args: { url: `${shop}/weather` } }])
  .respond((messages) => {
    const { terms } = quoted.parse(JSON.parse(String(messages.at(-1)?.text)))
    const { max_price, pay_to } = terms
    const args = { url: `${shop}/weather`, max_price, pay_to }
    return new AIMessage({
      content: '',
      tool_calls: [{ type: 'tool_call', id: 'call-2', name: 'paid_fetch', args }],
    })
  })
  .respond((messages) => new AIMessage(`The shop answered: ${messages.at(-1)?.text}`))
  .respond((messages) => new AIMessage(`Once more: ${messages.at(-1)?.text}`))
const agent = createAgent({
  model,
  tools: toLangChainTools(paymentTools, ctx),
  middleware: [humanInTheLoopMiddleware({ interruptOn: interruptOn(paymentTools, ctx) })],
  checkpointer: new MemorySaver(),
})

const config = { configurable: { thread_id: 'weather' } }
const question = { messages: [new HumanMessage('How will the weather be?')] }
const paused = await agent.invoke(question, config)
const asked = z.object({ actionRequests: z.array(z.object({ description: z.string() })) })
console.log(asked.parse(paused.__interrupt__?.[0]?.value).actionRequests[0]?.description)
assert.equal(await devnet.tokensOf(merchant.publicKey), 0n)

const { config: checkpoint } = await agent.graph.getState(config)
const approval = new Command({ resume: { decisions: [{ type: 'approve' }] } })
const { messages } = await agent.invoke(approval, config)
console.log(messages.at(-1)?.text)
assert.match(String(messages.at(-1)?.text), /sunny/)
assert.equal(await devnet.tokensOf(merchant.publicKey), 100_000n)

// The same approval again, from the checkpoint before the purchase: answered, and not paid a second time.
const replayed = await agent.invoke(approval, checkpoint)
assert.match(String(replayed.messages.at(-1)?.text), /sunny/)
assert.equal(await devnet.tokensOf(merchant.publicKey), 100_000n)
assert.equal(await devnet.tokensOf(buyer.publicKey), 99_900_000n)
console.log('approved twice, paid once: 0.10 USDC')

gate.close()
server.close()
await devnet.close()
