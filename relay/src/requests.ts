/** What a peer asks of a session, in one vocabulary for JSON, envelopes and `aether.v2` frames (spec 4.1, 5.2). */
import {
  type ClientMessage,
  decodeFrame,
  type Event,
  type Filter,
  type Frame,
  type MailboxTerms,
  type Reject,
  readMessage,
  reject,
} from '@aetherkit/core'
import type { Limits } from './limits.js'
import type { SubId } from './replies.js'

export type Request =
  | { readonly type: 'hello'; readonly hello: Extract<ClientMessage, { type: 'hello' }> }
  | { readonly type: 'publish'; readonly event: Event; readonly rounded?: bigint | undefined }
  | {
      readonly type: 'subscribe'
      readonly sub: SubId
      readonly filters: readonly Filter[]
      readonly after?: string | undefined
    }
  | { readonly type: 'unsubscribe'; readonly sub: SubId }
  | { readonly type: 'auth'; readonly event: Event; readonly rounded?: bigint | undefined }
  | ({ readonly type: 'mailbox'; readonly sub: SubId } & MailboxTerms)
  | { readonly type: 'mailbox_ack'; readonly sub: SubId; readonly seqs: readonly bigint[] }
  | {
      readonly type: 'mailbox_nack'
      readonly sub: SubId
      readonly seqs: readonly bigint[]
      readonly delayMs?: number | undefined
    }
  | {
      readonly type: 'mailbox_delete'
      readonly sub: SubId
      readonly pubkey: string
      readonly name: string
    }

/** A reject and what it is about. */
export type Refusal = Reject & { readonly eventId?: string; readonly sub?: SubId }

/** `envelope`: the id of the envelope the JSON came in. */
export function readJsonRequest(
  json: string,
  limits: Limits,
  options: { readonly base64: boolean; readonly envelope?: number | undefined },
): { ok: true; request: Request } | Refusal {
  const { maxJsonDepth: maxDepth, maxFilters, maxFilterValues: maxValues } = limits
  const { base64, envelope } = options
  const read = readMessage(json, {
    base64,
    maxDepth,
    maxFilters,
    maxValues,
    ...(envelope !== undefined && { envelope }),
  })
  if (!read.ok) {
    const { subId, ...rest } = read
    return subId === undefined ? rest : { ...rest, sub: subId }
  }
  const { message } = read
  switch (message.type) {
    case 'hello':
      return { ok: true, request: { type: 'hello', hello: message } }
    case 'publish':
    case 'auth':
      return { ok: true, request: message }
    case 'subscribe':
      return {
        ok: true,
        request: { type: 'subscribe', sub: message.subId, filters: message.filters, after: message.after },
      }
    case 'unsubscribe':
      return { ok: true, request: { type: 'unsubscribe', sub: message.subId } }
    case 'mailbox':
    case 'mailbox_ack':
    case 'mailbox_nack':
    case 'mailbox_delete':
      return { ok: true, request: { ...message, sub: message.subId } }
    case 'noise':
      return reject('noise_error', 'noise expected', 'no noise was agreed on')
  }
}

export function readFrameRequest(
  bytes: Uint8Array,
  limits: Limits,
): { ok: true; request: Request } | Refusal {
  const { maxFrame, maxFilters, maxFilterValues: maxValues } = limits
  const read = decodeFrame(bytes, { maxFrame, maxFilters, maxValues })
  return read.ok ? frameRequest(read.frame) : read
}

function frameRequest(frame: Frame): { ok: true; request: Request } | Refusal {
  switch (frame.type) {
    case 'hello':
      if (frame.version < 1) return reject('unsupported', undefined, 'version must be 1 or more')
      return {
        ok: true,
        request: {
          type: 'hello',
          hello: { ...frame, formats: ['aether.v2'], noise: { required: false } },
        },
      }
    case 'publish':
    case 'subscribe':
    case 'unsubscribe':
    case 'auth':
    case 'mailbox':
    case 'mailbox_ack':
    case 'mailbox_nack':
    case 'mailbox_delete':
      return { ok: true, request: frame }
    default:
      return reject('unsupported', undefined, `a relay takes no ${frame.type} frame`)
  }
}
