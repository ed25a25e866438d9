/**
 * Serving what is paid (spec solana 6, steps 5 and 6; payments 10): the handler runs to success once per payment, a
 * failure after payment is given back or can be fetched again, and a delivery that was kept is delivered again.
 */
import type { Claim, Collector, Outcome } from './collect.js'
import type { Ledger } from './ledger/ledger.js'
import type { Settled } from './ledger/record.js'
import type { Delivery } from './ledger/service.js'
import type { Network } from './network.js'
import { receiptHeaders } from './offer.js'
import { type Answer, type Respond, respond } from './outcome.js'
import type { Json, Payment, Receipt, Requirement } from './requirement.js'

/** A payment as hooks, extensions and handlers see it. */
export interface Paid {
  readonly paymentId: string
  readonly payer: string
  readonly network: Network
  readonly asset: string
  /** Atomic. */
  readonly amount: bigint
  /** Empty until settled. */
  readonly transaction: string
  readonly resourceUrl: string
}

export interface HandlerResult {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** With it the response is kept, when it is not too long, and the same payment gets it again. */
  readonly body?: Uint8Array
}

/** Run the handler, then call exactly one of `complete` and `fail`. */
export interface Pass {
  readonly kind: 'pass'
  /** `upfront`: it is paid, stream as you like. `authorization`: hold the response back until `complete` answers. */
  readonly flow: 'upfront' | 'authorization'
  readonly paid: Paid
  /** To set before the handler: receipt and cache headers; no receipt yet with `authorization`. */
  readonly headers: Readonly<Record<string, string>>
  /** The handler has answered. With `authorization` this settles: what comes back replaces or completes the response. */
  complete(
    result: HandlerResult,
  ): Promise<{ readonly kind: 'send'; readonly headers: Readonly<Record<string, string>> } | Respond>
  /** The handler threw, ran out of time, or was given up; headers for the answer, when they can still be sent. */
  fail(cause: unknown): Promise<{
    readonly headers: Readonly<Record<string, string>>
    /** What became of the money; `retry` also where none has moved. */
    readonly returned: Returned['returned']
  }>
}

/** What a hook did about a payment whose handler failed, with headers for the failed answer, such as a credit token. */
export interface Returned {
  readonly returned: 'refunded' | 'credited' | 'retry'
  readonly headers?: Readonly<Record<string, string>>
}

export interface ServeOptions {
  readonly ledger: Ledger
  readonly collector: Collector
  readonly leaseMs: number
  /** Longest body that is kept, bytes. */
  readonly keepBytes: number
  readonly onHandlerFailure?: (paid: Paid, cause: unknown) => Promise<Returned> | Returned
  readonly receiptExtensions: (paid: Paid) => Promise<Readonly<Record<string, Json>>>
  readonly onError: (error: unknown) => void
}

/** What is served, and how the answer for another outcome is made. */
interface Serving {
  readonly paid: Paid
  readonly flow: 'upfront' | 'authorization'
  readonly chargeOn: ((status: number) => boolean) | undefined
  readonly answer: (outcome: Exclude<Outcome, { state: 'paid' }>) => Promise<Respond>
  /** SHA-256 of what the buyer claims by, hex. */
  readonly claim: string | undefined
  /** With `authorization`: what is to be settled afterwards. */
  readonly unsettled?: { readonly claim: Claim; readonly payment: Payment; readonly requirement: Requirement }
}

const POLL_MS = 40

export interface Server {
  /** The pass for one caller; the others wait for the delivery at most until `deadline` (ms since 1970). */
  serve(serving: Serving, deadline: number): Promise<Pass | Respond>
  receipt(paid: Paid): Promise<Receipt>
}

export function createServer(options: ServeOptions): Server {
  const { ledger, leaseMs } = options
  const receipt = async (paid: Paid): Promise<Receipt> => {
    const { transaction, network, payer, amount } = paid
    const extensions = await options.receiptExtensions(paid)
    const more = Object.keys(extensions).length > 0 && { extensions }
    return { success: true, transaction, network, payer, amount, ...more }
  }
  return {
    receipt,
    async serve(serving, deadline) {
      const { paid } = serving
      const claimant = crypto.randomUUID()
      let waited = false
      while (true) {
        const answer = await ledger.serve(paid.paymentId, claimant, leaseMs)
        if (answer === 'new' && waited) {
          // The run that was waited for failed: the next request may try, not each of those that waited.
          await ledger.unserved(paid.paymentId, claimant)
          return conflict('aetherkit_in_flight', await receipt(paid))
        }
        if (answer === 'new') return pass(options, serving, claimant, receipt)
        if (answer !== 'serving') return redeliver(options, serving, answer, receipt)
        if (Date.now() >= deadline) return conflict('aetherkit_in_flight', await receipt(paid))
        waited = true
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
    },
  }
}

async function pass(
  options: ServeOptions,
  serving: Serving,
  claimant: string,
  receipt: (paid: Paid) => Promise<Receipt>,
): Promise<Pass> {
  const { ledger, collector, leaseMs, keepBytes, onHandlerFailure, onError } = options
  const {
    paid,
    flow,
    unsettled,
    claim: claimedBy,
    chargeOn = (status) => status < (flow === 'upfront' ? 500 : 400),
  } = serving
  const beat = setInterval(() => {
    void ledger.serving(paid.paymentId, claimant, leaseMs).catch(onError)
  }, leaseMs / 3)
  beat.unref()

  const failed: Pass['fail'] = async (cause) => {
    clearInterval(beat)
    if (unsettled !== undefined) {
      await collector.release(unsettled.claim)
      await ledger.unserved(paid.paymentId, claimant)
      return { headers: {}, returned: 'retry' }
    }
    const { returned, headers = {} } = await Promise.resolve()
      .then((): Returned | Promise<Returned> => onHandlerFailure?.(paid, cause) ?? { returned: 'retry' })
      .catch((error: unknown): Returned => {
        onError(error)
        return { returned: 'retry' }
      })
    if (returned === 'retry') await ledger.unserved(paid.paymentId, claimant)
    else {
      const kept = claimedBy === undefined ? { headers: {} } : { headers, claim: claimedBy }
      await ledger.delivered(paid.paymentId, { status: 409, returned, ...kept })
    }
    return { headers, returned }
  }
  const isKept = ({ body }: HandlerResult): boolean => body !== undefined && body.length <= keepBytes
  const deliver = async (settled: Paid, result: HandlerResult): Promise<void> => {
    clearInterval(beat)
    const { status, headers = {}, body } = result
    const kept = isKept(result) && body !== undefined && { body: Buffer.from(body).toString('base64') }
    await ledger.delivered(settled.paymentId, { status, headers, ...kept })
  }

  return {
    kind: 'pass',
    flow,
    paid,
    headers: {
      'Cache-Control': 'private',
      ...(paid.transaction !== '' && receiptHeaders(await receipt(paid))),
    },
    async complete(result) {
      if (!chargeOn(result.status)) {
        const { headers } = await failed(`the handler answered ${result.status}`)
        return { kind: 'send', headers }
      }
      if (unsettled === undefined) {
        await deliver(paid, result)
        return { kind: 'send', headers: {} }
      }
      const { claim, payment, requirement } = unsettled
      const outcome = await collector.settle(claim, payment, requirement)
      if (outcome.state !== 'paid') {
        clearInterval(beat)
        // The work is done and not paid: kept back, and when the payment settles after all, this is what it gets.
        if (isKept(result)) await deliver(paid, result)
        else await ledger.unserved(paid.paymentId, claimant)
        return serving.answer(outcome)
      }
      const settled: Paid = withSettled(paid, outcome.settled)
      await deliver(settled, result)
      return { kind: 'send', headers: receiptHeaders(await receipt(settled)) }
    },
    fail: failed,
  }
}

export function withSettled(paid: Paid, { transaction, payer }: Settled): Paid {
  return { ...paid, transaction, payer }
}

/** With `authorization` the work may be done and not yet paid: it is handed out when it is. */
async function redeliver(
  { collector }: ServeOptions,
  { paid, unsettled, answer, claim: claimedBy }: Serving,
  delivery: Delivery,
  receipt: (paid: Paid) => Promise<Receipt>,
): Promise<Respond> {
  if (unsettled === undefined) return again(delivery, await receipt(paid), claimedBy)
  const { claim, payment, requirement } = unsettled
  const outcome = await collector.settle(claim, payment, requirement)
  if (outcome.state !== 'paid') return answer(outcome)
  return again(delivery, await receipt(withSettled(paid, outcome.settled)), claimedBy)
}

/** After delivery: the same response while it is kept, else 409 with the signature. */
function again(delivery: Delivery, receipt: Receipt, claimedBy: string | undefined): Respond {
  const { status, headers, body, returned, claim } = delivery
  if (body === undefined) {
    const more = returned === undefined ? {} : { more: { returned } }
    const conflicting = respond({ state: 'conflict', reason: 'aetherkit_already_used', receipt, ...more })
    const isClaimed = returned !== undefined && claim !== undefined && claim === claimedBy
    return isClaimed ? { ...conflicting, headers: { ...headers, ...conflicting.headers } } : conflicting
  }
  return {
    kind: 'respond',
    status,
    headers: { ...headers, 'Cache-Control': 'private', ...receiptHeaders(receipt) },
    body: Buffer.from(body, 'base64'),
    outcome: 'replayed',
  }
}

export function conflict(
  reason: Extract<Answer, { state: 'conflict' }>['reason'],
  receipt?: Receipt,
): Respond {
  return respond({ state: 'conflict', reason, ...(receipt !== undefined && { receipt }) })
}
