/**
 * The in-process settler (spec solana 3, 6, 7): verify, sign as sponsor, tell the id, send, confirm.
 *
 * Payments of one payer are settled one after the other (R3): several backed by a balance for one are simulated after
 * the earlier ones landed, and die there at no cost. Different payers never wait for each other.
 */
import { CONFIRMATIONS } from '../confirmation.js'
import { PaymentError } from '../errors.js'
import type { Network } from '../network.js'
import { refuse } from '../reason.js'
import type { Payment, Requirement } from '../requirement.js'
import { createRpc, type Fetch, isLoopback, type Rpc } from '../rpc.js'
import type { Settlement, SettleRefusal, Settler, Signed } from '../settler.js'
import { associatedAccount, encodeBase58, type PaymentSigner, signerAddress, signMessage } from '../solana.js'
import { withFirstSignature } from '../wire.js'
import { knownMint } from './build.js'
import { blockHeight, createLastValidBlockHeight, receivedAmount, simulate } from './chain.js'
import { type Confirmer, createConfirmer, statusesOf } from './confirm.js'
import { DEMO_ADDRESSES } from './demo-address.js'
import { type AllowedMints, fetchMint, type Mint } from './mint.js'
import {
  DEFAULT_SPONSOR_LIMITS,
  type SponsorLimits,
  type StaticallyVerified,
  type StaticRules,
  verifyStatic,
} from './static.js'

export interface SolanaSettlerOptions {
  readonly rpcUrl: string
  readonly network: Network
  /** Who pays the network fees; offers name the first, payments may name any. */
  readonly sponsors: readonly PaymentSigner[]
  readonly limits?: Partial<SponsorLimits>
  /** Token-2022 mints that are served, with the extension types that each may have. */
  readonly allowedMints?: AllowedMints
  /** How long one settle call waits for the chain before it says `pending`; 30 s by default. */
  readonly confirmTimeoutMs?: number
  readonly fetch?: Fetch
}

interface Judged {
  readonly text: string
  readonly requirement: Requirement
  readonly mint: Mint
  readonly verdict: StaticallyVerified
}

interface Context {
  readonly rpc: Rpc
  readonly rules: StaticRules
  readonly mints: Map<string, Mint>
  readonly confirmer: Confirmer
  readonly lastValidBlockHeight: () => Promise<bigint>
  /** Bytes do not change: what was judged for a gate is not judged again when it settles. */
  readonly judged: WeakMap<Payment, Judged>
  readonly sponsors: ReadonlyMap<string, PaymentSigner>
  readonly confirmTimeoutMs: number
}

const RESEND_MS = 2_000
const MAX_MINTS = 1_000

/**
 * A settler over one RPC node.
 * @throws PaymentError `invalid_option` for limits that are no finite numbers in range, `demo_key` for a demo sponsor
 * with an RPC that is not on loopback
 */
export function createSolanaSettler(options: SolanaSettlerOptions): Settler {
  const { network, confirmTimeoutMs = 30_000 } = options
  const sponsors = new Map(options.sponsors.map((signer) => [signerAddress(signer), signer]))
  const [feePayer] = sponsors.keys()
  if (feePayer === undefined)
    throw new PaymentError('invalid_option', 'a settler needs at least one sponsor key')
  refuseDemoKeys([...sponsors.keys()], options.rpcUrl)
  const rpc = createRpc(options.rpcUrl, options.fetch === undefined ? {} : { fetch: options.fetch })
  const context: Context = {
    rpc,
    rules: {
      sponsors: new Set(sponsors.keys()),
      network,
      limits: checkLimits({ ...DEFAULT_SPONSOR_LIMITS, ...options.limits }),
      allowedMints: options.allowedMints ?? {},
    },
    mints: new Map(),
    confirmer: createConfirmer(rpc),
    lastValidBlockHeight: createLastValidBlockHeight(rpc),
    judged: new WeakMap(),
    sponsors,
    confirmTimeoutMs: checkPositive('confirmTimeoutMs', confirmTimeoutMs),
  }
  const turns = new Map<string, Promise<unknown>>()
  return {
    kinds: async () => [{ scheme: 'exact', network, feePayer, confirmations: CONFIRMATIONS }],
    verifyStatic: async (payment, requirement) => {
      const verified = await judgeBytes(context, payment, requirement)
      return verified.ok ? { ok: true, paymentId: verified.paymentId, payer: verified.payer } : verified
    },
    verify: (payment, requirement) => verify(context, payment, requirement),
    async settle(payment, requirement, { onSigned } = {}) {
      const verified = await judgeBytes(context, payment, requirement)
      if (!verified.ok) return verified
      return inTurn(turns, verified.payer, () => settle(context, payment, requirement, verified, onSigned))
    },
    async fate(signed, requirement) {
      // The height first: what lands after the question for the status is not past its height then.
      const height = await blockHeight(rpc)
      const asked = { signature: signed.transaction, confirmation: requirement.confirmation }
      const [status] = await statusesOf(rpc, [asked], true)
      if (status === 'failed') return { state: 'failed' }
      if (status === 'confirmed') {
        const received = await receivedOf(context, signed.transaction, requirement)
        return received === undefined ? { state: 'unknown' } : { state: 'landed', received }
      }
      const isPast = height > signed.lastValidBlockHeight
      return status === 'missing' && isPast ? { state: 'dead' } : { state: 'unknown' }
    },
  }
}

/**
 * Keys of the local demo are public: with a real network anybody could spend what they hold (spec solana 14).
 * @throws PaymentError `demo_key`
 */
export function refuseDemoKeys(addresses: readonly string[], rpcUrl: string): void {
  const demo = addresses.find((address) => DEMO_ADDRESSES.includes(address))
  if (demo === undefined || isLoopback(rpcUrl)) return
  throw new PaymentError('demo_key', `${demo} is a public demo key; it signs for an RPC on this machine only`)
}

async function judgeBytes(context: Context, payment: Payment, requirement: Requirement) {
  const { asset } = requirement
  const { mints } = context
  const listed = mints.has(asset) ? undefined : knownMint(requirement)
  if (listed !== undefined) mints.set(asset, listed)
  const mint = mints.get(asset) ?? (await learnMint(context, asset))
  if ('ok' in mint) return mint
  const known = context.judged.get(payment)
  const isSame =
    known?.text === payment.transaction && known.requirement === requirement && known.mint === mint
  if (known !== undefined && isSame) return known.verdict
  const verdict = verifyStatic(payment, requirement, mint, context.rules)
  if (verdict.ok) context.judged.set(payment, { text: payment.transaction, requirement, mint, verdict })
  return verdict
}

async function learnMint({ rpc, mints }: Context, asset: string) {
  try {
    const fetched = await fetchMint(rpc, asset)
    if (!fetched.ok) return fetched
    if (mints.size >= MAX_MINTS) mints.clear()
    mints.set(asset, fetched.mint)
    return fetched.mint
  } catch (error) {
    if (PaymentError.is(error)) return refuse('unexpected_verify_error', error.message)
    throw error
  }
}

async function verify(context: Context, payment: Payment, requirement: Requirement) {
  const verified = await judgeBytes(context, payment, requirement)
  if (!verified.ok) return verified
  const { paymentId, payer } = verified
  const simulated = await simulate(context.rpc, verified, payment.transaction, requirement.confirmation)
  return simulated.ok ? { ok: true as const, paymentId, payer } : { ...simulated, paymentId }
}

async function settle(
  context: Context,
  payment: Payment,
  requirement: Requirement,
  verified: StaticallyVerified,
  onSigned: ((signed: Signed) => void | Promise<void>) | undefined,
): Promise<Settlement | SettleRefusal> {
  const { rpc, sponsors, confirmer, confirmTimeoutMs } = context
  const { paymentId, payer, destination, transaction: parsed } = verified
  const { amount, confirmation } = requirement
  const heightAsked = context.lastValidBlockHeight().catch(() => undefined)
  const simulated = await simulate(rpc, verified, payment.transaction, confirmation)
  if (!simulated.ok) return simulated
  const height = await heightAsked
  const sponsor = sponsors.get(requirement.feePayer)
  if (height === undefined || sponsor === undefined)
    return refuse('unexpected_verify_error', 'no block height')
  const signature = await signMessage(sponsor, parsed.message, requirement.feePayer)
  const transaction = encodeBase58(signature)
  await onSigned?.({ paymentId, transaction, lastValidBlockHeight: height })
  const base64 = Buffer.from(withFirstSignature(verified.wire, signature)).toString('base64')
  const deadline = Date.now() + confirmTimeoutMs
  const asked = { signature: transaction, confirmation }
  let hasLanded = false
  while (true) {
    if (!hasLanded) await send(rpc, base64)
    const left = deadline - Date.now()
    const status = await confirmer.wait(asked, Math.max(0, Math.min(RESEND_MS, left)))
    if (status === 'failed') return { ...refuse('invalid_exact_svm_transaction_failed'), transaction }
    if (status === 'confirmed') {
      const settled = { paymentId, transaction, payer }
      // No node has the metadata of what is only processed; by rule 16 the mint keeps nothing of the amount.
      if (confirmation === 'processed') return { ok: true, ...settled, received: amount }
      return finish(context, settled, amount, destination, deadline)
    }
    hasLanded = status === 'early'
    if (await isDead(rpc, transaction, height)) return { ...refuse('aetherkit_dead'), transaction }
    if (Date.now() >= deadline) return { ...refuse('settlement_pending'), transaction, pending: true }
  }
}

/** Landed: the amount by the transaction's own metadata, the backstop against mints that credit less. */
async function finish(
  { rpc }: Context,
  settled: Omit<Settlement, 'ok' | 'received'>,
  amount: bigint,
  destination: string,
  deadline: number,
): Promise<Settlement | SettleRefusal> {
  const { transaction } = settled
  while (true) {
    const received = await receivedAmount(rpc, transaction, destination)
    if (received !== undefined && received >= amount) return { ok: true, ...settled, received }
    if (received !== undefined) return { ...refuse('post_settlement_transfer_not_confirmed'), transaction }
    if (Date.now() >= deadline) return { ...refuse('settlement_pending'), transaction, pending: true }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A send that errors may still have arrived: the id is known, so the chain is asked and not the error. */
async function send(rpc: Rpc, base64: string): Promise<void> {
  const options = { encoding: 'base64', skipPreflight: true, preflightCommitment: 'confirmed', maxRetries: 0 }
  await rpc.call('sendTransaction', [base64, options]).catch((error: unknown) => {
    if (!PaymentError.is(error)) throw error
  })
}

/** Null status with history searched, and the height passed, both from one node (spec payments 8.6). */
async function isDead(rpc: Rpc, transaction: string, lastValid: bigint): Promise<boolean> {
  try {
    if ((await blockHeight(rpc)) <= lastValid) return false
    const [status] = await statusesOf(rpc, [{ signature: transaction }], true)
    return status === 'missing'
  } catch (error) {
    if (PaymentError.is(error)) return false
    throw error
  }
}

async function receivedOf(
  context: Context,
  transaction: string,
  requirement: Requirement,
): Promise<bigint | undefined> {
  const mint =
    context.mints.get(requirement.asset) ??
    knownMint(requirement) ??
    (await learnMint(context, requirement.asset))
  if ('ok' in mint) return undefined
  return receivedAmount(
    context.rpc,
    transaction,
    associatedAccount(requirement.payTo, mint.program, requirement.asset),
  )
}

/** Runs after everything that this payer has under way. */
async function inTurn<T>(
  turns: Map<string, Promise<unknown>>,
  payer: string,
  run: () => Promise<T>,
): Promise<T> {
  const before = turns.get(payer) ?? Promise.resolve()
  const mine = before.then(run, run)
  turns.set(payer, mine)
  try {
    return await mine
  } finally {
    if (turns.get(payer) === mine) turns.delete(payer)
  }
}

/** A `NaN` from an unset variable is no limit: refused at construction. */
function checkLimits(limits: SponsorLimits): SponsorLimits {
  checkPositive('maxComputeUnits', limits.maxComputeUnits)
  if (limits.maxComputeUnitPrice < 0n)
    throw new PaymentError('invalid_option', 'maxComputeUnitPrice is below zero')
  if (limits.maxFeeLamports < 10_000n)
    throw new PaymentError('invalid_option', 'maxFeeLamports is below the fee of two signatures')
  return limits
}

function checkPositive(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value <= 0)
    throw new PaymentError('invalid_option', `${name} must be a positive integer, got ${value}`)
  return value
}
