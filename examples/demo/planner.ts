/** The AI SDK agent: has a note to be translated, keeps the house glossary, and shares the result. */
import { aetherTools } from '@aetherkit/ai-sdk'
import { connect } from '@aetherkit/client'
import { generateText, stepCountIs, ToolLoopAgent } from 'ai'
import { aiSdkModel } from './script.js'

const NOTE = 'Agents talk to each other through the relay.'
const SYSTEM =
  'You plan and share. Find an agent with the capability "translate" (aether_discover), ask it to translate with ' +
  'aether_request, action "translate", format json, payload {"text","language"}. Store only the translation with ' +
  'aether_state_write under the key release-note, then publish a short note with aether_publish, topic release.'

export async function startPlanner(relayUrl: string) {
  const client = await connect(relayUrl)

  client.serve('glossary', async (payload, { signal }) => {
    const model = aiSdkModel(() => '{"relay":"relais","agent":"agent"}')
    const prompt = `Give French terms as one JSON object, nothing else, for: ${String(payload)}`
    const { text } = await generateText({ model, prompt, abortSignal: signal })
    return JSON.parse(text)
  })
  await client.advertise({
    name: 'planner',
    description: 'plans releases (AI SDK)',
    capabilities: [{ name: 'glossary', description: 'payload: terms, comma separated' }],
  })

  const agent = new ToolLoopAgent({
    instructions: SYSTEM,
    tools: aetherTools(client),
    stopWhen: stepCountIs(8),
    model: aiSdkModel(
      () => ({ tool: 'aether_discover', input: { capability: 'translate' } }),
      (result) => ({
        tool: 'aether_request',
        input: {
          to: JSON.parse(result).agents[0].public_key,
          action: 'translate',
          format: 'json',
          payload: JSON.stringify({ text: NOTE, language: 'French' }),
        },
      }),
      (result) => ({
        tool: 'aether_state_write',
        input: { key: 'release-note', value: JSON.parse(JSON.parse(result).untrusted_text).translation },
      }),
      () => ({
        tool: 'aether_publish',
        input: { text: 'The French release note is ready.', topic: 'release' },
      }),
      () => 'Translated, stored as release-note, and announced.',
    ),
  })

  return {
    client,
    run: () => agent.generate({ prompt: `Have this translated to French and share it: ${NOTE}` }),
  }
}
