/**
 * Filters as predicates (spec 6.1): the same verdict as `matches`, with every list looked up instead of searched.
 *
 * Keys and values are looked up in nested maps, never joined: `("a:b", "c")` is not `("a", "b:c")` (spec 6.2).
 */
import type { UnsignedEvent } from './event.js'
import type { Filter } from './filter.js'

/** All values of an event by tag key: made once per event, shared by all filters that look at tags. */
export type TagValues = ReadonlyMap<string, ReadonlySet<string>>

/** `tags` gives `tagValues(event)`, of the same event, kept by a caller who tries many filters on it. */
export type CompiledFilter = (
  event: UnsignedEvent & { readonly id: string },
  tags?: () => TagValues,
) => boolean

/** The values of an event by tag key; a tag without values has no entry. */
export function tagValues(event: UnsignedEvent): TagValues {
  const byKey = new Map<string, Set<string>>()
  for (const tag of event.tags) {
    if (tag.length < 2) continue
    const values = byKey.get(tag[0]) ?? new Set<string>()
    if (values.size === 0) byKey.set(tag[0], values)
    for (let at = 1; at < tag.length; at++) values.add(tag[at]!)
  }
  return byKey
}

/**
 * The filter as a predicate; later changes to `filter` have no effect. Cheap tests run first.
 * The cost of a call does not grow with the length of the filter's lists, only with its number of tag entries.
 */
export function compileFilter(filter: Filter): CompiledFilter {
  const { since, until } = filter
  const kind = filter.kinds?.length === 1 ? filter.kinds[0] : undefined
  const kinds = filter.kinds && kind === undefined ? new Set(filter.kinds) : undefined
  const id = filter.ids && prefixTest(filter.ids)
  const author = filter.authors && prefixTest(filter.authors)
  const pubkey = filter.pubkeyPrefixes && prefixTest(filter.pubkeyPrefixes)
  const conditions = tagConditions(filter)
  return (event, tags) => {
    if (kind !== undefined && event.kind !== kind) return false
    if (kinds !== undefined && !kinds.has(event.kind)) return false
    if (since !== undefined && event.createdAt < since) return false
    if (until !== undefined && event.createdAt > until) return false
    if (id !== undefined && !id(event.id)) return false
    if (author !== undefined && !author(event.pubkey)) return false
    if (pubkey !== undefined && !pubkey(event.pubkey)) return false
    return conditions === undefined || holds(conditions, event, tags)
  }
}

/** One lookup for each length that occurs, so at most 64, however many prefixes there are. */
function prefixTest(prefixes: readonly string[]): (hex: string) => boolean {
  const [only] = prefixes
  if (only !== undefined && prefixes.length === 1) return (hex) => hex.startsWith(only)
  const byLength = new Map<number, Set<string>>()
  for (const prefix of prefixes) {
    const set = byLength.get(prefix.length)
    if (set === undefined) byLength.set(prefix.length, new Set([prefix]))
    else set.add(prefix)
  }
  const lengths = [...byLength]
  return (hex) => {
    for (const [length, set] of lengths) if (set.has(hex.slice(0, length))) return true
    return false
  }
}

/** The event has a tag `key` with one of the values. */
interface TagCondition {
  readonly key: string
  readonly any: ReadonlySet<string>
}

function tagConditions({ tags = [], pairs = [] }: Filter): readonly TagCondition[] | undefined {
  if (tags.length === 0 && pairs.length === 0) return undefined
  return [
    ...tags.map(({ key, any }) => ({ key, any: new Set(any) })),
    ...pairs.map(([key, value]) => ({ key, any: new Set([value]) })),
  ]
}

function holds(
  conditions: readonly TagCondition[],
  event: UnsignedEvent,
  tags: (() => TagValues) | undefined,
): boolean {
  const [only] = conditions
  // One condition is answered by one walk over the tags, cheaper than collecting them first.
  if (tags === undefined && only !== undefined && conditions.length === 1) return hasAny(event, only)
  const byKey = tags === undefined ? tagValues(event) : tags()
  for (const { key, any } of conditions) {
    const values = byKey.get(key)
    if (values === undefined || !intersects(values, any)) return false
  }
  return true
}

function hasAny(event: UnsignedEvent, { key, any }: TagCondition): boolean {
  for (const tag of event.tags) {
    if (tag[0] !== key) continue
    for (let at = 1; at < tag.length; at++) if (any.has(tag[at]!)) return true
  }
  return false
}

/** Walks the smaller set: one long list on either side costs nothing. */
function intersects(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  const [small, large] = a.size < b.size ? [a, b] : [b, a]
  for (const value of small) if (large.has(value)) return true
  return false
}
