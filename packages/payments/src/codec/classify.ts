/** Telling the dialects apart by decoded content, never by the name of a header (spec payments 1). */
import { isJsonObject, parseJson } from '@aetherkit/core'
import { type Refusal, refuse } from '../reason.js'
import type { Dialect, Offer, Payment, Receipt } from '../requirement.js'
import { decodeHeader } from './header.js'
import {
  isBareSignature,
  readSeedChallenge,
  readChallenge as readV1,
  readPayment as readV1Payment,
} from './v1.js'
import { readReceipt, readChallenge as readV2, readPayment as readV2Payment } from './v2.js'

/** A header by lower-case name. */
export type HeaderReader = (name: string) => string | undefined

/**
 * The payment of a request: `undefined` when there is none. Either version is taken in either header; both headers with
 * different transactions are `aetherkit_two_payments`; undecodable ones `aetherkit_malformed_payment`.
 */
export function readPaymentHeaders(
  header: HeaderReader,
): { ok: true; payment: Payment } | Refusal | undefined {
  const values = [header('payment-signature'), header('x-payment')].filter(
    (value) => value !== undefined && value !== '',
  )
  const read = values.map((value) => readPaymentHeader(value as string))
  const [first, second] = read
  if (first === undefined || !first.ok || second === undefined) return first
  if (!second.ok) return second
  return first.payment.transaction === second.payment.transaction ? first : refuse('aetherkit_two_payments')
}

/** One header value. */
export function readPaymentHeader(value: string): { ok: true; payment: Payment } | Refusal {
  const decoded = decodeHeader(value)
  if (!decoded.ok) return isBareSignature(value) ? refuse('aetherkit_bare_signature') : decoded
  if (decoded.value.x402Version === 2) return readV2Payment(decoded.value)
  if (decoded.value.x402Version === 1) return readV1Payment(decoded.value)
  return refuse('invalid_x402_version')
}

/**
 * The offer in a 402, and whose dialect it is in. `undefined`: not a payment challenge, for the caller to look at.
 * A challenge that is ours to read but holds nothing we can pay is a refusal.
 */
export function readOffer(
  header: HeaderReader,
  body: string,
): { ok: true; dialect: Dialect; offer: Offer } | Refusal | undefined {
  const required = header('payment-required')
  if (required !== undefined) {
    const decoded = decodeHeader(required)
    return decoded.ok ? withDialect('v2', readV2(decoded.value)) : decoded
  }
  const parsed = parseJson(body)
  const json = parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined
  if (json?.x402Version === 1) return withDialect('v1', readV1(json))
  const seed = header('x-payment-requirements')
  if (seed !== undefined) {
    const decoded = decodeHeader(seed)
    return decoded.ok ? withDialect('seed', readSeedChallenge(decoded.value)) : decoded
  }
  return isJsonObject(json?.requirements) ? withDialect('seed', readSeedChallenge(json)) : undefined
}

/** The receipt of a response, whichever header it came in; undefined when there is none that can be read. */
export function readReceiptHeaders(header: HeaderReader): Receipt | undefined {
  for (const name of ['payment-response', 'x-payment-response']) {
    const value = header(name)
    const decoded = value === undefined ? undefined : decodeHeader(value)
    const read = decoded?.ok ? readReceipt(decoded.value) : undefined
    if (read?.ok) return read.receipt
  }
  return undefined
}

function withDialect(dialect: Dialect, read: { ok: true; offer: Offer } | Refusal) {
  return read.ok ? { ok: true as const, dialect, offer: read.offer } : read
}
