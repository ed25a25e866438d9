/**
 * Errors of the payments package as errors for a model. Numbers of the own budget pass; what a seller had a hand in
 * passes in a labelled field alone.
 */
import { PaymentError, type PaymentErrorCode, type PaymentState } from '@aetherkit/payments'
import { ToolError, type ToolErrorCode, toFailure } from './tool-error.js'
import { shortText } from './untrusted-text.js'

/** Whether money went, as an error and a result say it. */
export type PaidState = boolean | 'unknown'

interface Known {
  readonly code: ToolErrorCode
  readonly message: string
  readonly retryable?: boolean
}

const KNOWN: Partial<Record<PaymentErrorCode, Known>> = {
  budget_exceeded: { code: 'OVER_LIMIT', message: 'do not retry' },
  insufficient_funds: { code: 'PAYMENT_FAILED', message: 'the wallet needs money first' },
  not_approved: { code: 'NEEDS_APPROVAL', message: 'the wallet did not approve it, do not retry' },
  payee_changed: {
    code: 'REJECTED',
    message: 'this host was paid through another payee before, do not retry',
  },
  offer_refused: { code: 'REJECTED', message: 'the wallet does not take this offer, do not retry' },
  unknown_asset: { code: 'REJECTED', message: 'the wallet does not pay with this token, do not retry' },
  unsupported: { code: 'REJECTED', message: 'the wallet cannot pay this way, do not retry' },
  payment_refused: { code: 'PAYMENT_FAILED', message: 'the seller did not take the payment, do not retry' },
  payment_failed: { code: 'PAYMENT_FAILED', message: 'the payment failed' },
  rpc_failed: { code: 'TIMEOUT', message: 'the node of the wallet did not answer', retryable: true },
}

/** What the journal says of a payment. One that the seller rejected counts as not paid (spec payments 12). */
export function paidOf(state: PaymentState | undefined): PaidState {
  if (state === 'paid' || state === 'served') return true
  return state === 'open' ? 'unknown' : false
}

/**
 * The error to show. `paid` is left out by tools that never pay.
 * @returns undefined for what a model cannot act on: a bug, or a setting
 */
export function paymentFailure(cause: unknown, paid?: PaidState): ToolError | undefined {
  if (paid === true || paid === 'unknown') return unclear(cause, paid)
  const money = paid === undefined ? {} : { paid }
  const nothing = paid === undefined ? '' : '; nothing was paid'
  if (ToolError.is(cause)) return new ToolError({ ...toFailure(cause), ...money, cause })
  if (!PaymentError.is(cause)) return undefined
  const known = KNOWN[cause.code]
  if (known === undefined) return undefined
  const { code, message, retryable = false } = known
  // Our own numbers: what is asked, what the budget leaves, what the account holds.
  const isOurs = cause.code === 'budget_exceeded' || cause.code === 'insufficient_funds'
  const why = isOurs
    ? { message: `${cause.message}${nothing}; ${message}` }
    : { message: `${message}${nothing}` }
  const told = isOurs ? {} : { untrusted_text: shortText(cause.message, 500) }
  return new ToolError({ code, retryable, ...why, ...told, ...money, cause })
}

/** Signed and sent, and then something went wrong: a new call could pay a second time. */
function unclear(cause: unknown, paid: true | 'unknown'): ToolError {
  const what = paid === true ? 'it was paid, and the answer did not come' : 'it may have been paid'
  return new ToolError({
    code: 'PAYMENT_UNKNOWN',
    message: `${what}; do not retry with a new call, it could pay again; payment_history tells what became of it`,
    paid,
    cause,
  })
}
