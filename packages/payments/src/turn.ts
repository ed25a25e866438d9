/**
 * One settlement at a time per payer, between processes too (spec solana 8, R3): a short claim in the shared store.
 * Within one process the settler itself keeps the order.
 */
import type { LedgerStore } from './ledger/store.js'

const POLL_MS = 15

/**
 * Waits for the payer's turn, at most as long as one turn may last, and takes it; the answer gives it back. A turn that
 * cannot be had is no reason not to settle: the chain then refuses what the balance does not cover.
 */
export async function takeTurn(
  store: LedgerStore,
  payer: string,
  holder: string,
  lifeMs: number,
): Promise<() => Promise<void>> {
  if (store.reach === 'process') return async () => {}
  const key = `payer/${payer}`
  const deadline = Date.now() + lifeMs
  while (!(await store.swap(key, undefined, holder, lifeMs).catch(() => false))) {
    if (Date.now() >= deadline) break
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return async () => {
    await store.swap(key, holder, undefined, 0).catch(() => false)
  }
}
