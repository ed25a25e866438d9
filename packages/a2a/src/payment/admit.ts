/**
 * Payment before work (spec a2a 4; payments 10, 14): the one gate of the payments package stands in front of the executor
 * for every carrier. A payment comes in message metadata, or in a header where the carrier has headers; it is settled
 * before anything runs, and once.
 *
 * It is bound to the caller and to what is asked, not to a task: who lost an answer asks again with the same payment, and
 * to anybody else it is used already. A payment whose fate is not known is presented to the gate again and again; never
 * is the caller asked for another then.
 */
import { createHash } from 'node:crypto'
import { canonicalJson } from '@aetherkit/core'
import type { Confirmation, Gate, GateRequest, Price, RouteTerms } from '@aetherkit/payments'
import { priceRoute } from '@aetherkit/payments'
import type { Admission, Admit } from '../admission.js'
import type { CallContext } from '../engine.js'
import type { JsonRecord, Message, Part, Task } from '../model.js'
import { isRecord } from '../read-fields.js'
import { holdFor, isOpen } from './hold.js'
import { PaymentRefusal } from './refusal.js'
import { runPaid } from './run.js'
import { HELD, isSettled, RECEIPTS, readPaymentMessage, receiptsOf, STATUS, X402_EXTENSIONS } from './x402.js'

/** A call as its price is made. */
export interface PricedCall {
  /** Of `agent.request`, or of a data part `{action, payload}` in any message. */
  readonly action: string | undefined
  readonly message: Message
  /** Text parts, joined by newlines. */
  readonly text: string
  /** The first data part. */
  readonly data: JsonRecord | undefined
  readonly task: Task
  readonly owner: string
  readonly tenant: string
  readonly carrier: CallContext['carrier']
}

export interface PaymentOptions {
  readonly gate: Gate
  /** In any spelling: `solana-devnet`, or CAIP-2. */
  readonly network: string
  /** The agent's wallet, base58. */
  readonly payTo: string
  /** `"$0.10"`, `"0.10 USDC"`, or a function of the call; undefined is free. Never computed in floating point here. */
  readonly price: Price | ((call: PricedCall) => Price | undefined | Promise<Price | undefined>)
  /** What is paid for, as an absolute URL: the agent's public base URL, or `aether://<key>`. */
  readonly url: string
  readonly description?: string
  /** 300 by default. */
  readonly maxTimeoutSeconds?: number
  /** When a payment counts as made; `confirmed` unless given. The settler behind the gate must offer it. */
  readonly confirmation?: Confirmation
  /** A paid task takes further messages free; `true` asks the price of each. */
  readonly everyMessage?: boolean
  /** Only the caller's own wallet may pay; for callers that are a wallet (`agent.request`). */
  readonly payerIsCaller?: boolean
  /** How long a payment of unknown fate is followed before the caller is told to come again, ms; 30 000 by default. */
  readonly patienceMs?: number
  readonly extensions?: RouteTerms['extensions']
}

/** What stands where HTTP has its method: one for all carriers, so that a payment is used once over all of them. */
const METHOD = 'A2A'
const POLL_MS = 250
const WALLET = 'solana:'

/**
 * @throws PaymentError `unknown_network`, `invalid_option` at once; a price that is none rejects when the call comes, and
 * nothing is executed
 */
export function createPaymentAdmit(options: PaymentOptions): Admit {
  const { gate, network, payTo, url, patienceMs = 30_000 } = options
  const { description = 'A call of this agent', maxTimeoutSeconds, confirmation, extensions } = options
  const resolve = priceRoute<Price>(
    {
      price: (price) => price,
      description,
      bind: 'request',
      ...(maxTimeoutSeconds !== undefined && { maxTimeoutSeconds }),
      ...(confirmation !== undefined && { confirmation }),
      ...(extensions !== undefined && { extensions }),
    },
    { network, payTo },
  )

  return async ({ message: sent }, context, task): Promise<Admission> => {
    const receipts = receiptsOf(task)
    const { payload, isRejected } = readPaymentMessage(sent)
    if (isRejected && isHeld(task)) {
      const metadata = { [STATUS]: 'payment-rejected' }
      return { kind: 'end', state: 'failed', message: 'The payment was declined.', metadata }
    }
    const message = heldMessage(task) ?? sent
    const isPaid = receipts.some(isSettled) && options.everyMessage !== true
    const price = isPaid ? undefined : await priceOf(options.price, message, context, task)
    if (price === undefined) return { kind: 'run', ...(receipts.length > 0 && alreadyPaid(receipts)) }

    const request = requestOf(url, message, payload, context)
    const terms = await resolve(request, price, undefined)
    const { owner } = context.caller
    const isOwn = options.payerIsCaller === true && owner.startsWith(WALLET)
    const verdict = await decide(
      gate,
      request,
      isOwn ? { ...terms, payer: owner.slice(WALLET.length) } : terms,
      patienceMs,
    )
    if (verdict.kind !== 'respond') return runPaid(verdict, task.id, receipts)
    for (const uri of X402_EXTENSIONS) if (context.extensions.has(uri)) context.activate(uri)
    if (context.carrier === 'dialect') throw new PaymentRefusal(verdict)
    const { anonymous } = context.caller
    const { messageId } = message
    return holdFor(verdict, {
      before: receipts,
      messageId,
      anonymous,
      newOffer: () => gate.offer(request, terms),
    })
  }
}

/** The gate's word; what is open there is asked for again until time is up. */
async function decide(gate: Gate, request: GateRequest, terms: RouteTerms, patienceMs: number) {
  const end = Date.now() + patienceMs
  while (true) {
    const verdict = await gate.decide(request, terms)
    if (verdict.kind !== 'respond' || !isOpen(verdict) || Date.now() >= end) return verdict
    await new Promise((done) => setTimeout(done, POLL_MS))
  }
}

function requestOf(
  url: string,
  message: Message,
  payload: JsonRecord | undefined,
  { caller, tenant, header, peer, carrier }: CallContext,
): GateRequest {
  const asked = JSON.stringify([caller.owner, tenant, canonical(message.parts)])
  const payment = payload === undefined ? undefined : Buffer.from(JSON.stringify(payload)).toString('base64')
  const isPayment = (name: string) => name === 'payment-signature' || name === 'x-payment'
  return {
    method: METHOD,
    url,
    bodySha256: createHash('sha256').update(asked).digest('hex'),
    header: (name) => {
      if (payment !== undefined && isPayment(name)) return name === 'payment-signature' ? payment : undefined
      // Events have no headers (spec a2a 5).
      return carrier === 'events' ? undefined : header?.(name)
    },
    ...(peer !== undefined && { ip: peer }),
  }
}

/** Equal parts are equal text, whatever the order of their members. */
function canonical(parts: readonly Part[]): string {
  try {
    return canonicalJson(parts)
  } catch {
    return JSON.stringify(parts)
  }
}

async function priceOf(
  price: PaymentOptions['price'],
  message: Message,
  { caller, tenant, carrier }: CallContext,
  task: Task,
): Promise<Price | undefined> {
  if (typeof price !== 'function') return price
  const data = message.parts.find((part) => isRecord(part.data))?.data
  const record = isRecord(data) ? data : undefined
  const action = typeof record?.action === 'string' ? record.action : undefined
  const text = message.parts.flatMap((part) => (part.text === undefined ? [] : [part.text])).join('\n')
  return price({ action, message, text, data: record, task, owner: caller.owner, tenant, carrier })
}

/** The task waits for a payment that we asked for. */
function isHeld({ status }: Task): boolean {
  return status.state === 'TASK_STATE_INPUT_REQUIRED' && status.message?.metadata?.[STATUS] !== undefined
}

/** What is to be paid and then executed, whatever was said since. */
function heldMessage(task: Task): Message | undefined {
  const id = isHeld(task) ? task.status.message?.metadata?.[HELD] : undefined
  return id === undefined ? undefined : task.history?.find(({ messageId }) => messageId === id)
}

function alreadyPaid(
  receipts: ReturnType<typeof receiptsOf>,
): Pick<Extract<Admission, { kind: 'run' }>, 'complete'> {
  return { complete: async () => ({ [STATUS]: 'payment-completed', [RECEIPTS]: receipts }) }
}
