/**
 * The gate's answers as a task that waits (spec a2a 4.3): INPUT_REQUIRED with the payment's status in the metadata. Terms
 * to pay are only there where the gate says that another payment is lawful.
 */
import { type Offer, type Respond, writeChallenge } from '@aetherkit/payments'
import type { Admission } from '../admission.js'
import type { Json, JsonRecord } from '../model.js'
import { requiredIn } from './required.js'
import { receiptIn } from './run.js'
import { ERROR, errorOf, HELD, RECEIPTS, REQUIRED, STATUS, USED_FOR } from './x402.js'

export interface Holding {
  /** Receipts of the task up to now. */
  readonly before: readonly Json[]
  /** What is to be paid. */
  readonly messageId: string
  /** Nobody is told the task of an anonymous caller: its id is all that protects it. */
  readonly anonymous: boolean
  readonly newOffer: () => Promise<Offer>
}

export async function holdFor(
  respond: Respond,
  { before, messageId, anonymous, newOffer }: Holding,
): Promise<Admission> {
  const { outcome, reason, offer } = respond
  const receipts = [...before, ...(offer === undefined ? [] : receiptIn(respond.headers))]
  const history = receipts.length > 0 && { [RECEIPTS]: receipts }
  const hold = (message: string, metadata: JsonRecord): Admission => ({
    kind: 'hold',
    message,
    metadata: { ...metadata, [HELD]: messageId, ...history },
  })
  const failed = { [STATUS]: 'payment-failed', [ERROR]: errorOf(reason) }
  switch (isOpen(respond) ? 'open' : outcome) {
    case 'unpaid':
      return hold('Payment is required.', { [STATUS]: 'payment-required', [REQUIRED]: requiredIn(respond) })
    case 'payment_rejected':
    case 'settle_failed':
      return hold(`The payment was not taken: ${reason ?? 'no reason given'}.`, {
        ...failed,
        [REQUIRED]: requiredIn(respond),
      })
    case 'malformed':
      return hold('The payment could not be read.', {
        ...failed,
        [REQUIRED]: writeChallenge(await newOffer()),
      })
    case 'conflict':
      return hold('The payment is used already. Do not pay again for it.', failed)
    case 'replayed':
      return hold('The payment was used for another task.', {
        [STATUS]: 'payment-failed',
        [ERROR]: 'DUPLICATE_NONCE',
        ...(!anonymous && { [USED_FOR]: taskOf(respond) ?? null }),
      })
    default:
      // Unknown, or nobody could be asked: the same payment decides it, a new one would be a second.
      return hold('The payment is not settled yet. Send the same payment again.', {
        [STATUS]: 'payment-submitted',
      })
  }
}

/** Neither taken nor refused yet. */
export function isOpen({ outcome, reason }: Respond): boolean {
  return outcome === 'unknown' || reason === 'aetherkit_in_flight'
}

/** The task that stands in the ledger for the result of a payment. */
export function taskOf({ outcome, body }: Respond): string | undefined {
  if (outcome !== 'replayed') return undefined
  const text = typeof body === 'string' ? body : Buffer.from(body).toString('utf8')
  const { taskId } = JSON.parse(text) as { taskId?: unknown }
  return typeof taskId === 'string' ? taskId : undefined
}
