/**
 * A facilitator over HTTP (spec payments 7): `POST /verify`, `POST /settle`, `GET /supported`, versions 1 and 2 on the
 * same paths. Every reply carries `isValid` or `success`, whatever was asked. Both calls are idempotent by message hash:
 * a repeated settle answers the recorded result.
 *
 * A resource server that keeps no record of its own must not take a repeated success for a new payment. Ours keep one.
 */
import { isJsonObject, parseJson, writeJson } from '@aetherkit/core'
import { type Collector, createCollector } from '../collect.js'
import { createLedger, type Ledger } from '../ledger/ledger.js'
import { networkName } from '../network.js'
import { createRateLimit, type RateLimit } from '../rate.js'
import type { Reason } from '../reason.js'
import type { Dialect, Payment, Requirement } from '../requirement.js'
import type { Settler } from '../settler.js'
import { type Reply, readCall } from './wire.js'

export interface FacilitatorOptions {
  readonly settler: Settler
  /** Its store is shared, its records are apart from those of a gate. */
  readonly ledger: Ledger
  /** Per caller; 50 at once and 20 a second by default. */
  readonly rateLimit?: RateLimit | false
  /** `false` refuses a caller: 401. */
  readonly authorize?: (request: Request) => boolean | Promise<boolean>
  /** How long one settle call waits for a settlement of the same payment that is under way, 60 s by default. */
  readonly waitMs?: number
  /** Last word before the money moves; a text refuses the payment (it is for logs and does not travel). */
  readonly onBeforeSettle?: (
    payment: Payment,
    requirement: Requirement,
  ) => Promise<string | undefined> | string | undefined
  readonly onSettled?: (settlement: {
    readonly paymentId: string
    readonly transaction: string
    readonly payer: string
  }) => void
  readonly onError?: (error: unknown) => void
}

export interface Facilitator {
  /** `caller` is whom the rate limit counts, most often the peer's address. */
  handle(request: Request, caller?: string): Promise<Response>
  recover(): Promise<number>
  close(): void
}

const MAX_BODY = 64 * 1024

export function createFacilitator(options: FacilitatorOptions): Facilitator {
  const { settler, waitMs = 60_000, rateLimit = { burst: 50, perSecond: 20 }, onError = () => {} } = options
  const ledger = createLedger(options.ledger.store, { namespace: 'facilitator' })
  const collector = createCollector({ settler, ledger })
  const allow = rateLimit === false ? () => true : createRateLimit(rateLimit)

  async function call(request: Request, path: 'verify' | 'settle'): Promise<Response> {
    const text = await request.text()
    const parsed = text.length > MAX_BODY ? undefined : parseJson(text)
    const body = parsed?.ok && isJsonObject(parsed.value) ? parsed.value : undefined
    if (body === undefined) return refused(path, 400, 'invalid_payload')
    const read = readCall(body)
    if (!read.ok) return refused(path, 400, read.reason)
    const { payment, requirement } = read
    return path === 'verify'
      ? json(200, await verify(settler, ledger, payment, requirement))
      : json(200, await settle(payment, requirement))
  }

  async function settle(payment: Payment, requirement: Requirement): Promise<Reply> {
    const verified = await settler.verifyStatic(payment, requirement)
    if (!verified.ok) return failure(payment, requirement, verified.reason)
    const { payer } = verified
    const outcome = await collect(collector, payment, requirement, verified, waitMs, options)
    if (outcome.state === 'paid') {
      const { transaction, received } = outcome.settled
      return {
        success: true,
        transaction,
        network: networkName(requirement.network, dialectOf(payment)),
        payer: outcome.settled.payer,
        ...(payment.dialect === 'v2' && { amount: received.toString() }),
      }
    }
    if (outcome.state === 'unavailable')
      return failure(payment, requirement, 'unexpected_settle_error', payer)
    const reason: Reason =
      outcome.state === 'refused' || outcome.state === 'failed' ? outcome.reason : 'settlement_pending'
    return failure(
      payment,
      requirement,
      reason,
      payer,
      outcome.state === 'refused' ? '' : outcome.transaction,
    )
  }

  return {
    async handle(request, caller = '') {
      const path = new URL(request.url).pathname.replace(/\/+$/, '').split('/').at(-1)
      const kind = path === 'settle' ? 'settle' : 'verify'
      try {
        if (options.authorize !== undefined && !(await options.authorize(request)))
          return refused(kind, 401, 'invalid_payment')
        if (!allow(caller)) return refused(kind, 429, 'aetherkit_rate_limited', { 'Retry-After': '1' })
        if (request.method === 'POST' && (path === 'verify' || path === 'settle'))
          return await call(request, path)
        if (request.method === 'GET' && path === 'supported') return json(200, await supported(settler))
        return refused(kind, 404, 'invalid_payload')
      } catch (error) {
        onError(error)
        return refused(kind, 500, kind === 'settle' ? 'unexpected_settle_error' : 'unexpected_verify_error')
      }
    },
    recover: () => collector.recover(),
    close: () => collector.close(),
  }
}

/** Claims and settles; a payment under way elsewhere is waited for, one sent before is asked about. */
async function collect(
  collector: Collector,
  payment: Payment,
  requirement: Requirement,
  verified: { readonly paymentId: string; readonly payer: string },
  waitMs: number,
  hooks: Pick<FacilitatorOptions, 'onBeforeSettle' | 'onSettled'>,
) {
  // The terms are the resource here: one payment under two sets of terms is two questions.
  const claimed = await collector.claim(
    verified,
    `${requirement.asset} ${requirement.amount} ${requirement.payTo}`,
    waitMs,
  )
  if (claimed.state !== 'mine') return claimed
  const { claim, again } = claimed
  const abort = again ? undefined : await hooks.onBeforeSettle?.(payment, requirement)
  if (abort !== undefined) {
    await collector.release(claim)
    return { state: 'refused' as const, reason: 'invalid_payment' as const, detail: abort }
  }
  const outcome = await collector.settle(claim, payment, requirement, again)
  const { paymentId, payer } = claim
  if (outcome.state === 'paid')
    hooks.onSettled?.({ paymentId, transaction: outcome.settled.transaction, payer })
  return outcome
}

async function verify(
  settler: Settler,
  ledger: Ledger,
  payment: Payment,
  requirement: Requirement,
): Promise<Reply> {
  const verified = await settler.verifyStatic(payment, requirement)
  const invalid = (reason: Reason, payer?: string): Reply => ({
    isValid: false,
    invalidReason: reason,
    ...(payment.dialect === 'v2' && { invalidMessage: reason }),
    ...(payer !== undefined && { payer }),
  })
  if (!verified.ok) return invalid(verified.reason)
  const { payer, paymentId } = verified
  // Answered from the record, before a simulation that could only say "already processed".
  if ((await ledger.find(paymentId))?.state === 'settled') return invalid('duplicate_settlement', payer)
  const checked = await settler.verify(payment, requirement)
  return checked.ok ? { isValid: true, payer } : invalid(checked.reason, payer)
}

async function supported(settler: Settler): Promise<Reply> {
  const kinds = await settler.kinds()
  const signers = [...new Set(kinds.map(({ feePayer }) => feePayer))]
  return {
    kinds: kinds.flatMap(({ scheme, network, feePayer }) => [
      { x402Version: 2, scheme, network: networkName(network, 'v2'), extra: { feePayer } },
      { x402Version: 1, scheme, network: networkName(network, 'v1'), extra: { feePayer } },
    ]),
    extensions: [],
    signers: { 'solana:*': signers },
  }
}

function failure(
  payment: Payment,
  requirement: Requirement,
  reason: Reason,
  payer?: string,
  transaction = '',
): Reply {
  return {
    success: false,
    errorReason: reason,
    ...(payment.dialect === 'v2' && { errorMessage: reason }),
    transaction,
    network: networkName(requirement.network, dialectOf(payment)),
    ...(payer !== undefined && { payer }),
  }
}

function dialectOf(payment: Payment): Dialect {
  return payment.dialect
}

function refused(
  path: 'verify' | 'settle',
  status: number,
  reason: Reason,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const reply: Reply =
    path === 'settle'
      ? { success: false, errorReason: reason, transaction: '', network: '' }
      : { isValid: false, invalidReason: reason }
  return json(status, reply, headers)
}

function json(status: number, reply: Reply, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(writeJson(reply), {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
  })
}
