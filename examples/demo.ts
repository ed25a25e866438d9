/**
 * `npm start`: a relay with durable storage, a LangChain agent and an AI SDK agent that find each other by capability,
 * call each other through sealed, signed events, and share a result. Exits non-zero when anything is off.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '@aetherkit/client'
import { createRelay, openLmdbStore } from '@aetherkit/relay'
import { startPlanner } from './demo/planner.js'
import { isReal } from './demo/script.js'
import { nameOf, print, watch } from './demo/transcript.js'
import { startTranslator } from './demo/translator.js'

const keep = process.argv.includes('--keep')
const storagePath = await mkdtemp(join(tmpdir(), 'aether-demo-'))
const relay = await createRelay({ port: 0, store: openLmdbStore(storagePath) })
print(`relay at ${relay.url}, events in LMDB, acknowledged after fsync`)
print(isReal ? 'models: real (OPENAI_API_KEY is set)' : 'models: scripted (set OPENAI_API_KEY for real ones)')

const onlooker = await connect(relay.url)
const transcript = await watch(onlooker)
const translator = await startTranslator(relay.url)
const planner = await startPlanner(relay.url)

const { text } = await planner.run()
print(`planner's model concludes: ${text}`)

// The translator reads the shared state, through its own tool, and answers in public.
const read = translator.tools.find(({ name }) => name === 'aether_state_read')
const state = await read?.invoke({ key: 'release-note', author: planner.client.publicKey })
print(`translator reads back: ${state}`)
const thanks = await translator.client.publish({
  kind: 1,
  content: 'Merci ! Published as agreed.',
  tags: [['p', planner.client.publicKey]],
})
await transcript.has(thanks.id)

const { value, found } = JSON.parse(String(state))
assert.equal(found, true, 'the shared state is there')
assert.equal(value.from, planner.client.publicKey, 'and is the planner’s')
if (!isReal) assert.equal(value.untrusted_text, 'Les agents se parlent par le relais.')
const callers = new Set(
  transcript.seen.filter(({ kind }) => kind === 21000).map(({ pubkey }) => nameOf(pubkey)),
)
assert.deepEqual([...callers].sort(), ['planner', 'translator'], 'each called the other')
print(`${transcript.seen.length} events, every id and signature verified; each agent called the other`)

if (keep) {
  console.log(`\nThe relay stays up at ${relay.url}; connect with:\n`)
  console.log(`  import { connect } from '@aetherkit/client'`)
  console.log(`  const client = await connect('${relay.url}')`)
  console.log(`  console.log(await client.discover({ capability: 'translate' }))\n\nCtrl-C ends it.`)
  await new Promise((resolve) => process.once('SIGINT', resolve))
}
await Promise.all([translator.client.close(), planner.client.close(), onlooker.close()])
await relay.close()
await rm(storagePath, { recursive: true })
