/** A chain, what a gate on it is made of, and a wallet that buys: what is proved with them is proved by its ledger. */
import { type Devnet, startDevnet } from '@aetherkit/devnet'
import {
  createBinding,
  createLedger,
  createSolanaSettler,
  DEVNET,
  type GateOptions,
  keypairSigner,
  memoryJournal,
  memoryStore,
  type PayingFetchOptions,
} from '@aetherkit/payments'

export interface Bank {
  readonly chain: Devnet
  gateOptions(more?: Partial<GateOptions>): GateOptions
  /** Gives up early on a confirmation that does not show. */
  hasty(): Partial<GateOptions>
  /** Options for `payingFetch` and for a buyer. */
  wallet(options?: Partial<PayingFetchOptions>): PayingFetchOptions
  /** Atomic, of the merchant since the bank was opened. */
  sold(): Promise<bigint>
}

export async function openBank(): Promise<Bank> {
  const chain = await startDevnet({ slotMs: 20 })
  const { buyer, merchant, facilitator } = chain.wallets
  const before = (await chain.tokensOf(merchant.publicKey)) ?? 0n
  const settlerOf = (more: { confirmTimeoutMs?: number } = {}) =>
    createSolanaSettler({
      rpcUrl: chain.rpcUrl,
      network: DEVNET,
      sponsors: [keypairSigner(facilitator.secretKey)],
      ...more,
    })
  const settler = settlerOf()
  return {
    chain,
    gateOptions: (more = {}) => ({
      settler,
      ledger: createLedger(memoryStore()),
      binding: createBinding({ keys: [new Uint8Array(32).fill(9)] }),
      rateLimit: false,
      ...more,
    }),
    hasty: () => ({ settler: settlerOf({ confirmTimeoutMs: 200 }), watchEveryMs: 20, waitMs: 100 }),
    wallet: (options = {}) => ({
      signer: keypairSigner(buyer.secretKey),
      network: 'solana-devnet',
      rpcUrl: chain.rpcUrl,
      journal: memoryJournal(),
      ...options,
    }),
    sold: async () => ((await chain.tokensOf(merchant.publicKey)) ?? 0n) - before,
  }
}
