/** Store contract: random events and filters against the obvious meaning (spec 2.3, 2.7, 6). */
import assert from 'node:assert/strict'
import { type Event, isEphemeral, matches, replaceKey, supersedes } from '@aetherkit/core'
import { type Random, randomEvent, randomFilter, seededRandom } from '@aetherkit/core/testing'
import { newestFirst, type Position, type PutStatus, type Store } from './store.js'

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
