/** A LangChain agent with Aether tools: it discovers another agent by capability and calls it through the relay. */
import assert from 'node:assert/strict'
import { connect } from '@aetherkit/client'
import { aetherTools } from '@aetherkit/langchain'
import { createRelay } from '@aetherkit/relay'
import { fakeModel } from '@langchain/core/testing'
import { AIMessage, createAgent, HumanMessage } from 'langchain'

const relay = await createRelay({ port: 0 })

// Another agent, somewhere on the relay: it counts words for whoever asks.
const counter = await connect(relay.url)
counter.serve('count', (payload) => ({
  words: String(payload).split(/\s+/).length,
}))
await counter.advertise({
  name: 'word counter',
  capabilities: [{ name: 'count', description: 'counts words' }],
})

// The LangChain agent. The model is scripted so that the example runs without a key: put your own in its place.
const client = await connect(relay.url)
const model = fakeModel()
  .respondWithTools([{ id: 'call-1', name: 'aether_discover', args: { capability: 'count' } }])
  .respondWithTools([
    {
      id: 'call-2',
      name: 'aether_request',
      args: { to: counter.publicKey, action: 'count', payload: 'agents that talk to each other' },
    },
  ])
  .respond((messages) => new AIMessage(`The counter answered: ${messages.at(-1)?.text}`))
const agent = createAgent({ model, tools: aetherTools(client) })

const { messages } = await agent.invoke({
  messages: [new HumanMessage('How many words are in "agents that talk to each other"?')],
})
for (const message of messages) console.log(`${message.type}: ${message.text}`)
assert.match(String(messages.at(-1)?.text), /words.{3,5}6/)

await Promise.all([client.close(), counter.close()])
await relay.close()
