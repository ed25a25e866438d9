/**
 * A store of genuine Nostr events (spec 9.3): any store of ours with the rules of NIP-01 around it. It has an id space
 * of its own and never holds an Aether event.
 *
 * What differs from the rules of Aether: kinds 0 and 3 are replaceable, by (pubkey, kind). Of those a reader is shown
 * the first in query order, which is the winner (spec 2.3), unless its author has deleted it; the others are taken out
 * after each put. So a relay that ends between the two shows nothing wrong when it is back.
 */
import { type Event, type Filter, supersedes } from '@aetherkit/core'
import { restoreNostrEvent } from '../nostr-event.js'
import { DELETION } from '../store/deletion.js'
import {
  firstSeqFor,
  type Page,
  type Position,
  type PutOutcome,
  type Store,
  type StoredEvent,
} from '../store/store.js'

/** Replaceable there, immutable here (spec 2.1). */
const NIP01_REPLACES: readonly number[] = [0, 3]
/** Old versions looked at in one go: more than one only after a crash. */
const VERSIONS = 16

/** `store` must hold nothing but what was put through here. */
export function openNostrStore(store: Store): Store {
  /** The stored winner of a kind that only NIP-01 replaces. */
  const winnerOf = ({ pubkey, kind }: Event) =>
    store.query({ authors: [pubkey], kinds: [kind] }, { limit: 1 })[0]?.event

  /** Whether a deletion names all versions up to this one (NIP-09). */
  function isDeleted({ pubkey, kind, createdAt }: Event): boolean {
    const pairs = [['a', addressOf(pubkey, kind)]] as const
    const filter: Filter = { authors: [pubkey], kinds: [DELETION], pairs, since: createdAt }
    return store.query(filter, { limit: 1 }).length > 0
  }

  function isShown({ event }: StoredEvent): boolean {
    if (!isReplacedByNip01(event)) return true
    return winnerOf(event)?.id === event.id && !isDeleted(event)
  }

  async function put(batch: readonly StoredEvent[]): Promise<readonly PutOutcome[]> {
    const winners = new Map<string, Event>()
    const outcomes = batch.map(({ event }): PutOutcome | undefined => {
      if (!isReplacedByNip01(event) || store.has(event.id)) return undefined
      if (isDeleted(event)) return { status: 'deleted' }
      const key = `${event.pubkey}:${event.kind}`
      const winner = winners.get(key) ?? winnerOf(event)
      if (winner !== undefined && winner.id !== event.id && !supersedes(event, winner))
        return { status: 'superseded' }
      winners.set(key, event)
      return undefined
    })
    const put = await store.put(batch.filter((_, i) => outcomes[i] === undefined))
    await removeHidden(
      [...winners.values()].flatMap(losersTo),
      batch.flatMap(({ event }) => namedBy(event)),
    )
    let at = 0
    return outcomes.map((outcome) => outcome ?? put[at++] ?? { status: 'duplicate' })
  }

  function losersTo({ pubkey, kind }: Event): readonly StoredEvent[] {
    return store.query({ authors: [pubkey], kinds: [kind] }, { limit: VERSIONS }).slice(1)
  }

  /** The versions that a deletion names by their address. */
  function namedBy({ kind, pubkey, tags, createdAt }: Event): readonly StoredEvent[] {
    if (kind !== DELETION) return []
    const kinds = NIP01_REPLACES.filter((replaced) =>
      tags.some(([key, value]) => key === 'a' && value === addressOf(pubkey, replaced)),
    )
    return kinds.flatMap((replaced) =>
      store.query({ authors: [pubkey], kinds: [replaced], until: createdAt }, { limit: VERSIONS }),
    )
  }

  /** What cannot be taken out now is not shown either, and goes another time. */
  async function removeHidden(...hidden: (readonly StoredEvent[])[]): Promise<void> {
    const ids = hidden.flat().map(({ event }) => event.id)
    if (ids.length > 0) await store.remove({ ids }, ids.length).catch(() => {})
  }

  function* pages(filter: Filter, { limit, after: start }: Page): Generator<StoredEvent> {
    for (let after: Position | undefined = start; ; ) {
      const page = store.query(filter, after === undefined ? { limit } : { limit, after })
      yield* page
      after = page.at(-1)?.event
      if (page.length < limit || after === undefined) return
    }
  }

  function* sequence(seq: bigint, limit: number): Generator<StoredEvent> {
    for (let from = seq; ; ) {
      const page = store.since(from, limit)
      yield* page
      const last = page.at(-1)
      if (page.length < limit || last === undefined) return
      from = last.seq
    }
  }

  return {
    get epoch() {
      return store.epoch
    },
    get lastSeq() {
      return store.lastSeq
    },
    get firstSeq() {
      return store.firstSeq
    },
    firstSeqOf: (kinds) => firstSeqFor(store, kinds),
    reserve: (seq) => store.reserve(seq),
    put,
    remove: (removal, limit) => store.remove(removal, limit),
    usage: () => store.usage(),
    ...(store.backup !== undefined && { backup: (path) => store.backup!(path) }),
    has: (id) => store.has(id),
    get(id) {
      const stored = store.get(id)
      return stored === undefined || !isShown(stored) ? undefined : restore(stored)
    },
    query: (filter, page) => take(pages(filter, page), isShown, page.limit),
    since: (seq, limit) => take(sequence(seq, limit), isShown, limit),
    close: () => store.close(),
  }
}

function isReplacedByNip01({ kind }: Event): boolean {
  return NIP01_REPLACES.includes(kind)
}

function addressOf(pubkey: string, kind: number): string {
  return `${kind}:${pubkey}:`
}

function take(
  events: Iterable<StoredEvent>,
  isShown: (stored: StoredEvent) => boolean,
  limit: number,
): readonly StoredEvent[] {
  const taken: StoredEvent[] = []
  if (limit <= 0) return taken
  for (const stored of events) {
    if (!isShown(stored)) continue
    taken.push(restore(stored))
    if (taken.length === limit) break
  }
  return taken
}

function restore({ seq, event }: StoredEvent): StoredEvent {
  return { seq, event: restoreNostrEvent(event) }
}
