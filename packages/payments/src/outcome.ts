/**
 * The outcome table (spec payments 10): every answer that is not the handler's, in one place.
 *
 *   unpaid       402   payment_required          may sign
 *   rejected     402   payment_invalid           fix the cause, may sign anew
 *   failed       402   settlement_failed         may sign anew; receipt header with success false
 *   malformed    400   payment_malformed         fix; nothing was verified or reserved
 *   conflict     409   payment_conflict          do not sign
 *   unknown      503   settlement_unknown        present the same payload again
 *   unavailable  503   facilitator_unavailable   present the same payload again; nothing was sent
 */
import { bodyText, EXPOSED_HEADERS, receiptHeaders, writeOffer } from './offer.js'
import type { Reason } from './reason.js'
import type { Json, Offer, Receipt } from './requirement.js'

/** A whole answer. */
export interface Respond {
  readonly kind: 'respond'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON text, or the bytes of a delivery that was kept. */
  readonly body: string | Uint8Array
  /** `unpaid`, `payment_rejected`, `settle_failed`, `malformed`, `conflict`, `unknown`, or `replayed`. */
  readonly outcome: string
  readonly reason?: Reason
  /** With a 402: what is offered, for a page or an own body. */
  readonly offer?: Offer
  /** With a 402: bytes that the terms take as a header (spec payments 11, header budget). */
  readonly headerBytes?: number
  /** With a definite failure of the settlement: what is said of it. */
  readonly receipt?: Receipt
}

export type Answer =
  | { readonly state: 'unpaid'; readonly offer: Offer }
  | { readonly state: 'rejected'; readonly offer: Offer; readonly reason: Reason; readonly hint?: string }
  | { readonly state: 'failed'; readonly offer: Offer; readonly reason: Reason; readonly receipt: Receipt }
  | { readonly state: 'malformed'; readonly reason: Reason }
  | {
      readonly state: 'conflict'
      readonly reason: Reason
      readonly receipt?: Receipt
      readonly more?: Readonly<Record<string, Json>>
    }
  | { readonly state: 'unknown'; readonly receipt: Receipt; readonly statusUrl?: string }
  | { readonly state: 'unavailable'; readonly reason: Reason }

/** Seconds until the same payload may be presented again. */
const RETRY_UNKNOWN = '2'
const RETRY_UNAVAILABLE = '5'

const HINTS: Partial<Record<Reason, string>> = {
  insufficient_funds: 'The paying account does not hold the amount.',
  aetherkit_binding_missing: 'Put extra.memo of the offer into the transaction.',
  aetherkit_binding_invalid: 'This payment was made for another request.',
  aetherkit_binding_expired: 'The offer is too old: pay the one in this answer.',
  aetherkit_offer_mismatch: 'The terms are others now: pay the offer in this answer.',
  extension_echo_mismatch: 'Send the extensions of the offer back as they came; add to them, change nothing.',
  aetherkit_bare_signature: 'Send the signed transaction, not the signature of one that was sent.',
  aetherkit_destination_missing: 'The seller has no token account for this asset.',
}

export function respond(answer: Answer): Respond {
  switch (answer.state) {
    case 'unpaid':
      return offered(402, answer.offer, 'payment_required', 'unpaid')
    case 'rejected':
      return offered(402, answer.offer, 'payment_invalid', 'payment_rejected', answer.reason, answer.hint)
    case 'failed': {
      const base = offered(402, answer.offer, 'settlement_failed', 'settle_failed', answer.reason)
      const headers = { ...base.headers, ...receiptHeaders(answer.receipt) }
      return { ...base, headers, receipt: answer.receipt }
    }
    case 'malformed':
      return plain(400, 'payment_malformed', 'malformed', answer.reason, {})
    case 'conflict':
      return plain(409, 'payment_conflict', 'conflict', answer.reason, {
        ...withTransaction(answer.receipt),
        more: answer.more ?? {},
      })
    case 'unknown':
      return plain(503, 'settlement_unknown', 'unknown', 'settlement_pending', {
        ...withTransaction(answer.receipt),
        headers: { 'Retry-After': RETRY_UNKNOWN },
        more: answer.statusUrl === undefined ? {} : { statusUrl: answer.statusUrl },
      })
    case 'unavailable':
      return plain(503, 'facilitator_unavailable', 'unknown', answer.reason, {
        headers: { 'Retry-After': RETRY_UNAVAILABLE },
      })
  }
}

function offered(
  status: number,
  offer: Offer,
  error: string,
  outcome: string,
  reason?: Reason,
  hint: string | undefined = reason && HINTS[reason],
): Respond {
  const why = { error, outcome, ...(reason !== undefined && { reason }), ...(hint !== undefined && { hint }) }
  const { headers, body, headerBytes } = writeOffer(offer, why)
  return {
    kind: 'respond',
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: bodyText(body),
    outcome,
    offer,
    headerBytes,
    ...(reason !== undefined && { reason }),
  }
}

function plain(
  status: number,
  error: string,
  outcome: string,
  reason: Reason,
  extra: {
    readonly receipt?: Receipt
    readonly headers?: Readonly<Record<string, string>>
    readonly more?: Readonly<Record<string, Json>>
  },
): Respond {
  const { receipt, headers = {}, more = {} } = extra
  const transaction = receipt?.transaction ?? ''
  return {
    kind: 'respond',
    status,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      'Access-Control-Expose-Headers': EXPOSED_HEADERS,
      ...(receipt !== undefined && receiptHeaders(receipt)),
      ...headers,
    },
    body: bodyText({ error, outcome, reason, ...(transaction !== '' && { transaction }), ...more }),
    outcome,
    reason,
  }
}

/** The receipt rides along where there is a transaction to name. */
function withTransaction(receipt: Receipt | undefined): { receipt?: Receipt } {
  return receipt === undefined || receipt.transaction === '' ? {} : { receipt }
}
