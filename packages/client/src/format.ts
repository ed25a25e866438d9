/**
 * What goes over a session, in one vocabulary, and its two wordings: `aether.v2` frames (spec 5) and JSON messages
 * (spec 4.1). Above this file nobody knows which of the two a relay speaks.
 */
import {
  codeByNumber,
  decodeBinary,
  decodeFrame,
  type Event,
  encodeFrame,
  type Filter,
  type Frame,
  type MailboxTerms,
  REJECTS,
  type Reject,
  type RejectCode,
  type RelayMessage,
  readRelayMessage,
  reject,
  type Status,
  writeMessage,
} from '@aetherkit/core'

export type FormatName = 'aether.v2' | 'json'

/** From us. `sub` is a number of ours, the same at every relay. */
export type OutFrame =
  | { readonly type: 'publish'; readonly event: Event }
  | {
      readonly type: 'subscribe'
      readonly sub: number
      readonly filters: readonly Filter[]
      /** Cursor `<epoch>-<seq>`. */
      readonly after?: string
    }
  | { readonly type: 'unsubscribe'; readonly sub: number }
  | { readonly type: 'auth'; readonly event: Event }
  | ({ readonly type: 'mailbox'; readonly sub: number } & MailboxTerms)
  | { readonly type: 'mailbox_ack'; readonly sub: number; readonly seqs: readonly bigint[] }
  | {
      readonly type: 'mailbox_nack'
      readonly sub: number
      readonly seqs: readonly bigint[]
      readonly delayMs?: number
    }
  | { readonly type: 'mailbox_delete'; readonly sub: number; readonly pubkey: string; readonly name: string }

/** From a relay. What is absent the relay did not say: reference relays say little. */
export type InFrame =
  | { readonly type: 'accepted'; readonly id?: string; readonly status: Status; readonly seq?: bigint }
  | {
      readonly type: 'rejected'
      readonly id?: string
      readonly code: RejectCode
      readonly error: string
      readonly retryAfterMs?: number
    }
  | { readonly type: 'subscribed'; readonly sub: number; readonly gap: boolean }
  | {
      readonly type: 'deliver'
      /** Empty for a live event of `aether.v2`: match it against our own filters. */
      readonly subs: readonly number[]
      readonly seq?: bigint
      readonly stored: boolean
      /** Of a mailbox: how often it was delivered, this time included. */
      readonly deliveries?: number
      readonly event: Event
    }
  | { readonly type: 'end'; readonly sub: number; readonly cursor?: string }
  | { readonly type: 'closed'; readonly sub: number; readonly code: RejectCode; readonly error: string }
  | { readonly type: 'notice'; readonly message: string }
  | { readonly type: 'challenge'; readonly challenge: string }
  | { readonly type: 'mailbox_acked'; readonly sub: number; readonly seqs: readonly bigint[] }
  | { readonly type: 'mailbox_deleted'; readonly sub: number }

/** `frame` is undefined for what needs no attention. */
export type Decoded = { readonly ok: true; readonly frame: InFrame | undefined } | Reject

export interface Format {
  readonly name: FormatName
  /** @throws TypeError for an event that this session cannot carry. */
  encode(frame: OutFrame): string | Uint8Array
  decode(data: string | Uint8Array): Decoded
}

export interface FormatOptions {
  /** Bytes. */
  readonly maxFrame: number
  /** Whether the relay takes content that is no text (spec 1.6). */
  readonly base64: boolean
}

export function createFormat(name: FormatName, options: FormatOptions): Format {
  return name === 'aether.v2' ? binaryFormat(options) : jsonFormat(options)
}

function binaryFormat({ maxFrame }: FormatOptions): Format {
  return {
    name: 'aether.v2',
    encode: (frame) => encodeFrame(frame),
    decode(data) {
      if (typeof data === 'string') return reject('invalid_message', undefined, 'text in a binary session')
      const decoded = decodeFrame(data, { maxFrame })
      return decoded.ok ? { ok: true, frame: fromFrame(decoded.frame) } : decoded
    },
  }
}

function fromFrame(frame: Frame): InFrame | undefined {
  switch (frame.type) {
    case 'accepted':
    case 'subscribed':
    case 'deliver':
    case 'end':
    case 'mailbox_acked':
    case 'mailbox_deleted':
      return frame
    case 'authChallenge':
      return { type: 'challenge', challenge: frame.challenge }
    case 'rejected': {
      const { type, id, code, message, retryAfterMs } = frame
      return {
        type,
        ...(id !== undefined && { id }),
        ...explain(codeByNumber(code), message),
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      }
    }
    case 'closed':
      return { type: 'closed', sub: frame.sub, ...explain(codeByNumber(frame.code), frame.message) }
    default:
      return undefined
  }
}

function jsonFormat({ base64 }: FormatOptions): Format {
  return {
    name: 'json',
    encode(frame) {
      if (frame.type === 'publish' || frame.type === 'auth') return writeMessage(frame, { base64 })
      const { sub, ...rest } = frame
      return writeMessage({ ...rest, subId: String(sub) })
    },
    decode(data) {
      const text = typeof data === 'string' ? { ok: true as const, json: data } : decodeBinary(data)
      if (!text.ok) return text
      const read = readRelayMessage(text.json, { base64: true })
      if (!read.ok) return read
      return { ok: true, frame: read.message === undefined ? undefined : fromMessage(read.message) }
    },
  }
}

function fromMessage(message: RelayMessage): InFrame | undefined {
  switch (message.type) {
    case 'ack': {
      const { eventId, status = 'stored', seq } = message
      return {
        type: 'accepted',
        status,
        ...(eventId !== undefined && { id: eventId }),
        ...(seq !== undefined && { seq }),
      }
    }
    case 'error': {
      const { eventId, subId, retryAfterMs } = message
      const why = explain(message.code, message.message ?? message.error)
      if (subId !== undefined) return { type: 'closed', sub: subOf(subId), ...why }
      return {
        type: 'rejected',
        ...(eventId !== undefined && { id: eventId }),
        ...why,
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      }
    }
    case 'event': {
      const { subId, event, seq, stored, deliveries } = message
      return {
        ...{ type: 'deliver', subs: [subOf(subId)], event, stored },
        ...(seq !== undefined && { seq }),
        ...(deliveries !== undefined && { deliveries }),
      }
    }
    case 'subscribed':
      return { type: 'subscribed', sub: subOf(message.subId), gap: message.gap }
    case 'eose':
      return {
        type: 'end',
        sub: subOf(message.subId),
        ...(message.cursor !== undefined && { cursor: message.cursor }),
      }
    case 'closed':
      return { type: 'closed', sub: subOf(message.subId), ...explain(message.code, message.error) }
    case 'notice':
      return message
    case 'auth':
      return { type: 'challenge', challenge: message.challenge }
    case 'mailbox_acked':
      return { type: 'mailbox_acked', sub: subOf(message.subId), seqs: message.seqs }
    case 'mailbox_deleted':
      return { type: 'mailbox_deleted', sub: subOf(message.subId) }
    default:
      return undefined
  }
}

/** 0 is no subscription of ours. */
function subOf(subId: string): number {
  return /^[1-9]\d{0,9}$/.test(subId) ? Number(subId) : 0
}

/** A code outside the table is our fault or the relay's: either way not one that a caller can act on. */
function explain(code: RejectCode | undefined, text: string): { code: RejectCode; error: string } {
  const known = code ?? codeOfText(text)
  return { code: known, error: text === '' ? REJECTS[known].error : text }
}

/** Relays that send no code send one of the kept texts (spec 3.2). */
function codeOfText(text: string): RejectCode {
  for (const [code, row] of Object.entries(REJECTS)) if (row.error === text) return code as RejectCode
  return 'internal'
}
