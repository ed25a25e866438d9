/**
 * The translator: a LangGraph agent with no open port. It is called by its public key, over the relay, and charges for
 * it. The graph keeps its threads on the relay too, sealed for itself.
 */
import { createAgent } from '@aetherkit/a2a'
import { connect, localSigner } from '@aetherkit/client'
import { generateSecretKey } from '@aetherkit/core'
import { langgraphExecutor } from '@aetherkit/langchain/a2a'
import { AetherSaver } from '@aetherkit/langchain/checkpoint'
import { createAgent as createGraph } from 'langchain'
import type { Market } from './market.js'
import { langChainModel } from './script.js'

export async function startTranslator(relayUrl: string, market: Market) {
  const key = generateSecretKey()
  const signer = localSigner(key)
  const client = await connect(relayUrl, { signer })
  const graph = createGraph({
    model: langChainModel(
      () =>
        'Les agents se parlent par le relais, s’appellent et se paient ; aucun ne peut falsifier l’autre.',
    ),
    tools: [],
    systemPrompt: 'You translate to French. Answer with the translation only.',
    checkpointer: new AetherSaver(client, { signer }),
  })
  const agent = createAgent({
    key,
    card: {
      name: 'Translator',
      description: 'Translates short texts to French (LangGraph, over the relay)',
      skills: [{ id: 'translate', name: 'translate', description: 'Translates to French', tags: ['text'] }],
    },
    executor: langgraphExecutor(graph),
    payment: await market.seller('translator', '$0.02'),
  })
  const served = agent.serveOn(client, { relays: [relayUrl] })
  await client.advertise({
    name: 'translator',
    description: 'translates to French, $0.02',
    capabilities: [{ name: 'translate', description: 'A2A over Aether' }],
  })
  const close = async () => {
    await served.close()
    await agent.close()
    await client.close()
  }
  return { client, close }
}
