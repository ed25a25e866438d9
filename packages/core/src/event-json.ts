/**
 * The JSON form of an event: reading (spec 1.3) is strict and lossless, writing (spec 1.4) is the one rendering that
 * a relay forwards: lower-case hex, tags as arrays of strings, integers with all digits, no unknown member.
 */
import { type Reject, reject } from './codes.js'
import { type Event, isAscii, type Tag } from './event.js'
import { isHexDigits, parseHex } from './hex.js'
import { hasDuplicateKeys, isJsonObject, type JsonValue } from './json.js'

const U64 = 0xffffffffffffffffn
const utf8 = new TextEncoder()
const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** `base64`: the peer listed that feature, so content that is no UTF-8 travels as base64 (spec 1.6). */
export interface EventJsonOptions {
  readonly base64?: boolean
}

/**
 * Reads the JSON form. Anything of the wrong shape: `invalid_event` with the kept text.
 *
 * `rounded` is there when `created_at` was a number literal above 2^53: the integer that a peer which keeps times in a
 * double may have hashed instead. Try it once when the id does not match (spec 1.3, double repair).
 */
export function readEvent(
  value: JsonValue,
  options: EventJsonOptions = {},
): { ok: true; event: Event; rounded?: bigint } | Reject {
  if (!isJsonObject(value)) return reject('invalid_event')
  if (hasDuplicateKeys(value)) return reject('invalid_event', 'duplicate key in event')
  const id = parseHex(value.event_id, 32)
  if (id === undefined) return badHex('event_id', value.event_id, 32)
  const pubkey = parseHex(value.pubkey, 32)
  if (pubkey === undefined) return badHex('pubkey', value.pubkey, 32)
  const sig = parseHex(value.sig, 64)
  if (sig === undefined) return badHex('sig', value.sig, 64)
  const kind = readInteger(value.kind)
  if (kind === undefined) return reject('invalid_event', 'kind must be int')
  if (kind < 0n || kind > 0xffffn) return reject('invalid_event', 'kind must be uint16')
  const createdAt = readInteger(value.created_at)
  if (createdAt === undefined) return reject('invalid_event', 'created_at must be int')
  if (createdAt < 0n || createdAt > U64) return createdAtRange(createdAt)
  const tags = readTags(value.tags ?? [])
  if ('ok' in tags) return tags
  const content = readContent(
    value.content ?? '',
    options.base64 === true && value.content_encoding === 'base64',
  )
  if ('ok' in content) return content
  const event: Event = { id, pubkey, createdAt, kind: Number(kind), tags, content, sig }
  if (typeof value.created_at !== 'bigint') return { ok: true, event }
  const rounded = BigInt(Number(value.created_at))
  return rounded > U64 ? { ok: true, event } : { ok: true, event, rounded }
}

/** The canonical rendering; undefined when the content is no UTF-8 and the peer did not list `base64`. */
export function writeEvent(event: Event, options: EventJsonOptions = {}): string | undefined {
  let content: string
  try {
    content = JSON.stringify(text.decode(event.content))
  } catch {
    if (options.base64 !== true) return undefined
    content = `"${toBase64(event.content)}","content_encoding":"base64"`
  }
  return `{"event_id":"${event.id}","pubkey":"${event.pubkey}","kind":${event.kind},"created_at":${event.createdAt},"tags":${JSON.stringify(event.tags)},"content":${content},"sig":"${event.sig}"}`
}

/** A JSON integer, or a string of 1 to 20 decimal digits. Not a fraction, boolean, or anything that needs coercion. */
export function readInteger(value: JsonValue | undefined): bigint | undefined {
  if (typeof value === 'number') return BigInt(value)
  if (typeof value === 'bigint') return value
  if (typeof value === 'string' && /^[0-9]{1,22}$/.test(value)) return BigInt(value)
  return undefined
}

function badHex(field: string, value: JsonValue | undefined, bytes: number): Reject {
  if (typeof value !== 'string') return reject('invalid_event', `${field} must be bytes or hex string`)
  if (!isHexDigits(value) || value.length % 2 !== 0) return reject('invalid_event', `${field} must be hex`)
  return reject('invalid_event', `${field} must be ${bytes} bytes`)
}

/** A time of this century in nanoseconds times 1000 is the mistake of multiplying milliseconds by 10^9: name it. */
function createdAtRange(createdAt: bigint): Reject {
  const detail =
    createdAt > U64
      ? 'nanoseconds since 1970 expected; this looks 1000 times too big (milliseconds times 10^6, not 10^9)'
      : 'nanoseconds since 1970 expected'
  return reject('invalid_event', 'created_at must be uint64', detail)
}

function readTags(value: JsonValue): readonly Tag[] | Reject {
  if (!Array.isArray(value)) return reject('invalid_event', 'tags must be a list')
  if (value.length > 0xffff) return reject('invalid_event', 'tags exceeds uint16 length')
  const tags: Tag[] = []
  for (const item of value) {
    const tag = readTag(item)
    if ('ok' in tag) return tag
    tags.push(tag)
  }
  return tags
}

/** `[key, ...values]`, or `{key, values}` as older peers write it. */
function readTag(item: JsonValue): Tag | Reject {
  let list: JsonValue[]
  if (Array.isArray(item)) list = item
  else if (isJsonObject(item)) {
    if (typeof item.key !== 'string') return reject('invalid_event', 'Tag key must be a string')
    const values = item.values ?? []
    if (!Array.isArray(values)) return reject('invalid_event', 'Tag values must be a list')
    list = [item.key, ...values]
  } else return reject('invalid_event', 'Unsupported tag format')
  const [key] = list
  if (typeof key !== 'string') return reject('invalid_event', 'Unsupported tag format')
  if (key === '') return reject('invalid_event', 'tag key cannot be empty')
  if (!isAscii(key)) return reject('invalid_event', 'tag key must be ascii')
  if (key.length > 0xff) return reject('invalid_event', 'tag key exceeds uint8 length')
  if (list.length - 1 > 0xffff) return reject('invalid_event', 'tag values exceeds uint16 length')
  for (let i = 1; i < list.length; i++) {
    const value = list[i]
    if (typeof value !== 'string' || !value.isWellFormed())
      return reject('invalid_event', 'Unsupported tag format')
    if (value.length > 0x5555 && utf8.encode(value).length > 0xffff) {
      return reject('invalid_event', 'tag value exceeds uint16 length')
    }
  }
  return list as [string, ...string[]]
}

function readContent(value: JsonValue, base64: boolean): Uint8Array | Reject {
  if (typeof value !== 'string') return reject('invalid_event', 'content must be bytes or string')
  if (base64)
    return fromBase64(value) ?? reject('invalid_event', 'content must be bytes or string', 'not base64')
  if (!value.isWellFormed()) return reject('invalid_event', 'content must be well-formed Unicode')
  return utf8.encode(value)
}

/** Standard alphabet, padded (RFC 4648); btoa and atob are in every runtime we support. */
function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let i = 0; i < bytes.length; i += 0x2000)
    binary += String.fromCharCode(...bytes.subarray(i, i + 0x2000))
  return btoa(binary)
}

/** Undefined unless the text is exactly what an encoder writes: padded, no blanks, no stray bits. */
function fromBase64(value: string): Uint8Array | undefined {
  if (value.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) return undefined
  const bytes = Uint8Array.from(atob(value), (character) => character.charCodeAt(0))
  return toBase64(bytes) === value ? bytes : undefined
}
