/**
 * Canonical JSON: the JSON Canonicalization Scheme, RFC 8785 (spec 11.1, 11.5). No blanks, members sorted by UTF-16
 * code units, strings escaped as little as JSON allows, numbers as ECMAScript prints them.
 *
 * One departure, on purpose: an integer that a double cannot hold (a `bigint`, as the lossless reader gives it) keeps
 * all its digits. RFC 8785 would round it, and then two different documents would share one hash.
 */
import { hasDuplicateKeys, JsonFraction, type JsonObject } from './json.js'

/** Nesting beyond it is refused. */
const MAX_DEPTH = 64

/**
 * The canonical text of a JSON value: plain objects (members that are `undefined` count as absent), arrays, strings,
 * numbers, bigint, booleans, null, and what `parseJson` returns.
 * @throws TypeError for anything JSON cannot say: not finite, not well-formed Unicode, a member named twice, an
 * instance of a class; RangeError beyond 64 levels.
 */
export function canonicalJson(value: unknown): string {
  return write(value, MAX_DEPTH)
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return writeString(value)
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`JSON cannot hold ${value}`)
      return JSON.stringify(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'object':
      if (value === null) return 'null'
      if (value instanceof JsonFraction) return JSON.stringify(value.value)
      if (depth <= 0) throw new RangeError(`JSON nested beyond ${MAX_DEPTH} levels`)
      return Array.isArray(value) ? writeArray(value, depth) : writeObject(value, depth)
    default:
      throw new TypeError(`JSON cannot hold a ${typeof value}`)
  }
}

function writeString(value: string): string {
  if (!value.isWellFormed()) throw new TypeError('JSON text must be well-formed Unicode')
  return JSON.stringify(value)
}

function writeArray(value: readonly unknown[], depth: number): string {
  return `[${Array.from(value, (item) => write(item, depth - 1)).join(',')}]`
}

function writeObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype)
    throw new TypeError('JSON cannot hold an instance of a class')
  if (hasDuplicateKeys(value as JsonObject)) throw new TypeError('JSON object names a member twice')
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${writeString(name)}:${write(member, depth - 1)}`).join(',')}}`
}
