/**
 * One 402 for all buyers (spec payments 6): v2 buyers read `PAYMENT-REQUIRED`, v1 buyers the body's `accepts`, seed
 * buyers `X-Payment-Requirements` and the body's `requirements`.
 */
import { writeJson } from '@aetherkit/core'
import { encodeHeader } from './codec/header.js'
import { writeReceipt as writeReceiptV1, writeRequirement as writeV1 } from './codec/v1.js'
import { writeChallenge, writeReceipt } from './codec/v2.js'
import { PaymentError } from './errors.js'
import type { Network } from './network.js'
import type { Json, Offer, Receipt } from './requirement.js'
import { tokenDecimals } from './token.js'

/** Bytes of `PAYMENT-REQUIRED` above which extensions move to the body (Node and undici stop at 16 KiB of headers). */
export const HEADER_BUDGET = 6 * 1024
const HEADER_LIMIT = 12 * 1024
/** Headers a browser script may read. */
export const EXPOSED_HEADERS =
  'PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE, X-Payment-Requirements, Retry-After, X-Credit, X-Credit-Balance'

/** What a response says besides its status. */
export interface Challenge {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, Json>>
  /** What `PAYMENT-REQUIRED` takes with everything in it, whether or not some of it went to the body. */
  readonly headerBytes: number
}

/** The outcome words of spec payments 10. */
export interface ChallengeReason {
  readonly error: string
  readonly outcome: string
  readonly reason?: string
  readonly hint?: string
}

/**
 * Headers and body of a 402. Extensions that would push the header over 6 KiB go to the body alone.
 * @throws PaymentError `invalid_option` when the terms alone need more than 12 KiB
 */
export function writeOffer(offer: Offer, why: ChallengeReason): Challenge {
  const [first] = offer.accepts
  if (first === undefined) throw new PaymentError('invalid_option', 'an offer needs at least one way to pay')
  const { extensions, ...terms } = { ...offer, error: why.error }
  const whole = encodeHeader(writeChallenge({ ...terms, ...(extensions !== undefined && { extensions }) }))
  const spilled = whole.length > HEADER_BUDGET && extensions !== undefined
  const required = spilled ? encodeHeader(writeChallenge(terms)) : whole
  if (required.length > HEADER_LIMIT) {
    throw new PaymentError(
      'invalid_option',
      `the payment terms take ${required.length} bytes of header, at most ${HEADER_LIMIT}`,
    )
  }
  const { error, outcome, reason, hint } = why
  return {
    headers: {
      'PAYMENT-REQUIRED': required,
      'X-Payment-Requirements': encodeHeader(writeV1(first, offer.resource, 'seed')),
      'Cache-Control': 'no-store',
      'Access-Control-Expose-Headers': EXPOSED_HEADERS,
    },
    body: {
      x402Version: 1,
      error,
      accepts: offer.accepts.map((requirement) => writeV1(requirement, offer.resource, 'v1')),
      requirements: writeV1(first, offer.resource, 'seed'),
      outcome,
      ...(reason !== undefined && { reason }),
      ...(hint !== undefined && { hint }),
      ...(spilled && { extensions }),
    },
    headerBytes: whole.length,
  }
}

/** Receipt headers of every dialect; for success and for a definite failure alike. */
export function receiptHeaders(receipt: Receipt): Readonly<Record<string, string>> {
  return {
    'PAYMENT-RESPONSE': encodeHeader(writeReceipt(receipt)),
    'X-PAYMENT-RESPONSE': encodeHeader(writeReceiptV1(receipt)),
    'Access-Control-Expose-Headers': EXPOSED_HEADERS,
  }
}

/** The seed's receipt in a JSON body: `amount` a number for old readers, `amountAtomic` authoritative. */
export function seedReceipt(transaction: string, amount: bigint, decimals: number): Record<string, Json> {
  return { txHash: transaction, amount: Number(amount) / 10 ** decimals, amountAtomic: amount.toString() }
}

/** A body as it is sent. */
export function bodyText(body: Challenge['body']): string {
  return writeJson(body)
}

/** A JSON body with the seed's receipt (spec payments 2.3, 12); anything but a plain object without one is left alone. */
export function withSeedReceipt(
  body: unknown,
  paid: { transaction: string; amount: bigint; network: Network; asset: string },
): unknown {
  const isPlain = typeof body === 'object' && body !== null && !Array.isArray(body) && !('receipt' in body)
  if (!isPlain || paid.transaction === '') return body
  const { transaction, amount, network, asset } = paid
  return { ...body, receipt: seedReceipt(transaction, amount, tokenDecimals(network, asset)) }
}

/** What a browser's preflight of a priced route needs to know; who may ask is the application's own CORS rule. */
export const PREFLIGHT_HEADERS: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Headers':
    'Content-Type, PAYMENT-SIGNATURE, X-PAYMENT, SIGN-IN-WITH-X, Idempotency-Key, X-Credit, X-Payment-Claim',
  'Access-Control-Expose-Headers': EXPOSED_HEADERS,
}

/** A person's browser, not a program: an answer for the eye is wanted (spec payments 11). */
export function wantsPage(accept: string | undefined, userAgent: string | undefined): boolean {
  return (accept ?? '').includes('text/html') && (userAgent ?? '').includes('Mozilla')
}
