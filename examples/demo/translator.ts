/** The LangChain agent: translates for whoever asks over the relay, and asks for the house glossary itself first. */
import { connect } from '@aetherkit/client'
import { aetherTools } from '@aetherkit/langchain'
import { createAgent, HumanMessage } from 'langchain'
import { langChainModel } from './script.js'

const SYSTEM =
  'You translate. First find an agent that offers the capability "glossary" with aether_discover and ask it, action ' +
  '"glossary", for the terms in the text with aether_request. Then answer with the translation only.'

export async function startTranslator(relayUrl: string) {
  const client = await connect(relayUrl)
  const tools = aetherTools(client)

  client.serve('translate', async (payload, { signal }) => {
    const { text, language } = payload as { text: string; language: string }
    const model = langChainModel(
      () => ({ tool: 'aether_discover', input: { capability: 'glossary' } }),
      (result) => {
        const [agent] = JSON.parse(result).agents
        return {
          tool: 'aether_request',
          input: { to: agent.public_key, action: 'glossary', payload: 'relay, agent' },
        }
      },
      (result) => {
        const terms = JSON.parse(JSON.parse(result).untrusted_text) as Record<string, string>
        return `Les ${terms.agent}s se parlent par le ${terms.relay}.`
      },
    )
    const agent = createAgent({ model, tools, systemPrompt: SYSTEM })
    const { messages } = await agent.invoke(
      { messages: [new HumanMessage(`To ${language}: ${text}`)] },
      { signal },
    )
    return { translation: messages.at(-1)?.text ?? '' }
  })

  await client.advertise({
    name: 'translator',
    description: 'translates short texts (LangChain)',
    capabilities: [{ name: 'translate', description: 'payload {"text", "language"}' }],
  })

  return { client, tools }
}
