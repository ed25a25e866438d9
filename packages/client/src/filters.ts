/** Filters as the application gives them: one or several, checked before they go anywhere (spec 6.1, 7.5). */
import { type Filter, isJsonObject, parseJson, readFilter, writeFilter, writeJson } from '@aetherkit/core'

const MAX_FILTERS = 32

/**
 * The filters as a list, with hex in lower case.
 * @throws TypeError or RangeError for what no relay could take: misuse, not weather.
 */
export function checkFilters(filters: Filter | readonly Filter[]): readonly Filter[] {
  const list = isList(filters) ? filters : [filters]
  if (list.length === 0 || list.length > MAX_FILTERS)
    throw new RangeError(`1 to ${MAX_FILTERS} filters expected, got ${list.length}`)
  return list.map(checkFilter)
}

function checkFilter(filter: Filter): Filter {
  const json = parseJson(writeJson(writeFilter(filter)))
  const read = json.ok && isJsonObject(json.value) ? readFilter(json.value) : undefined
  if (read?.ok === true) return read.filter
  throw new TypeError(`not a filter: ${read?.detail ?? read?.error ?? 'object expected'}`)
}

function isList(filters: Filter | readonly Filter[]): filters is readonly Filter[] {
  return Array.isArray(filters)
}
