/** `agent.request` with a buyer (spec a2a 4.2): what is asked is paid by policy, in a new signed request with a new stamp. */
import { A2AError } from '../errors.js'
import type { JsonRecord } from '../model.js'
import type { CallBuyer, Told } from '../payment/buy.js'
import { isRecord } from '../read-fields.js'
import { type AgentRequestOptions, type AgentResult, agentRequest } from './request.js'

export interface PaidRequestOptions extends AgentRequestOptions {
  readonly buyer: CallBuyer
  /** Names what is bought: paid at most once, also by the process after a crash. Random by default. */
  readonly idempotencyKey?: string
}

type Success = Extract<AgentResult, { status: 'success' }>

/**
 * @throws as `agentRequest`, and PaymentError as the paying fetch: `offer_refused`, `budget_exceeded`, `payment_unknown`, …
 */
export async function paidAgentRequest(url: string, options: PaidRequestOptions): Promise<Success> {
  const { buyer, signal, idempotencyKey = crypto.randomUUID(), ...asked } = options
  return buyer.buy<Success>({ agent: url, key: idempotencyKey, signal }, async (payment, cut) => {
    const [name, value] = payment?.header ?? []
    const headers = { ...asked.headers, ...(name !== undefined && value !== undefined && { [name]: value }) }
    try {
      const result = await agentRequest(url, { ...asked, headers, ...(cut !== undefined && { signal: cut }) })
      return toldBy(result)
    } catch (error) {
      if (payment === undefined || !A2AError.is(error)) throw error
      if (error.details.metadata?.code !== 'PAYMENT_NOT_SETTLED') throw error
      return { kind: 'unknown', retryAfterSeconds: error.details.retryAfterSeconds }
    }
  })
}

function toldBy(result: AgentResult): Told<Success> {
  if (result.status === 'success') return { kind: 'served', value: result, receipt: result.receipt }
  const { paymentRequired, reason } = result
  return { kind: 'required', required: offerIn(paymentRequired), reason }
}

/** The docs' three fields alone are a bill: they name no network, and are never paid (spec payments 2.1). */
function offerIn({ x402, x402v1 }: JsonRecord): JsonRecord {
  if (isRecord(x402)) return x402
  if (isRecord(x402v1)) return x402v1
  throw new A2AError(
    'INVALID_AGENT_RESPONSE',
    'The agent asks for payment and names no terms that can be checked',
  )
}
