/**
 * The planner: a LangChain agent. It finds partners by what they can do, asks what they cost, pays within its budget,
 * and publishes what came of it under its own signature.
 */
import { type AgentCard, connectAgent } from '@aetherkit/a2a'
import type { Client } from '@aetherkit/client'
import { aetherTools, toLangChainTools } from '@aetherkit/langchain'
import type { PaidReceipt } from '@aetherkit/payments'
import { a2aContext, a2aTools } from '@aetherkit/tools/a2a'
import { createAgent, HumanMessage } from 'langchain'
import type { Market } from './market.js'
import { langChainModel } from './script.js'
import { print } from './transcript.js'

const QUESTION = 'How do agents work together over a relay?'
const SYSTEM =
  'Ask researcher__research first with max_price "0" to learn its price, then again within $0.20. Have the findings ' +
  'translated by translator__translate in the same way. Publish the translation with aether_publish, topic summary.'

export async function startPlanner(client: Client, market: Market) {
  const receipts: PaidReceipt[] = []
  const payment = {
    ...market.wallet,
    askAbove: '0.20',
    onReceipt: (receipt: PaidReceipt) => void receipts.push(receipt),
  }
  const common = { allowPrivateNetwork: true, guard: { warn: () => {} }, payment }
  const [researcher, translator] = await Promise.all([find('research'), find('translate')])
  const partners = await a2aTools({
    agents: {
      researcher: { ...common, card: await cardOf(researcher), bindings: ['JSONRPC'] },
      translator: { ...common, aether: translator, client },
    },
  })
  const untrusted = (result: string): string => JSON.parse(result).untrusted_text
  let findings = ''
  const agent = createAgent({
    systemPrompt: SYSTEM,
    tools: [...aetherTools(client), ...toLangChainTools(partners.tools, a2aContext({ threadId: 'plan' }))],
    model: langChainModel(
      () => ({ tool: 'researcher__research', input: { message: QUESTION, max_price: '0' } }),
      (price) => {
        print(`planner's model reads: ${JSON.parse(price).message}`)
        return { tool: 'researcher__research', input: { message: QUESTION, max_price: '0.20' } }
      },
      (result) => {
        findings = untrusted(result)
        return { tool: 'translator__translate', input: { message: findings, max_price: '0' } }
      },
      (price) => {
        print(`planner's model reads: ${JSON.parse(price).message}`)
        return { tool: 'translator__translate', input: { message: findings, max_price: '0.20' } }
      },
      (result) => ({ tool: 'aether_publish', input: { text: untrusted(result), topic: 'summary' } }),
      () => 'Researched, translated, published.',
    ),
  })

  async function find(capability: string): Promise<string> {
    const [found] = await client.discover({ capability })
    if (found === undefined) throw new Error(`nobody offers ${capability}`)
    print(`planner finds ${found.name} for "${capability}": ${found.publicKey.slice(0, 8)}`)
    return found.publicKey
  }
  /** The card comes over the relay, signed by the key that was found, and says where HTTP is. */
  async function cardOf(publicKey: string): Promise<AgentCard> {
    const remote = await connectAgent(`aether:${publicKey}`, { client })
    const card = await remote.extendedCard()
    await remote.close()
    return card
  }

  return {
    receipts,
    async run() {
      const stream = await agent.stream(
        { messages: [new HumanMessage(`Find out, translate to French and publish: ${QUESTION}`)] },
        { streamMode: ['custom', 'values'] },
      )
      let text = ''
      let pieces = 0
      for await (const [mode, value] of stream) {
        if (mode === 'values') text = (value as { messages: { text: string }[] }).messages.at(-1)?.text ?? ''
        else pieces++
      }
      return { text, pieces }
    },
    close: () => partners.close(),
  }
}
