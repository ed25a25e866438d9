/**
 * One subscription at all relays (spec 7.4, 12): what it asked for, how far it got at each relay, and which events are
 * news. Delivers each event once; knows nothing of who consumes.
 */
import {
  type CompiledFilter,
  compileFilter,
  type Event,
  type Filter,
  replaceKey,
  supersedes,
  type TagValues,
  type VerifiedEvent,
  wantsReplay,
} from '@aetherkit/core'
import type { ClientError } from './errors.js'
import { RecentIds } from './recent-ids.js'

/** An event that old, ns, before the subscription began is not news (spec 12); the window of relays (spec 3.1). */
const OLD_NS = 60_000_000_000n
/** While a relay catches up behind the end mark, other subscriptions' events may overtake; ms. */
const SETTLE_MS = 5_000
/** Replaceable keys whose newest version is remembered. */
const MAX_KEYS = 10_000
const NOTHING = new Uint8Array()

export interface FeedSink {
  /** `cursor`: where the relay stands once this event is consumed; undefined where that is not known. */
  event(
    event: VerifiedEvent,
    from: { readonly relay: string; readonly cursor?: string; readonly stored: boolean },
  ): void
  /** The relay has gone on to this place without an event for us. */
  moved?(relay: string, cursor: string): void
  /** Events of this relay may be missing (spec 7.4). */
  gap?(relay: string): void
  /** The stored part is complete at every relay that is connected. Once. */
  stored?(): void
  /** No relay serves it any more. */
  failed?(error: ClientError): void
  /** The client was closed. */
  closed?(): void
}

export interface FeedOptions {
  readonly filters: readonly Filter[]
  /** Cursors to continue behind, by relay URL. */
  readonly after?: Readonly<Record<string, string>> | undefined
  /** Hand out versions that are older than one already seen, and events from before the subscription. */
  readonly outdated?: boolean | undefined
  readonly now: bigint
  readonly sink: FeedSink
}

/** `first`: the first attempt to connect is under way. */
export type RelayState = 'first' | 'up' | 'down'

/** Where an event comes from. */
export interface Origin {
  readonly relay: string
  readonly epoch: string | undefined
  readonly seq: bigint | undefined
  readonly stored: boolean
  /** Whether this relay's events for this feed come in order of seq, whatever other feeds get. */
  readonly ordered: boolean
}

/** How far the feed got at one relay. */
interface Place {
  cursor: string | undefined
  seq: bigint
  /** Whether it was ever subscribed there. */
  asked: boolean
  /** In this session: the relay confirmed; the stored part ended, when (ms). */
  ended: boolean
  endedAt: number
  /** In this session: largest seq before the end mark. */
  highest: bigint
  failed: ClientError | undefined
}

export class Feed {
  readonly sub: number
  readonly sink: FeedSink
  closed = false
  /** By relay: the proofs of who we are that it had heard when it was asked. */
  readonly proofs = new Map<string, number>()
  readonly #filters: readonly Filter[]
  readonly #live: readonly Filter[]
  readonly #tests: readonly CompiledFilter[]
  readonly #outdated: boolean
  readonly #begun: bigint
  readonly #places = new Map<string, Place>()
  readonly #recent = new RecentIds()
  readonly #newest = new Map<string, Event>()
  #storedSaid = false

  constructor(sub: number, { filters, after, outdated = false, now, sink }: FeedOptions) {
    this.sub = sub
    this.sink = sink
    this.#filters = filters
    const asksStored = after !== undefined || filters.some(wantsReplay)
    // No stored events, but an end mark all the same: it tells where live begins, so that a reconnect loses nothing.
    this.#live = after !== undefined ? filters : filters.map((f) => (wantsReplay(f) ? f : { ...f, limit: 0 }))
    this.#tests = filters.map((filter) => compileFilter(filter))
    this.#outdated = outdated
    this.#begun = asksStored || outdated || now < OLD_NS ? 0n : now - OLD_NS
    for (const [relay, cursor] of Object.entries(after ?? {})) this.#place(relay).cursor = cursor
  }

  /** Whether any relay completed the stored part. */
  get answered(): boolean {
    return [...this.#places.values()].some(({ ended }) => ended)
  }

  matches(event: Event, tags: () => TagValues): boolean {
    return this.#tests.some((test) => test(event, tags))
  }

  isNew(id: string): boolean {
    return !this.#recent.has(id)
  }

  /** What to ask a relay for when a session with it begins. `legacy`: a reference relay. */
  ask(relay: string, legacy: boolean): { readonly filters: readonly Filter[]; readonly after?: string } {
    const place = this.#place(relay)
    const lost = place.asked && place.cursor === undefined && !this.#filters.some(wantsReplay)
    Object.assign(place, { asked: true, ended: legacy, highest: 0n, failed: undefined })
    if (lost) this.sink.gap?.(relay)
    if (legacy) return { filters: this.#filters }
    return { filters: this.#live, ...(place.cursor !== undefined && { after: place.cursor }) }
  }

  subscribed(relay: string, gap: boolean): void {
    if (!gap) return
    const place = this.#place(relay)
    place.cursor = undefined
    place.seq = 0n
    this.sink.gap?.(relay)
  }

  ended(relay: string, cursor: string | undefined, epoch: string | undefined): void {
    const place = this.#place(relay)
    const known =
      cursor ?? (epoch !== undefined && place.highest > 0n ? `${epoch}-${place.highest}` : undefined)
    place.ended = true
    place.endedAt = performance.now()
    place.failed = undefined
    if (known === undefined || place.cursor === known) return
    place.cursor = known
    place.seq = seqOf(known)
    this.sink.moved?.(relay, known)
  }

  /** The relay ended or refused the subscription for good. */
  refused(relay: string, error: ClientError): void {
    this.#place(relay).failed = error
  }

  /** Hands out a verified event, unless it is no news. */
  take(event: VerifiedEvent, from: Origin): void {
    if (this.closed || !this.#recent.add(event.id) || !this.#isNews(event)) {
      this.skip(from)
      return
    }
    const { relay, stored } = from
    const cursor = this.#advance(from)
    this.sink.event(event, { relay, stored, ...(cursor !== undefined && { cursor }) })
  }

  /** An event that we have had, or do not want. */
  skip(from: Origin): void {
    const cursor = this.closed ? undefined : this.#advance(from)
    if (cursor !== undefined) this.sink.moved?.(from.relay, cursor)
  }

  /** Everything of this relay up to `seq` was looked at, whether it was for us or not. */
  passed(relay: string, epoch: string | undefined, seq: bigint): void {
    const place = this.#places.get(relay)
    if (place?.ended === true && isSettled(place)) this.#move(place, epoch, seq)
  }

  /** Says that the stored part is complete, or that nobody serves the subscription, if that is so. */
  settle(relays: ReadonlyMap<string, RelayState>): void {
    const states = [...relays].map(([relay, state]) => ({ state, place: this.#places.get(relay) }))
    if (states.length > 0 && states.every(({ place }) => place?.failed !== undefined)) {
      const failed = states[0]?.place?.failed
      if (failed !== undefined) this.sink.failed?.(failed)
      return
    }
    if (this.#storedSaid || !states.some(({ place }) => place?.ended === true)) return
    const pending = states.some(
      ({ state, place }) => state !== 'down' && place?.ended !== true && place?.failed === undefined,
    )
    if (pending) return
    this.#storedSaid = true
    this.sink.stored?.()
  }

  #place(relay: string): Place {
    let place = this.#places.get(relay)
    if (place === undefined) {
      place = {
        cursor: undefined,
        seq: 0n,
        asked: false,
        ended: false,
        endedAt: 0,
        highest: 0n,
        failed: undefined,
      }
      this.#places.set(relay, place)
    }
    return place
  }

  /** The cursor behind this event, when all before it is known to be here. */
  #advance(from: Origin): string | undefined {
    const place = this.#place(from.relay)
    if (from.seq === undefined) return undefined
    if (!place.ended) {
      if (from.seq > place.highest) place.highest = from.seq
      return undefined
    }
    if (!from.ordered && !isSettled(place)) return undefined
    if (!from.ordered && from.seq < place.seq) {
      // It comes late: the relay is still catching up, and only what is behind this one is still to come.
      place.endedAt = performance.now()
      place.seq = from.seq - 1n
    }
    return this.#move(place, from.epoch, from.seq)
  }

  #move(place: Place, epoch: string | undefined, seq: bigint): string | undefined {
    if (epoch === undefined || seq <= place.seq) return undefined
    place.seq = seq
    place.cursor = `${epoch}-${seq}`
    return place.cursor
  }

  #isNews(event: VerifiedEvent): boolean {
    if (this.#outdated) return true
    if (event.createdAt < this.#begun) return false
    const key = replaceKey(event)
    if (key === undefined) return true
    const known = this.#newest.get(key)
    if (known !== undefined && !supersedes(event, known)) return false
    this.#newest.delete(key)
    this.#newest.set(key, { ...event, tags: [], content: NOTHING })
    if (this.#newest.size > MAX_KEYS) this.#newest.delete(this.#newest.keys().next().value ?? '')
    return true
  }
}

function isSettled(place: Place): boolean {
  return performance.now() - place.endedAt >= SETTLE_MS
}

function seqOf(cursor: string): bigint {
  const digits = /-(\d{1,20})$/.exec(cursor)?.[1]
  return digits === undefined ? 0n : BigInt(digits)
}
