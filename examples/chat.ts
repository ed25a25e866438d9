/**
 * A chat with an AI SDK agent that has no web server: `useChat` over a relay, which goes on after a reload. The check below
 * does what the page does; `--keep` serves the page.
 */
import assert from 'node:assert/strict'
import { serveAgent } from '@aetherkit/ai-sdk/a2a'
import { AetherChatTransport, type UiChunk } from '@aetherkit/ai-sdk/chat'
import { connect, localSigner } from '@aetherkit/client'
import { generateSecretKey } from '@aetherkit/core'
import { createRelay } from '@aetherkit/relay'
import { createWaiter } from './chat/agent.js'
import { servePage } from './chat/serve-page.js'

const keep = process.argv.includes('--keep')
const relay = await createRelay({ port: 0 })
const served = await serveAgent(createWaiter({ wordMs: keep ? 60 : 5 }), {
  a2a: { card: { name: 'Waiter', description: 'Chats and books tables' } },
  aether: { relays: relay.url, key: generateSecretKey() },
})
const agent = served.publicKey ?? ''

// The user is a key: the same before and after the reload.
const signer = localSigner()
const message = { id: 'm1', role: 'user' as const, parts: [{ type: 'text', text: 'Hello' }] }
const wordsOf = (chunk: UiChunk) => (chunk.type === 'text-delta' ? chunk.delta : '')

const before = await connect(relay.url, { signer })
const answer = await new AetherChatTransport({ client: before, agent }).sendMessages({
  chatId: 'c1',
  messages: [message],
})
let half = ''
for await (const chunk of answer) {
  half += wordsOf(chunk)
  if (half.length > 60) break
}
console.log(`before the reload: ${half}…`)
await before.close()

const after = await connect(relay.url, { signer })
const transport = new AetherChatTransport({ client: after, agent })
assert.equal(
  (await transport.history('c1')).length,
  1,
  'the question is kept, the answer is still being written',
)
const resumed = await transport.reconnectToStream({ chatId: 'c1' })
let whole = ''
for await (const chunk of resumed ?? []) whole += wordsOf(chunk)
console.log(`after the reload:  ${whole}`)
assert.ok(whole.startsWith(half) && whole.length > half.length)
assert.equal(await transport.reconnectToStream({ chatId: 'c1' }), null)
const [, reply] = await transport.history('c1')
assert.ok(JSON.stringify(reply?.parts).includes(JSON.stringify(whole)), 'once, and complete')
await after.close()

if (keep) {
  const page = await servePage({ relay: relay.url, agent, name: 'Waiter' })
  console.log(`chat at ${page.url}`)
} else {
  await served.close()
  await relay.close()
}
