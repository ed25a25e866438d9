/** An AI SDK agent with Aether tools: it calls another agent by public key and publishes what it learned. */
import assert from 'node:assert/strict'
import { aetherTools } from '@aetherkit/ai-sdk'
import { connect } from '@aetherkit/client'
import { createRelay } from '@aetherkit/relay'
import { stepCountIs, ToolLoopAgent } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'

const relay = await createRelay({ port: 0 })

// Another agent, reachable by its key alone.
const clock = await connect(relay.url)
clock.serve('time', () => ({ utc: new Date().toISOString() }))

// The AI SDK agent. The model is scripted so that the example runs without a key: put your own in its place.
const client = await connect(relay.url)
const steps = [
  { toolName: 'aether_request', input: { to: clock.publicKey, action: 'time', payload: 'now?' } },
  { toolName: 'aether_publish', input: { text: 'it is later than you think', topic: 'time' } },
]
const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}
let step = 0
const model = new MockLanguageModelV3({
  doGenerate: async () => {
    const call = steps[step++]
    return {
      content: call
        ? [
            {
              type: 'tool-call',
              toolCallId: `call-${step}`,
              toolName: call.toolName,
              input: JSON.stringify(call.input),
            },
          ]
        : [{ type: 'text', text: 'Asked for the time and published a note.' }],
      finishReason: { unified: call ? 'tool-calls' : 'stop', raw: undefined },
      usage,
      warnings: [],
    }
  },
})
const agent = new ToolLoopAgent({ model, tools: aetherTools(client), stopWhen: stepCountIs(5) })

const { text, steps: taken } = await agent.generate({
  prompt: 'Ask the clock for the time and publish a note.',
})
for (const { toolResults } of taken)
  for (const { toolName, output } of toolResults) console.log(toolName, output)
console.log(text)

const [note] = await client.query({ authors: [client.publicKey], kinds: [1] })
assert.equal(note?.text, 'it is later than you think')

await Promise.all([client.close(), clock.close()])
await relay.close()
