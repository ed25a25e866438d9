/**
 * The last events that went out, by seq, for resuming and for the seam between replay and live (spec 7.4). Ephemeral
 * events are here only.
 */
import type { StoredEvent } from './store/store.js'

export interface RingOptions {
  /** The last seq of earlier runs: what was forwarded up to it is gone. */
  readonly start: bigint
  /** Default 8192. */
  readonly maxEvents?: number
  /** Of content and tags together; default 16 MiB. */
  readonly maxBytes?: number
}

/** A ring as its readers see it. */
export type RingView = Pick<Ring, 'start' | 'from' | 'last' | 'lostUnkept' | 'isUnkept' | 'since'>

export class Ring {
  /** Of what went out up to this seq, in earlier runs, nothing is known. */
  readonly start: bigint
  readonly #maxEvents: number
  readonly #maxBytes: number
  /** Undefined where an event was let go; such places are cut off in big steps. */
  #events: (StoredEvent | undefined)[] = []
  /** Index of the oldest event still held. */
  #first = 0
  #bytes = 0
  #from: bigint
  #last: bigint
  /** Of the events in the ring, those that are in no store. */
  readonly #unkept = new Set<bigint>()
  /** By kind: the last seq of those that were let go. */
  readonly #lostUnkept = new Map<number, bigint>()

  constructor({ start, maxEvents = 8192, maxBytes = 16 * 1024 * 1024 }: RingOptions) {
    this.#maxEvents = maxEvents
    this.#maxBytes = maxBytes
    this.start = start
    this.#from = start
    this.#last = start
  }

  /** Every event that went out with a seq above this one is held. */
  get from(): bigint {
    return this.#from
  }

  /** Seq of the last event that went out. */
  get last(): bigint {
    return this.#last
  }

  /** Events of these kinds (of all, when not said) that are in no store were lost up to this seq; above it none was. */
  lostUnkept(kinds: Iterable<number> = this.#lostUnkept.keys()): bigint {
    let last = 0n
    for (const kind of kinds) {
      const lost = this.#lostUnkept.get(kind) ?? 0n
      if (lost > last) last = lost
    }
    return last
  }

  /** Whether an event that is held here was in no store. */
  isUnkept({ seq }: StoredEvent): boolean {
    return this.#unkept.has(seq)
  }

  /** `kept`: it is in the store too. */
  push(stored: StoredEvent, kept: boolean): void {
    this.#events.push({ seq: stored.seq, event: stored.event })
    this.#bytes += weight(stored)
    this.#last = stored.seq
    if (!kept) this.#unkept.add(stored.seq)
    while (this.#events.length - this.#first > this.#maxEvents || this.#bytes > this.#maxBytes) this.#drop()
    if (this.#first > this.#maxEvents) {
      this.#events = this.#events.slice(this.#first)
      this.#first = 0
    }
  }

  /** The first `limit` events above `seq`, in order; undefined when some are no longer held. */
  since(seq: bigint, limit: number): readonly StoredEvent[] | undefined {
    if (seq < this.#from) return undefined
    let low = this.#first
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#events[middle]?.seq ?? 0n) <= seq) low = middle + 1
      else high = middle
    }
    return this.#events.slice(low, low + limit).filter((stored) => stored !== undefined)
  }

  #drop(): void {
    const oldest = this.#events[this.#first]
    if (oldest === undefined) return
    this.#events[this.#first++] = undefined
    this.#bytes -= weight(oldest)
    this.#from = oldest.seq
    if (this.#unkept.delete(oldest.seq)) this.#lostUnkept.set(oldest.event.kind, oldest.seq)
  }
}

function weight({ event }: StoredEvent): number {
  let bytes = 512 + event.content.length
  for (const tag of event.tags) for (const text of tag) bytes += 16 + text.length
  return bytes
}
