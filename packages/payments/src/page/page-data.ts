/** What the server tells the script of the page, as JSON in the page. */

export interface PageTerms {
  /** Atomic, decimal digits. */
  readonly amount: string
  readonly asset: string
  readonly payTo: string
  readonly tokenProgram: string
  readonly decimals: number
  readonly symbol: string
}

export interface PageData {
  /** Of the cookie that carries a payment. */
  readonly name: string
  /** CAIP-2. */
  readonly network: string
  /** As x402 v1 spells it. */
  readonly networkName: string
  /** As wallets spell it. */
  readonly chain: string
  readonly terms: readonly PageTerms[]
  /** Seed of a local test wallet, base64: only ever the public demo key of a chain on this machine. */
  readonly testWallet?: string
}
