/** LangGraph memory on a relay: an agent is asked, stops for a human, and goes on in another process after a restart. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, localSigner } from '@aetherkit/client'
import { AetherSaver, AetherStore } from '@aetherkit/langchain/checkpoint'
import { createRelay, openLmdbStore } from '@aetherkit/relay'
import {
  Annotation,
  Command,
  INTERRUPT,
  interrupt,
  isInterrupted,
  type LangGraphRunnableConfig,
  START,
  StateGraph,
} from '@langchain/langgraph'

const folder = mkdtempSync(join(tmpdir(), 'langgraph-memory-'))
const signer = localSigner() // the owner: nobody else reads what is kept, the relay included

const Trip = Annotation.Root({
  log: Annotation<string[]>({ reducer: (a, b) => [...a, ...b], default: () => [] }),
})
const trip = new StateGraph(Trip)
  .addNode('plan', async (_state, { store }: LangGraphRunnableConfig) => {
    await store?.put(['travellers', 'ada'], 'seat', { by: 'the window' })
    return { log: ['planned: Lisbon'] }
  })
  .addNode('book', async (_state, { store }: LangGraphRunnableConfig) => {
    const answer = interrupt('Book Lisbon for 120 EUR?')
    const seat = await store?.get(['travellers', 'ada'], 'seat')
    return { log: [`answered: ${answer}`, `booked: a seat by ${seat?.value.by}`] }
  })
  .addEdge(START, 'plan')
  .addEdge('plan', 'book')

/** Everything new: relay, connection, graph. Only the relay's folder and the owner's key are the same. */
async function session<T>(work: (graph: ReturnType<typeof trip.compile>) => Promise<T>): Promise<T> {
  const relay = await createRelay({ port: 0, store: openLmdbStore(join(folder, 'data')) })
  const client = await connect(relay.url, { signer })
  const checkpointer = new AetherSaver(client, { signer })
  const graph = trip.compile({ checkpointer, store: new AetherStore(client, { signer }) })
  const result = await work(graph)
  await client.close()
  await relay.close()
  return result
}

const thread = { configurable: { thread_id: 'trip-1' } }

const asked = await session((graph) => graph.invoke({ log: [] }, thread))
const questions = isInterrupted<string>(asked) ? asked[INTERRUPT].map(({ value }) => value) : []
console.log(asked.log, 'and a question:', questions)
assert.deepEqual(questions, ['Book Lisbon for 120 EUR?'])

const done = await session((graph) => graph.invoke(new Command({ resume: 'yes' }), thread))
console.log(done.log)
assert.deepEqual(done.log, ['planned: Lisbon', 'answered: yes', 'booked: a seat by the window'])

const steps = await session(async (graph) => {
  const all: string[] = []
  for await (const { values } of graph.getStateHistory(thread)) all.push(`${values.log.length} lines`)
  return all
})
console.log('history, newest first:', steps.join(', '))
assert.equal(steps[0], '3 lines')

rmSync(folder, { recursive: true })
