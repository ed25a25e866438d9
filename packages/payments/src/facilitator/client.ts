/**
 * A facilitator somewhere else, as a settler (spec payments 7, 8.5 step 6). It holds the sponsor key, so the transaction
 * id is not known before it answers: the claim is marked as sent first, and whatever does not answer clearly is pending.
 *
 * There is no default facilitator, and nothing here ends the process.
 */
import { writeJson } from '@aetherkit/core'
import { textMember } from '../codec/header.js'
import { readAmount } from '../codec/terms.js'
import { PaymentError } from '../errors.js'
import { knownMint } from '../exact/build.js'
import { blockHeight, receivedAmount } from '../exact/chain.js'
import { statusesOf } from '../exact/confirm.js'
import { type AllowedMints, fetchMint, type Mint } from '../exact/mint.js'
import { DEFAULT_SPONSOR_LIMITS, type SponsorLimits, verifyStatic } from '../exact/static.js'
import { isReason, REASONS, type Reason, refuse } from '../reason.js'
import type { Payment, Requirement } from '../requirement.js'
import { createRpc, type Fetch } from '../rpc.js'
import type { Settlement, SettleRefusal, Settler } from '../settler.js'
import { associatedAccount } from '../solana.js'
import { NO_HEIGHT } from '../watch.js'
import { type Answer, type AuthHeaders, askSupported, createAsk, FacilitatorError } from './ask.js'
import type { Supported } from './supported.js'
import { isReply, writeCall } from './wire.js'

export interface FacilitatorClientOptions {
  /** Its base: `/verify`, `/settle` and `/supported` are under it. */
  readonly url: string
  /** Headers for each path, asked before each call. */
  readonly createAuthHeaders?: AuthHeaders
  /** Of one call, 90 s by default. */
  readonly timeoutMs?: number
  readonly fetch?: Fetch
  /** How long `/supported` is believed, 10 minutes by default. */
  readonly supportedMs?: number
  /** Our own static rules, applied before anything is claimed or sent on. */
  readonly limits?: Partial<SponsorLimits>
  readonly allowedMints?: AllowedMints
  /** With a node, unknown tokens can be read and an unclear outcome can be looked up on the chain. */
  readonly rpcUrl?: string
}

/** A blockhash lives for 150 blocks. */
const BLOCKHASH_LIFE = 150n
/** Refusals of a settle that say nothing about whether it was sent. */
const UNCLEAR: readonly Reason[] = [
  'settlement_pending',
  'unexpected_settle_error',
  'duplicate_settlement',
  'invalid_exact_svm_transaction_failed',
  'post_settlement_transfer_not_confirmed',
]

/** @throws PaymentError `invalid_option` for a URL or timeout that is none */
export function createFacilitatorClient(options: FacilitatorClientOptions): Settler {
  const { timeoutMs = 90_000, supportedMs = 600_000, fetch = globalThis.fetch, allowedMints = {} } = options
  if (!URL.canParse(options.url)) throw new PaymentError('invalid_option', `no URL: ${options.url}`)
  if (!(Number.isFinite(timeoutMs) && timeoutMs > 0)) throw new PaymentError('invalid_option', 'timeoutMs')
  const base = options.url.replace(/\/+$/, '')
  const ask = createAsk(base, fetch, timeoutMs, options.createAuthHeaders)
  const rpc = options.rpcUrl === undefined ? undefined : createRpc(options.rpcUrl)
  const limits = { ...DEFAULT_SPONSOR_LIMITS, ...options.limits }
  const mints = new Map<string, Mint>()
  let cached: { readonly until: number; readonly supported: Promise<Supported> } | undefined

  async function supported(): Promise<Supported> {
    if (cached === undefined || cached.until <= Date.now()) {
      const asked = askSupported(ask)
      cached = { until: Date.now() + supportedMs, supported: asked }
      asked.catch(() => {
        if (cached?.supported === asked) cached = undefined
      })
    }
    return cached.supported
  }

  async function judge(payment: Payment, requirement: Requirement) {
    const mint = await mintOf(requirement)
    if (mint === undefined)
      return refuse('unexpected_verify_error', `the token ${requirement.asset} is not known here`)
    const { signers } = await supported()
    return verifyStatic(payment, requirement, mint, {
      sponsors: signers,
      network: requirement.network,
      limits,
      allowedMints,
    })
  }

  async function mintOf(requirement: Requirement): Promise<Mint | undefined> {
    const known = mints.get(requirement.asset) ?? knownMint(requirement)
    if (known !== undefined || rpc === undefined) return known
    const fetched = await fetchMint(rpc, requirement.asset)
    if (fetched.ok) mints.set(requirement.asset, fetched.mint)
    return fetched.ok ? fetched.mint : undefined
  }

  async function body(payment: Payment, requirement: Requirement): Promise<string> {
    const versions = (await supported()).versions.get(requirement.network) ?? []
    const wanted = payment.dialect === 'v2' ? 2 : 1
    const version = versions.includes(wanted) ? wanted : (versions[0] ?? wanted)
    return writeJson(writeCall(payment, requirement, version))
  }

  return {
    kinds: async () => (await supported()).kinds,
    async verifyStatic(payment, requirement) {
      try {
        const verified = await judge(payment, requirement)
        return verified.ok ? { ok: true, paymentId: verified.paymentId, payer: verified.payer } : verified
      } catch (error) {
        return away(error)
      }
    },
    async verify(payment, requirement) {
      try {
        const verified = await judge(payment, requirement)
        if (!verified.ok) return verified
        const { paymentId, payer } = verified
        const { status, json } = await ask('verify', await body(payment, requirement))
        if (status === 429 || !isReply(json, 'isValid'))
          return { ...refuse('aetherkit_facilitator_unavailable', `verify: HTTP ${status}`), paymentId }
        if (json.isValid === true) return { ok: true, paymentId, payer }
        return { ...refuse(reasonOf(json.invalidReason, 'invalid_payment'), writeJson(json)), paymentId }
      } catch (error) {
        return away(error)
      }
    },
    async settle(payment, requirement, { onSigned } = {}) {
      let paymentId: string
      let payer: string
      let text: string
      let height: bigint
      try {
        const verified = await judge(payment, requirement)
        if (!verified.ok) return verified
        ;({ paymentId, payer } = verified)
        text = await body(payment, requirement)
        height = rpc === undefined ? NO_HEIGHT : (await blockHeight(rpc)) + BLOCKHASH_LIFE
      } catch (error) {
        return away(error)
      }
      await onSigned?.({ paymentId, transaction: '', lastValidBlockHeight: height })
      const first = await settleOnce(text, paymentId, payer, requirement)
      if (first.ok || first.pending !== true) return first
      // Under way: asked for once more, then it is the caller's to come again. A refusal now proves nothing.
      const second = await settleOnce(text, paymentId, payer, requirement)
      return second.ok || second.transaction !== undefined ? second : { ...second, pending: true }
    },
    async fate({ transaction, lastValidBlockHeight }, requirement) {
      const mint = await mintOf(requirement)
      if (rpc === undefined || transaction === '' || mint === undefined) return { state: 'unknown' }
      const height = await blockHeight(rpc)
      const asked = { signature: transaction, confirmation: requirement.confirmation }
      const [status] = await statusesOf(rpc, [asked], true)
      if (status === 'failed') return { state: 'failed' }
      const isPast = height > lastValidBlockHeight
      if (status !== 'confirmed') return { state: status === 'missing' && isPast ? 'dead' : 'unknown' }
      const destination = associatedAccount(requirement.payTo, mint.program, requirement.asset)
      const received = await receivedAmount(rpc, transaction, destination)
      return received === undefined ? { state: 'unknown' } : { state: 'landed', received }
    },
  }

  async function settleOnce(
    text: string,
    paymentId: string,
    payer: string,
    requirement: Requirement,
  ): Promise<Settlement | SettleRefusal> {
    let answer: Answer
    try {
      answer = await ask('settle', text)
    } catch (error) {
      if (!(error instanceof FacilitatorError)) throw error
      if (error.isUnsent) return refuse('aetherkit_facilitator_unavailable', error.message)
      return { ...refuse('settlement_pending', error.message), pending: true }
    }
    const { status, json } = answer
    if (status === 429) return refuse('aetherkit_facilitator_unavailable', 'settle: HTTP 429')
    if (!isReply(json, 'success'))
      return { ...refuse('settlement_pending', `HTTP ${status} ${writeJson(json)}`), pending: true }
    const transaction = textMember(json, 'transaction') ?? ''
    if (json.success === true && transaction !== '')
      return {
        ok: true,
        paymentId,
        transaction,
        payer,
        received: readAmount(json.amount) ?? requirement.amount,
      }
    const reason = reasonOf(json.errorReason, 'unexpected_settle_error')
    const isUnclear = json.success === true || UNCLEAR.includes(reason)
    const isFinal = transaction !== '' && reason === 'invalid_exact_svm_transaction_failed'
    const refusal = { ...refuse(reason, writeJson(json)), ...(transaction !== '' && { transaction }) }
    return isUnclear && !isFinal ? { ...refusal, pending: true } : refusal
  }
}

/** A word of the closed table for what a peer said; tails and missing prefixes are forgiven. */
function reasonOf(given: unknown, otherwise: Reason): Reason {
  return (
    REASONS.find((reason) => reason === given) ??
    REASONS.find((reason) => isReason(given, reason)) ??
    otherwise
  )
}

function away(error: unknown): SettleRefusal {
  if (PaymentError.is(error)) return refuse('aetherkit_facilitator_unavailable', error.message)
  throw error
}
