/**
 * Filters in binary frames (spec 5.2, 5.3, 6.1): an absent vector is no constraint, an empty one matches nothing.
 *
 * The schema has no `pubkey_prefixes`; they are prefixes of the author, so what both lists allow goes into `authors`.
 */
import { type Builder, Encoding, type Offset } from 'flatbuffers'
import { type Reject, reject } from '../codes.js'
import type { Filter } from '../filter.js'
import { Filter as FilterTable } from '../generated/filter.js'
import { Tag as TagTable } from '../generated/tag.js'
import { TagFilter } from '../generated/tag-filter.js'
import { isHexDigits } from '../hex.js'
import { textOf, writeText, writeTexts } from './buffer-fields.js'
import { broken } from './verify-buffer.js'

/** Filters of one subscription, and values of one of their lists, where the caller names no limit (spec 7.5). */
export const MAX_FILTERS = 32
export const MAX_VALUES = 1000

const U32 = 0xffffffff
const U64 = 0xffffffffffffffffn

/** Vtable offsets of the fields whose presence says something. */
const IDS = 4
const AUTHORS = 6
const KINDS = 8
const TAGS = 10
const PAIRS = 12
const ANY = 6

/**
 * Writes the filter table.
 * @throws TypeError or RangeError for text that is not well-formed Unicode, a kind above u16, a time above u64.
 */
export function writeFilterTable(builder: Builder, filter: Filter): Offset {
  const authors = authorPrefixes(filter)
  const ids = filter.ids && FilterTable.createIdsVector(builder, writeTexts(builder, filter.ids, 'id prefix'))
  const authorsAt =
    authors && FilterTable.createAuthorsVector(builder, writeTexts(builder, authors, 'author prefix'))
  const kinds = filter.kinds && FilterTable.createKindsVector(builder, filter.kinds.map(kindNumber))
  const tags =
    filter.tags &&
    filter.tags.length > 0 &&
    FilterTable.createTagsVector(
      builder,
      filter.tags.map(({ key, any }) => {
        const values = TagFilter.createAnyVector(builder, writeTexts(builder, any, 'tag value'))
        return TagFilter.createTagFilter(builder, writeText(builder, key, 'tag key'), values)
      }),
    )
  const pairs =
    filter.pairs &&
    filter.pairs.length > 0 &&
    FilterTable.createPairsVector(
      builder,
      filter.pairs.map(([key, value]) => {
        const values = TagTable.createValuesVector(builder, writeTexts(builder, [value], 'tag value'))
        return TagTable.createTag(builder, writeText(builder, key, 'tag key'), values)
      }),
    )
  FilterTable.startFilter(builder)
  if (ids !== undefined) FilterTable.addIds(builder, ids)
  if (authorsAt !== undefined) FilterTable.addAuthors(builder, authorsAt)
  if (kinds !== undefined) FilterTable.addKinds(builder, kinds)
  if (tags) FilterTable.addTags(builder, tags)
  if (pairs) FilterTable.addPairs(builder, pairs)
  if (filter.since !== undefined) FilterTable.addSince(builder, time(filter.since, 'since'))
  if (filter.until !== undefined) FilterTable.addUntil(builder, time(filter.until, 'until'))
  if (filter.limit !== undefined) FilterTable.addLimit(builder, limitNumber(filter.limit))
  if (filter.replay === true) FilterTable.addReplay(builder, true)
  return FilterTable.endFilter(builder)
}

/**
 * Reads a verified filter table under the rules of the JSON form (spec 6.1). A wrong prefix or a tag without values:
 * `invalid_filter`; more than `maxValues` in one list: `limit_exceeded`; text that is not UTF-8: `invalid_message`.
 */
export function readFilterTable(
  table: FilterTable,
  maxValues: number,
): { ok: true; filter: Filter } | Reject {
  const counts: readonly (readonly [string, number])[] = [
    ['ids', table.idsLength()],
    ['authors', table.authorsLength()],
    ['kinds', table.kindsLength()],
    ['tags', table.tagsLength()],
    ['pairs', table.pairsLength()],
  ]
  for (const [name, count] of counts) if (count > maxValues) return tooMany(name, maxValues)
  const filter: { -readonly [Field in keyof Filter]: Filter[Field] } = {}
  if (isPresent(table, IDS)) {
    const ids = readPrefixes(table.idsLength(), (i) => table.ids(i, Encoding.UTF8_BYTES), 'ids')
    if ('ok' in ids) return ids
    filter.ids = ids
  }
  if (isPresent(table, AUTHORS)) {
    const authors = readPrefixes(
      table.authorsLength(),
      (i) => table.authors(i, Encoding.UTF8_BYTES),
      'authors',
    )
    if ('ok' in authors) return authors
    filter.authors = authors
  }
  if (isPresent(table, KINDS)) {
    filter.kinds = Array.from({ length: table.kindsLength() }, (_, i) => table.kinds(i) ?? 0)
  }
  if (table.tagsLength() > 0) {
    const tags = readTagFilters(table, maxValues)
    if ('ok' in tags) return tags
    filter.tags = tags
  }
  if (table.pairsLength() > 0) {
    const pairs = readPairs(table, maxValues)
    if ('ok' in pairs) return pairs
    filter.pairs = pairs
  }
  // Spec 5.3 lets an empty vector match nothing: no id begins with one of no prefixes.
  if (isEmpty(table, TAGS, table.tagsLength()) || isEmpty(table, PAIRS, table.pairsLength())) filter.ids = []
  const since = table.since()
  const until = table.until()
  const limit = table.limit()
  if (since !== null) filter.since = since
  if (until !== null) filter.until = until
  if (limit !== null) filter.limit = limit
  if (table.replay()) filter.replay = true
  return { ok: true, filter }
}

/** The prefixes that both lists allow: of every pair where one begins with the other, the longer. */
function authorPrefixes({ authors, pubkeyPrefixes }: Filter): readonly string[] | undefined {
  if (authors === undefined) return pubkeyPrefixes
  if (pubkeyPrefixes === undefined) return authors
  const both = new Set<string>()
  for (const author of authors) {
    for (const prefix of pubkeyPrefixes) {
      if (author.startsWith(prefix)) both.add(author)
      else if (prefix.startsWith(author)) both.add(prefix)
    }
  }
  return [...both]
}

function readPrefixes(
  count: number,
  at: (index: number) => string | Uint8Array | null,
  name: 'ids' | 'authors',
): string[] | Reject {
  const prefixes: string[] = []
  for (let i = 0; i < count; i++) {
    const prefix = textOf(at(i))
    if (prefix === undefined) return broken(`${name}: not UTF-8`)
    if (prefix.length < 1 || prefix.length > 64 || !isHexDigits(prefix)) {
      return reject('invalid_filter', `${name} must be hex`, `${name}: prefixes of 1 to 64 hex digits`)
    }
    prefixes.push(prefix.toLowerCase())
  }
  return prefixes
}

function readTagFilters(table: FilterTable, maxValues: number): NonNullable<Filter['tags']> | Reject {
  const entries: { key: string; any: string[] }[] = []
  for (let i = 0; i < table.tagsLength(); i++) {
    const entry = table.tags(i)
    if (entry === null || !isPresent(entry, ANY)) return reject('invalid_filter', 'tag values must be list')
    if (entry.anyLength() > maxValues) return tooMany('tags', maxValues)
    const key = textOf(entry.key(Encoding.UTF8_BYTES))
    if (key === undefined) return broken('tag key is not UTF-8')
    const any: string[] = []
    for (let j = 0; j < entry.anyLength(); j++) {
      const value = textOf(entry.any(j, Encoding.UTF8_BYTES))
      if (value === undefined) return broken('tag value is not UTF-8')
      any.push(value)
    }
    entries.push({ key, any })
  }
  return entries
}

/** A table of `pairs` may name several values of one key: each is a pair of its own. */
function readPairs(table: FilterTable, maxValues: number): NonNullable<Filter['pairs']> | Reject {
  const pairs: [string, string][] = []
  for (let i = 0; i < table.pairsLength(); i++) {
    const entry = table.pairs(i)
    if (entry === null || entry.valuesLength() === 0) {
      return reject('invalid_filter', 'tag filter entries must be (key, value)')
    }
    if (pairs.length + entry.valuesLength() > maxValues) return tooMany('pairs', maxValues)
    const key = textOf(entry.key(Encoding.UTF8_BYTES))
    if (key === undefined) return broken('tag key is not UTF-8')
    for (let j = 0; j < entry.valuesLength(); j++) {
      const value = textOf(entry.values(j, Encoding.UTF8_BYTES))
      if (value === undefined) return broken('tag value is not UTF-8')
      pairs.push([key, value])
    }
  }
  return pairs
}

/** `...Length()` is 0 for an absent vector too: presence is in the vtable. */
function isPresent(table: FilterTable | TagFilter, vtableOffset: number): boolean {
  return table.bb !== null && table.bb.__offset(table.bb_pos, vtableOffset) !== 0
}

function isEmpty(table: FilterTable, vtableOffset: number, length: number): boolean {
  return length === 0 && isPresent(table, vtableOffset)
}

function tooMany(name: string, maxValues: number): Reject {
  return reject('limit_exceeded', undefined, `${name}: at most ${maxValues} values`)
}

function kindNumber(kind: number): number {
  if (!Number.isInteger(kind) || kind < 0 || kind > 0xffff) {
    throw new RangeError(`kind must be 0 to 65535, got ${kind}`)
  }
  return kind
}

/** Nobody answers so many: beyond u32 it is u32. */
function limitNumber(limit: number): number {
  if (!Number.isInteger(limit) || limit < 0)
    throw new RangeError(`limit must be an integer of 0 or more, got ${limit}`)
  return Math.min(limit, U32)
}

function time(value: bigint, what: string): bigint {
  if (value < 0n || value > U64) throw new RangeError(`${what} must fit u64`)
  return value
}
