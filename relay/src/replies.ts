/** What a session says to its peer, in one vocabulary, and its two wordings: JSON messages and `aether.v2` frames. */
import {
  encodeAccepted,
  encodeFrame,
  REJECTS,
  type Reject,
  type RelayMessage,
  type Status,
  writeMessage,
} from '@aetherkit/core'

/** A subscription's name on its connection: a text in JSON and the envelope, a number in `aether.v2`. */
export type SubId = string | number

export type Reply =
  | { readonly type: 'ack'; readonly eventId: string; readonly status: Status; readonly seq: bigint }
  | { readonly type: 'error'; readonly reject: Reject; readonly eventId?: string; readonly sub?: SubId }
  | { readonly type: 'subscribed'; readonly sub: SubId; readonly gap: boolean }
  | { readonly type: 'unsubscribed'; readonly sub: SubId }
  | { readonly type: 'eose'; readonly sub: SubId; readonly cursor: string }
  | { readonly type: 'closed'; readonly sub: SubId; readonly reject: Reject }
  | { readonly type: 'auth'; readonly challenge: string }
  | { readonly type: 'mailbox_acked'; readonly sub: SubId; readonly seqs: readonly bigint[] }
  | { readonly type: 'mailbox_deleted'; readonly sub: SubId }

/** How a surface words an error in JSON. */
export type ErrorWording = (reply: Extract<Reply, { type: 'error' }>) => RelayMessage

/**
 * The JSON message (spec 4.1, 7.2). Seq 0 is none: a duplicate known by its id only. `wording`: how the surface says
 * errors.
 */
export function replyJson(reply: Reply, epoch: string, wording: ErrorWording = nativeError): string {
  if (reply.type === 'ack') {
    const place = reply.seq === 0n ? '' : `,"seq":${reply.seq},"cursor":"${epoch}-${reply.seq}"`
    return `{"type":"ack","event_id":"${reply.eventId}","status":"${reply.status}"${place}}`
  }
  return writeMessage(reply.type === 'error' ? wording(reply) : jsonMessage(reply))
}

/** The binary frame (spec 5.2); undefined for `unsubscribed`, which has none. */
export function replyFrame(reply: Reply): Uint8Array | undefined {
  const sub = 'sub' in reply && typeof reply.sub === 'number' ? reply.sub : undefined
  switch (reply.type) {
    case 'ack':
      return encodeAccepted(reply.eventId, reply.status, reply.seq)
    case 'error': {
      const { code, error, retryAfterMs } = reply.reject
      // Only `Closed` can name the subscription that was refused.
      if (sub !== undefined)
        return encodeFrame({ type: 'closed', sub, code: REJECTS[code].n, message: error })
      return encodeFrame({
        type: 'rejected',
        code: REJECTS[code].n,
        message: error,
        ...(reply.eventId !== undefined && { id: reply.eventId }),
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      })
    }
    case 'subscribed':
      return encodeFrame({ type: 'subscribed', sub: sub ?? 0, gap: reply.gap })
    case 'unsubscribed':
      return undefined
    case 'eose':
      return encodeFrame({ type: 'end', sub: sub ?? 0, cursor: reply.cursor })
    case 'mailbox_acked':
      return encodeFrame({ type: 'mailbox_acked', sub: sub ?? 0, seqs: reply.seqs })
    case 'mailbox_deleted':
      return encodeFrame({ type: 'mailbox_deleted', sub: sub ?? 0 })
    case 'auth':
      return encodeFrame({ type: 'authChallenge', challenge: reply.challenge })
    case 'closed': {
      const { code, error } = reply.reject
      return encodeFrame({ type: 'closed', sub: sub ?? 0, code: REJECTS[code].n, message: error })
    }
  }
}

/** The wording of the native surface. */
export function nativeError({ reject, eventId, sub }: Parameters<ErrorWording>[0]) {
  const { code, error, detail, retryAfterMs } = reject
  return {
    type: 'error',
    error,
    code,
    ...(detail !== undefined && { detail }),
    ...(eventId !== undefined && { eventId }),
    ...(sub !== undefined && { subId: String(sub) }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  } as const satisfies RelayMessage
}

function jsonMessage(reply: Exclude<Reply, { type: 'ack' | 'error' }>): RelayMessage {
  if (reply.type === 'auth') return reply
  const subId = String(reply.sub)
  switch (reply.type) {
    case 'subscribed':
      return { type: 'subscribed', subId, gap: reply.gap }
    case 'unsubscribed':
      return { type: 'unsubscribed', subId }
    case 'eose':
      return { type: 'eose', subId, cursor: reply.cursor }
    case 'closed':
      return { type: 'closed', subId, code: reply.reject.code, error: reply.reject.error }
    case 'mailbox_acked':
      return { type: 'mailbox_acked', subId, seqs: reply.seqs }
    case 'mailbox_deleted':
      return { type: 'mailbox_deleted', subId }
  }
}
