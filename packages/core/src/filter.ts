/**
 * Filters (spec 6): AND between the fields of one filter, OR between the filters of a subscription.
 *
 * An absent field is no constraint, an empty list matches nothing, bounds are inclusive, and a filter never
 * matches more than it says. `limit` and `replay` ask for stored events only and constrain no live event.
 */
import type { UnsignedEvent } from './event.js'

export interface Filter {
  /** Lower-case hex prefixes of 1 to 64 digits, odd counts too; any matches. */
  readonly ids?: readonly string[]
  /** Lower-case hex prefixes of 1 to 64 digits of the public key; any matches. */
  readonly authors?: readonly string[]
  /** The older form: exactly 32 lower-case hex digits each; ANDed with `authors`. */
  readonly pubkeyPrefixes?: readonly string[]
  /** 0 to 65535; any matches. */
  readonly kinds?: readonly number[]
  /** For every entry the event has a tag `key` with any of these values, at any place in the tag. */
  readonly tags?: readonly { readonly key: string; readonly any: readonly string[] }[]
  /** Every pair is present in the event. */
  readonly pairs?: readonly (readonly [key: string, value: string])[]
  /** Nanoseconds, u64: `createdAt` at or after. */
  readonly since?: bigint
  /** Nanoseconds, u64: `createdAt` at or before. */
  readonly until?: bigint
  /** At most so many stored events, the newest. */
  readonly limit?: number
  /** Ask for stored events. */
  readonly replay?: boolean
}

/** Whether the event is one the filter asks for. The plain meaning; `compileFilter` is the fast form. */
export function matches(filter: Filter, event: UnsignedEvent & { readonly id: string }): boolean {
  const has = (key: string, value: string) =>
    event.tags.some(([name, ...values]) => name === key && values.includes(value))
  return (
    (filter.ids === undefined || filter.ids.some((prefix) => event.id.startsWith(prefix))) &&
    (filter.authors === undefined || filter.authors.some((prefix) => event.pubkey.startsWith(prefix))) &&
    (filter.pubkeyPrefixes === undefined ||
      filter.pubkeyPrefixes.some((prefix) => event.pubkey.startsWith(prefix))) &&
    (filter.kinds === undefined || filter.kinds.includes(event.kind)) &&
    (filter.tags === undefined ||
      filter.tags.every(({ key, any }) => any.some((value) => has(key, value)))) &&
    (filter.pairs === undefined || filter.pairs.every(([key, value]) => has(key, value))) &&
    (filter.since === undefined || event.createdAt >= filter.since) &&
    (filter.until === undefined || event.createdAt <= filter.until)
  )
}

/** Whether the filter asks for stored events on the native surface: any of `limit`, `since`, `ids`, `replay: true` (spec 6.3). */
export function wantsReplay(filter: Filter): boolean {
  return (
    filter.limit !== undefined ||
    filter.since !== undefined ||
    filter.ids !== undefined ||
    filter.replay === true
  )
}
