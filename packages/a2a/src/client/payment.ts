/**
 * Paying an agent (spec a2a 4): by the payments of its metadata, and by HTTP 402 in front of it, from one budget and one
 * journal. The payments package is loaded when somebody pays.
 */
import type { PayingFetchOptions } from '@aetherkit/payments'
import type { Message, Task } from '../model.js'
import type { CallBuyer } from '../payment/buy.js'
import type { Fetch } from './http-link.js'

export interface Payer {
  /** Pays HTTP 402; a message is paid once under its `Idempotency-Key`. */
  readonly fetch: Fetch
  readonly buyer: CallBuyer
  /** Pays what the task waits for; `send` sends the payment and gives the task as it goes on. @throws PaymentError */
  pay(
    task: Task,
    agent: string,
    signal: AbortSignal,
    send: (message: Message, cut: AbortSignal | undefined) => Promise<Task>,
  ): Promise<Task>
}

export async function createPayer(given: PayingFetchOptions, fetch: Fetch): Promise<Payer> {
  const [{ memoryJournal, payingFetch }, { createCallBuyer }, { declinePayment, payForTask }] =
    await Promise.all([
      import('@aetherkit/payments'),
      import('../payment/buy.js'),
      import('../payment/pay-for-task.js'),
    ])
  // Both ways of paying share what was spent, also with other agents that got the same options.
  const journal = given.journal ?? JOURNALS.get(given) ?? memoryJournal()
  JOURNALS.set(given, journal)
  const options = { ...given, journal }
  const buyer = createCallBuyer(options)
  const paying = payingFetch((input, init) => fetch(String(input), init), options)
  return {
    buyer,
    fetch: (input, init) => paying(input, init),
    async pay(task, agent, signal, send) {
      try {
        return await payForTask(task, { agent, buyer, signal, send })
      } catch (error) {
        // The agent need not wait for what will not come.
        if (isNamed(error, 'PaymentError') && error.code === 'not_approved')
          await send(declinePayment(task), signal).catch(() => {})
        throw error
      }
    },
  }
}

const JOURNALS = new WeakMap<PayingFetchOptions, NonNullable<PayingFetchOptions['journal']>>()

const isNamed = (error: unknown, name: string): error is Error & { code: unknown } =>
  error instanceof Error && error.name === name && 'code' in error
