/** Who judges and settles payments (spec solana 6): in this process, or a facilitator over HTTP; the same shape. */
import type { Confirmation } from './confirmation.js'
import type { Network } from './network.js'
import type { Refusal } from './reason.js'
import type { Payment, Requirement } from './requirement.js'

export interface Kind {
  readonly scheme: 'exact'
  readonly network: Network
  /** The key to offer as fee payer. */
  readonly feePayer: string
  /** The levels that a requirement may ask for; `confirmed` alone when left out, as with a facilitator elsewhere. */
  readonly confirmations?: readonly Confirmation[]
}

/** A refusal; `paymentId` once the bytes alone have passed and only the chain said no. */
export type VerifyRefusal = Refusal & { readonly paymentId?: string }

export interface Verified {
  readonly ok: true
  /** SHA-256 of the message bytes, hex: never of the text or of the whole transaction. */
  readonly paymentId: string
  /** Transfer authority, base58. */
  readonly payer: string
}

/** Known before anything is sent; whoever keeps the claim must have stored it before the broadcast. */
export interface Signed {
  readonly paymentId: string
  /** The transaction id, base58. */
  readonly transaction: string
  /** Block height from which the transaction can no longer land, when known. */
  readonly lastValidBlockHeight: bigint
}

export interface Settlement {
  readonly ok: true
  readonly paymentId: string
  readonly transaction: string
  readonly payer: string
  /** What the destination gained in this transaction, atomic. */
  readonly received: bigint
}

/** `pending`: it may still land; keep the claim, never ask for another payment. */
export type SettleRefusal = Refusal & { readonly transaction?: string; readonly pending?: boolean }

/** What the chain says of a transaction that was sent. */
export type Fate =
  | { readonly state: 'landed'; readonly received: bigint }
  | { readonly state: 'failed' }
  | { readonly state: 'dead' }
  | { readonly state: 'unknown' }

export interface Settler {
  kinds(): Promise<readonly Kind[]>
  /** The rules that need bytes only: no I/O for known tokens. A remote settler cannot; its gate claims by these too. */
  verifyStatic(payment: Payment, requirement: Requirement): Promise<Verified | Refusal>
  verify(payment: Payment, requirement: Requirement): Promise<Verified | VerifyRefusal>
  settle(
    payment: Payment,
    requirement: Requirement,
    options?: { readonly onSigned?: (signed: Signed) => void | Promise<void> },
  ): Promise<Settlement | SettleRefusal>
  /** What became of a transaction that an earlier process sent; never sends anything. */
  fate(signed: Signed, requirement: Requirement): Promise<Fate>
}
