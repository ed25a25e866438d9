/**
 * All stored events of a filter, page by page in the order of queries (spec 2.7): newest first, ties by lower id. A page
 * begins strictly behind the last event of the one before, so nothing comes twice and nothing is left out, however few
 * events a relay gives at once and however many were created in the same nanosecond.
 */
import type { Event, Filter } from '@aetherkit/core'

/** An event in that order. */
export interface Position {
  readonly createdAt: bigint
  readonly id: string
}

/** The first events of a filter, in order; how many is up to the relay and to `limit`. */
export type Query = (filter: Filter) => Promise<readonly Event[]>

const DIGITS = '0123456789abcdef'
/** A relay takes 1000 values in a list (spec 7.5). */
const MAX_PREFIXES = 900

/** `after`: goes on behind it. `limit` counts for one page. */
export async function* pagesOf(
  query: Query,
  filter: Filter,
  { limit, after }: { readonly limit: number; readonly after?: Position | undefined },
): AsyncGenerator<readonly Event[], void, void> {
  for (let position = after; ; ) {
    const page = await nextPage(query, { ...filter, limit, replay: true }, position)
    const last = page.at(-1)
    if (last === undefined) return
    yield page
    position = { createdAt: last.createdAt, id: last.id }
  }
}

async function nextPage(
  query: Query,
  filter: Filter,
  after: Position | undefined,
): Promise<readonly Event[]> {
  if (after === undefined) return query(filter)
  const { createdAt } = after
  const found = await query({ ...filter, until: createdAt })
  const fresh = found.filter((event) => isBehind(event, after))
  if (fresh.length > 0 || found.length === 0) return fresh
  // All that came was of the same instant, and known: the rest of that instant is behind the id.
  for (const ids of chunks(within(filter.ids, prefixesAbove(after.id)))) {
    const rest = await query({ ...filter, since: createdAt, until: createdAt, ids })
    if (rest.length > 0) return rest
  }
  return createdAt === 0n ? [] : query({ ...filter, until: createdAt - 1n })
}

function isBehind({ createdAt, id }: Event, after: Position): boolean {
  return createdAt < after.createdAt || (createdAt === after.createdAt && id > after.id)
}

/** Prefixes that together match exactly the ids above this one, in rising order: at most 960. */
export function prefixesAbove(id: string): string[] {
  const prefixes: string[] = []
  for (let at = id.length - 1; at >= 0; at--) {
    const head = id.slice(0, at)
    for (const digit of DIGITS.slice(DIGITS.indexOf(id[at] ?? 'f') + 1)) prefixes.push(head + digit)
  }
  return prefixes
}

/** What both lists match, in rising order and without one that another covers. */
function within(wanted: readonly string[] | undefined, prefixes: readonly string[]): readonly string[] {
  if (wanted === undefined) return prefixes
  const both = wanted.flatMap((want) =>
    prefixes.flatMap((prefix) =>
      want.startsWith(prefix) ? [want] : prefix.startsWith(want) ? [prefix] : [],
    ),
  )
  const kept: string[] = []
  for (const prefix of [...new Set(both)].sort()) {
    const last = kept.at(-1)
    if (last === undefined || !prefix.startsWith(last)) kept.push(prefix)
  }
  return kept
}

function* chunks(prefixes: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < prefixes.length; at += MAX_PREFIXES) yield prefixes.slice(at, at + MAX_PREFIXES)
}
