/**
 * The JSON form of a filter (spec 6.1), with the kept error texts of the reject table (spec 3.2).
 *
 *   ids, authors, pubkey_prefixes   lists of hex
 *   kinds                           list of integers
 *   tags                            {key: [values]} (any of a key, all keys) or [[key, value], ...] (all pairs)
 *   #key                            [values], as one more member of the `tags` object
 *   since, until                    integer or 1 to 20 decimal digits, nanoseconds
 *   limit, replay                   integer, boolean
 *
 * The values of tag entries are never coerced, unknown members never ignored: a filter may not match more than it says.
 */
import { type Reject, reject } from './codes.js'
import type { Filter } from './filter.js'
import { isHexDigits } from './hex.js'
import { hasDuplicateKeys, isJsonObject, type JsonObject, type JsonValue } from './json.js'

const U64 = 0xffff_ffff_ffff_ffffn
const U32 = 0xffff_ffff
const U16 = 0xffff

/**
 * Reads a filter; null members count as absent.
 *
 * Not an object: `invalid_message`. A field of the wrong shape, a member named twice: `invalid_filter`. An unknown
 * member: `unsupported`. More than `maxValues` (default 1000, spec 7.5) in one list, or so many tag entries:
 * `limit_exceeded`. Prefixes come out in lower case; a `limit` beyond u32 comes out as 2^32 - 1.
 */
export function readFilter(
  value: JsonValue,
  limits: { readonly maxValues: number } = { maxValues: 1000 },
): { ok: true; filter: Filter } | Reject {
  if (!isJsonObject(value)) return reject('invalid_message', 'filter must be object')
  if (hasDuplicateKeys(value)) return reject('invalid_filter', 'duplicate key in filter')
  const filter: { -readonly [Field in keyof Filter]: Filter[Field] } = {}
  const tags: TagEntry[] = []
  const { maxValues } = limits
  for (const [name, field] of Object.entries(value)) {
    const read = READERS.get(name) ?? (name.length > 1 && name[0] === '#' ? readTagMember : undefined)
    if (read === undefined) return unknownMember(name)
    if (field === null || field === undefined) continue
    const failure = read(field, { filter, tags, maxValues, name })
    if (failure !== undefined) return failure
  }
  if (tags.length > maxValues) return tooMany('tags', maxValues)
  if (tags.length > 0) filter.tags = tags
  return { ok: true, filter }
}

type TagEntry = NonNullable<Filter['tags']>[number]

interface Draft {
  readonly filter: { -readonly [Field in keyof Filter]: Filter[Field] }
  readonly tags: TagEntry[]
  readonly maxValues: number
  readonly name: string
}

/** Reads one member into the draft; undefined when it was fine. */
type Reader = (field: JsonValue, draft: Draft) => Reject | undefined

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['ids', (field, draft) => readPrefixes(field, draft, 'ids')],
  ['authors', (field, draft) => readPrefixes(field, draft, 'authors')],
  ['pubkey_prefixes', readPubkeyPrefixes],
  ['kinds', readKinds],
  ['tags', (field, draft) => (Array.isArray(field) ? readPairs(field, draft) : readTagObject(field, draft))],
  ['since', (field, draft) => readTime(field, draft, 'since')],
  ['until', (field, draft) => readTime(field, draft, 'until')],
  ['limit', readLimit],
  ['replay', readReplay],
])

function readPrefixes(
  field: JsonValue,
  { filter, maxValues }: Draft,
  name: 'ids' | 'authors',
): Reject | undefined {
  const list = readList(field, `${name} must be a list`, name, maxValues)
  if ('ok' in list) return list
  const prefixes: string[] = []
  for (const item of list) {
    if (typeof item !== 'string') return reject('invalid_filter', `${name} must be bytes or hex string`)
    if (item.length < 1 || item.length > 64 || !isHexDigits(item))
      return reject('invalid_filter', `${name} must be hex`, `${name}: prefixes of 1 to 64 hex digits`)
    prefixes.push(item.toLowerCase())
  }
  filter[name] = prefixes
  return undefined
}

function readPubkeyPrefixes(field: JsonValue, { filter, maxValues }: Draft): Reject | undefined {
  const list = readList(field, 'pubkey_prefixes must be a list', 'pubkey_prefixes', maxValues)
  if ('ok' in list) return list
  const prefixes: string[] = []
  for (const item of list) {
    if (typeof item !== 'string') return reject('invalid_filter', 'pubkey_prefix must be bytes or hex string')
    if (!isHexDigits(item) || item.length % 2 !== 0)
      return reject('invalid_filter', 'pubkey_prefix must be hex')
    if (item.length !== 32) return reject('invalid_filter', 'pubkey_prefix must be 16 bytes')
    prefixes.push(item.toLowerCase())
  }
  filter.pubkeyPrefixes = prefixes
  return undefined
}

function readKinds(field: JsonValue, { filter, maxValues }: Draft): Reject | undefined {
  const list = readList(field, 'kinds must be a list', 'kinds', maxValues)
  if ('ok' in list) return list
  const kinds: number[] = []
  for (const item of list) {
    if (typeof item !== 'number' && typeof item !== 'bigint')
      return reject('invalid_filter', 'kind must be int')
    if (!Number.isInteger(Number(item))) return reject('invalid_filter', 'kind must be int')
    if (item < 0 || item > U16) return reject('invalid_filter', 'kind must be uint16')
    kinds.push(Number(item))
  }
  filter.kinds = kinds
  return undefined
}

function readPairs(field: readonly JsonValue[], { filter, maxValues }: Draft): Reject | undefined {
  if (field.length > maxValues) return tooMany('tags', maxValues)
  const pairs: (readonly [string, string])[] = []
  for (const item of field) {
    if (!Array.isArray(item) || item.length !== 2)
      return reject('invalid_filter', 'tag filter entries must be (key, value)')
    const [key, value] = item
    if (!isText(key)) return reject('invalid_filter', 'tag key must be str')
    if (!isText(value))
      return reject(
        'invalid_filter',
        'tag filter entries must be (key, value)',
        'a value is well-formed text',
      )
    pairs.push([key, value])
  }
  if (pairs.length > 0) filter.pairs = pairs
  return undefined
}

function readTagObject(field: JsonValue, draft: Draft): Reject | undefined {
  if (!isJsonObject(field)) return reject('invalid_filter', 'tags must be list or dict')
  if (hasDuplicateKeys(field)) return reject('invalid_filter', 'duplicate key in filter')
  const entries: [string, JsonValue | undefined][] = Object.entries(field satisfies JsonObject)
  if (entries.length > draft.maxValues) return tooMany('tags', draft.maxValues)
  for (const [key, values] of entries) {
    if (values === null || values === undefined) continue
    const failure = readTagValues(key, values, draft)
    if (failure !== undefined) return failure
  }
  return undefined
}

function readTagMember(field: JsonValue, draft: Draft): Reject | undefined {
  return readTagValues(draft.name.slice(1), field, draft)
}

function readTagValues(key: string, field: JsonValue, { tags, maxValues }: Draft): Reject | undefined {
  if (!isText(key)) return reject('invalid_filter', 'tag key must be str', 'a key is well-formed text')
  const list = readList(field, 'tag values must be list', 'tags', maxValues)
  if ('ok' in list) return list
  const any: string[] = []
  for (const item of list) {
    if (!isText(item))
      return reject('invalid_filter', 'tag values must be list', 'a value is well-formed text')
    any.push(item)
  }
  tags.push({ key, any })
  return undefined
}

function readTime(field: JsonValue, { filter }: Draft, name: 'since' | 'until'): Reject | undefined {
  const integer = typeof field === 'number' ? Number.isInteger(field) : typeof field === 'bigint'
  if (!integer && !(typeof field === 'string' && /^[0-9]{1,20}$/.test(field)))
    return reject('invalid_filter', 'filter must be int', `${name}: nanoseconds since 1970`)
  const time = BigInt(field as number | bigint | string)
  if (time < 0n || time > U64)
    return reject('invalid_filter', `${name} must be uint64`, 'nanoseconds since 1970 expected')
  filter[name] = time
  return undefined
}

function readLimit(field: JsonValue, { filter }: Draft): Reject | undefined {
  if (typeof field !== 'bigint' && !(typeof field === 'number' && Number.isInteger(field)))
    return reject('invalid_filter', 'limit must be int')
  if (field < 0) return reject('invalid_filter', 'limit must be int', 'limit is 0 or more')
  filter.limit = field > U32 ? U32 : Number(field)
  return undefined
}

function readReplay(field: JsonValue, { filter }: Draft): Reject | undefined {
  if (typeof field !== 'boolean') return reject('invalid_filter', 'replay must be bool')
  filter.replay = field
  return undefined
}

function readList(
  field: JsonValue,
  error: string,
  name: string,
  maxValues: number,
): readonly JsonValue[] | Reject {
  if (!Array.isArray(field)) return reject('invalid_filter', error)
  return field.length > maxValues ? tooMany(name, maxValues) : field
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value.isWellFormed()
}

function tooMany(name: string, maxValues: number): Reject {
  return reject('limit_exceeded', undefined, `${name}: at most ${maxValues} values`)
}

function unknownMember(name: string): Reject {
  return reject('unsupported', undefined, `unknown filter key ${JSON.stringify(name.slice(0, 64))}`)
}
