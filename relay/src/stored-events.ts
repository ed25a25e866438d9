/**
 * Stored events in query order (spec 2.7): newest first, ties by lower id, each once however many of the filters want
 * it, at most `limit` for each filter. A page can be gone on with where it ended.
 */
import { compileFilter, type Event, type Filter } from '@aetherkit/core'
import type { Limits } from './limits.js'
import { newestFirst, type Position, type StoredEvent, type StoreView } from './store/store.js'

/** What a reader of stored events needs of a relay. */
export interface Shelf {
  readonly store: StoreView
  readonly limits: Limits
  /** Expired, past retention, or not for this reader to see. */
  isHidden(event: Event): boolean
  /** Nothing that was created before counts as stored; undefined without retention. */
  oldest(): bigint | undefined
}

/** How far the events of one filter were read: not at all, up to a place, or all of them. */
export type Reached = Position | 'start' | 'end'

export interface PageOptions {
  /** Events with a higher seq are left out. */
  readonly seam: bigint
  /** One for each filter, as the page before returned them. Absent: from the start. */
  readonly from?: readonly Reached[]
  /** Whether a filter without a `limit` has no other either (an export). */
  readonly unlimited?: boolean
}

const PAGE = 64

/** The events of a page; returns how far each filter was read. */
export function* storedEvents(
  shelf: Shelf,
  filters: readonly Filter[],
  { seam, from = filters.map(() => 'start' as const), unlimited = false }: PageOptions,
): Generator<StoredEvent, readonly Reached[]> {
  const reached = [...from]
  const wasSent = sentBefore(filters, from)
  const streams = filters.map((filter, i) => oneFilter(shelf, filter, { seam, from: from[i], unlimited }))
  const advance = (i: number): StoredEvent | undefined => {
    const next = streams[i]?.next()
    if (next === undefined || next.done !== true) return next?.value
    if (next.value === 'end') reached[i] = 'end'
    return undefined
  }
  const heads = streams.map((_, i) => advance(i))
  for (;;) {
    let first: StoredEvent | undefined
    for (const head of heads) {
      if (head !== undefined && (first === undefined || newestFirst(head.event, first.event) < 0))
        first = head
    }
    if (first === undefined) return reached
    const { createdAt, id } = first.event
    for (const [i, head] of heads.entries()) {
      if (head?.event.id !== id) continue
      reached[i] = { createdAt, id }
      heads[i] = advance(i)
    }
    if (!wasSent(first.event)) yield first
  }
}

/** Whether an event was on a page before: a filter that wants it was read as far as there. */
function sentBefore(filters: readonly Filter[], from: readonly Reached[]): (event: Event) => boolean {
  const read = filters.flatMap((filter, i) => {
    const place = from[i]
    return place === undefined || place === 'start' ? [] : [{ matches: compileFilter(filter), place }]
  })
  return (event) =>
    read.some(({ matches, place }) => (place === 'end' || newestFirst(event, place) <= 0) && matches(event))
}

/** Returns `end` when there are no more, `limit` when there are. */
function* oneFilter(
  { store, limits, isHidden, oldest }: Shelf,
  filter: Filter,
  {
    seam,
    from = 'start',
    unlimited,
  }: { readonly seam: bigint; readonly from: Reached | undefined; readonly unlimited: boolean },
): Generator<StoredEvent, 'end' | 'limit'> {
  if (from === 'end') return 'end'
  const since = max(filter.since, oldest())
  const query = since === undefined ? filter : { ...filter, since }
  let left = unlimited
    ? (filter.limit ?? Number.POSITIVE_INFINITY)
    : Math.min(filter.limit ?? limits.defaultLimit, limits.maxLimit)
  if (left === 0) return 'end'
  let after: Position | undefined = from === 'start' ? undefined : from
  for (;;) {
    const limit = Math.min(PAGE, Math.max(left + 1, 8))
    const page = store.query(query, after === undefined ? { limit } : { limit, after })
    for (const stored of page) {
      if (stored.seq > seam || isHidden(stored.event)) continue
      if (left-- === 0) return 'limit'
      yield stored
    }
    after = page.at(-1)?.event
    if (page.length < limit || after === undefined) return 'end'
  }
}

function max(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a
}
