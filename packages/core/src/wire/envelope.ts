/**
 * The FlatBuffers envelope around native JSON messages (spec 4.2): `type` and the same JSON as `payload`.
 *
 *   0   root        4   u32 = 12
 *   4   vtable      8   8, 12, 8, 4
 *   12  table      12   i32 = 8, offset of the payload, u8 type (written even when 0), zeros
 *   24  payload     n   u32 length, UTF-8 JSON
 */
import { type Reject, reject } from '../codes.js'
import { hexAt } from '../hex.js'
import { isJsonObject, parseJson } from '../json.js'
import { readUtf8 } from './buffer-fields.js'
import { MESSAGE } from './buffer-shapes.js'
import { fieldAt } from './event-buffer.js'
import { type BufferLimits, broken, verifyBuffer } from './verify-buffer.js'

/** Envelope ids. Ids above 8 crash peers and are never sent; a message without an id travels as `ack`. */
export const ENVELOPE_TYPES: readonly string[] = [
  'hello',
  'welcome',
  'publish',
  'subscribe',
  'unsubscribe',
  'event',
  'ack',
  'error',
  'noise',
]

const encoder = new TextEncoder()
const ACK = 6
const NOISE = 8
const BRACE = 0x7b
const TYPE_FIRST = /^\{"type":"([A-Za-z_]+)"[,}]/

/** The envelope id that carries a message of this type. */
export function envelopeType(type: string): number {
  const index = ENVELOPE_TYPES.indexOf(type)
  return index < 0 ? ACK : index
}

/**
 * Wraps one JSON message.
 * @throws TypeError when the text is no JSON object with a `type`.
 */
export function encodeEnvelope(json: string): Uint8Array {
  const type = TYPE_FIRST.exec(json)?.[1] ?? typeMember(json)
  if (type === undefined) throw new TypeError('a JSON message with a type expected')
  if (!json.isWellFormed()) throw new TypeError('message must be well-formed Unicode')
  const payload = encoder.encode(json)
  const bytes = new Uint8Array(28 + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 12, true)
  view.setUint32(4, 8 | (12 << 16), true)
  view.setUint32(8, 8 | (4 << 16), true)
  view.setUint32(12, 8, true)
  view.setUint32(16, 8, true)
  bytes[20] = envelopeType(type)
  view.setUint32(24, payload.length, true)
  bytes.set(payload, 28)
  return bytes
}

/**
 * Opens an envelope. `type` is its id, 0 when the field is missing; `json` is the payload as it stands, `{}` when there is
 * none. A noise payload that is raw bytes comes as the JSON message with `payload_hex`. Broken bounds, text that is not
 * UTF-8, an id above 8: `invalid_message`. Whether inner and outer type agree is for the reader of the JSON.
 */
export function decodeEnvelope(
  bytes: Uint8Array,
  limits: BufferLimits = {},
): { ok: true; json: string; type: number } | Reject {
  const refused = verifyBuffer(bytes, MESSAGE, undefined, limits)
  if (refused !== undefined) return refused
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const table = view.getUint32(0, true)
  const typeAt = fieldAt(view, table, 0)
  const payloadField = fieldAt(view, table, 1)
  const type = typeAt === 0 ? 0 : bytes[typeAt]!
  if (type >= ENVELOPE_TYPES.length) return reject('invalid_message', 'unknown message type')
  if (payloadField === 0) return { ok: true, json: '{}', type }
  const payload = payloadField + view.getUint32(payloadField, true)
  const length = view.getUint32(payload, true)
  if (length === 0) return { ok: true, json: '{}', type }
  if (type === NOISE && bytes[payload + 4] !== BRACE) {
    return { ok: true, json: `{"type":"noise","payload_hex":"${hexAt(bytes, payload + 4, length)}"}`, type }
  }
  const json = readUtf8(bytes, payload + 4, length)
  return json === undefined ? broken('payload is not UTF-8') : { ok: true, json, type }
}

/**
 * Reads a binary message of a native session: JSON when it begins with `{` (then without `type`), else an envelope.
 * A root offset is a multiple of 4, so the first byte decides (spec 4).
 */
export function decodeBinary(
  bytes: Uint8Array,
  limits: BufferLimits = {},
): { ok: true; json: string; type?: number } | Reject {
  if (bytes[0] !== BRACE) return decodeEnvelope(bytes, limits)
  const json = readUtf8(bytes, 0, bytes.length)
  return json === undefined ? broken('message is not UTF-8') : { ok: true, json }
}

function typeMember(json: string): string | undefined {
  const parsed = parseJson(json)
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined
  const { type } = parsed.value
  return typeof type === 'string' ? type : undefined
}
