/**
 * A table of priced routes (spec payments 11), for a paywall in front of a whole app: `"GET /path"`, or `"/path"` for
 * every method; `:name` and `[name]` stand for one segment, `*` for the rest.
 *
 * It fails closed: a path is compared without case, with repeated and trailing slashes gone and its segments decoded, so
 * that every spelling a router might take for a priced route is priced. HEAD is GET.
 */
import { PaymentError } from './errors.js'
import { boundMethod } from './terms.js'

export interface RouteTable<T> {
  /** The first entry whose method and path match, with its pattern. `path` as it came, with or without a query. */
  find(method: string, path: string): { readonly pattern: string; readonly entry: T } | undefined
}

interface Row<T> {
  readonly method: string | undefined
  readonly pattern: string
  readonly segments: readonly string[]
  readonly entry: T
}

const KEY = /^(?:([A-Za-z]+) +)?(\/\S*|\*)$/

/** @throws PaymentError `invalid_option` for a key that is no route */
export function createRouteTable<T>(routes: Readonly<Record<string, T>>): RouteTable<T> {
  const rows = Object.entries(routes).map(([key, entry]): Row<T> => {
    const { method, pattern } = readRouteKey(key)
    return { method, pattern, segments: segmentsOf(pattern), entry }
  })
  return {
    find(method, path) {
      const asked = boundMethod(method)
      const segments = segmentsOf(path.split(/[?#]/, 1)[0] ?? '')
      const walked = walk(segments)
      const row = rows.find(
        (each) =>
          (each.method ?? asked) === asked &&
          (isMatch(each.segments, segments) || isMatch(each.segments, walked)),
      )
      return row && { pattern: row.pattern, entry: row.entry }
    },
  }
}

/** The two halves of a key; no method is every method. @throws PaymentError `invalid_option` */
export function readRouteKey(key: string): { readonly method: string | undefined; readonly pattern: string } {
  const match = KEY.exec(key)
  if (match === null)
    throw new PaymentError('invalid_option', `not a route: ${JSON.stringify(key)}; "GET /path" expected`)
  const [, method, pattern = ''] = match
  return { method: method === undefined ? undefined : boundMethod(method), pattern }
}

function isMatch(pattern: readonly string[], path: readonly string[]): boolean {
  for (const [index, segment] of pattern.entries()) {
    if (segment === '*') return true
    const given = path[index]
    if (given === undefined) return false
    if (!/^(?::.+|\[.+\])$/.test(segment) && segment !== given) return false
  }
  return path.length === pattern.length
}

/** As a file server reads it: `.` stays, `..` goes up. */
function walk(segments: readonly string[]): readonly string[] {
  const walked: string[] = []
  for (const segment of segments) {
    if (segment === '..') walked.pop()
    else if (segment !== '.') walked.push(segment)
  }
  return walked
}

/** Lower case, decoded as far as it can be; an encoded slash ends a segment, as the strictest router would have it. */
function segmentsOf(path: string): readonly string[] {
  let decoded = path
  for (let times = 0; times < 2; times++) {
    try {
      decoded = decodeURIComponent(decoded)
    } catch {
      decoded = decoded.replace(/%[0-9a-f]{2}/gi, (code) =>
        String.fromCharCode(Number.parseInt(code.slice(1), 16)),
      )
    }
  }
  return decoded
    .toLowerCase()
    .split(/[/\\]+/)
    .map((segment) => segment.trim())
    .filter((segment) => segment !== '')
}
