/**
 * The seed's server API over our engine (spec payments 2.2): `verify(header, requirements)` and
 * `settle(header, requirements)`, each with the raw `X-Payment` header.
 *
 * Hostile input never throws. One payment is one success: whoever settles it first gets it, every later settle of the
 * same payment is `duplicate_settlement` with the transaction, so that a program without a record of its own serves once.
 */
import { isJsonObject, parseJson, writeJson } from '@aetherkit/core'
import { readPaymentHeader } from '../codec/classify.js'
import { textMember } from '../codec/header.js'
import { readTerms } from '../codec/terms.js'
import { type Collector, createCollector } from '../collect.js'
import { PaymentError } from '../errors.js'
import { createSolanaSettler } from '../exact/settle.js'
import { createLedger, type Ledger } from '../ledger/ledger.js'
import { memoryStore } from '../ledger/memory.js'
import type { Network } from '../network.js'
import { type Reason, type Refusal, refuse } from '../reason.js'
import type { Payment, Requirement } from '../requirement.js'
import type { Settler } from '../settler.js'
import { decodeBase58, keypairSigner } from '../solana.js'
import { peek } from '../terms.js'
import { createFacilitatorClient } from './client.js'

/** The seed's requirements: `network` in any spelling, `resource` as it is, `extra` optional. */
export interface SeedRequirements {
  readonly scheme: string
  readonly network: string
  readonly asset: string
  readonly payTo: string
  /** Atomic units, decimal digits: `String(0.1 * 1_000_000)` is, `String(2.01 * 1_000_000)` is not. */
  readonly maxAmountRequired: string
  readonly resource: string
  readonly description?: string
  readonly mimeType?: string
  readonly maxTimeoutSeconds?: number
  readonly extra?: Readonly<Record<string, unknown>>
}

export interface FacilitatorServerOptions {
  readonly settler?: Settler
  /** Memory when absent: then one process serves a route, and forgets at its end. */
  readonly ledger?: Ledger
  /** How long a settle waits for one of the same payment that is under way, 30 s by default. */
  readonly waitMs?: number
}

/**
 * Without a settler, one is made for the network of the first requirements, from the environment: `FACILITATOR_URL`, or
 * `FEE_PAYER_KEY` (base58) with `RPC_URL`. Neither has a default.
 */
export class X402FacilitatorServer {
  readonly #options: FacilitatorServerOptions
  readonly #ledger: Ledger
  readonly #engines = new Map<Network, { readonly settler: Settler; readonly collector: Collector }>()

  constructor(options: FacilitatorServerOptions = {}) {
    this.#options = options
    this.#ledger = options.ledger ?? createLedger(memoryStore())
  }

  async verify(
    paymentHeader: string,
    requirements: SeedRequirements,
  ): Promise<{ isValid: boolean; invalidReason?: string; payer?: string }> {
    const read = readBoth(paymentHeader, requirements)
    if (!read.ok) return { isValid: false, invalidReason: read.reason }
    const { payment, requirement } = read
    const { settler } = this.#engine(requirement.network)
    const verified = await settler.verifyStatic(payment, requirement)
    if (!verified.ok) return { isValid: false, invalidReason: verified.reason }
    const { paymentId, payer } = verified
    const record = await this.#ledger.find(paymentId)
    if (record?.resource !== undefined && record.resource !== requirements.resource)
      return { isValid: false, invalidReason: 'aetherkit_other_resource', payer }
    if (record?.state === 'settled' && (await this.#ledger.delivery(paymentId)) !== undefined)
      return { isValid: false, invalidReason: 'duplicate_settlement', payer }
    // Sent before: only settling tells what became of it.
    if (record !== undefined && record.state !== 'claimed') return { isValid: true, payer }
    const checked = await settler.verify(payment, requirement)
    return checked.ok ? { isValid: true, payer } : { isValid: false, invalidReason: checked.reason, payer }
  }

  async settle(
    paymentHeader: string,
    requirements: SeedRequirements,
  ): Promise<{ success: boolean; txHash: string; errorReason?: string; payer?: string }> {
    const read = readBoth(paymentHeader, requirements)
    if (!read.ok) return { success: false, txHash: '', errorReason: read.reason }
    const { payment, requirement } = read
    const { settler, collector } = this.#engine(requirement.network)
    const verified = await settler.verifyStatic(payment, requirement)
    if (!verified.ok) return { success: false, txHash: '', errorReason: verified.reason }
    const { paymentId, payer } = verified
    const failed = (errorReason: Reason, txHash = '') => ({ success: false, txHash, errorReason, payer })
    const claimed = await collector.claim(verified, requirements.resource, this.#options.waitMs ?? 30_000)
    if (claimed.state === 'elsewhere') return failed('aetherkit_other_resource', claimed.transaction)
    const outcome =
      claimed.state === 'mine'
        ? await collector.settle(claimed.claim, payment, requirement, claimed.again)
        : claimed
    if (outcome.state === 'refused') return failed(outcome.reason)
    if (outcome.state === 'unavailable') return failed('unexpected_settle_error')
    if (outcome.state === 'failed') return failed(outcome.reason, outcome.transaction)
    if (outcome.state !== 'paid') return failed('settlement_pending', outcome.transaction)
    const txHash = outcome.settled.transaction
    const isFirst = await this.#ledger.delivered(paymentId, { status: 200, headers: {} })
    return isFirst ? { success: true, txHash, payer } : failed('duplicate_settlement', txHash)
  }

  /** Stops the questions about payments of unknown outcome. */
  close(): void {
    for (const { collector } of this.#engines.values()) collector.close()
  }

  #engine(network: Network): { readonly settler: Settler; readonly collector: Collector } {
    const known = this.#engines.get(network)
    if (known !== undefined) return known
    const settler = this.#options.settler ?? settlerFromEnvironment(network)
    const made = { settler, collector: createCollector({ settler, ledger: this.#ledger }) }
    this.#engines.set(network, made)
    return made
  }
}

/** Both halves of a call; the fee payer that the seed's requirements lack is the one the transaction names. */
function readBoth(
  paymentHeader: string,
  requirements: SeedRequirements,
): { ok: true; payment: Payment; requirement: Requirement } | Refusal {
  if (typeof paymentHeader !== 'string' || paymentHeader === '') return refuse('invalid_payload')
  const payment = readPaymentHeader(paymentHeader)
  if (!payment.ok) return payment
  const parsed = parseJson(writeJson(requirements))
  if (!parsed.ok || !isJsonObject(parsed.value)) return refuse('invalid_payment_requirements')
  const { extra } = parsed.value
  const given = isJsonObject(extra) ? textMember(extra, 'feePayer') : undefined
  const feePayer = given ?? peek(payment.payment.transaction)?.feePayer
  if (feePayer === undefined) return refuse('invalid_exact_svm_payload_transaction')
  const terms = readTerms({ ...parsed.value, extra: { ...(isJsonObject(extra) && extra), feePayer } }, 'seed')
  return terms.ok ? { ok: true, payment: payment.payment, requirement: terms.requirement } : terms
}

/** @throws PaymentError `invalid_option` naming what is missing */
function settlerFromEnvironment(network: Network): Settler {
  const { FACILITATOR_URL, FEE_PAYER_KEY, RPC_URL } = globalThis.process?.env ?? {}
  if (FACILITATOR_URL)
    return createFacilitatorClient({ url: FACILITATOR_URL, ...(RPC_URL && { rpcUrl: RPC_URL }) })
  if (!FEE_PAYER_KEY || !RPC_URL) {
    throw new PaymentError(
      'invalid_option',
      `no way to settle on ${network}: pass a settler, or set FACILITATOR_URL, or FEE_PAYER_KEY and RPC_URL`,
    )
  }
  return createSolanaSettler({
    rpcUrl: RPC_URL,
    network,
    sponsors: [keypairSigner(decodeBase58(FEE_PAYER_KEY))],
  })
}
