/**
 * The obvious store: two maps, and a query that looks at everything. The reference that the durable stores are
 * tested against, and good for tests, demos and relays that keep little. Nothing outlives the process.
 */
import { canonicalSize, type Event, matches, replaceKey } from '@aetherkit/core'
import { expiresAt, isExpired } from '../expiration.js'
import { decide } from './decide.js'
import { DELETION, Deletions } from './deletion.js'
import { randomEpoch } from './epoch.js'
import { Pruned } from './pruned.js'
import {
  type KindUsage,
  newestFirst,
  type Removal,
  type Store,
  type StoredEvent,
  StoreError,
} from './store.js'

export function openMemoryStore(): Store {
  const byId = new Map<string, StoredEvent>()
  /** Replace key to its winner (spec 2.3). */
  const winners = new Map<string, StoredEvent>()
  const deletions = new Deletions()
  let pruned = new Pruned()
  let lastSeq = 0n
  let open = true

  function add(stored: StoredEvent, key: string | undefined): void {
    byId.set(stored.event.id, stored)
    if (key !== undefined) winners.set(key, stored)
    if (stored.event.kind === DELETION) deletions.add(stored.event)
  }

  function take({ event }: StoredEvent): void {
    byId.delete(event.id)
    const key = replaceKey(event)
    if (key !== undefined && winners.get(key)?.event.id === event.id) winners.delete(key)
    if (event.kind === DELETION) deletions.remove(event)
  }

  function usage(): KindUsage[] {
    const byKind = new Map<number, KindUsage>()
    for (const { event } of byId.values()) {
      const { events, bytes } = byKind.get(event.kind) ?? { events: 0, bytes: 0 }
      byKind.set(event.kind, { kind: event.kind, events: events + 1, bytes: bytes + canonicalSize(event) })
    }
    return [...byKind.values()].sort((a, b) => a.kind - b.kind)
  }

  function assertOpen(): void {
    if (!open) throw new StoreError('unavailable', 'the store is closed')
  }

  return {
    epoch: randomEpoch(),
    get firstSeq() {
      return pruned.firstSeq
    },
    firstSeqOf: (kinds) => pruned.firstSeqOf(kinds),
    get lastSeq() {
      return lastSeq
    },
    reserve(seq) {
      assertOpen()
      if (seq > lastSeq) lastSeq = seq
    },
    async put(batch) {
      assertOpen()
      for (const { seq } of batch) if (seq > lastSeq) lastSeq = seq
      const { outcomes, additions, removals } = decide(batch, {
        has: (id) => byId.has(id),
        get: (id) => byId.get(id),
        winner: (key) => winners.get(key),
        isDeleted: (event, key) => deletions.has(event, key),
      })
      for (const removal of removals) take(removal)
      for (const { stored, replaceKey } of additions) add(stored, replaceKey)
      return outcomes
    },
    async remove(removal, limit) {
      assertOpen()
      const taken = victims(byId, removal).slice(0, limit)
      for (const stored of taken) take(stored)
      if ('kinds' in removal) pruned = pruned.and(taken)
      return { events: taken.length, bytes: weigh(taken) }
    },
    usage() {
      assertOpen()
      return usage()
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

/** In the order in which they go. */
function victims(byId: ReadonlyMap<string, StoredEvent>, removal: Removal): StoredEvent[] {
  if ('ids' in removal) return [...new Set(removal.ids)].flatMap((id) => byId.get(id) ?? [])
  const all = [...byId.values()]
  if ('expiredBy' in removal)
    return all.filter(({ event }) => isExpired(event, removal.expiredBy)).sort(firstToExpire)
  const { kinds, createdBefore = 0n, maxEvents = Infinity, maxBytes = Infinity } = removal
  const left = all.filter(({ event }) => isWithin(event, kinds)).sort((a, b) => newestFirst(b.event, a.event))
  let [events, size] = [left.length, weigh(left)]
  return left.filter(({ event }) => {
    if (event.createdAt >= createdBefore && events <= maxEvents && size <= maxBytes) return false
    events--
    size -= canonicalSize(event)
    return true
  })
}

function firstToExpire(a: StoredEvent, b: StoredEvent): number {
  const [x, y] = [expiresAt(a.event) ?? 0n, expiresAt(b.event) ?? 0n]
  return x === y ? Number(a.seq - b.seq) : x < y ? -1 : 1
}

function isWithin({ kind }: Event, [from, to]: readonly [number, number]): boolean {
  return kind >= from && kind <= to && (kind !== DELETION || from === to)
}

function weigh(all: readonly StoredEvent[]): number {
  return all.reduce((sum, { event }) => sum + canonicalSize(event), 0)
}
