/** Store contract: random events and filters against the obvious meaning (spec 2.3, 2.7, 6). */
import assert from 'node:assert/strict'
import { type Event, isEphemeral, matches, replaceKey, supersedes } from '@aetherkit/core'
import { type Random, randomEvent, randomFilter, seededRandom } from '@aetherkit/core/testing'
import { DELETION } from './deletion.js'
import { openMemoryStore } from './memory.js'
import { newestFirst, type Position, type PutStatus, type Removal, type Store } from './store.js'

/** Events put before the filters are tried, in this many batches. */
const EVENTS = 60
const BATCHES = 5
const FILTERS = 40

/** How many (filter, events) cases one round tries. */
export const CASES_A_ROUND = BATCHES * FILTERS

/** Fills the store in random batches and compares outcomes and queries with a list that is searched from end to end. */
export async function randomRound(store: Store, seed: number): Promise<void> {
  const random = seededRandom(seed)
  const events = Array.from({ length: EVENTS }, () => collidingEvent(random)).filter(
    ({ kind }) => !isEphemeral(kind),
  )
  const known: Event[] = []
  let seq = 1n
  for (let batchNumber = 0; batchNumber < BATCHES; batchNumber++) {
    const batch = Array.from({ length: EVENTS / BATCHES }, () => ({
      seq: seq++,
      event: pick(random, events),
    }))
    const expected = batch.map(({ event }) => ({ status: expectedStatus(known, event) }))
    assert.deepEqual(await store.put(batch), expected, `outcomes, seed ${seed}`)
    for (let filterNumber = 0; filterNumber < FILTERS; filterNumber++) {
      const filter = randomFilter(random, known)
      const limit = Math.floor(random() * 12)
      const after: Position | undefined = random() < 0.3 ? pick(random, events) : undefined
      const found = store.query(filter, { limit, ...(after && { after }) }).map(({ event }) => event.id)
      const meant = known
        .filter((event) => matches(filter, event) && (after === undefined || newestFirst(after, event) < 0))
        .sort(newestFirst)
        .slice(0, limit)
        .map(({ id }) => id)
      assert.deepEqual(
        found,
        meant,
        `query ${show(filter)} limit ${limit} after ${show(after)}, seed ${seed}`,
      )
    }
  }
}

/** Steps of one round of {@link randomChurn}. */
const STEPS = 60

/**
 * Puts, deletions, removals of every sort and queries in random order, on this store and on the one in memory: outcomes,
 * what is taken, what is found and the first seq must be the same.
 */
export async function randomChurn(store: Store, seed: number): Promise<void> {
  const random = seededRandom(seed)
  const memory = openMemoryStore()
  const events = Array.from({ length: EVENTS }, () => collidingEvent(random)).filter(
    ({ kind }) => !isEphemeral(kind),
  )
  for (let seq = 1n, step = 0; step < STEPS; step++) {
    const at = `step ${step}, seed ${seed}`
    if (random() < 0.6) {
      const batch = Array.from({ length: 1 + Math.floor(random() * 8) }, () => ({
        seq: seq++,
        event: random() < 0.15 ? randomDeletion(random, events) : pick(random, events),
      }))
      assert.deepEqual(await store.put(batch), await memory.put(batch), `outcomes, ${at}`)
    } else {
      const removal = randomRemoval(random, events)
      const limit = Math.floor(random() * 10)
      const [taken, expected] = [await store.remove(removal, limit), await memory.remove(removal, limit)]
      assert.deepEqual(taken, expected, `removed by ${show(removal)} limit ${limit}, ${at}`)
      assert.deepEqual(store.usage(), memory.usage(), `usage, ${at}`)
      assert.equal(store.firstSeq, memory.firstSeq, `first seq, ${at}`)
      const { kind } = pick(random, events)
      if (store.firstSeqOf !== undefined)
        assert.equal(store.firstSeqOf([kind]), memory.firstSeqOf?.([kind]), `first seq of ${kind}, ${at}`)
    }
    const filter = random() < 0.5 ? {} : randomFilter(random, events)
    const ids = (of: Store) => of.query(filter, { limit: 1000 }).map(({ event }) => event.id)
    assert.deepEqual(ids(store), ids(memory), `query ${show(filter)}, ${at}`)
    const bySeq = (of: Store) => of.since(0n, 1000).map(({ seq, event }) => `${seq} ${event.id}`)
    assert.deepEqual(bySeq(store), bySeq(memory), `since, ${at}`)
    for (const { id } of events) assert.equal(store.get(id)?.seq, memory.get(id)?.seq, `get, ${at}`)
  }
}

function randomDeletion(random: Random, events: readonly Event[]): Event {
  const named = Array.from({ length: 3 }, () => pick(random, events))
  const tags = named.map((event) => {
    const key = replaceKey(event)
    if (key === undefined || random() < 0.5) return ['e', event.id] as const
    const [pubkey, kind, ...d] = key.split(':')
    return ['a', [kind, pubkey, ...(d.length > 0 ? d : [''])].join(':')] as const
  })
  const { pubkey, createdAt } = pick(random, named)
  return { ...collidingEvent(random), kind: DELETION, pubkey, createdAt, tags }
}

function randomRemoval(random: Random, events: readonly Event[]): Removal {
  const sort = random()
  if (sort < 0.2) return { ids: [pick(random, events).id, pick(random, events).id] }
  if (sort < 0.4) return { expiredBy: pick(random, events).createdAt }
  const ends = [pick(random, events).kind, pick(random, events).kind].sort((a, b) => a - b)
  const [from = 0, to = 0] = random() < 0.1 ? [DELETION, DELETION] : ends
  if (sort < 0.6) return { kinds: [from, to], createdBefore: pick(random, events).createdAt }
  if (sort < 0.8) return { kinds: [from, to], maxEvents: Math.floor(random() * 20) }
  return { kinds: [from, to], maxBytes: Math.floor(random() * 5000) }
}

/** Half of the ids share their first bytes, so that short keys do not tell them apart. */
function collidingEvent(random: Random): Event {
  const event = randomEvent(random)
  return random() < 0.5 ? { ...event, id: `0a0af00d0a0af00d${event.id.slice(16)}` } : event
}

/** Decides one event, and keeps `known` as the store should. */
function expectedStatus(known: Event[], event: Event): PutStatus {
  if (known.some(({ id }) => id === event.id)) return 'duplicate'
  const key = replaceKey(event)
  const rival = key === undefined ? -1 : known.findIndex((other) => replaceKey(other) === key)
  if (rival >= 0 && !supersedes(event, known[rival]!)) return 'superseded'
  if (rival >= 0) known.splice(rival, 1)
  known.push(event)
  return 'stored'
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new RangeError('nothing to pick from')
  return item
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}` : part))
}
