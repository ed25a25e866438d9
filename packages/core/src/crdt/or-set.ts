/**
 * Observed-remove set (spec 11.5): every addition has its own tag, a removal names the tags it has seen, and an element
 * is in the set while one of its tags is not removed. So an addition that a remover had not seen survives.
 * Elements are JSON, the same when their canonical text is the same.
 */
import { type Reject, reject } from '../codes.js'
import { hasDuplicateKeys, isJsonObject, type JsonObject, parseJson } from '../json.js'
import { compareText, isName, type KeyedValue, keyed, readKeyed } from './value.js'

/** Element by key, with tags. */
type Tagged<T> = Map<string, { readonly value: T; readonly tags: Set<string> }>

/** `T` is JSON. Elements read back are frozen copies. */
export class ORSet<T> {
  readonly #adds: Tagged<T> = new Map()
  readonly #removes: Tagged<T> = new Map()

  /**
   * Adds an element under a tag nobody used before (a UUID, an event id).
   * @throws TypeError for a value that is no JSON or an empty tag.
   */
  add(value: T, tag: string): void {
    put(this.#adds, keyed(value), [tag])
  }

  /**
   * Removes the additions with these tags; commonly `remove(x, set.tags(x))`.
   * @throws TypeError for a value that is no JSON or an empty tag.
   */
  remove(value: T, tags: Iterable<string>): void {
    put(this.#removes, keyed(value), tags)
  }

  /** Merges another set into this one. */
  update(other: ORSet<T>): void {
    for (const [key, { value, tags }] of other.#adds) put(this.#adds, { key, value }, tags)
    for (const [key, { value, tags }] of other.#removes) put(this.#removes, { key, value }, tags)
  }

  /** The elements, in the order of their canonical text. */
  elements(): T[] {
    return sorted(this.#adds)
      .filter(([key]) => this.#live(key).length > 0)
      .map(([, { value }]) => value)
  }

  has(value: T): boolean {
    return this.tags(value).length > 0
  }

  /** Tags of an element that are not removed, sorted: what a remover has seen. */
  tags(value: T): string[] {
    return this.#live(keyed(value).key)
  }

  /** Tags by the canonical text of their element. */
  toJSON(): { type: 'orset'; adds: Record<string, string[]>; removes: Record<string, string[]> } {
    return { type: 'orset', adds: write(this.#adds), removes: write(this.#removes) }
  }

  /**
   * Reads parsed JSON. Of the wrong shape, or an element not written canonically: `invalid_message`. Elements may be
   * any JSON: check them before use.
   */
  static fromJSON(json: unknown): { ok: true; crdt: ORSet<unknown> } | Reject {
    const crdt = new ORSet<unknown>()
    if (
      isJsonObject(json) &&
      json.type === 'orset' &&
      read(json.adds, crdt.#adds) &&
      read(json.removes, crdt.#removes)
    )
      return { ok: true, crdt }
    return reject('invalid_message', undefined, 'orset expected')
  }

  #live(key: string): string[] {
    const removed = this.#removes.get(key)?.tags
    return [...(this.#adds.get(key)?.tags ?? [])].filter((tag) => !removed?.has(tag)).sort(compareText)
  }
}

function put<T>(into: Tagged<T>, { key, value }: KeyedValue<T>, tags: Iterable<string>): void {
  const names = [...tags]
  if (!names.every(isName)) throw new TypeError('tag must be text, not empty')
  const entry = into.get(key) ?? { value, tags: new Set<string>() }
  for (const tag of names) entry.tags.add(tag)
  if (entry.tags.size > 0) into.set(key, entry)
}

function sorted<T>(map: Tagged<T>): [string, { readonly value: T; readonly tags: Set<string> }][] {
  return [...map].sort(([a], [b]) => compareText(a, b))
}

function write<T>(map: Tagged<T>): Record<string, string[]> {
  const json: Record<string, string[]> = Object.create(null)
  for (const [key, { tags }] of sorted(map)) json[key] = [...tags].sort(compareText)
  return json
}

function read(json: JsonObject[string], into: Tagged<unknown>): boolean {
  if (!isJsonObject(json) || hasDuplicateKeys(json)) return false
  for (const [key, tags] of Object.entries(json)) {
    if (!Array.isArray(tags) || !tags.every(isName)) return false
    const text = parseJson(key, { maxDepth: 64 })
    const element = text.ok ? readKeyed(text.value) : undefined
    if (element === undefined || element.key !== key) return false
    put(into, element, tags)
  }
  return true
}
