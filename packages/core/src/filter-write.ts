/** Filters as JSON (spec 6.1), the form `readFilter` reads. */
import type { Filter } from './filter.js'

type TagEntry = NonNullable<Filter['tags']>[number]

/**
 * The JSON members of a filter, absent fields left out; `since` and `until` stay bigint, so use `writeJson`.
 *
 * Tag entries go into a `tags` object. When pairs need the name `tags` for their list, entries become `#key` members.
 * @throws RangeError for a filter that has no JSON form: more than two lists for one tag key, or two beside pairs.
 */
export function writeFilter(filter: Filter): Record<string, unknown> {
  return {
    ...(filter.ids && { ids: filter.ids }),
    ...(filter.authors && { authors: filter.authors }),
    ...(filter.pubkeyPrefixes && { pubkey_prefixes: filter.pubkeyPrefixes }),
    ...(filter.kinds && { kinds: filter.kinds }),
    ...writeTags(filter.tags ?? [], filter.pairs ?? []),
    ...(filter.since !== undefined && { since: filter.since }),
    ...(filter.until !== undefined && { until: filter.until }),
    ...(filter.limit !== undefined && { limit: filter.limit }),
    ...(filter.replay !== undefined && { replay: filter.replay }),
  }
}

function writeTags(
  entries: readonly TagEntry[],
  pairs: NonNullable<Filter['pairs']>,
): Record<string, unknown> {
  const members = new Map<string, unknown>()
  const object = new Map<string, readonly string[]>()
  for (const { key, any } of entries) {
    if (pairs.length === 0 && !object.has(key)) object.set(key, any)
    else if (key !== '' && !members.has(`#${key}`)) members.set(`#${key}`, any)
    else throw new RangeError(`no JSON form for so many lists of tag ${JSON.stringify(key)}`)
  }
  if (pairs.length > 0) members.set('tags', pairs)
  if (object.size > 0) members.set('tags', Object.fromEntries(object))
  return Object.fromEntries(members)
}
