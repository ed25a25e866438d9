/**
 * Money for other agents (spec a2a 4.3, 8.1; frameworks 3): what one call may cost stands in its arguments, as with
 * `paid_fetch`, and is checked where the payment is signed. The budget of the wallet holds below that.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { PaidReceipt, PayingFetchOptions } from '@aetherkit/payments'
import { DOLLARS, dollarText, microDollars } from './dollars.js'
import { ToolError } from './tool-error.js'

export interface AgentPayment extends PayingFetchOptions {
  /** Dollars up to which a call needs no human, such as `'$0.05'`; `'0'` by default: every payment is asked about. */
  readonly askAbove?: string
}

/** One call that may pay. */
export interface Spending {
  /** Micro-dollars. */
  readonly maxPrice: bigint
  /** Of the payment that was allowed, as people read it: from then on it may have been made. */
  price?: string
  paid?: PaidReceipt
}

const calls = new AsyncLocalStorage<Spending>()

/** @throws RangeError for an `askAbove` that is no amount */
export function askAboveOf({ askAbove = '0' }: AgentPayment): bigint {
  if (!DOLLARS.test(askAbove)) throw new RangeError(`askAbove: "$0.05" expected, got ${askAbove}`)
  return microDollars(askAbove)
}

const bound = new WeakMap<AgentPayment, PayingFetchOptions>()

/** The options of the wallet, bound to whatever call pays; outside of a call nothing is paid. The same for the same wallet. */
export function boundWallet(payment: AgentPayment): PayingFetchOptions {
  const known = bound.get(payment)
  if (known !== undefined) return known
  const made = bind(payment)
  bound.set(payment, made)
  return made
}

function bind({ askAbove: _, ...wallet }: AgentPayment): PayingFetchOptions {
  return {
    ...wallet,
    async approve(purchase) {
      const call = calls.getStore()
      if (call === undefined) return false
      if (purchase.dollars > call.maxPrice) {
        const allowed = dollarText(call.maxPrice)
        const message = `the agent asks ${purchase.price}, max_price is ${allowed}; nothing was paid; call again with a max_price that is enough`
        throw new ToolError({ code: 'OVER_LIMIT', message, retryable: true, paid: false })
      }
      const isApproved = (await wallet.approve?.(purchase)) ?? true
      if (isApproved) call.price = purchase.price
      return isApproved
    },
    onReceipt(receipt) {
      const call = calls.getStore()
      if (call !== undefined) call.paid = receipt
      wallet.onReceipt?.(receipt)
    },
  }
}

export const spendingIn = <T>(spending: Spending, work: () => Promise<T>): Promise<T> =>
  calls.run(spending, work)

/** Codes after which it is certain that nothing went. */
const UNPAID = [
  'budget_exceeded',
  'insufficient_funds',
  'not_approved',
  'payee_changed',
  'offer_refused',
  'unknown_asset',
  'unsupported',
  'payment_failed',
  'payment_refused',
]

/** The failure of a call that may have paid, with `paid`; others as they are. */
export async function afterSpending(cause: unknown, spending: Spending): Promise<unknown> {
  const isPayments = cause instanceof Error && cause.name === 'PaymentError' && 'code' in cause
  const isUnpaid = spending.price === undefined || (isPayments && UNPAID.includes(String(cause.code)))
  const paid = spending.paid !== undefined ? true : isUnpaid ? false : 'unknown'
  if (ToolError.is(cause) && paid === false) return cause.paid === undefined ? withPaid(cause) : cause
  // Loaded already by who pays.
  const { paymentFailure } = await import('./payment-error.js')
  return paymentFailure(cause, paid) ?? cause
}

function withPaid(cause: ToolError): ToolError {
  const { code, message, retryable, untrusted_text } = cause
  return new ToolError({
    code,
    message,
    retryable,
    paid: false,
    cause,
    ...(untrusted_text !== undefined && { untrusted_text }),
  })
}
