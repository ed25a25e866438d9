/**
 * What waits for a mailbox: the stored events it wants, in order of seq, read from the ring and the store. Nothing is
 * copied for it, so an agent that is away costs nothing. Reads in pages, and stops where live begins.
 */
import { compileFilter, type Event, type Filter } from '@aetherkit/core'
import type { History } from '../replay.js'
import { firstSeqFor, type Store, type StoredEvent } from '../store/store.js'

const PAGE = 64

/** Everything that was stored for these filters with a seq from here on is still there, or lawfully gone. */
export function firstSeqOf(
  store: Pick<Store, 'firstSeq' | 'firstSeqOf'>,
  filters: readonly Filter[],
): bigint {
  const all = filters.every(({ kinds }) => kinds !== undefined)
  return firstSeqFor(store, all ? filters.flatMap(({ kinds }) => kinds ?? []) : undefined)
}

export class Spool {
  readonly #history: History
  readonly #filters: readonly Filter[]
  readonly #wants: (event: Event) => boolean
  /** Read and not taken yet. */
  #ahead: StoredEvent[] = []
  #scanned: bigint
  #atEnd = false

  /** `position`: everything up to it was taken before. */
  constructor(history: History, filters: readonly Filter[], position: bigint) {
    this.#history = history
    this.#filters = filters
    const tests = filters.map((filter) => compileFilter(filter))
    this.#wants = (event) => tests.some((test) => test(event))
    this.#scanned = position
  }

  /** Everything up to it was taken, or is not wanted. */
  get position(): bigint {
    const [first] = this.#ahead
    if (first !== undefined) return first.seq - 1n
    return this.#atEnd ? this.#history.ring.last : this.#scanned
  }

  /** Whether all that is stored was read: what goes out now is live, and nobody reads it here. */
  get atEnd(): boolean {
    return this.#atEnd
  }

  /** Live events are not handed on any more: what goes out from now on is to be read. */
  stop(): void {
    this.#scanned = this.position
    this.#ahead = []
    this.#atEnd = false
  }

  /** An event that goes out now could not be taken: it is to be read later. */
  missed(seq: bigint): void {
    this.#atEnd = false
    this.#scanned = seq - 1n
  }

  /** The first event that was read ahead and is still wanted. */
  take(): StoredEvent | undefined {
    for (let next = this.#ahead.shift(); next !== undefined; next = this.#ahead.shift())
      if (this.isKept(next)) return next
    return undefined
  }

  /** Reads a page ahead; returns how much work it was, and whether events are missing before it. */
  read(): { readonly seen: number; readonly gap: boolean } {
    const { ring, store } = this.#history
    if (this.#scanned >= ring.last) {
      this.#atEnd = true
      return { seen: 1, gap: false }
    }
    const recent = ring.since(this.#scanned, PAGE)
    const first = recent === undefined ? firstSeqOf(store, this.#filters) : 0n
    const gap = first > this.#scanned + 1n
    if (gap) this.#scanned = first - 1n
    const page = recent ?? store.since(this.#scanned, PAGE)
    const last = page.at(-1)
    for (const stored of page) {
      // What is stored and did not go out yet will be live.
      if (stored.seq > ring.last) break
      if (recent !== undefined && ring.isUnkept(stored)) continue
      if (this.#wants(stored.event)) this.#ahead.push(stored)
    }
    const isAll = page.length < PAGE || last === undefined || last.seq > ring.last
    this.#scanned = isAll ? ring.last : last.seq
    return { seen: page.length + 1, gap }
  }

  /** The event of a seq, if it is still there and to be seen. */
  find(seq: bigint): StoredEvent | undefined {
    const [stored] = this.#history.store.since(seq - 1n, 1)
    return stored?.seq === seq && !this.#history.isHidden(stored.event) ? stored : undefined
  }

  /** Neither replaced, deleted nor over meanwhile, and for this reader to see. */
  isKept({ event }: StoredEvent): boolean {
    return this.#history.store.has(event.id) && !this.#history.isHidden(event)
  }
}
