/** Misuse and configuration faults of this package. Hostile input never throws: it gets a result with a reason code. */
import type { Reason } from './reason.js'

/**
 * - `invalid_price`: not an exact, positive decimal in the token's precision
 * - `unknown_asset`, `unknown_network`: not in our tables and not configured
 * - `invalid_option`: a limit that is no finite number in range, a missing setting
 * - `unsupported`: asked for something this package declines (see its README)
 * - `budget_exceeded`, `not_approved`, `payee_changed`, `offer_refused`: the buyer's own rules said no before signing
 * - `insufficient_funds`: the buyer's account does not hold the amount
 * - `payment_refused`, `payment_failed`: the seller or the chain said no; nothing was paid
 * - `payment_unknown`: it may have been paid; the same payload must be presented again, never a new one
 * - `demo_key`: a demo key was to be used with an RPC that is not on loopback
 * - `header_budget`: no fault yet, a warning: the terms of a route take more header than they should
 * - `rpc_failed`, `facilitator_failed`: the other side did not answer as it must
 */
export type PaymentErrorCode =
  | 'invalid_price'
  | 'unknown_asset'
  | 'unknown_network'
  | 'invalid_option'
  | 'unsupported'
  | 'budget_exceeded'
  | 'not_approved'
  | 'payee_changed'
  | 'offer_refused'
  | 'insufficient_funds'
  | 'payment_refused'
  | 'payment_failed'
  | 'payment_unknown'
  | 'demo_key'
  | 'header_budget'
  | 'rpc_failed'
  | 'facilitator_failed'

export class PaymentError extends Error {
  override readonly name = 'PaymentError'
  readonly code: PaymentErrorCode
  /** The reason code of the other side, where there is one. */
  readonly reason?: Reason | string

  constructor(code: PaymentErrorCode, message: string, options: ErrorOptions & { reason?: string } = {}) {
    super(message, options)
    this.code = code
    if (options.reason !== undefined) this.reason = options.reason
  }

  /** By name and code: two copies of this package in one tree understand each other. */
  static is(error: unknown): error is PaymentError {
    return error instanceof Error && error.name === 'PaymentError' && 'code' in error
  }
}
