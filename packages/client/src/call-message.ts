/**
 * Calls between agents: what is inside the sealed content of an ephemeral event of kind 21000 with the recipient in its
 * `p` tag. JSON, one of
 *
 *   {v: 1, type: "request",  id, action, payload, deadline}   deadline: ms that the caller goes on waiting
 *   {v: 1, type: "ack",      id}                              the agent has it and works
 *   {v: 1, type: "response", id, payload}
 *   {v: 1, type: "error",    id, code, message}
 *
 * The event's signature says from whom; seal and `p` tag bind it to the recipient. An `id` means one call of one caller:
 * the caller repeats the request in a new event, under the same id, until it has an answer.
 */

export const CALL_KIND = 21000
/** The longest time a caller may ask for, ms. */
export const MAX_DEADLINE_MS = 3_600_000
const MAX_ID = 128
const MAX_ACTION = 256
const MAX_CODE = 64
const MAX_MESSAGE = 2_000

/** Plain JSON. */
export type Json = null | boolean | number | string | readonly Json[] | JsonRecord
export interface JsonRecord {
  readonly [key: string]: Json | undefined
}

export interface CallRequest {
  readonly type: 'request'
  /** 1 to 128 characters. */
  readonly id: string
  /** 1 to 256 characters. */
  readonly action: string
  readonly payload: Json
  /** Milliseconds, up to an hour. */
  readonly deadline: number
}

export type CallReply =
  | { readonly type: 'response'; readonly payload: Json }
  | { readonly type: 'error'; readonly code: string; readonly message: string }

export type CallMessage =
  | CallRequest
  | { readonly type: 'ack'; readonly id: string }
  | (CallReply & { readonly id: string })

/** @throws TypeError for a payload that JSON cannot hold. */
export function writeCallMessage(message: CallMessage): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ v: 1, ...message }))
}

/** Undefined for anything that is not one of the four. */
export function readCallMessage(plain: Uint8Array): CallMessage | undefined {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain))
  } catch {
    return undefined
  }
  if (!isRecord(value) || value.v !== 1) return undefined
  const { type, id, action, payload = null, deadline, code, message } = value
  if (!isText(id, MAX_ID)) return undefined
  switch (type) {
    case 'request':
      if (!isText(action, MAX_ACTION) || typeof deadline !== 'number' || !(deadline > 0)) return undefined
      return { type, id, action, payload, deadline: Math.min(deadline, MAX_DEADLINE_MS) }
    case 'ack':
      return { type, id }
    case 'response':
      return { type, id, payload }
    case 'error':
      if (!isText(code, MAX_CODE) || typeof message !== 'string') return undefined
      return { type, id, code, message: message.slice(0, MAX_MESSAGE) }
    default:
      return undefined
  }
}

/** @throws RangeError for an id or an action of a wrong length. */
export function checkCall({ id, action }: { readonly id: string; readonly action: string }): void {
  if (!isText(id, MAX_ID)) throw new RangeError(`id must have 1 to ${MAX_ID} characters`)
  if (!isText(action, MAX_ACTION)) throw new RangeError(`action must have 1 to ${MAX_ACTION} characters`)
}

/** An error as it may travel: bounded. */
export function errorReply(code: string, message: string): CallReply {
  const short = code === '' ? 'PEER_ERROR' : code.slice(0, MAX_CODE)
  return { type: 'error', code: short, message: message.slice(0, MAX_MESSAGE) }
}

function isText(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= max
}

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
