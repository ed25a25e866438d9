/**
 * Frames of A2A over Aether events (spec a2a 5): JSON inside the sealed content of an ephemeral event of kind 21013 with
 * the recipient in its `p` tag.
 *
 *   {v: 1, kind, id, seq?, from, to, params, body?}
 *
 *   request   caller   `body` is the JSON-RPC envelope; `id` names the call and is the same in every repetition
 *   response  agent    the one answer, an envelope
 *   event     agent    one of a stream, `seq` from 1, an envelope
 *   ack       caller   `seq`: the highest up to which nothing is missing
 *             agent    `params.sent`: the highest that was sent; the call is known
 *   end       agent    the stream is over, `seq` is one above its last event
 *   close     caller   leaves; the task runs on
 *
 * `from` and `to` are the event's author and recipient, hex, so that a frame that was opened cannot be handed on. Service
 * parameters are texts in `params`, as gRPC has them in metadata: `a2a-version`, `a2a-extensions`, `last-event-id`,
 * `deadline` (ms that the caller goes on waiting), and on an event `event-id`.
 */
import type { JsonRecord } from '../model.js'
import { isRecord } from '../read-fields.js'

/** 21000 is the calls of @aetherkit/client. */
export const A2A_KIND = 21013

const FRAME_KINDS = ['request', 'response', 'event', 'ack', 'end', 'close'] as const
type FrameKind = (typeof FRAME_KINDS)[number]

export interface Frame {
  readonly kind: FrameKind
  /** 1 to 128 characters. */
  readonly id: string
  readonly seq?: number
  /** Hex. */
  readonly from: string
  readonly to: string
  readonly params: Readonly<Record<string, string>>
  readonly body?: JsonRecord
}

/** A piece of a frame that is too long for one event: pieces of one sending have the same `set`. */
export interface Piece {
  readonly set: string
  /** From 0. */
  readonly part: number
  readonly total: number
  readonly from: string
  readonly to: string
  readonly data: Uint8Array
}

const MAX_ID = 128
const MAX_PARAM = 8_192
const PARAMS = ['a2a-version', 'a2a-extensions', 'last-event-id', 'deadline', 'event-id', 'sent']

export function writeFrame({ body, ...frame }: Frame): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ v: 1, ...frame, ...(body !== undefined && { body }) }))
}

export function writePiece({ data, ...piece }: Piece): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify({ v: 1, kind: 'part', ...piece, data: Buffer.from(data).toString('base64') }),
  )
}

/** Undefined for anything that is neither. */
export function readFrame(plain: Uint8Array): Frame | Piece | undefined {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain))
  } catch {
    return undefined
  }
  if (!isRecord(value) || value.v !== 1) return undefined
  const { from, to } = value
  if (typeof from !== 'string' || typeof to !== 'string') return undefined
  return value.kind === 'part' ? readPiece(value, from, to) : readWhole(value, from, to)
}

export function isPiece(frame: Frame | Piece): frame is Piece {
  return 'set' in frame
}

function readWhole(value: JsonRecord, from: string, to: string): Frame | undefined {
  const { kind, id, seq, params = {}, body } = value
  const known = FRAME_KINDS.find((name) => name === kind)
  if (known === undefined || !isText(id, MAX_ID) || !isRecord(params)) return undefined
  if (seq !== undefined && !isCount(seq)) return undefined
  if (body !== undefined && !isRecord(body)) return undefined
  const texts = PARAMS.flatMap((name) => {
    const text = params[name]
    return isText(text, MAX_PARAM) ? [[name, text] as const] : []
  })
  return {
    kind: known,
    id,
    from,
    to,
    params: Object.fromEntries(texts),
    ...(seq !== undefined && { seq }),
    ...(body !== undefined && { body }),
  }
}

function readPiece({ set, part, total, data }: JsonRecord, from: string, to: string): Piece | undefined {
  if (!isText(set, MAX_ID) || !isCount(part) || !isCount(total) || part >= total) return undefined
  if (typeof data !== 'string') return undefined
  return { set, part, total, from, to, data: new Uint8Array(Buffer.from(data, 'base64')) }
}

function isText(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= max
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
