/** Reading what a client sends as JSON (spec 4.1, 3.2). Unknown members are ignored; error texts are the kept ones. */
import { reject } from '../codes.js'
import { readEvent } from '../event-json.js'
import type { Filter } from '../filter.js'
import { readFilter } from '../filter-read.js'
import { fromHex, parseHex } from '../hex.js'
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../json.js'
import { ENVELOPE_TYPES, envelopeType } from './envelope.js'
import { MAX_FILTERS, MAX_VALUES } from './filter-buffer.js'
import { readCount, readPlace, readSeqs, readTerms } from './mailbox-message.js'
import type { ClientMessage, MessageReject, ReadOptions } from './message.js'

type Read = { ok: true; message: ClientMessage } | MessageReject

const MAX_SUB_ID = 128
const utf8 = new TextEncoder()

/**
 * Reads one message of a client.
 *
 * Not JSON, not an object, an unknown type, a wrong shape: `invalid_message`; a bad event: `invalid_event`; a bad filter:
 * `invalid_filter`, an unknown filter key or hello version: `unsupported`; a `sub_id` of more than 128 bytes, too many
 * filters or values: `limit_exceeded`; a noise message without hex: `noise_error`.
 */
export function readMessage(text: string, options: ReadOptions = {}): Read {
  const opened = openMessage(text, options)
  if (!opened.ok) return opened
  const { type, body } = opened
  switch (type) {
    case 'hello':
      return readHello(body)
    case 'publish':
    case 'auth':
      return readEventMessage(type, body, options)
    case 'subscribe':
      return readSubscribe(body, options)
    case 'mailbox':
      return readMailbox(body, options)
    case 'mailbox_ack':
    case 'mailbox_nack':
    case 'mailbox_delete':
      return readMailboxRequest(type, body)
    case 'unsubscribe': {
      const subId = readSubId(body.sub_id, 'unsubscribe requires sub_id')
      return typeof subId === 'string' ? { ok: true, message: { type, subId } } : subId
    }
    case 'noise': {
      const payload = readNoisePayload(body)
      return payload instanceof Uint8Array ? { ok: true, message: { type, payload } } : payload
    }
    default:
      return reject('invalid_message', 'unknown message type')
  }
}

/** Parses the object and finds its type, which an envelope confirms or supplies (spec 4.2). */
export function openMessage(
  text: string,
  { envelope, maxDepth }: ReadOptions,
): { ok: true; type: string; body: JsonObject } | MessageReject {
  const parsed = parseJson(text, maxDepth === undefined ? {} : { maxDepth })
  if (!parsed.ok) return parsed
  const body = parsed.value
  if (!isJsonObject(body)) return reject('invalid_message', 'message must be object')
  if (body.type === undefined && envelope !== undefined) {
    const type = ENVELOPE_TYPES[envelope]
    return type === undefined ? reject('invalid_message', 'unknown message type') : { ok: true, type, body }
  }
  if (typeof body.type !== 'string') return reject('invalid_message', 'message type missing')
  if (envelope !== undefined && envelopeType(body.type) !== envelope) {
    return reject('invalid_message', 'unknown message type', 'envelope and message differ in type')
  }
  return { ok: true, type: body.type, body }
}

/** `noise_error` unless `payload_hex` is hex. */
export function readNoisePayload(body: JsonObject): Uint8Array | MessageReject {
  const text = body.payload_hex
  if (typeof text !== 'string') return reject('noise_error', 'noise payload missing')
  const hex = text.length % 2 === 0 ? parseHex(text, text.length / 2) : undefined
  if (hex === undefined) return reject('noise_error', 'noise payload missing', 'payload_hex must be hex')
  return fromHex(hex)
}

/** The strings of a list; undefined when it is no list of strings. */
export function readTexts(value: JsonValue | undefined): string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const texts = value.filter((item) => typeof item === 'string')
  return texts.length === value.length ? texts : undefined
}

/** A noise demand that cannot be read is refused, not taken for none (spec 8.1: required is always honoured). */
function readHello(body: JsonObject): Read {
  const version = body.version ?? 1
  if (typeof version !== 'number' && typeof version !== 'bigint') {
    return reject('unsupported', undefined, 'version must be an integer')
  }
  if (version < 1) return reject('unsupported', undefined, 'version must be 1 or more')
  const noise = body.noise ?? {}
  if (!isJsonObject(noise)) return reject('invalid_message', undefined, 'noise must be object')
  const required = noise.required ?? false
  if (typeof required !== 'boolean')
    return reject('invalid_message', undefined, 'noise.required must be bool')
  const pubkey = parseHex(noise.pubkey, 32)
  const formats = readTexts(body.formats) ?? []
  return {
    ok: true,
    message: {
      type: 'hello',
      version: Number(version),
      formats: formats.length > 0 ? formats : ['json'],
      noise: { required, ...(pubkey !== undefined && { pubkey }) },
      features: readTexts(body.features) ?? [],
    },
  }
}

function readEventMessage(type: 'publish' | 'auth', body: JsonObject, options: ReadOptions): Read {
  if (!isJsonObject(body.event)) return reject('invalid_message', 'publish event must be mapping')
  const read = readEvent(body.event, options)
  if (!read.ok) {
    const eventId = parseHex(body.event.event_id, 32)
    return eventId === undefined ? read : { ...read, eventId }
  }
  const { event, rounded } = read
  return { ok: true, message: { type, event, ...(rounded !== undefined && { rounded }) } }
}

function readSubscribe(body: JsonObject, options: ReadOptions): Read {
  const subId = readSubId(body.sub_id, 'subscribe requires sub_id')
  if (typeof subId !== 'string') return subId
  const after = body.after ?? undefined
  if (after !== undefined && typeof after !== 'string') {
    return { ...reject('invalid_message', undefined, 'after must be a cursor'), subId }
  }
  const read = readFilters(body.filters === undefined ? [] : body.filters, options)
  if (!read.ok) return { ...read, subId }
  const { filters } = read
  return { ok: true, message: { type: 'subscribe', subId, filters, ...(after !== undefined && { after }) } }
}

function readMailbox(body: JsonObject, options: ReadOptions): Read {
  const subId = readSubId(body.sub_id, undefined)
  if (typeof subId !== 'string') return subId
  const read = readTerms(body)
  if (!read.ok) return { ...read, subId }
  const filters = body.filters == null ? undefined : readFilters(body.filters, options)
  if (filters?.ok === false) return { ...filters, subId }
  return {
    ok: true,
    message: { type: 'mailbox', subId, ...read.terms, ...(filters && { filters: filters.filters }) },
  }
}

function readMailboxRequest(type: 'mailbox_ack' | 'mailbox_nack' | 'mailbox_delete', body: JsonObject): Read {
  const subId = readSubId(body.sub_id, undefined)
  if (typeof subId !== 'string') return subId
  if (type === 'mailbox_delete') {
    const place = readPlace(body)
    if (!place.ok) return { ...place, subId }
    return { ok: true, message: { type, subId, pubkey: place.pubkey, name: place.name } }
  }
  const read = readSeqs(body)
  if (!read.ok) return { ...read, subId }
  const { seqs } = read
  if (type === 'mailbox_ack') return { ok: true, message: { type, subId, seqs } }
  const delayMs = readCount(body, 'delay_ms', 0)
  if (typeof delayMs === 'object') return { ...delayMs, subId }
  return { ok: true, message: { type, subId, seqs, ...(delayMs !== undefined && { delayMs }) } }
}

function readFilters(
  list: JsonValue,
  { maxFilters = MAX_FILTERS, maxValues = MAX_VALUES }: ReadOptions,
): { ok: true; filters: Filter[] } | MessageReject {
  if (!Array.isArray(list)) return reject('invalid_message', 'filters must be list')
  if (list.length > maxFilters) return reject('limit_exceeded', undefined, `at most ${maxFilters} filters`)
  const filters: Filter[] = []
  for (const item of list) {
    const read = readFilter(item, { maxValues })
    if (!read.ok) return read
    filters.push(read.filter)
  }
  return { ok: true, filters }
}

function readSubId(value: JsonValue | undefined, missing: string | undefined): string | MessageReject {
  if (typeof value !== 'string' || value === '')
    return reject('invalid_message', missing, missing === undefined ? 'sub_id missing' : undefined)
  if (!value.isWellFormed()) {
    return reject('invalid_message', missing, 'sub_id must be well-formed Unicode')
  }
  if (value.length > MAX_SUB_ID || utf8.encode(value).length > MAX_SUB_ID) {
    return reject('limit_exceeded', undefined, `sub_id: at most ${MAX_SUB_ID} bytes`)
  }
  return value
}
