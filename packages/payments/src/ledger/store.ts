/**
 * What a ledger is kept in (spec solana 6, 8): named texts with a life span, and one atomic step. Everything that a
 * ledger promises is built from `swap` once, in `ledger.ts`; a store of another kind is these four functions.
 */

export interface LedgerStore {
  /** Who may share it: only this process, every process of this machine, or every machine that reaches it. */
  readonly reach: 'process' | 'machine' | 'network'

  /** The text under a key, undefined when there is none or its life is over. */
  get(key: string): Promise<string | undefined>

  /**
   * Writes `next` for `ttlMs` (undefined: removes) if and only if what is there now is exactly `expected` (undefined:
   * nothing). ONE operation of the store, no get-then-set; of many callers with the same expectation one gets `true`.
   * Resolves after the change is as durable as the store is; rejects when it cannot tell whether it changed anything.
   */
  swap(key: string, expected: string | undefined, next: string | undefined, ttlMs: number): Promise<boolean>

  /** Keys that begin so, in any order; for start-up and housekeeping, not for the way of a payment. */
  keys(prefix: string): Promise<readonly string[]>

  close(): Promise<void>
}
