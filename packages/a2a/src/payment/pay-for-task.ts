/**
 * The client half of a2a-x402 (spec a2a 4.3): a task that asks for payment is answered by the buyer's policy, before
 * anybody is asked (generic clients would read INPUT_REQUIRED as "ask the human").
 */
import { createHash } from 'node:crypto'
import { PaymentError } from '@aetherkit/payments'
import type { Json, JsonRecord, Message, Task } from '../model.js'
import { isRecord } from '../read-fields.js'
import type { CallBuyer, Told } from './buy.js'
import { ERROR, HELD, PAYLOAD, paymentRequiredOf, RECEIPTS, STATUS, X402_EXTENSIONS } from './x402.js'

export interface PayForTaskOptions {
  /** The URL that the task came from, or `aether:<key>`. */
  readonly agent: string
  readonly buyer: CallBuyer
  readonly signal?: AbortSignal
  /** Sends the message on the task and gives the task it led to: at rest, or at work. */
  readonly send: (message: Message, signal: AbortSignal | undefined) => Promise<Task>
}

/** The message that declines to pay: the agent fails the task. */
export function declinePayment(task: Task): Message {
  return messageOn(task, crypto.randomUUID(), { [STATUS]: 'payment-rejected' })
}

/**
 * Pays what the task asks for, if the buyer's rules allow it, and gives the task that came of it. A task is paid once,
 * whoever asks again; a payment whose fate is not known is sent again under a new message id.
 * @throws PaymentError `offer_refused`, `budget_exceeded`, `not_approved`, `payment_refused`, `payment_unknown` and others of
 * the paying fetch; TypeError for a task that asks for no payment; whatever `send` rejects with while nothing was decided
 */
export async function payForTask(task: Task, options: PayForTaskOptions): Promise<Task> {
  const { agent, buyer, send, signal } = options
  let required = paymentRequiredOf(task)
  if (required === undefined) throw new TypeError('the task asks for no payment')
  let attempt = 0
  const key = createHash('sha256')
    .update(`${agent}\n${task.id}\n${heldOf(task)}`)
    .digest('hex')
  return buyer.buy<Task>({ agent, key, signal }, async (payment, cut): Promise<Told<Task>> => {
    if (payment === undefined) {
      if (required === undefined)
        throw new PaymentError('payment_refused', 'the task asks for no payment any more')
      return { kind: 'required', required }
    }
    // The same id until there is an answer: a lost one is not a second message.
    const digest = createHash('sha256').update(JSON.stringify(payment.payload)).digest('hex')
    const metadata = { [STATUS]: 'payment-submitted', [PAYLOAD]: payment.payload }
    const paid = await send(messageOn(task, `pay-${digest.slice(0, 40)}-${attempt}`, metadata), cut)
    attempt += 1
    required = paymentRequiredOf(paid)
    return toldBy(paid, required)
  })
}

function toldBy(task: Task, required: JsonRecord | undefined): Told<Task> {
  const metadata = task.status.message?.metadata ?? {}
  const list = metadata[RECEIPTS]
  const receipt = Array.isArray(list) ? (list as readonly Json[]).at(-1) : undefined
  const known = isRecord(receipt) ? receipt : undefined
  const reason = typeof metadata[ERROR] === 'string' ? metadata[ERROR] : undefined
  if (required !== undefined) return { kind: 'required', required, reason, receipt: known }
  const isHeld = task.status.state === 'TASK_STATE_INPUT_REQUIRED'
  if (isHeld && metadata[STATUS] === 'payment-submitted') return { kind: 'unknown' }
  if (isHeld && metadata[STATUS] === 'payment-failed') return { kind: 'used', value: task }
  return { kind: 'served', value: task, receipt: known }
}

function messageOn({ id, contextId }: Task, messageId: string, metadata: JsonRecord): Message {
  return {
    messageId,
    role: 'ROLE_USER',
    taskId: id,
    contextId,
    parts: [{ text: 'payment' }],
    metadata,
    extensions: X402_EXTENSIONS.slice(0, 1),
  }
}

/** A task may ask for more than one payment: one for each message that is held, where the agent says which. */
function heldOf({ status }: Task): string {
  return String(status.message?.metadata?.[HELD] ?? '')
}
