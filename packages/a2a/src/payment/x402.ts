/**
 * The a2a-x402 extension (spec a2a 4.3, payments 14): payment in message metadata. Both URIs are declared: that of v0.2,
 * and the one that x402's own transport text names.
 *
 *   payment-required                     input-required, with `x402.payment.required`
 *   payment-submitted, payment-verified  working
 *   payment-rejected                     failed: the client does not pay
 *   payment-completed                    completed, with `x402.payment.receipts`
 *   payment-failed                       failed, or input-required where another try is lawful
 */
import type { AgentExtension, Json, JsonRecord, Message, Task } from '../model.js'
import { isRecord } from '../read-fields.js'

export const X402_EXTENSIONS: readonly string[] = [
  'https://github.com/google-agentic-commerce/a2a-x402/blob/main/spec/v0.2',
  'https://github.com/google-a2a/a2a-x402/v0.1',
]

export const STATUS = 'x402.payment.status'
export const REQUIRED = 'x402.payment.required'
export const PAYLOAD = 'x402.payment.payload'
export const RECEIPTS = 'x402.payment.receipts'
export const ERROR = 'x402.payment.error'
/** Ours: the message that is to be paid. */
export const HELD = 'aetherkit.payment.message'
/** Ours: what a failed execution did with the money: `refunded`, `credited`, or `retry` with the same payment. */
export const RETURNED = 'aetherkit.payment.returned'
/** Ours: the task that a payment was used for already; ids only travel to their owner. */
export const USED_FOR = 'aetherkit.payment.task'

export type X402Error =
  | 'INSUFFICIENT_FUNDS'
  | 'INVALID_SIGNATURE'
  | 'EXPIRED_PAYMENT'
  | 'DUPLICATE_NONCE'
  | 'NETWORK_MISMATCH'
  | 'INVALID_AMOUNT'
  | 'SETTLEMENT_FAILED'

/** Parts of our reason codes, first match first. */
const ERRORS: readonly (readonly [RegExp, X402Error])[] = [
  [/insufficient_funds/, 'INSUFFICIENT_FUNDS'],
  [/expired|_dead$/, 'EXPIRED_PAYMENT'],
  [/duplicate|already_used|in_flight|other_resource|id_reused/, 'DUPLICATE_NONCE'],
  [/network/, 'NETWORK_MISMATCH'],
  [/amount/, 'INVALID_AMOUNT'],
  [/signature|malformed|could_not_be_decoded|other_payer|binding_invalid/, 'INVALID_SIGNATURE'],
]

/** The word of the extension for one of our reason codes; `SETTLEMENT_FAILED` for what it has no word for. */
export function errorOf(reason: string | undefined): X402Error {
  return ERRORS.find(([pattern]) => pattern.test(reason ?? ''))?.[1] ?? 'SETTLEMENT_FAILED'
}

/** For the card. `required`: a caller that does not ask for it is refused. */
export function paymentExtensions(required = false): readonly AgentExtension[] {
  return X402_EXTENSIONS.map((uri) => ({
    uri,
    description: 'Takes x402 payments in message metadata.',
    required,
  }))
}

/** What a message of the client says about payment. */
export function readPaymentMessage({ metadata }: Message): {
  readonly payload: JsonRecord | undefined
  readonly isRejected: boolean
} {
  const payload = metadata?.[PAYLOAD]
  return {
    payload: isRecord(payload) ? payload : undefined,
    isRejected: metadata?.[STATUS] === 'payment-rejected',
  }
}

/**
 * The terms that a task waits to be paid, of x402 v2 or v1; undefined when it asks for none, for a human, or for the
 * embedded AP2 flow.
 */
export function paymentRequiredOf({ status: { state, message } }: Task): JsonRecord | undefined {
  const { [STATUS]: said, [REQUIRED]: required } = message?.metadata ?? {}
  const asks =
    state === 'TASK_STATE_INPUT_REQUIRED' && (said === 'payment-required' || said === 'payment-failed')
  return asks && isRecord(required) ? required : undefined
}

/** The task that this payment was used for already. */
export function paidTaskOf({ status: { message } }: Task): string | undefined {
  const id = message?.metadata?.[USED_FOR]
  return typeof id === 'string' ? id : undefined
}

/** All settlements of a task, as the agent wrote them down: what a caller wrote counts for nothing. */
export function receiptsOf({ status, history = [] }: Task): readonly Json[] {
  const written = [...history, ...(status.message === undefined ? [] : [status.message])]
  const lists = written.flatMap(({ role, metadata }) => {
    const receipts = role === 'ROLE_AGENT' ? metadata?.[RECEIPTS] : undefined
    return Array.isArray(receipts) ? [receipts as readonly Json[]] : []
  })
  // Each list is the whole history up to then.
  return lists.reduce((longest, list) => (list.length >= longest.length ? list : longest), [])
}

export function isSettled(receipt: Json): boolean {
  return isRecord(receipt) && receipt.success === true
}
