/** Filters as the HTTP gateway takes them (spec 6.1, 10.1): one object or a list, in a body or in a query string. */
import {
  type Filter,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  readFilter,
  reject,
} from '@aetherkit/core'
import type { Bus } from '../bus.js'
import type { Limits } from '../limits.js'
import type { Peer } from '../policy.js'
import { Refused } from './http-answer.js'
import { readValue } from './http-body.js'
import { gatewayReject } from './wording.js'

/** @throws Refused with the kept texts. */
export function readFilters(value: JsonValue | undefined, limits: Limits): readonly Filter[] {
  if (!isJsonObject(value) && !Array.isArray(value))
    throw new Refused(gatewayReject('invalid_message', 'filters must be object or list'))
  const list = Array.isArray(value) ? value : [value]
  if (list.length === 0) throw new Refused(gatewayReject('invalid_message', 'filters required'))
  if (list.length > limits.maxFilters)
    throw new Refused(reject('limit_exceeded', undefined, `at most ${limits.maxFilters} filters`))
  return list.map((item) => {
    if (!isJsonObject(item))
      throw new Refused(gatewayReject('invalid_message', 'filters must be object or list'))
    const read = readFilter(item, { maxValues: limits.maxFilterValues })
    if (read.ok) return read.filter
    throw new Refused(read)
  })
}

/** The reading begins. @throws Refused `auth_required`, `restricted` when a filter names what is not shown to the peer. */
export function assertReadable({ access }: Bus, filters: readonly Filter[], peer: Peer): void {
  const refusal = access.refuse(filters, peer)
  if (refusal !== undefined) throw new Refused(refusal)
}

/** The same ahead of the reading: nothing is counted. @throws Refused */
export function assertMayRead({ access }: Bus, filters: readonly Filter[], peer: Peer): void {
  const refusal = access.foresee(filters, peer)
  if (refusal !== undefined) throw new Refused(refusal)
}

/** Members of a filter whose values have no comma: `kinds=1,2` is `kinds=1&kinds=2`. */
const LISTS: ReadonlySet<string> = new Set(['ids', 'authors', 'kinds'])
const SCALARS: ReadonlySet<string> = new Set(['since', 'until', 'limit'])
const TAG = '#'

/**
 * Filters of a query string: `filters=<JSON>`, or the members of one filter: `ids`, `authors`, `kinds` with commas,
 * `since`, `until`, `limit`, and `#<key>` (`%23<key>` in a URL) once for each value.
 * `others`: parameters that are not about filters. @throws Refused; `unsupported` for a parameter that is unknown.
 */
export function readQueryFilters(
  search: URLSearchParams,
  limits: Limits,
  others: ReadonlySet<string>,
): readonly Filter[] {
  const json = search.get('filters')
  if (json !== null) return readFilters(readValue(json, limits.maxJsonDepth), limits)
  const filter: JsonObject = Object.create(null)
  for (const name of new Set(search.keys())) {
    const values = search.getAll(name)
    if (others.has(name)) continue
    if (LISTS.has(name)) {
      const items = values.flatMap((text) => text.split(','))
      filter[name] = name === 'kinds' ? items.map(integer) : items
    } else if (SCALARS.has(name) && values.length === 1) filter[name] = integer(values[0] ?? '')
    else if (name.startsWith(TAG)) filter[name] = values
    else throw new Refused(reject('unsupported', undefined, `parameter ${JSON.stringify(name.slice(0, 64))}`))
  }
  return readFilters(filter, limits)
}

/** Digits as an integer; anything else as it stands, for the filter to refuse. */
function integer(text: string): JsonValue {
  return /^[0-9]{1,20}$/.test(text) ? BigInt(text) : text
}
