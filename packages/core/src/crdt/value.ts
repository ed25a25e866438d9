/** Values inside CRDTs (spec 11.5): JSON, keyed and compared by their canonical text, never by object identity. */
import { canonicalJson } from '../canonical-json.js'
import { JsonFraction } from '../json.js'

export interface KeyedValue<T> {
  /** Canonical JSON. */
  readonly key: string
  /** A frozen copy: the key stays right whatever the caller does to what he passed in. */
  readonly value: T
}

const utf8 = new TextEncoder()

/** @throws TypeError or RangeError for what has no canonical JSON. */
export function keyed<T>(value: T): KeyedValue<T> {
  return { key: canonicalJson(value), value: copy(value) as T }
}

/** The same for hostile input: undefined instead of an exception. */
export function readKeyed(value: unknown): KeyedValue<unknown> | undefined {
  try {
    return keyed(value)
  } catch {
    return undefined
  }
}

/** Order of texts by their UTF-8 bytes, the same in every language: negative, 0 or positive. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const x = utf8.encode(a)
  const y = utf8.encode(b)
  const differing = x.findIndex((byte, i) => byte !== y[i])
  return differing === -1 ? -1 : x[differing]! - (y[differing] ?? -1)
}

/** A replica id or tag as JSON can carry it. */
export function isName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && name.isWellFormed()
}

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof JsonFraction) return value.value
  if (Array.isArray(value)) return Object.freeze(value.map(copy))
  const object: Record<string, unknown> = Object.create(null)
  for (const [name, member] of Object.entries(value)) if (member !== undefined) object[name] = copy(member)
  return Object.freeze(object)
}
