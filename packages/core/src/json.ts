/**
 * Strict, lossless JSON (RFC 8259; spec 1.3).
 *
 * `JSON.parse` rounds integers beyond 2^53, hides a second member of the same name and has no depth limit; an event
 * id covers every digit of `created_at`, so none of the three will do. Here an integer literal that a double cannot
 * hold is a `bigint`, a literal with a fraction or an exponent is a {@link JsonFraction} (so that `1.0` is not `1`),
 * duplicate members are remembered, and depth is capped.
 */
import { type Reject, reject } from './codes.js'

export type JsonValue = null | boolean | number | bigint | string | JsonFraction | JsonValue[] | JsonObject
/** Null prototype: `__proto__` is a member like any other. */
export interface JsonObject {
  [member: string]: JsonValue | undefined
}

/** A number literal with a fraction or an exponent. */
export class JsonFraction {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
  toJSON(): number {
    return this.value
  }
}

const DUPLICATES = new WeakSet<object>()

/** Whether the text of this object named a member more than once (the last one is kept). */
export function hasDuplicateKeys(object: JsonObject): boolean {
  return DUPLICATES.has(object)
}

/** Whether a value is a JSON object (not null, not an array, not a fraction). */
export function isJsonObject(value: unknown): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonFraction)
  )
}

/**
 * Reads one JSON text.
 *
 * Not JSON, trailing text, a leading BOM, `NaN`, a number beyond the range of a double, or nesting deeper than
 * `maxDepth` (default 32): `invalid_message`.
 */
export function parseJson(
  text: string,
  options: { maxDepth?: number } = {},
): { ok: true; value: JsonValue } | Reject {
  const reader: Reader = { text, at: 0, depth: options.maxDepth ?? 32 }
  try {
    const value = readValue(reader)
    skipBlanks(reader)
    if (reader.at < text.length) fail('text after the value')
    return { ok: true, value }
  } catch (error) {
    if (error instanceof SyntaxError)
      return reject('invalid_message', 'message must be object', `not JSON: ${error.message}`)
    throw error
  }
}

/**
 * Compact JSON of a plain value; a `bigint` prints all its digits.
 * @throws TypeError for what JSON cannot say (a function, a symbol, a non-finite number, lone `undefined`).
 */
export function writeJson(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  if (typeof value === 'boolean' || value === null) return String(value)
  if (Array.isArray(value))
    return `[${value.map((item: unknown) => writeJson(item === undefined ? null : item)).join(',')}]`
  if (value instanceof JsonFraction) return JSON.stringify(value.value)
  if (typeof value === 'object') {
    const members = Object.entries(value as Record<string, unknown>).filter(
      ([, member]) => member !== undefined,
    )
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${writeJson(member)}`).join(',')}}`
  }
  throw new TypeError(`JSON cannot hold a ${typeof value} of value ${String(value)}`)
}

interface Reader {
  readonly text: string
  at: number
  depth: number
}

function readValue(reader: Reader): JsonValue {
  skipBlanks(reader)
  switch (reader.text.charCodeAt(reader.at)) {
    case 0x22:
      return readString(reader)
    case 0x7b:
      return readObject(reader)
    case 0x5b:
      return readArray(reader)
    case 0x74:
      return readWord(reader, 'true', true)
    case 0x66:
      return readWord(reader, 'false', false)
    case 0x6e:
      return readWord(reader, 'null', null)
    default:
      return readNumber(reader)
  }
}

function readObject(reader: Reader): JsonObject {
  const object = Object.create(null) as JsonObject
  if (reader.depth-- <= 0) fail('nested too deeply')
  reader.at++
  if (!closes(reader, 0x7d)) {
    do {
      skipBlanks(reader)
      if (reader.text.charCodeAt(reader.at) !== 0x22) fail('member name expected')
      const name = readString(reader)
      skipBlanks(reader)
      if (reader.text.charCodeAt(reader.at++) !== 0x3a) fail('colon expected')
      if (name in object) DUPLICATES.add(object)
      object[name] = readValue(reader)
    } while (continues(reader, 0x7d))
  }
  reader.depth++
  return object
}

function readArray(reader: Reader): JsonValue[] {
  const array: JsonValue[] = []
  if (reader.depth-- <= 0) fail('nested too deeply')
  reader.at++
  if (!closes(reader, 0x5d)) {
    do array.push(readValue(reader))
    while (continues(reader, 0x5d))
  }
  reader.depth++
  return array
}

function closes(reader: Reader, bracket: number): boolean {
  skipBlanks(reader)
  if (reader.text.charCodeAt(reader.at) !== bracket) return false
  reader.at++
  return true
}

function continues(reader: Reader, bracket: number): boolean {
  skipBlanks(reader)
  const code = reader.text.charCodeAt(reader.at++)
  if (code === bracket) return false
  if (code !== 0x2c) fail('comma or closing bracket expected')
  return true
}

/** What a string holds without ending or escaping, and where a search for its end is faster than a look at each. */
const PLAIN = /[ !#-[\]-\uffff]*/y
const NEAR = 24

/** Finds the closing quote; a string with escapes is decoded by `JSON.parse`, one without is a slice. */
function readString(reader: Reader): string {
  const { text } = reader
  const start = reader.at
  let at = start + 1
  let escaped = false
  for (;;) {
    const far = at + NEAR
    let code = text.charCodeAt(at)
    while (code >= 0x20 && code !== 0x22 && code !== 0x5c && at < far) code = text.charCodeAt(++at)
    if (at === far) {
      PLAIN.lastIndex = at
      PLAIN.test(text)
      at = PLAIN.lastIndex
      code = text.charCodeAt(at)
    }
    if (code === 0x22) break
    if (code !== 0x5c) fail(at >= text.length ? 'string without an end' : 'control character in a string')
    escaped = true
    at += 2
  }
  reader.at = at + 1
  return escaped ? (JSON.parse(text.slice(start, at + 1)) as string) : text.slice(start + 1, at)
}

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y

function readNumber(reader: Reader): number | bigint | JsonFraction {
  NUMBER.lastIndex = reader.at
  const match = NUMBER.exec(reader.text)
  if (match === null) fail('value expected')
  reader.at = NUMBER.lastIndex
  const value = Number(match[0])
  if (!Number.isFinite(value)) fail('number out of range')
  if (match[1] !== undefined || match[2] !== undefined) return new JsonFraction(value)
  return Number.isSafeInteger(value) ? value : BigInt(match[0])
}

function readWord<T>(reader: Reader, word: string, value: T): T {
  if (!reader.text.startsWith(word, reader.at)) fail('value expected')
  reader.at += word.length
  return value
}

function skipBlanks(reader: Reader): void {
  for (;;) {
    const code = reader.text.charCodeAt(reader.at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
    reader.at++
  }
}

function fail(message: string): never {
  throw new SyntaxError(message)
}
