/**
 * `npm start`: a relay, a local Solana chain, and three agents. The planner (LangChain) finds a researcher (AI SDK, over
 * HTTP) and a translator (LangGraph, behind NAT, over the relay only) by what they can do, asks their prices, pays them,
 * and publishes a signed summary. Exits non-zero when anything is off. `--keep` leaves everything running.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveAgent } from '@aetherkit/ai-sdk/a2a'
import { connect } from '@aetherkit/client'
import { generateSecretKey } from '@aetherkit/core'
import { createRelay, openLmdbStore } from '@aetherkit/relay'
import { createWaiter } from './chat/agent.js'
import { servePage } from './chat/serve-page.js'
import { printBill } from './demo/bill.js'
import { openMarket } from './demo/market.js'
import { startPlanner } from './demo/planner.js'
import { startResearcher } from './demo/researcher.js'
import { isReal } from './demo/script.js'
import { print, watch } from './demo/transcript.js'
import { startTranslator } from './demo/translator.js'

const keep = process.argv.includes('--keep')
const started = performance.now()
const storagePath = await mkdtemp(join(tmpdir(), 'aether-demo-'))
const relay = await createRelay({ port: 0, store: openLmdbStore(storagePath) })
print(`relay at ${relay.url}, events in LMDB, acknowledged after fsync`)
const market = await openMarket()
print(`local test chain at ${market.chain}, not Solana devnet; its money is worth nothing`)
print(isReal ? 'models: real (OPENAI_API_KEY is set)' : 'models: scripted (set OPENAI_API_KEY for real ones)')

const onlooker = await connect(relay.url)
const transcript = await watch(onlooker)
const client = await connect(relay.url)
await client.advertise({ name: 'planner', description: 'plans and publishes (LangChain)', capabilities: [] })
const researcher = await startResearcher(relay.url, market)
const translator = await startTranslator(relay.url, market)
const before = await market.balances()
const planner = await startPlanner(client, market)

const { text, pieces } = await planner.run()
print(`planner's model concludes: ${text} (${pieces} pieces of progress were streamed to it)`)
const [summary] = await client.query({ kinds: [1], authors: [client.publicKey] })
assert.ok(summary, 'the summary is on the relay, signed by the planner')
await transcript.has(summary.id)

const after = await printBill(market, planner.receipts, before)
const milliseconds = Math.round(performance.now() - started)
console.log(
  `  ${transcript.seen.length} events, every id and signature verified; ${planner.receipts.length} payments; ${milliseconds} ms\n`,
)
const earned = (name: string): bigint => (after.get(name) ?? 0n) - (before.get(name) ?? 0n)
if (!isReal) {
  assert.deepEqual(
    ['planner', 'researcher', 'translator'].map(earned),
    [-120_000n, 100_000n, 20_000n],
    'each agent has what it earned, the planner paid once',
  )
  assert.match(summary.text, /^Les agents se parlent par le relais/)
}

if (keep) {
  const guide = await serveAgent(createWaiter(), {
    a2a: { card: { name: 'Waiter', description: 'Chats and books tables' } },
    aether: { relays: relay.url, key: generateSecretKey() },
  })
  const page = await servePage({ relay: relay.url, agent: guide.publicKey ?? '', name: 'Waiter' })
  console.log(`Everything stays up: the relay at ${relay.url}, the researcher's card at`)
  console.log(
    `${researcher.url}/.well-known/agent-card.json, and a page to chat with an agent:\n\n  ${page.url}\n`,
  )
  console.log('Ctrl-C ends it.')
  await new Promise((resolve) => process.once('SIGINT', resolve))
  await Promise.all([guide.close(), page.close()])
}
await planner.close()
await Promise.all([researcher.close(), translator.close()])
await Promise.all([client.close(), onlooker.close()])
await market.close()
await relay.close()
await rm(storagePath, { recursive: true })
