/**
 * Between idempotency and the executor: what a message must pass before work is done for it, such as a payment (spec
 * a2a 4). Asked once per message that would start or resume an execution, while the task is locked for others.
 */
import type { CallContext } from './engine.js'
import type { JsonRecord, SendMessageRequest, Task } from './model.js'

export type Admission =
  | {
      readonly kind: 'run'
      /** On every status of this execution, such as `x402.payment.status`. */
      readonly metadata?: JsonRecord
      /** The execution has ended; what comes back is added to the final status message's metadata. */
      complete?(ended: 'completed' | 'interrupted' | 'failed' | 'canceled'): Promise<JsonRecord | undefined>
    }
  /** INPUT_REQUIRED with this message: nothing is executed. The first message held is what a later `run` executes. */
  | { readonly kind: 'hold'; readonly message: string; readonly metadata: JsonRecord }
  /** The task ends. */
  | {
      readonly kind: 'end'
      readonly state: 'failed' | 'rejected'
      readonly message: string
      readonly metadata: JsonRecord
    }

/**
 * `task` as it is before this message; a new one is SUBMITTED, with the message in its history.
 * May throw A2AError: it is thrown to the caller as it is, the task is as it was before (a new one never was), and the
 * message id is free again.
 */
export type Admit = (request: SendMessageRequest, context: CallContext, task: Task) => Promise<Admission>
