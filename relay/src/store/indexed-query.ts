/**
 * Filters over the index (spec 2.7, 6): pick the dimensions that narrow most, walk them newest first, stop when the
 * page is full. Whatever the index says, an event is returned only after the filter itself has matched it.
 */
import { compileFilter, type Event, type Filter } from '@aetherkit/core'
import { DELETION } from './deletion.js'
import {
  AUTHOR_DIMENSION_LENGTH,
  allDeletedKeys,
  authorDimension,
  authorKindDimension,
  BEHIND_ALL,
  behindAuthor,
  deletedIdKeys,
  deletedKeyKeys,
  everything,
  idKey,
  idRange,
  kindDimension,
  positionPlace,
  tagDimension,
  timePlace,
} from './index-keys.js'
import { type KeyReader, scan } from './scan.js'
import { newestFirst, type Page, type StoredEvent, StoreError } from './store.js'

export interface IndexReader extends KeyReader {
  readonly hashSeed: number
  /** The value of an index key. */
  value(key: Buffer): Buffer | undefined
  /** The event of a seq, u64 big-endian. */
  event(seq: Buffer): Event | undefined
  /** Events that the index still has, but the store no longer. */
  isHidden?(id: string): boolean
}

/** Dimensions merged at most; a field that needs more is left to the match. */
const MAX_DIMENSIONS = 1024
/** Events gathered at most by id prefix; a prefix that has more is left to the match. */
const MAX_IDS = 1024
/** How many places deep the candidates are compared. */
const PROBE = 64

const NOTHING: Buffer = Buffer.alloc(0)
const U64_MAX = 0xffff_ffff_ffff_ffffn

/** Whether there are any: most stores have none, and need not look for each event. */
export function hasDeletions(reader: Pick<KeyReader, 'keys'>): boolean {
  return reader.keys(...allDeletedKeys, 1).length > 0
}

/** Whether a deletion in the index deletes the event. */
export function isDeletedBy(
  reader: Pick<KeyReader, 'keys'>,
  event: Event,
  replaceKey: string | undefined,
): boolean {
  if (event.kind === DELETION) return false
  if (reader.keys(...deletedIdKeys(event), 1).length > 0) return true
  return replaceKey !== undefined && reader.keys(...deletedKeyKeys(replaceKey, event), 1).length > 0
}

export function queryIndex(reader: IndexReader, filter: Filter, page: Page): StoredEvent[] {
  const { limit, after } = page
  const { since, until } = filter
  if (limit <= 0 || (since !== undefined && since > U64_MAX)) return []
  const wanted = compileFilter(filter)
  const isWanted = (event: Event) =>
    wanted(event) &&
    (after === undefined || newestFirst(after, event) < 0) &&
    reader.isHidden?.(event.id) !== true

  const seqs = filter.ids === undefined ? undefined : seqsOfIds(reader, filter.ids)
  if (seqs !== undefined) {
    const found = seqs.map((seq) => load(reader, seq)).filter(({ event }) => isWanted(event))
    return found.sort((a, b) => newestFirst(a.event, b.event)).slice(0, limit)
  }

  let from = until === undefined ? NOTHING : timePlace(until < U64_MAX ? until : U64_MAX)
  if (after !== undefined) {
    const behind = positionPlace(after)
    if (Buffer.compare(behind, from) > 0) from = behind
  }
  const to = since === undefined ? BEHIND_ALL : Buffer.concat([timePlace(since), BEHIND_ALL])
  const found: StoredEvent[] = []
  let last = NOTHING
  for (const place of scan(reader, mostSelective(reader, filter, from, to), from, to)) {
    // Places that agree in time and first id bytes come in order of seq: all of them are needed to sort them.
    if (found.length >= limit && place.compare(last, 0, 12, 0, 12) !== 0) break
    const stored = load(reader, place.subarray(12))
    if (!isWanted(stored.event)) continue
    insert(found, stored)
    last = place
  }
  return found.slice(0, limit)
}

function load(reader: IndexReader, seq: Buffer): StoredEvent {
  const event = reader.event(seq)
  if (event === undefined)
    throw new StoreError(
      'unavailable',
      `the index is damaged: it names seq ${seq.readBigUInt64BE()}, which is not there, see verify-store`,
    )
  return { seq: seq.readBigUInt64BE(), event }
}

/** At the end, but for ties in the first id bytes. */
function insert(found: StoredEvent[], stored: StoredEvent): void {
  let at = found.length
  while (at > 0 && newestFirst(stored.event, found[at - 1]!.event) < 0) at--
  found.splice(at, 0, stored)
}

/** Undefined when prefixes are so short that walking by time is better. */
function seqsOfIds(reader: IndexReader, ids: readonly string[]): Buffer[] | undefined {
  const keys = new Map<string, Buffer>()
  for (const id of new Set(ids)) {
    const found = id.length === 64 ? [idKey(id)] : idsWithin(reader, id)
    for (const key of found) keys.set(key.toString('latin1'), key)
    if (keys.size > MAX_IDS) return undefined
  }
  return [...keys.values()].map((key) => reader.value(key)).filter((seq) => seq !== undefined)
}

function idsWithin(reader: IndexReader, prefix: string): Buffer[] {
  const [first, last] = idRange(prefix)
  return reader.keys(first, Buffer.concat([last, BEHIND_ALL]), MAX_IDS + 1)
}

/**
 * The candidate whose 64th place lies furthest back has the fewest events per time, so the walk meets the fewest
 * that do not match; one that does not have so many is as good as it gets.
 */
function mostSelective(reader: IndexReader, filter: Filter, from: Buffer, to: Buffer): readonly Buffer[] {
  const all = candidates(reader, filter)
  if (all.length < 2) return all[0] ?? [everything]
  let best: readonly Buffer[] = []
  let furthest = NOTHING
  for (const dimensions of all) {
    const depth = probe(reader, dimensions, from, to)
    if (depth === undefined) return dimensions
    if (Buffer.compare(depth, furthest) > 0) {
      best = dimensions
      furthest = depth
    }
  }
  return best
}

/** The 64th place, or undefined when there are fewer. */
function probe(
  reader: IndexReader,
  dimensions: readonly Buffer[],
  from: Buffer,
  to: Buffer,
): Buffer | undefined {
  let count = 0
  for (const place of scan(reader, dimensions, from, to)) if (++count === PROBE) return place
  return undefined
}

/** Sets of dimensions, each of which together holds every event that the filter can match. */
function candidates(reader: IndexReader, filter: Filter): (readonly Buffer[])[] {
  const sets: (readonly Buffer[])[] = []
  const kinds = filter.kinds && [...new Set(filter.kinds)]
  for (const prefixes of [filter.authors, filter.pubkeyPrefixes]) {
    const authors = prefixes && authorDimensions(reader, prefixes)
    if (authors === undefined) continue
    if (kinds !== undefined && authors.length * kinds.length <= MAX_DIMENSIONS)
      sets.push(authors.flatMap((author) => kinds.map((kind) => authorKindDimension(author, kind))))
    else sets.push(authors)
  }
  for (const { key, any } of filter.tags ?? [])
    sets.push([...new Set(any)].map((value) => tagDimension(key, value, reader.hashSeed)))
  for (const [key, value] of filter.pairs ?? []) sets.push([tagDimension(key, value, reader.hashSeed)])
  if (kinds !== undefined) sets.push(kinds.map(kindDimension))
  return sets.filter((dimensions) => dimensions.length <= MAX_DIMENSIONS)
}

/** The author dimensions that exist under the prefixes; undefined when there are too many. */
function authorDimensions(reader: IndexReader, prefixes: readonly string[]): Buffer[] | undefined {
  const dimensions = new Map<string, Buffer>()
  for (const prefix of prefixes) {
    const found = prefix.length >= 16 ? [authorDimension(prefix)] : authorsWithin(reader, prefix)
    for (const dimension of found) dimensions.set(dimension.toString('latin1'), dimension)
    if (dimensions.size > MAX_DIMENSIONS) return undefined
  }
  return [...dimensions.values()]
}

/** One more than the maximum when there are too many. */
function authorsWithin(reader: IndexReader, prefix: string): Buffer[] {
  const dimensions: Buffer[] = []
  const end = behindAuthor(authorDimension(prefix.padEnd(16, 'f')))
  let from = authorDimension(prefix.padEnd(16, '0'))
  while (dimensions.length <= MAX_DIMENSIONS) {
    const [key] = reader.keys(from, end, 1)
    if (key === undefined) break
    const dimension = key.subarray(0, AUTHOR_DIMENSION_LENGTH)
    dimensions.push(dimension)
    from = behindAuthor(dimension)
  }
  return dimensions
}
