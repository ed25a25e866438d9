/**
 * Where events of one protocol are kept and handed on. Aether events are in one realm, genuine Nostr events (spec 9.3)
 * in another; no store, ring or index ever has both. The seq is one for both, so that who sees both sees them in order.
 */
import type { Event, Filter } from '@aetherkit/core'
import { SubscriptionIndex } from './match.js'
import { NostrEvent } from './nostr-event.js'
import { Ring, type RingView } from './ring.js'
import { firstSeqFor, newestFirst, type Store, type StoredEvent, type StoreView } from './store/store.js'
import type { Subscription } from './subscriptions.js'

export interface Realm {
  readonly store: Store
  readonly ring: Ring
  readonly index: SubscriptionIndex<Subscription>
}

/** Live subscriptions, to come and to go. */
export type IndexView = Pick<SubscriptionIndex<Subscription>, 'add' | 'remove'>

export class Realms {
  readonly aether: Realm
  readonly nostr: Realm | undefined
  readonly all: readonly Realm[]
  /** No seq up to here may be handed out again. */
  readonly lastSeq: bigint

  constructor(store: Store, nostr: Store | undefined) {
    this.lastSeq = nostr !== undefined && nostr.lastSeq > store.lastSeq ? nostr.lastSeq : store.lastSeq
    this.aether = realm(store, this.lastSeq)
    this.nostr = nostr && realm(nostr, this.lastSeq)
    this.all = this.nostr === undefined ? [this.aether] : [this.aether, this.nostr]
  }

  /** @throws TypeError for a Nostr event where there is no realm for it. */
  of(event: Event): Realm {
    if (!NostrEvent.is(event)) return this.aether
    if (this.nostr === undefined) throw new TypeError('this relay takes no Nostr events')
    return this.nostr
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map(({ store }) => store.close()))
  }
}

/** The stored events of both, as one store that is only read. The epoch is that of the first. */
export function bothStores(a: StoreView, b: StoreView): StoreView {
  return {
    epoch: a.epoch,
    get firstSeq() {
      return max(a.firstSeq, b.firstSeq)
    },
    firstSeqOf: (kinds) => max(firstSeqFor(a, kinds), firstSeqFor(b, kinds)),
    has: (id) => a.has(id) || b.has(id),
    get: (id) => a.get(id) ?? b.get(id),
    query: (filter: Filter, page) =>
      merge(a.query(filter, page), b.query(filter, page), byQueryOrder).slice(0, page.limit),
    since: (seq, limit) => merge(a.since(seq, limit), b.since(seq, limit), bySeq).slice(0, limit),
  }
}

export function bothRings(a: RingView, b: RingView): RingView {
  return {
    get from() {
      return max(a.from, b.from)
    },
    get last() {
      return max(a.last, b.last)
    },
    start: max(a.start, b.start),
    lostUnkept: (kinds) => max(a.lostUnkept(kinds), b.lostUnkept(kinds)),
    isUnkept: (stored) => a.isUnkept(stored) || b.isUnkept(stored),
    since(seq, limit) {
      const [one, other] = [a.since(seq, limit), b.since(seq, limit)]
      return one === undefined || other === undefined ? undefined : merge(one, other, bySeq).slice(0, limit)
    },
  }
}

export function bothIndexes(a: IndexView, b: IndexView): IndexView {
  return {
    add(subscription, filters) {
      a.add(subscription, filters)
      b.add(subscription, filters)
    },
    remove(subscription) {
      const wasHere = a.remove(subscription)
      return b.remove(subscription) || wasHere
    },
  }
}

function realm(store: Store, start: bigint): Realm {
  return { store, ring: new Ring({ start }), index: new SubscriptionIndex<Subscription>() }
}

/** Two sorted lists as one. */
function merge(
  a: readonly StoredEvent[],
  b: readonly StoredEvent[],
  order: (x: StoredEvent, y: StoredEvent) => number,
): readonly StoredEvent[] {
  if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a
  return [...a, ...b].sort(order)
}

function byQueryOrder(a: StoredEvent, b: StoredEvent): number {
  return newestFirst(a.event, b.event)
}

function bySeq(a: StoredEvent, b: StoredEvent): number {
  return a.seq < b.seq ? -1 : 1
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
