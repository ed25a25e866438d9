/**
 * What the log has and the index does not yet: the newest events, in memory. It comes in two generations, the one that
 * the index is just taking in and the one that grows; the older goes as a whole when the index has it.
 */
import { compileFilter, type Event, type Filter } from '@aetherkit/core'
import type { Addition, Decision } from './decide.js'
import { DELETION, Deletions } from './deletion.js'
import { newestFirst, type Page, type StoredEvent } from './store.js'

export class Overlay {
  /** The growing one first. */
  #generations: Generation[] = [new Generation()]

  /** Those that were replaced in the meantime also count: the log has them too. */
  get events(): number {
    return this.#generations.reduce((sum, { all }) => sum + all.length, 0)
  }

  get bytes(): number {
    return this.#generations.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Of the generation that grows. */
  get growing(): { readonly events: number; readonly bytes: number } {
    const { all, bytes } = this.#generations[0]!
    return { events: all.length, bytes }
  }

  get(id: string): StoredEvent | undefined {
    for (const generation of this.#generations) {
      const stored = generation.byId.get(id)
      if (stored !== undefined || generation.removed.has(id)) return stored
    }
    return undefined
  }

  /** Whether the event has been replaced, though the index may still have it. */
  hasRemoved(id: string): boolean {
    return this.#generations.some(({ removed }) => removed.has(id))
  }

  /** Whether what the index says about the event does not count. */
  covers(id: string): boolean {
    return this.#generations.some(({ byId, removed }) => byId.has(id) || removed.has(id))
  }

  winner(replaceKey: string): StoredEvent | undefined {
    for (const { winners } of this.#generations) {
      const winner = winners.get(replaceKey)
      if (winner !== undefined) return this.get(winner.event.id) === winner ? winner : undefined
    }
    return undefined
  }

  /** Whether a deletion that is here deletes the event. */
  isDeleted(event: Event, replaceKey: string | undefined): boolean {
    return this.#generations.some(({ deletions }) => deletions.has(event, replaceKey))
  }

  /** `bytes`: what this took of the log. */
  add({ additions, removals }: Pick<Decision, 'additions' | 'removals'>, bytes: number): void {
    const generation = this.#generations[0]!
    for (const { event } of removals) generation.remove(event.id)
    for (const addition of additions) generation.add(addition)
    generation.bytes += bytes
  }

  /** What has grown is about to be indexed; nothing happens when an older generation is still there. */
  freeze(): void {
    if (this.#generations.length === 1) this.#generations.unshift(new Generation())
  }

  /** The index has what was frozen. */
  drop(): void {
    this.#generations.length = 1
  }

  /** As {@link Store.query}. */
  query(filter: Filter, { limit, after }: Page): StoredEvent[] {
    const matches = compileFilter(filter)
    const found: StoredEvent[] = []
    if (limit <= 0) return found
    for (const generation of this.#generations) {
      const candidates = generation.candidates(filter)
      // The newest mostly came last, so that most of the others fall behind the page at once.
      for (let i = candidates.length - 1; i >= 0; i--) {
        const stored = candidates[i]!
        const { event } = stored
        if (found.length === limit && newestFirst(found[limit - 1]!.event, event) < 0) continue
        if (after !== undefined && newestFirst(after, event) >= 0) continue
        if (!matches(event) || this.get(event.id) !== stored) continue
        if (found.length === limit) found.pop()
        insert(found, stored, byNewest)
      }
    }
    return found
  }

  /** As {@link Store.since}. */
  since(seq: bigint, limit: number): StoredEvent[] {
    const lists = this.#generations.map(({ all }) => {
      const found: StoredEvent[] = []
      for (let i = behind(all, seq); i < all.length && found.length < limit; i++)
        if (this.get(all[i]!.event.id) === all[i]) found.push(all[i]!)
      return found
    })
    return lists.reduce((a, b) => merge(a, b, bySeq, limit))
  }
}

class Generation {
  readonly byId = new Map<string, StoredEvent>()
  /** Those of before that were replaced. */
  readonly removed = new Set<string>()
  readonly winners = new Map<string, StoredEvent>()
  readonly deletions = new Deletions()
  bytes = 0
  /** In rising order of seq. This and the lists below also keep what was removed again. */
  readonly all: StoredEvent[] = []
  readonly #byAuthor = new Map<string, StoredEvent[]>()
  readonly #byTag = new Map<string, Map<string, StoredEvent[]>>()

  add({ stored, replaceKey }: Addition): void {
    const { event } = stored
    this.byId.set(event.id, stored)
    if (replaceKey !== undefined) this.winners.set(replaceKey, stored)
    if (event.kind === DELETION) this.deletions.add(event)
    insert(this.all, stored, bySeq)
    append(this.#byAuthor, event.pubkey, stored)
    for (const tag of event.tags) {
      if (tag.length < 2) continue
      const values = this.#byTag.get(tag[0]) ?? new Map<string, StoredEvent[]>()
      this.#byTag.set(tag[0], values)
      for (let i = 1; i < tag.length; i++) append(values, tag[i]!, stored)
    }
  }

  remove(id: string): void {
    if (!this.byId.delete(id)) this.removed.add(id)
  }

  /** The smallest list that holds all the filter can match. */
  candidates({ ids, authors, tags = [], pairs = [] }: Filter): readonly StoredEvent[] {
    let smallest: readonly StoredEvent[] = this.all
    const offer = (lists: (readonly StoredEvent[] | undefined)[]) => {
      const size = lists.reduce((sum, list) => sum + (list?.length ?? 0), 0)
      if (size < smallest.length) smallest = [...new Set(lists.flatMap((list) => list ?? []))]
    }
    if (ids?.every(isWhole)) return [...new Set(ids)].flatMap((id) => this.byId.get(id) ?? [])
    if (authors?.every(isWhole)) offer([...new Set(authors)].map((author) => this.#byAuthor.get(author)))
    for (const { key, any } of tags) offer(any.map((value) => this.#byTag.get(key)?.get(value)))
    for (const [key, value] of pairs) offer([this.#byTag.get(key)?.get(value)])
    return smallest
  }
}

function isWhole(prefix: string): boolean {
  return prefix.length === 64
}

function append(lists: Map<string, StoredEvent[]>, key: string, stored: StoredEvent): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [stored])
  // A tag that says a value twice.
  else if (list.at(-1) !== stored) list.push(stored)
}

type Order = (a: StoredEvent, b: StoredEvent) => number

export const byNewest: Order = (a, b) => newestFirst(a.event, b.event)
export const bySeq: Order = (a, b) => (a.seq < b.seq ? -1 : a.seq > b.seq ? 1 : 0)

/** Mostly at the end. */
function insert(list: StoredEvent[], stored: StoredEvent, order: Order): void {
  let at = list.length
  while (at > 0 && order(stored, list[at - 1]!) < 0) at--
  if (at === list.length) list.push(stored)
  else list.splice(at, 0, stored)
}

/** The first place of a seq above this one. */
function behind(list: readonly StoredEvent[], seq: bigint): number {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (list[middle]!.seq > seq) high = middle
    else low = middle + 1
  }
  return low
}

/** The first `limit` of two lists that are in order. */
export function merge(
  a: readonly StoredEvent[],
  b: readonly StoredEvent[],
  order: Order,
  limit: number,
): StoredEvent[] {
  const merged: StoredEvent[] = []
  for (let i = 0, j = 0; merged.length < limit; ) {
    const [left, right] = [a[i], b[j]]
    if (left === undefined && right === undefined) break
    if (right === undefined || (left !== undefined && order(left, right) < 0)) {
      merged.push(left!)
      i++
    } else {
      merged.push(right)
      j++
    }
  }
  return merged
}

/** What the index is asked beside the overlay: when that alone fills the page, only what is not older counts. */
export function narrowed(filter: Filter, newest: readonly StoredEvent[], page: Page): Filter {
  const last = newest.length === page.limit ? newest.at(-1)?.event.createdAt : undefined
  if (last === undefined || (filter.since !== undefined && filter.since > last)) return filter
  return { ...filter, since: last }
}
