/** What a Nostr client says (spec 9, 9.1; NIP-01, 42, 45), read as strictly as native messages. */
import {
  type Event,
  type Filter,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseHex,
  parseJson,
  type Reject,
  readEvent,
  readFilter,
  reject,
} from '@aetherkit/core'
import type { Limits } from '../limits.js'
import { readNostrEvent } from '../nostr-event.js'
import { gatewayReject } from './wording.js'

export type NostrRequest = EventRequest | FilterRequest | { readonly type: 'CLOSE'; readonly sub: string }

export interface EventRequest {
  readonly type: 'EVENT' | 'AUTH'
  readonly event: Event
  readonly rounded?: bigint | undefined
}

interface FilterRequest {
  readonly type: 'REQ' | 'COUNT'
  readonly sub: string
  readonly filters: readonly Filter[]
}

/** A reject, and the event or subscription it is about where that could be read. */
export type NostrRefusal = Reject & { readonly eventId?: string; readonly sub?: string }

type Read = { readonly ok: true; readonly request: NostrRequest } | NostrRefusal

/** Below it a time in a filter is in seconds (spec 9.1). */
const SECONDS_BELOW = 10n ** 12n
const SECOND = 1_000_000_000n

export function readNostrMessage(text: string, limits: Limits): Read {
  const parsed = parseJson(text, { maxDepth: limits.maxJsonDepth })
  if (!parsed.ok || !Array.isArray(parsed.value)) return malformed('expected array message')
  const [type, ...rest] = parsed.value
  switch (type) {
    case 'EVENT':
    case 'AUTH':
      return readEventMessage(type, rest)
    case 'REQ':
    case 'COUNT':
      return readFilterMessage(type, rest, limits)
    case 'CLOSE': {
      const sub = readSubId(rest[0], limits)
      if (typeof sub === 'string') return { ok: true, request: { type, sub } }
      return rest.length === 0 ? malformed('CLOSE requires sub_id') : sub
    }
    default:
      return malformed('unsupported command')
  }
}

/** The event is a genuine Nostr event when its hash says so, else one of Aether's, whose id may be under either name. */
function readEventMessage(type: 'EVENT' | 'AUTH', [payload, ...more]: JsonValue[]): Read {
  if (!isJsonObject(payload) || more.length > 0) return malformed('EVENT payload invalid')
  const nostr = readNostrEvent(payload)
  if (nostr !== undefined) return { ok: true, request: { type, event: nostr } }
  const eventId = parseHex(payload.event_id ?? payload.id, 32)
  const about = eventId === undefined ? {} : { eventId }
  if (!hasOneId(payload)) return { ...reject('id_mismatch', undefined, 'id and event_id differ'), ...about }
  const read = readEvent(payload.event_id === undefined ? withEventId(payload) : payload)
  return read.ok ? { ok: true, request: { type, ...read } } : { ...read, ...about }
}

function hasOneId({ id, event_id: eventId }: JsonObject): boolean {
  return id === undefined || eventId === undefined || parseHex(id, 32) === parseHex(eventId, 32)
}

function withEventId(payload: JsonObject): JsonObject {
  // In place: a copy would forget that a member was named twice.
  payload.event_id = payload.id
  return payload
}

function readFilterMessage(type: 'REQ' | 'COUNT', [id, ...list]: JsonValue[], limits: Limits): Read {
  if (id === undefined) return malformed(`${type} requires sub_id and filter`)
  const sub = readSubId(id, limits)
  if (typeof sub !== 'string') return sub
  if (list.length === 0) return { ...reject('invalid_message', `${type} requires sub_id and filter`), sub }
  if (list.length > limits.maxFilters)
    return { ...reject('limit_exceeded', undefined, `at most ${limits.maxFilters} filters`), sub }
  const filters: Filter[] = []
  for (const item of list) {
    const read = readFilter(inNanoseconds(item), { maxValues: limits.maxFilterValues })
    if (!read.ok) return { ...read, sub }
    // On Nostr stored events always come (spec 6.3).
    filters.push({ ...read.filter, replay: true })
  }
  return { ok: true, request: { type, sub, filters } }
}

/** The filter with its seconds scaled, `until` to the end of its second. */
function inNanoseconds(filter: JsonValue): JsonValue {
  if (!isJsonObject(filter)) return filter
  for (const [name, rest] of [
    ['since', 0n],
    ['until', SECOND - 1n],
  ] as const) {
    const time = readTime(filter[name])
    // In place: a copy would forget that a member was named twice.
    if (time !== undefined && time < SECONDS_BELOW) filter[name] = time * SECOND + rest
  }
  return filter
}

/** Undefined for what the filter's reader will refuse, or take for absent. */
function readTime(value: JsonValue | undefined): bigint | undefined {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return BigInt(value)
  if (typeof value === 'string' && /^[0-9]{1,20}$/.test(value)) return BigInt(value)
  return undefined
}

function readSubId(value: JsonValue | undefined, { maxSubId }: Limits): string | Reject {
  if (typeof value !== 'string' || value === '' || !value.isWellFormed())
    return malformed('sub_id must be string')
  if (Buffer.byteLength(value) > maxSubId)
    return reject('limit_exceeded', undefined, `sub_id: at most ${maxSubId} bytes`)
  // A slice of the message would keep all of it in memory for as long as the subscription lives.
  return Buffer.from(value).toString()
}

function malformed(text: string): Reject {
  return gatewayReject('invalid_message', text)
}
