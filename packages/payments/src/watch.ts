/**
 * Payments whose outcome is not known yet (spec solana 8, R4 and R6): their claimant keeps asking the chain in the
 * background, and alone finishes or releases. Nothing is ever sent from here.
 */
import type { Ledger } from './ledger/ledger.js'
import type { Sent } from './ledger/record.js'
import type { Settler } from './settler.js'

export interface Watch {
  /** Asks until it is decided or `forMs` are over; then the claim is left for whoever asks next. */
  follow(paymentId: string, sent: Omit<Sent, 'at'>, claimant: string): void
  /** One question: what the chain says now, written to the ledger. */
  decide(
    paymentId: string,
    sent: Omit<Sent, 'at'>,
    claimant: string,
  ): Promise<'settled' | 'released' | 'unknown'>
  isFollowing(paymentId: string): boolean
  close(): void
}

/** The last height of a transaction that nobody told: it is never taken for dead. */
export const NO_HEIGHT = 2n ** 63n - 1n

export interface WatchOptions {
  readonly settler: Settler
  readonly ledger: Ledger
  readonly leaseMs: number
  /** Between two questions. */
  readonly everyMs?: number
  /** Longer than any blockhash lives. */
  readonly forMs?: number
  readonly onDecided?: (paymentId: string, outcome: 'settled' | 'released') => void
}

export function createWatch(options: WatchOptions): Watch {
  const { settler, ledger, leaseMs, everyMs = 1_000, forMs = 300_000, onDecided } = options
  const following = new Set<string>()
  let closed = false

  const decide: Watch['decide'] = async (paymentId, sent, claimant) => {
    const { transaction, lastValidBlockHeight = NO_HEIGHT, payer, requirement } = sent
    if (transaction === '') return 'unknown'
    const fate = await settler.fate({ paymentId, transaction, lastValidBlockHeight }, requirement)
    if (fate.state === 'landed' && fate.received >= requirement.amount) {
      await ledger.finish(paymentId, { transaction, payer, received: fate.received })
      onDecided?.(paymentId, 'settled')
      return 'settled'
    }
    if (fate.state === 'unknown') return 'unknown'
    await ledger.release(paymentId, claimant)
    onDecided?.(paymentId, 'released')
    return 'released'
  }

  async function ask(...[paymentId, sent, claimant]: Parameters<Watch['decide']>): Promise<boolean> {
    try {
      if ((await decide(paymentId, sent, claimant)) !== 'unknown') return true
      return !(await ledger.renew(paymentId, claimant, leaseMs))
    } catch {
      // The node or the store is away: the question stays.
      return false
    }
  }

  return {
    decide,
    isFollowing: (paymentId) => following.has(paymentId),
    follow(paymentId, sent, claimant) {
      if (following.has(paymentId)) return
      following.add(paymentId)
      const end = Date.now() + forMs
      void (async () => {
        while (!closed && Date.now() < end && !(await ask(paymentId, sent, claimant))) {
          await new Promise<void>((resolve) => setTimeout(resolve, everyMs).unref())
        }
        following.delete(paymentId)
      })()
    },
    close() {
      closed = true
    },
  }
}
