/**
 * The obvious store: two maps, and a query that looks at everything. The reference that the durable stores are
 * tested against, and good for tests, demos and relays that keep little. Nothing outlives the process.
 */
import { matches, replaceKey, supersedes } from '@aetherkit/core'
import { randomEpoch } from './epoch.js'
import { newestFirst, type PutStatus, type Store, type StoredEvent, StoreError } from './store.js'

export function openMemoryStore(): Store {
  const byId = new Map<string, StoredEvent>()
  /** Replace key to the id of its winner (spec 2.3). */
  const winners = new Map<string, string>()
  let lastSeq = 0n
  let open = true

  function putOne(stored: StoredEvent): PutStatus {
    const { event } = stored
    if (byId.has(event.id)) return 'duplicate'
    const key = replaceKey(event)
    if (key !== undefined) {
      const winnerId = winners.get(key)
      const winner = winnerId === undefined ? undefined : byId.get(winnerId)
      if (winner !== undefined) {
        if (!supersedes(event, winner.event)) return 'superseded'
        byId.delete(winner.event.id)
      }
      winners.set(key, event.id)
    }
    byId.set(event.id, stored)
    return 'stored'
  }

  function assertOpen(): void {
    if (!open) throw new StoreError('unavailable', 'the store is closed')
  }

  return {
    epoch: randomEpoch(),
    firstSeq: 0n,
    get lastSeq() {
      return lastSeq
    },
    reserve(seq) {
      assertOpen()
      if (seq > lastSeq) lastSeq = seq
    },
    async put(batch) {
      assertOpen()
      return batch.map((stored) => {
        if (stored.seq > lastSeq) lastSeq = stored.seq
        return { status: putOne(stored) }
      })
    },
    has(id) {
      assertOpen()
      return byId.has(id)
    },
    get(id) {
      assertOpen()
      return byId.get(id)
    },
    query(filter, { limit, after }) {
      assertOpen()
      return [...byId.values()]
        .filter(({ event }) => matches(filter, event))
        .filter(({ event }) => after === undefined || newestFirst(after, event) < 0)
        .sort((a, b) => newestFirst(a.event, b.event))
        .slice(0, limit)
    },
    since(seq, limit) {
      assertOpen()
      return [...byId.values()]
        .filter((stored) => stored.seq > seq)
        .sort((a, b) => (a.seq < b.seq ? -1 : 1))
        .slice(0, limit)
    },
    async close() {
      open = false
    },
  }
}
