/** Agents of other makers as tools: one answers a question back, the human decides in between, and nothing is asked twice. */
import assert from 'node:assert/strict'
import { createAgent as createA2AAgent } from '@aetherkit/a2a'
import { toLangChainTools } from '@aetherkit/langchain'
import { a2aContext, a2aTools } from '@aetherkit/tools/a2a'
import { AIMessage } from '@langchain/core/messages'
import { fakeModel } from '@langchain/core/testing'
import { Command, MemorySaver } from '@langchain/langgraph'
import { createAgent, HumanMessage } from 'langchain'

// Another agent, somewhere on the web. It wants to know more before it works.
let bookings = 0
const hotel = createA2AAgent({
  card: {
    name: 'Grand Hotel',
    description: 'Books rooms',
    skills: [{ id: 'book', name: 'Book a room', description: 'Books a room for a night' }],
  },
  authenticate: ({ header }) => ({ owner: `bearer:${header('authorization')}`, anonymous: false }),
  executor: {
    async execute({ text, resumed, progress, artifact }) {
      if (!resumed) return { state: 'input-required', message: 'For how many guests?' }
      progress('looking for a room')
      artifact({
        name: 'booking',
        parts: [{ text: `A room for ${text} is yours.` }, { data: { nth: ++bookings } }],
      })
      return undefined
    },
  },
})
const { url } = await hotel.listen()

// Its skills as tools. `allowPrivateNetwork` is for this machine alone; a real agent has a public https address.
const { tools: definitions, close } = await a2aTools({
  agents: { hotel: { url, auth: { bearer: 'me' }, allowPrivateNetwork: true, guard: { warn: () => {} } } },
})
console.log('tools:', definitions.map(({ name }) => name).join(', '))

// Ids of tasks and contexts are kept by the thread, outside of the model.
const ctx = a2aContext({ threadId: 'trip-1' })
const tools = toLangChainTools(definitions, ctx, { interrupt: true })

// The model is scripted so that the example runs without a key: put your own in its place.
const model = fakeModel()
  .respondWithTools([{ id: 'call-1', name: 'hotel__book', args: { message: 'a room in Oslo for tonight' } }])
  .respond((messages) => new AIMessage(`The hotel answered: ${messages.at(-1)?.text}`))
const agent = createAgent({ model, tools, checkpointer: new MemorySaver() })
const config = { configurable: { thread_id: 'trip-1' } }

// The hotel's question pauses the graph.
const paused = await agent.invoke({ messages: [new HumanMessage('Book me a room in Oslo')] }, config)
const question = paused.__interrupt__?.[0]?.value
console.log('question:', question)
assert.deepEqual(question, {
  type: 'agent-question',
  agent: 'hotel',
  needs: 'input',
  untrusted_text: 'For how many guests?',
})

// The human's answer goes to the same task.
const { messages } = await agent.invoke(new Command({ resume: 'two guests' }), config)
console.log(messages.at(-1)?.text)
assert.match(String(messages.at(-1)?.text), /A room for two guests is yours/)
assert.equal(bookings, 1)

await close()
await hotel.close()
