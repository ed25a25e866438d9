/** A paid execution (spec a2a 4.3): its payment status on the way, and what is told at its end. */
import type { Verdict } from '@aetherkit/payments'
import type { Admission } from '../admission.js'
import type { Json, JsonRecord } from '../model.js'
import { RECEIPTS, RETURNED, STATUS } from './x402.js'

type Run = Extract<Admission, { kind: 'run' }>
type Served = Exclude<Verdict, { kind: 'respond' }>

/**
 * What stands for the result in the ledger: whoever presents the payment again, and is its caller, finds the task. A
 * cancelled task was paid for as any other; a failed one gives back by the hooks of the gate.
 */
export function runPaid(verdict: Served, taskId: string, before: readonly Json[]): Run {
  if (verdict.kind === 'grant') {
    return {
      kind: 'run',
      async complete(ended) {
        await verdict.settle?.(ended === 'failed' ? { error: 'the task failed' } : { status: 200 })
        return undefined
      },
    }
  }
  const receipts = [...before, ...receiptIn(verdict.headers)]
  return {
    kind: 'run',
    // It is settled before anything runs, so the receipt is there from the start.
    metadata: { [STATUS]: 'payment-verified', ...(receipts.length > 0 && { [RECEIPTS]: receipts }) },
    async complete(ended): Promise<JsonRecord> {
      const paid = { [STATUS]: 'payment-completed', [RECEIPTS]: receipts }
      if (ended !== 'failed') {
        await verdict.complete({ status: 200, headers: {}, body: Buffer.from(JSON.stringify({ taskId })) })
        return paid
      }
      const { returned, headers } = await verdict.fail('the task failed')
      return { ...paid, [RETURNED]: Object.keys(headers).length === 0 ? returned : { returned, headers } }
    },
  }
}

/** The SettleResponse among the headers of an answer. */
export function receiptIn(headers: Readonly<Record<string, string>>): readonly Json[] {
  const header = headers['PAYMENT-RESPONSE']
  return header === undefined ? [] : [JSON.parse(Buffer.from(header, 'base64').toString('utf8')) as Json]
}
