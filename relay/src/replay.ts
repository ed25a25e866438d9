/**
 * Stored events for one subscription, and the seam to live (spec 2.7, 6.3, 7.4).
 *
 * The seam is the seq of the last event that went out when the subscription was made. What is stored up to it is
 * replayed; after the end mark follows, in order of seq, what went out meanwhile; then the subscription is live. So
 * nothing falls between and nothing comes twice, however long the replay takes.
 */
import { compileFilter, type Event, type Filter, isEphemeral, wantsReplay } from '@aetherkit/core'
import type { RingView } from './ring.js'
import { firstSeqFor, type StoredEvent } from './store/store.js'
import { type Shelf, storedEvents } from './stored-events.js'

export interface History extends Shelf {
  readonly ring: RingView
}

/** Where the events of a replay go. */
export interface ReplayTarget {
  /** `stored` is false for what went out live while the replay ran. */
  replayed(stored: StoredEvent, isStored: boolean): void
  /** The end mark; `seam` is where live begins. */
  ended(seam: bigint): void
  /** All caught up: from now on the subscription takes live events. */
  live(): void
  /** History went faster than the peer reads: it cannot be continued without loss. */
  lost(): void
  /** Whether to stop and wait. */
  readonly congested: boolean
}

/** Events a step looks at before others have their turn. */
const STEP = 256
const PAGE = 64

/** What a subscription asks of history; undefined when it asks for nothing. */
export function planReplay(
  history: History,
  filters: readonly Filter[],
  after: string | undefined,
): { readonly gap: boolean; readonly from?: bigint; readonly stored: readonly Filter[] } | undefined {
  if (after === undefined) {
    const stored = filters.filter(wantsReplay)
    return stored.length === 0 ? undefined : { gap: false, stored }
  }
  const from = readCursor(after, history.store.epoch)
  if (from === undefined || from > history.ring.last || !reaches(history, filters, from))
    return { gap: true, stored: filters }
  return { gap: false, from, stored: filters }
}

export class Replay {
  readonly #history: History
  readonly #target: ReplayTarget
  readonly #filters: readonly Filter[]
  readonly #seam: bigint
  #stored: Iterator<StoredEvent> | undefined
  #at: bigint
  #ended = false
  #matches: ((event: Event) => boolean) | undefined

  /** `from`: resume behind this seq; else the stored events of `stored`, newest first. */
  constructor(
    history: History,
    plan: { readonly from?: bigint; readonly stored: readonly Filter[] },
    filters: readonly Filter[],
    target: ReplayTarget,
  ) {
    this.#history = history
    this.#target = target
    this.#filters = filters
    this.#seam = history.ring.last
    this.#at = plan.from ?? this.#seam
    if (plan.from === undefined) this.#stored = storedEvents(history, plan.stored, { seam: this.#seam })
  }

  /** Goes on until done (true) or until others must have their turn (false). */
  step(): boolean {
    for (let budget = STEP; budget > 0 && !this.#target.congested; ) {
      if (this.#stored !== undefined) budget -= this.#sendStored()
      else if (!this.#ended && this.#at >= this.#seam) {
        this.#ended = true
        this.#target.ended(this.#seam)
      } else if (this.#at >= this.#history.ring.last) {
        this.#target.live()
        return true
      } else {
        const seen = this.#sendSequence(budget)
        if (seen === undefined) {
          this.#target.lost()
          return true
        }
        budget -= seen
      }
    }
    return false
  }

  #sendStored(): number {
    const next = this.#stored?.next()
    if (next === undefined || next.done === true) this.#stored = undefined
    else this.#target.replayed(next.value, true)
    return 1
  }

  /** Sends the next events by seq; undefined when they are gone. */
  #sendSequence(limit: number): number | undefined {
    const { ring, isHidden } = this.#history
    const to = this.#ended ? ring.last : this.#seam
    const batch = sequence(this.#history, this.#filters, this.#at, Math.min(limit, PAGE))
    if (batch === undefined) return undefined
    this.#matches ??= anyOf(this.#filters)
    for (const stored of batch.events) {
      if (stored.seq > to) break
      this.#at = stored.seq
      if (!isHidden(stored.event) && this.#matches(stored.event)) this.#target.replayed(stored, !this.#ended)
      // The rest of a page of large events could be more than the outbox holds.
      if (this.#target.congested) return batch.events.length + 1
    }
    // What is left out up to `upTo` went to nobody.
    const last = batch.events.at(-1)
    if (last === undefined || last.seq > to) this.#at = min(batch.upTo, to)
    return batch.events.length + 1
  }
}

/** The next events above `seq`, from the ring if it has them all, else from the store; undefined when some are gone. */
function sequence(
  history: History,
  filters: readonly Filter[],
  seq: bigint,
  limit: number,
): { readonly events: readonly StoredEvent[]; readonly upTo: bigint } | undefined {
  const { store, ring } = history
  const recent = ring.since(seq, limit)
  if (recent !== undefined) {
    // What was replaced or deleted since is not to be resumed with, as it would not be from the store.
    const events = recent.filter((stored) => ring.isUnkept(stored) || store.has(stored.event.id))
    return { events, upTo: recent.at(-1)?.seq ?? ring.last }
  }
  if (!reaches(history, filters, seq)) return undefined
  const events = store.since(seq, limit).filter((stored) => stored.seq <= ring.from)
  return { events, upTo: ring.from }
}

/** Whether everything above `seq` that the filters may match is still to be had. */
function reaches({ store, ring, oldest }: History, filters: readonly Filter[], seq: bigint): boolean {
  if (seq >= ring.from) return true
  return filters.every(({ kinds }) => {
    if (firstSeqFor(store, kinds) > seq + 1n || ring.lostUnkept(kinds) > seq) return false
    // What an earlier run has forwarded and not stored nobody knows.
    const isForwarded = oldest() !== undefined || kinds === undefined || kinds.some(isEphemeral)
    return seq >= ring.start || !isForwarded
  })
}

/** The seq of a cursor `<epoch>-<seq>`; undefined for another epoch, or what is no cursor. */
function readCursor(cursor: string, epoch: string): bigint | undefined {
  const match = /^([^-]{1,64})-([0-9]{1,20})$/.exec(cursor)
  return match === null || match[1] !== epoch ? undefined : BigInt(match[2]!)
}

function anyOf(filters: readonly Filter[]): (event: Event) => boolean {
  const tests = filters.map(compileFilter)
  return (event) => tests.some((test) => test(event))
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
