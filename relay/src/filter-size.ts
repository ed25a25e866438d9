/** What the filters of live subscriptions cost in memory (spec 7.5): a cap on their number alone would let GiBs pass. */
import type { Filter } from '@aetherkit/core'

/** Of a value beside its own length: its places in the filter and in the index. */
const VALUE_BYTES = 64

/** About so many bytes: {@link VALUE_BYTES} a filter and a value, and the length of each value. */
export function filterBytes(filters: readonly Filter[]): number {
  let bytes = 0
  for (const { ids, authors, pubkeyPrefixes, kinds, tags = [], pairs = [] } of filters) {
    bytes += VALUE_BYTES + valueBytes(ids) + valueBytes(authors) + valueBytes(pubkeyPrefixes)
    bytes += VALUE_BYTES * (kinds?.length ?? 0)
    for (const { key, any } of tags) bytes += VALUE_BYTES + key.length + valueBytes(any)
    for (const pair of pairs) bytes += valueBytes(pair)
  }
  return bytes
}

function valueBytes(values: readonly string[] = []): number {
  return values.reduce((bytes, value) => bytes + VALUE_BYTES + value.length, 0)
}
