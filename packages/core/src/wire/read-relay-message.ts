/** Reading what a relay sends as JSON (spec 4.1, 7.2): tolerant of whatever it does not need. */
import { isRejectCode, type RejectCode, reject } from '../codes.js'
import { readEvent, readInteger } from '../event-json.js'
import { parseHex } from '../hex.js'
import { isJsonObject, type JsonObject, type JsonValue } from '../json.js'
import { STATUSES, type Status } from './frame-buffer.js'
import { readSeqs } from './mailbox-message.js'
import type { MessageReject, ReadOptions, RelayMessage } from './message.js'
import { openMessage, readNoisePayload, readTexts } from './read-message.js'

/** `message` is undefined for a type we do not know: ignore it. */
type Read = { ok: true; message: RelayMessage | undefined } | MessageReject

/**
 * Reads one message of a relay. Unknown types and unknown members are ignored, optional members of a wrong shape count as
 * absent. Not JSON, no type, or without the member the message is about: `invalid_message`; a bad event: `invalid_event`.
 */
export function readRelayMessage(text: string, options: ReadOptions = {}): Read {
  const opened = openMessage(text, options)
  if (!opened.ok) return opened
  const { type, body } = opened
  switch (type) {
    case 'welcome':
      return { ok: true, message: readWelcome(body) }
    case 'subscribed':
      return about(body, (subId) => ({ type, subId, gap: body.gap === true }))
    case 'unsubscribed':
    case 'mailbox_deleted':
      return about(body, (subId) => ({ type, subId }))
    case 'mailbox_acked': {
      const read = readSeqs(body)
      return read.ok ? about(body, (subId) => ({ type, subId, seqs: read.seqs })) : read
    }
    case 'eose': {
      const cursor = typeof body.cursor === 'string' ? { cursor: body.cursor } : {}
      return about(body, (subId) => ({ type, subId, ...cursor }))
    }
    case 'closed':
      return about(body, (subId) => ({ type, subId, ...codeOf(body), error: textOr(body.error, '') }))
    case 'event':
      return readDelivery(body, options)
    case 'ack':
      return { ok: true, message: readAck(body) }
    case 'error':
      return { ok: true, message: readError(body) }
    case 'noise': {
      const payload = readNoisePayload(body)
      return payload instanceof Uint8Array ? { ok: true, message: { type, payload } } : payload
    }
    case 'auth':
      return typeof body.challenge === 'string'
        ? { ok: true, message: { type, challenge: body.challenge } }
        : reject('invalid_message', undefined, 'auth without challenge')
    case 'notice':
      return { ok: true, message: { type, message: textOr(body.message, '') } }
    case 'info':
      return isJsonObject(body.info)
        ? { ok: true, message: { type, info: body.info } }
        : reject('invalid_message', undefined, 'info must be object')
    default:
      return { ok: true, message: undefined }
  }
}

function about(body: JsonObject, message: (subId: string) => RelayMessage): Read {
  return typeof body.sub_id === 'string'
    ? { ok: true, message: message(body.sub_id) }
    : reject('invalid_message', undefined, 'sub_id missing')
}

function readWelcome(body: JsonObject): RelayMessage {
  const noise: JsonObject = isJsonObject(body.noise) ? body.noise : {}
  const pubkey = parseHex(noise.pubkey, 32)
  const limits = isJsonObject(body.limits) ? numbersOf(body.limits) : undefined
  return {
    type: 'welcome',
    version: Number(readInteger(body.version) ?? 1n),
    format: textOr(body.format, 'json'),
    noise: {
      required: noise.required === true,
      ...(pubkey !== undefined && { pubkey }),
      ...(typeof noise.pattern === 'string' && { pattern: noise.pattern }),
    },
    features: readTexts(body.features) ?? [],
    ...(limits !== undefined && { limits }),
    ...(typeof body.epoch === 'string' && { epoch: body.epoch }),
  }
}

function readDelivery(body: JsonObject, options: ReadOptions): Read {
  return typeof body.sub_id === 'string' && isJsonObject(body.event)
    ? readDelivered(body.sub_id, body.event, body, options)
    : reject('invalid_message', undefined, 'event without sub_id or event')
}

function readDelivered(subId: string, value: JsonObject, body: JsonObject, options: ReadOptions): Read {
  const read = readEvent(value, options)
  if (!read.ok) return { ...read, subId }
  const stored = body.stored === true
  const { deliveries } = body
  const often = typeof deliveries === 'number' && deliveries > 0 ? { deliveries } : {}
  return { ok: true, message: { type: 'event', subId, event: read.event, ...seqOf(body), stored, ...often } }
}

function readAck(body: JsonObject): RelayMessage {
  const eventId = parseHex(body.event_id, 32)
  const status = STATUSES.find((name): name is Status => name === body.status)
  return {
    type: 'ack',
    ...(eventId !== undefined && { eventId }),
    ...(status !== undefined && { status }),
    ...seqOf(body),
    ...(typeof body.cursor === 'string' && { cursor: body.cursor }),
  }
}

function readError(body: JsonObject): RelayMessage {
  const eventId = parseHex(body.event_id, 32)
  const retryAfterMs = body.retry_after_ms
  return {
    type: 'error',
    error: textOr(body.error, ''),
    ...(typeof body.message === 'string' && { message: body.message }),
    ...codeOf(body),
    ...(typeof body.detail === 'string' && { detail: body.detail }),
    ...(eventId !== undefined && { eventId }),
    ...(typeof body.sub_id === 'string' && { subId: body.sub_id }),
    ...(typeof retryAfterMs === 'number' && retryAfterMs >= 0 && { retryAfterMs }),
  }
}

function codeOf(body: JsonObject): { code?: RejectCode } {
  return isRejectCode(body.code) ? { code: body.code } : {}
}

function seqOf(body: JsonObject): { seq?: bigint } {
  const seq = readInteger(body.seq)
  return seq === undefined || seq < 0n ? {} : { seq }
}

function textOr(value: JsonValue | undefined, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise
}

function numbersOf(object: JsonObject): Record<string, number> {
  const numbers: Record<string, number> = {}
  for (const [name, value] of Object.entries(object)) {
    if (typeof value === 'number' || typeof value === 'bigint') numbers[name] = Number(value)
  }
  return numbers
}
