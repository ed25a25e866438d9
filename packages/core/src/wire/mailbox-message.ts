/**
 * The messages of durable mailboxes (schemas/README.md, "Mailboxes"), which the specification does not have: as values,
 * and read from JSON. A mailbox is named by whose events it is for and by a name of its consumer.
 */
import { type Reject, reject } from '../codes.js'
import { readInteger } from '../event-json.js'
import type { Filter } from '../filter.js'
import { parseHex } from '../hex.js'
import type { JsonObject } from '../json.js'
import { U32, U64 } from './frame-buffer.js'

/** How a mailbox is opened; the same for JSON and frames. */
export interface MailboxTerms {
  /** Whose: events with a `p` tag of this key, hex. */
  readonly pubkey: string
  readonly name: string
  /** What narrows it; absent: nothing does. */
  readonly filters?: readonly Filter[]
  /** Where a new mailbox begins: with all that is stored, or with what comes. */
  readonly from: 'start' | 'now'
  /** After so many milliseconds without an ack an event is delivered again. Absent: 30 000. */
  readonly ackTimeoutMs?: number
  /** Deliveries without an ack at most. Absent: 64. */
  readonly maxUnacked?: number
}

/** From a client; `Sub` is how the form names a subscription. */
export type MailboxRequest<Sub> =
  | ({ readonly type: 'mailbox' } & Sub & MailboxTerms)
  | ({ readonly type: 'mailbox_ack'; readonly seqs: readonly bigint[] } & Sub)
  | ({ readonly type: 'mailbox_nack'; readonly seqs: readonly bigint[]; readonly delayMs?: number } & Sub)
  | ({ readonly type: 'mailbox_delete'; readonly pubkey: string; readonly name: string } & Sub)

/** From a relay. */
export type MailboxAnswer<Sub> =
  /** On disk: these events never come again. */
  | ({ readonly type: 'mailbox_acked'; readonly seqs: readonly bigint[] } & Sub)
  | ({ readonly type: 'mailbox_deleted' } & Sub)

/** Events that one ack or nack may name. */
export const MAX_SEQS = 1000

/** Whether a text can name a consumer: 1 to 64 of `A-Z a-z 0-9 . _ -`. */
export function isMailboxName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(name)
}

/** The refusal of a name that is none. */
export function badName(): Reject {
  return reject('invalid_message', undefined, 'name must be 1 to 64 of A-Z a-z 0-9 . _ -')
}

/** More than {@link MAX_SEQS} at once. */
export function tooManySeqs(): Reject {
  return reject('limit_exceeded', undefined, `seqs: at most ${MAX_SEQS}`)
}

/** The terms but for the filters. `invalid_message` for a field of the wrong shape. */
export function readTerms(body: JsonObject): { ok: true; terms: Omit<MailboxTerms, 'filters'> } | Reject {
  const place = readPlace(body)
  if (!place.ok) return place
  const from = body.from ?? 'start'
  if (from !== 'start' && from !== 'now')
    return reject('invalid_message', undefined, 'from must be start or now')
  const ackTimeoutMs = readCount(body, 'ack_timeout_ms', 1)
  if (typeof ackTimeoutMs === 'object') return ackTimeoutMs
  const maxUnacked = readCount(body, 'max_unacked', 1)
  if (typeof maxUnacked === 'object') return maxUnacked
  const { pubkey, name } = place
  return {
    ok: true,
    terms: {
      ...{ pubkey, name, from },
      ...(ackTimeoutMs !== undefined && { ackTimeoutMs }),
      ...(maxUnacked !== undefined && { maxUnacked }),
    },
  }
}

/** `invalid_message` without a key or a name. */
export function readPlace(body: JsonObject): { ok: true; pubkey: string; name: string } | Reject {
  const pubkey = parseHex(body.pubkey, 32)
  if (pubkey === undefined) return reject('invalid_message', undefined, 'pubkey must be 32 bytes of hex')
  return isMailboxName(body.name) ? { ok: true, pubkey, name: body.name } : badName()
}

/** `invalid_message` for what is no list of u64, `limit_exceeded` for a long one. */
export function readSeqs(body: JsonObject): { ok: true; seqs: bigint[] } | Reject {
  const list = body.seqs
  if (!Array.isArray(list)) return reject('invalid_message', undefined, 'seqs must be a list of integers')
  if (list.length > MAX_SEQS) return tooManySeqs()
  const seqs: bigint[] = []
  for (const item of list) {
    const seq = readInteger(item)
    if (seq === undefined || seq < 0n || seq > U64)
      return reject('invalid_message', undefined, 'seqs must be a list of integers')
    seqs.push(seq)
  }
  return { ok: true, seqs }
}

/** Milliseconds or a number of events: u32. */
export function readCount(body: JsonObject, name: string, least: number): number | undefined | Reject {
  if (body[name] === undefined || body[name] === null) return undefined
  const value = readInteger(body[name])
  if (value !== undefined && value >= BigInt(least) && value <= BigInt(U32)) return Number(value)
  return reject('invalid_message', undefined, `${name} must be an integer from ${least} to ${U32}`)
}
