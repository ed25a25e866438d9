/** Landed transactions, the newest 10,000 (spec solana 14). */
import type { Json } from './json.js'
import type { LoadedAddresses } from './lookup-table.js'
import type { InnerInstructions, TokenBalance } from './metadata.js'
import type { Transaction } from './transaction.js'

export interface LandedTransaction {
  readonly transaction: Transaction
  readonly keys: readonly string[]
  readonly loaded: LoadedAddresses
  readonly slot: number
  /** Unix seconds. */
  readonly blockTime: number
  /** Milliseconds, by the server's clock. */
  readonly landedAt: number
  /** Solana's error JSON, or null. */
  readonly err: Json
  readonly fee: bigint
  readonly preBalances: readonly bigint[]
  readonly postBalances: readonly bigint[]
  readonly preTokenBalances: readonly TokenBalance[]
  readonly postTokenBalances: readonly TokenBalance[]
  readonly innerInstructions: readonly InnerInstructions[]
  readonly logs: readonly string[]
  readonly computeUnits: bigint
  readonly returnData: ReturnData | undefined
}

export interface ReturnData {
  readonly program: string
  readonly data: Uint8Array
}

export interface History {
  readonly size: number
  get(id: string): LandedTransaction | undefined
  add(landed: LandedTransaction): void
  /** Newest first. */
  newestFirst(): readonly LandedTransaction[]
}

export function createHistory(capacity = 10_000): History {
  const landed = new Map<string, LandedTransaction>()
  return {
    get size() {
      return landed.size
    },
    get: (id) => landed.get(id),
    add(entry) {
      landed.set(entry.transaction.id, entry)
      const [oldest] = landed.keys()
      if (landed.size > capacity && oldest !== undefined) landed.delete(oldest)
    },
    newestFirst: () => [...landed.values()].reverse(),
  }
}
