/**
 * JSON with 64-bit integers as bare digits (spec solana 10, point 9): a bigint is written in full, and an integer
 * literal beyond 2^53 is read as bigint.
 */
import { randomBytes } from 'node:crypto'

export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

/** Compact text. `undefined` members are left out, as `JSON.stringify` does. */
export function writeJson(value: Json | undefined): string {
  if (typeof value === 'bigint') return value.toString()
  if (value === null || typeof value !== 'object') return JSON.stringify(value ?? null)
  if (isArray(value)) return `[${value.map(writeJson).join(',')}]`
  const members: string[] = []
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${writeJson(member)}`)
  }
  return `{${members.join(',')}}`
}

// Marks a long integer while JSON.parse has it in its hands; random, so that no text can carry it by intent.
const MARK = `u64:${randomBytes(12).toString('hex')}:`
const LONG_INTEGER = /"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g

/** @throws SyntaxError when the text is not JSON */
export function readJson(text: string): Json {
  if (!/\d{16}/.test(text)) return JSON.parse(text)
  const marked = text.replace(LONG_INTEGER, (token) => (token.startsWith('"') ? token : `"${MARK}${token}"`))
  return JSON.parse(marked, (_key, value) =>
    typeof value === 'string' && value.startsWith(MARK) ? integer(value.slice(MARK.length)) : value,
  )
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

function integer(digits: string): Json {
  const exact = BigInt(digits)
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact
}
