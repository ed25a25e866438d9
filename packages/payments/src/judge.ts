/** One request that brings a payment (spec payments 10, solana 6): from the match of its terms to the handler's pass. */
import type { Binding } from './binding.js'
import { CLAIM_HEADER, hashClaim } from './claim.js'
import { type ClaimOutcome, type Collector, isUnavailable, type Outcome } from './collect.js'
import type { IdentifierUse, PaymentIdentifiers } from './extension/payment-identifier.js'
import type { Ledger } from './ledger/ledger.js'
import type { PaymentRecord } from './ledger/record.js'
import { type Match, matchTerms } from './match.js'
import { type Respond, respond } from './outcome.js'
import type { Reason } from './reason.js'
import type { Offer, Payment, Receipt, Requirement } from './requirement.js'
import { conflict, type Paid, type Pass, type Server, withSettled } from './serve.js'
import type { Settler } from './settler.js'
import { boundRequest, type GateRequest, peek, type RouteTerms, resourceName } from './terms.js'

export interface Court {
  readonly settler: Settler
  readonly ledger: Ledger
  readonly collector: Collector
  readonly server: Server
  readonly binding: Binding | undefined
  readonly identifiers: PaymentIdentifiers | undefined
  readonly waitMs: number
  /** Whether one more payment of this key may cost RPC calls now. */
  readonly allow: (key: string) => boolean
  readonly offer: (request: GateRequest, terms: RouteTerms) => Promise<Offer>
  readonly statusUrl: ((paymentId: string) => string) | undefined
  readonly onBeforeSettle: ((paid: Paid) => Promise<string | undefined> | string | undefined) | undefined
  readonly onSettled: ((paid: Paid) => Promise<void> | void) | undefined
  readonly onRefused: ((reason: Reason, detail: string | undefined) => void) | undefined
  readonly onError: (error: unknown) => void
}

type Unpaid = Exclude<Outcome | ClaimOutcome, { state: 'paid' | 'mine' }>

interface Case extends Court {
  readonly request: GateRequest
  readonly terms: RouteTerms
  readonly payment: Payment
  readonly resource: string
  readonly deadline: number
}

export async function judge(
  court: Court,
  request: GateRequest,
  terms: RouteTerms,
  payment: Payment,
): Promise<Pass | Respond> {
  const resource = resourceName(request, terms)
  const it: Case = { ...court, request, terms, payment, resource, deadline: Date.now() + court.waitMs }
  const peeked = peek(payment.transaction)
  const matched = matchTerms(payment, peeked, boundRequest(request, terms), terms, court.binding)
  if (!matched.ok || matched.matches.every(({ expired }) => expired)) {
    // The terms may have changed since it was paid: what is known keeps its outcome.
    const record = peeked && (await court.ledger.find(peeked.paymentId))
    const outcome = record?.resource === resource ? await known(it, record) : undefined
    return outcome ?? refused(it, matched.ok ? 'aetherkit_binding_expired' : matched.reason)
  }
  const verified = await firstVerified(court.settler, payment, matched.matches)
  if (!verified.ok) {
    if (isUnavailable(verified.reason)) return unavailable()
    return refused(it, verified.reason, verified.detail)
  }
  const { requirement, paymentId, payer } = verified
  if (terms.payer !== undefined && terms.payer !== payer) return refused(it, 'aetherkit_other_payer')
  const paid = paidOf(it, requirement, paymentId, payer)
  const identified = court.identifiers?.read(payment, request, terms, paid)
  if (identified?.ok === false) return respond({ state: 'malformed', reason: identified.reason })
  const claimed = await court.collector.claim(verified, resource, court.waitMs)
  if (claimed.state === 'paid') return serve(it, withSettled(paid, claimed.settled))
  if (claimed.state !== 'mine') return answer(it, paid, claimed)
  try {
    return await claimedOne(it, paid, requirement, claimed, identified?.use)
  } catch (error) {
    await court.collector.release(claimed.claim).catch(court.onError)
    throw error
  }
}

/** Under an own claim. */
async function claimedOne(
  it: Case,
  paid: Paid,
  requirement: Requirement,
  { claim, again }: Extract<ClaimOutcome, { state: 'mine' }>,
  use: IdentifierUse | undefined,
): Promise<Pass | Respond> {
  const { collector, settler, server, payment, terms } = it
  const giveBack = async <T>(result: T): Promise<T> => {
    await collector.release(claim)
    return result
  }
  if (again) return settled(it, paid, await collector.settle(claim, payment, requirement, true))
  const ip = it.request.ip
  if ((ip !== undefined && !it.allow(`ip ${ip}`)) || !it.allow(`payer ${paid.payer}`))
    return giveBack(respond({ state: 'unavailable', reason: 'aetherkit_rate_limited' }))
  const held = use && (await heldElsewhere(it, use, paid.paymentId))
  if (held !== undefined) return giveBack(held)
  const abort = await it.onBeforeSettle?.(paid)
  if (abort !== undefined) return giveBack(await refused(it, 'invalid_payment', abort, abort))
  if ((terms.flow ?? 'upfront') === 'upfront')
    return settled(it, paid, await collector.settle(claim, payment, requirement))

  const checked = await settler.verify(payment, requirement)
  if (!checked.ok) {
    if (isUnavailable(checked.reason)) return giveBack(unavailable())
    return giveBack(await refused(it, checked.reason, checked.detail))
  }
  const served = await server.serve(
    {
      paid,
      flow: 'authorization',
      chargeOn: terms.chargeOn,
      unsettled: { claim, payment, requirement },
      claim: claimOf(it),
      answer: (outcome) => answer(it, paid, outcome),
    },
    it.deadline,
  )
  return served.kind === 'pass' ? served : giveBack(served)
}

/** The answer of the payment that holds the buyer's id; undefined when this payment holds it now. */
async function heldElsewhere(
  it: Case,
  use: IdentifierUse,
  paymentId: string,
): Promise<Pass | Respond | undefined> {
  while (true) {
    const holder = await use.bind(paymentId)
    if (holder === paymentId) return undefined
    if (holder === undefined) return conflict('aetherkit_payment_id_reused')
    const record = await it.ledger.find(holder)
    const outcome = record === undefined ? undefined : await known(it, record)
    if (outcome !== undefined) return outcome
    await use.rebind(holder, paymentId)
  }
}

/** What became of a payment the ledger knows, whatever the terms are now; undefined when it was never sent. */
async function known(it: Case, record: PaymentRecord): Promise<Pass | Respond | undefined> {
  const { paymentId, sent, settled: done } = record
  const payer = done?.payer ?? sent?.payer ?? ''
  const claimed = await it.collector.claim({ paymentId, payer }, it.resource, it.deadline - Date.now())
  const requirement = sent?.requirement
  const paid: Paid = {
    paymentId,
    payer,
    network: requirement?.network ?? it.payment.network,
    asset: requirement?.asset ?? it.terms.accepts[0]?.asset ?? '',
    amount: requirement?.amount ?? done?.received ?? 0n,
    transaction: '',
    resourceUrl: it.terms.resource.url,
  }
  if (claimed.state === 'paid') return serve(it, withSettled(paid, claimed.settled))
  if (claimed.state !== 'mine') return answer(it, paid, claimed)
  if (claimed.again && requirement !== undefined) {
    const outcome = await it.collector.settle(claimed.claim, it.payment, requirement, true)
    return settled(it, paid, outcome)
  }
  await it.collector.release(claimed.claim)
  return undefined
}

async function settled(it: Case, paid: Paid, outcome: Outcome): Promise<Pass | Respond> {
  if (outcome.state !== 'paid') return answer(it, paid, outcome)
  const now = withSettled(paid, outcome.settled)
  try {
    await it.onSettled?.(now)
  } catch (error) {
    it.onError(error)
  }
  return serve(it, now)
}

async function serve(it: Case, paid: Paid): Promise<Pass | Respond> {
  const { server, terms, deadline } = it
  const serving = {
    paid,
    flow: 'upfront' as const,
    chargeOn: terms.chargeOn,
    claim: claimOf(it),
    answer: (outcome: Exclude<Outcome, { state: 'paid' }>) => answer(it, paid, outcome),
  }
  try {
    return await server.serve(serving, deadline)
  } catch (error) {
    // Paid, and our ledger is away: the buyer keeps the signature and comes again.
    it.onError(error)
    return answer(it, paid, { state: 'unknown', transaction: paid.transaction })
  }
}

function claimOf({ request }: Case): string | undefined {
  return hashClaim(request.header(CLAIM_HEADER.toLowerCase()))
}

async function refused(it: Case, reason: Reason, detail?: string, hint?: string): Promise<Respond> {
  it.onRefused?.(reason, detail)
  const offer = await it.offer(it.request, it.terms)
  return respond({ state: 'rejected', offer, reason, ...(hint !== undefined && { hint }) })
}

function unavailable(): Respond {
  return respond({ state: 'unavailable', reason: 'aetherkit_facilitator_unavailable' })
}

/** Every outcome that is not `paid`, as its row of the table. */
async function answer(it: Case, paid: Paid, outcome: Unpaid): Promise<Respond> {
  if (outcome.state === 'refused') return refused(it, outcome.reason, outcome.detail)
  if (outcome.state === 'unavailable') return unavailable()
  const { transaction } = outcome
  const { network, payer } = paid
  const base = { success: false, transaction, network, ...(payer !== '' && { payer }) }
  const receipt: Receipt = { ...base, errorReason: 'settlement_pending' }
  if (outcome.state === 'elsewhere') return conflict('aetherkit_other_resource', receipt)
  if (outcome.state === 'busy') return conflict('aetherkit_in_flight', receipt)
  if (outcome.state === 'failed') {
    const { reason } = outcome
    it.onRefused?.(reason, transaction)
    const offer = await it.offer(it.request, it.terms)
    return respond({ state: 'failed', offer, reason, receipt: { ...base, errorReason: reason } })
  }
  const statusUrl = it.statusUrl?.(paid.paymentId)
  return respond({ state: 'unknown', receipt, ...(statusUrl !== undefined && { statusUrl }) })
}

function paidOf(it: Case, requirement: Requirement, paymentId: string, payer: string): Paid {
  const { network, asset, amount } = requirement
  return { paymentId, payer, network, asset, amount, transaction: '', resourceUrl: it.terms.resource.url }
}

/** The first of the possible requirements whose rules the bytes keep; else the first refusal. */
async function firstVerified(settler: Settler, payment: Payment, matches: readonly Match[]) {
  let refusal: Exclude<Awaited<ReturnType<Settler['verifyStatic']>>, { ok: true }> | undefined
  for (const { requirement, expired } of matches) {
    if (expired) continue
    const verified = await settler.verifyStatic(payment, requirement)
    if (verified.ok) return { ...verified, requirement }
    refusal ??= verified
  }
  if (refusal === undefined) throw new RangeError('no requirement to verify a payment against')
  return refusal
}
