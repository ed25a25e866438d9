/**
 * One agent, three ways to call it: A2A 1.0 over HTTP, A2A over a relay by public key (no inbound port needed), and a
 * signed `agent.request`. `npx tsx examples/a2a-agent.ts`
 */
import assert from 'node:assert/strict'
import { connectAgent, createAgent } from '@aetherkit/a2a'
import { connect, localSigner } from '@aetherkit/client'
import { generateSecretKey } from '@aetherkit/core'
import { createRelay } from '@aetherkit/relay'

const relay = await createRelay({ port: 0 })
const key = generateSecretKey()

const agent = createAgent({
  key,
  card: {
    name: 'Counter',
    description: 'Counts the words of a text',
    skills: [{ id: 'count', name: 'count', description: 'Counts words', tags: ['text'] }],
  },
  executor: {
    async execute({ text, data, artifact }) {
      const payload = data?.payload as { text?: string } | undefined
      const words = (payload?.text ?? text).split(/\s+/).filter(Boolean).length
      artifact({ parts: [{ data: { words } }] })
    },
  },
  dialect: { actions: { count: {} } },
})
const { url } = await agent.listen()
const mailbox = await connect(relay.url, { signer: localSigner(key) })
agent.serveOn(mailbox, { relays: [relay.url] })

const overHttp = await connectAgent(url, { allowPrivateNetwork: true, key: generateSecretKey() })
const first = await overHttp.send('three small words')
console.log('over HTTP', JSON.stringify(first))

const caller = await connect(relay.url)
const overRelay = await connectAgent(`aether:${mailbox.publicKey}`, { client: caller })
const second = await overRelay.send('two words')
console.log('over the relay', JSON.stringify(second))

const third = await overHttp.request('count', { text: 'signed' })
console.log('agent.request', JSON.stringify(third))

const wordsOf = (result: typeof first): unknown =>
  'task' in result ? result.task.artifacts?.[0]?.parts[0]?.data : undefined
assert.deepEqual([wordsOf(first), wordsOf(second), third], [{ words: 3 }, { words: 2 }, { words: 1 }])

await Promise.all([overHttp.close(), overRelay.close()])
await agent.close()
await Promise.all([mailbox.close(), caller.close()])
await relay.close()
