/**
 * Collecting a payment once (spec payments 8.5, 10; solana 6 to 8): claim, settle with the id recorded before the
 * broadcast, and say which of few things came of it. The gate, the facilitator and the seed's facade stand on this.
 */
import { PaymentError } from './errors.js'
import type { Ledger } from './ledger/ledger.js'
import type { Settled } from './ledger/record.js'
import type { Reason } from './reason.js'
import type { Payment, Requirement } from './requirement.js'
import type { Settlement, SettleRefusal, Settler, Signed } from './settler.js'
import { takeTurn } from './turn.js'
import { createWatch, NO_HEIGHT, type Watch } from './watch.js'

/** An own claim, kept alive until it is given back. */
export interface Claim {
  readonly paymentId: string
  readonly payer: string
  readonly claimant: string
}

export type ClaimOutcome =
  | { readonly state: 'mine'; readonly claim: Claim; readonly again: boolean }
  | { readonly state: 'paid'; readonly settled: Settled }
  /** In flight beyond the bound of waiting. */
  | { readonly state: 'busy'; readonly transaction: string }
  | { readonly state: 'unknown'; readonly transaction: string }
  /** Claimed for another resource. */
  | { readonly state: 'elsewhere'; readonly transaction: string }

export type Outcome =
  | { readonly state: 'paid'; readonly settled: Settled }
  /** Verification said no; nothing was sent. */
  | { readonly state: 'refused'; readonly reason: Reason; readonly detail?: string }
  /** It was sent and is definitely not paid. */
  | { readonly state: 'failed'; readonly reason: Reason; readonly transaction: string }
  | { readonly state: 'unknown'; readonly transaction: string }
  /** No verdict, and nothing was sent. */
  | { readonly state: 'unavailable'; readonly detail?: string }
  | { readonly state: 'busy'; readonly transaction: string }

export interface CollectorOptions {
  readonly settler: Settler
  readonly ledger: Ledger
  /** A claimant that has not renewed for so long is taken for dead; 15 s by default. */
  readonly leaseMs?: number
  /** How often the chain is asked about a payment of unknown outcome; 1 s by default. */
  readonly watchEveryMs?: number
  readonly onDecided?: (paymentId: string, outcome: 'settled' | 'released') => void
}

export interface Collector {
  /** Claims for a resource; while it is another's, waits at most `waitMs` for what becomes of it. */
  claim(
    verified: { readonly paymentId: string; readonly payer: string },
    resource: string,
    waitMs: number,
  ): Promise<ClaimOutcome>
  /** Settles under an own claim. `again`: it may have been sent before, so that a refusal is no proof of anything. */
  settle(claim: Claim, payment: Payment, requirement: Requirement, again?: boolean): Promise<Outcome>
  release(claim: Claim): Promise<void>
  /** Decides what earlier processes left open, by asking the chain (R6); how many are decided. */
  recover(): Promise<number>
  close(): void
}

/** Settlement of one payer at a time, over processes; unrenewed, so it is short. */
const TURN_MS = 10_000
const POLL_MS = 40
/** Sent so long ago and still open: its outcome is unknown rather than on its way. */
const UNKNOWN_AFTER_MS = 30_000

/** The claim was lost before anything was sent. */
class LostClaim extends Error {}

/** Whether a verdict is none on the payment: the node or the facilitator was away, and nothing was sent. */
export function isUnavailable(reason: Reason): boolean {
  return reason === 'unexpected_verify_error' || reason === 'aetherkit_facilitator_unavailable'
}

export function createCollector(options: CollectorOptions): Collector {
  const { settler, ledger, leaseMs = 15_000, watchEveryMs = 1_000, onDecided } = options
  const watch = createWatch({
    settler,
    ledger,
    leaseMs,
    everyMs: watchEveryMs,
    ...(onDecided !== undefined && { onDecided }),
  })
  const running = new Map<string, { done: Promise<void>; end: () => void }>()

  const begin = (claim: Claim): Claim => {
    const beat = setInterval(() => {
      void ledger.renew(claim.paymentId, claim.claimant, leaseMs).catch(() => false)
    }, leaseMs / 3)
    beat.unref()
    let end = (): void => {}
    const done = new Promise<void>((resolve) => {
      end = () => {
        clearInterval(beat)
        running.delete(claim.paymentId)
        resolve()
      }
    })
    running.set(claim.paymentId, { done, end })
    return claim
  }
  const end = (claim: Claim): void => running.get(claim.paymentId)?.end()

  return {
    async claim({ paymentId, payer }, resource, waitMs) {
      const deadline = Date.now() + waitMs
      const claimant = crypto.randomUUID()
      while (true) {
        const answer = await ledger.claim(paymentId, leaseMs, { claimant, resource })
        if (answer === 'new')
          return { state: 'mine', claim: begin({ paymentId, payer, claimant }), again: false }
        const record = await ledger.find(paymentId)
        if (record === undefined) continue
        const transaction = record.settled?.transaction ?? record.sent?.transaction ?? ''
        if (record.resource !== undefined && record.resource !== resource)
          return { state: 'elsewhere', transaction }
        if (answer !== 'claimed') return { state: 'paid', settled: answer }
        const orphan = await ledger.adopt(paymentId, claimant, leaseMs)
        if (orphan !== undefined) {
          const claim = begin({ paymentId, payer, claimant })
          if (orphan.transaction === '') return { state: 'mine', claim, again: true }
          const decided = await watch.decide(paymentId, orphan, claimant).catch(() => 'unknown' as const)
          if (decided === 'unknown' && !hasHeight(orphan)) return { state: 'mine', claim, again: true }
          end(claim)
          if (decided !== 'unknown') continue
          watch.follow(paymentId, orphan, claimant)
        }
        const left = deadline - Date.now()
        if (left <= 0) return { state: isUnknown(record, watch) ? 'unknown' : 'busy', transaction }
        const pause = new Promise<void>((resolve) => setTimeout(resolve, Math.min(POLL_MS, left)))
        await Promise.race([running.get(paymentId)?.done ?? pause, pause])
      }
    },
    async settle(claim, payment, requirement, again = false) {
      const leave = await takeTurn(ledger.store, claim.payer, claim.claimant, Math.min(TURN_MS, leaseMs))
      try {
        return await settleOnce({ settler, ledger, watch, leaseMs }, claim, payment, requirement, again)
      } finally {
        end(claim)
        void leave()
      }
    },
    async release(claim) {
      end(claim)
      await ledger.release(claim.paymentId, claim.claimant)
    },
    async recover() {
      let decided = 0
      for (const { paymentId } of await ledger.undecided()) {
        const claimant = crypto.randomUUID()
        const orphan = await ledger.adopt(paymentId, claimant, leaseMs)
        if (orphan === undefined) continue
        const outcome = await watch.decide(paymentId, orphan, claimant).catch(() => 'unknown' as const)
        if (outcome === 'unknown') watch.follow(paymentId, orphan, claimant)
        else decided++
      }
      return decided
    },
    close() {
      watch.close()
      for (const { end } of [...running.values()]) end()
    },
  }
}

/** Without one the chain cannot be asked: the facilitator is, under the next claim. */
function hasHeight({ lastValidBlockHeight }: { readonly lastValidBlockHeight?: bigint }): boolean {
  return lastValidBlockHeight !== undefined && lastValidBlockHeight < NO_HEIGHT
}

function isUnknown({ paymentId, sent }: { paymentId: string; sent?: { at: number } }, watch: Watch): boolean {
  return watch.isFollowing(paymentId) || (sent !== undefined && Date.now() - sent.at > UNKNOWN_AFTER_MS)
}

interface Means {
  readonly settler: Settler
  readonly ledger: Ledger
  readonly watch: Watch
  readonly leaseMs: number
}

async function settleOnce(
  { settler, ledger, watch, leaseMs }: Means,
  { paymentId, payer, claimant }: Claim,
  payment: Payment,
  requirement: Requirement,
  again: boolean,
): Promise<Outcome> {
  let sent:
    | { transaction: string; lastValidBlockHeight: bigint; payer: string; requirement: Requirement }
    | undefined
  const onSigned = async ({ transaction, lastValidBlockHeight }: Signed): Promise<void> => {
    const record = { transaction, lastValidBlockHeight, payer, requirement }
    if (!(await ledger.sent(paymentId, record, claimant, leaseMs))) throw new LostClaim()
    sent = record
  }
  const unknown = async (transaction: string): Promise<Outcome> => {
    const record = { payer, requirement, ...sent, transaction }
    // A remote facilitator told the id only now.
    if (transaction !== sent?.transaction) await ledger.sent(paymentId, record, claimant, leaseMs)
    if (transaction !== '' && hasHeight(record)) watch.follow(paymentId, record, claimant)
    return { state: 'unknown', transaction }
  }
  let result: Settlement | SettleRefusal
  try {
    result = await settler.settle(payment, requirement, { onSigned })
  } catch (error) {
    if (error instanceof LostClaim) return { state: 'busy', transaction: '' }
    if (sent !== undefined) return unknown(sent.transaction)
    await ledger.release(paymentId, claimant).catch(() => false)
    if (PaymentError.is(error)) return { state: 'unavailable', detail: error.message }
    throw error
  }
  if (result.ok) {
    const settled: Settled = {
      transaction: result.transaction,
      payer: result.payer,
      received: result.received,
    }
    try {
      await ledger.finish(paymentId, settled)
    } catch {
      return unknown(settled.transaction)
    }
    return { state: 'paid', settled }
  }
  const { reason, detail, transaction = '', pending = false } = result
  if (pending || (again && transaction === '')) return unknown(transaction || (sent?.transaction ?? ''))
  await ledger.release(paymentId, claimant).catch(() => false)
  if (transaction !== '') return { state: 'failed', reason, transaction }
  const why = detail === undefined ? {} : { detail }
  return isUnavailable(reason) ? { state: 'unavailable', ...why } : { state: 'refused', reason, ...why }
}
