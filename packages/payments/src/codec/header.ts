/** Header values (spec payments 1): standard padded base64 of UTF-8 JSON, exactly that out; null members count as absent. */
import { isJsonObject, type JsonObject, type JsonValue, parseJson, writeJson } from '@aetherkit/core'
import { type Refusal, refuse } from '../reason.js'

/** Longest header value that is looked at, in characters; a whole payment takes about 1,500. */
const MAX_HEADER = 16_384

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function encodeHeader(value: unknown): string {
  return Buffer.from(writeJson(value)).toString('base64')
}

/** The JSON object in a header; anything else is `aetherkit_malformed_payment`. */
export function decodeHeader(header: string): { ok: true; value: JsonObject } | Refusal {
  if (header.length > MAX_HEADER) return refuse('aetherkit_malformed_payment', 'header too long')
  const bytes = decodeBase64(header)
  if (bytes === undefined) return refuse('aetherkit_malformed_payment', 'not base64')
  let json: string
  try {
    json = text.decode(bytes)
  } catch {
    return refuse('aetherkit_malformed_payment', 'not UTF-8')
  }
  const parsed = parseJson(json)
  if (!parsed.ok || !isJsonObject(parsed.value))
    return refuse('aetherkit_malformed_payment', 'not a JSON object')
  return { ok: true, value: parsed.value }
}

/** Strict standard base64, padded; undefined for anything an encoder would not write. */
export function decodeBase64(value: string): Uint8Array | undefined {
  if (value.length === 0 || value.length % 4 !== 0 || !BASE64.test(value)) return undefined
  const bytes = Buffer.from(value, 'base64')
  return bytes.toString('base64') === value ? new Uint8Array(bytes) : undefined
}

/** A member that is neither missing nor null. */
export function member(object: JsonObject, name: string): JsonValue | undefined {
  const value = object[name]
  return value === null ? undefined : value
}

/** A non-empty string member. */
export function textMember(object: JsonObject, name: string): string | undefined {
  const value = member(object, name)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** An object member. */
export function objectMember(object: JsonObject, name: string): JsonObject | undefined {
  const value = member(object, name)
  return isJsonObject(value) ? value : undefined
}
