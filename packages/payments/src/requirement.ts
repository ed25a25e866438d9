/** What is asked, offered, paid and receipted, free of any dialect (spec payments 1). The codecs translate. */
import type { JsonObject } from '@aetherkit/core'
import type { Confirmation } from './confirmation.js'
import type { Network } from './network.js'

export type Dialect = 'seed' | 'v1' | 'v2'

/** Plain JSON of an extension. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [member: string]: Json }

/** One way to pay. */
export interface Requirement {
  readonly scheme: 'exact'
  readonly network: Network
  /** In the smallest unit, above zero. */
  readonly amount: bigint
  /** Mint address, base58. */
  readonly asset: string
  /** The seller's wallet, base58; the tokens go to its associated account. */
  readonly payTo: string
  readonly maxTimeoutSeconds: number
  /** Who pays the network fee and signs first, base58. */
  readonly feePayer: string
  /** Text that the transaction must carry, at most 256 bytes. */
  readonly memo?: string
  readonly recentBlockhash?: string
  readonly lastValidBlockHeight?: bigint
  /** `upfront`: paid before the work; `authorization`: verified before, paid after. */
  readonly flow: 'upfront' | 'authorization'
  /** When the seller takes it for paid, `confirmed` by default; on no wire. */
  readonly confirmation?: Confirmation
  /** Members of `extra` that we do not interpret. */
  readonly extra?: Readonly<Record<string, Json>>
}

/** What is sold. */
export interface Resource {
  /** Absolute. */
  readonly url: string
  readonly description: string
  readonly mimeType: string
  /** 1-32 printable ASCII characters. */
  readonly serviceName?: string
  /** At most 5, each 1-32 printable ASCII characters. */
  readonly tags?: readonly string[]
  /** At most 2048 characters. */
  readonly iconUrl?: string
}

/** A 402, in any dialect. */
export interface Offer {
  readonly resource: Resource
  readonly accepts: readonly Requirement[]
  readonly extensions?: Readonly<Record<string, Json>>
  /** What the server said of the last attempt. */
  readonly error?: string
}

/** A payment header, decoded. */
export interface Payment {
  /** Which dialect's shape it has; a v1 shape cannot be told from a seed one by its content. */
  readonly dialect: 'v1' | 'v2'
  readonly network: Network
  /** The partly signed transaction, base64 as it came. */
  readonly transaction: string
  /** v2 echoes what it pays for. */
  readonly accepted?: Requirement
  readonly resourceUrl?: string
  readonly extensions?: Readonly<Record<string, Json>>
  /** The decoded JSON, for a facilitator that wants it as it came. */
  readonly raw: JsonObject
}

/** What came of a payment. */
export interface Receipt {
  readonly success: boolean
  /** Base58 signature; empty when nothing was sent. */
  readonly transaction: string
  readonly network: Network
  readonly payer?: string
  readonly amount?: bigint
  readonly errorReason?: string
  readonly extensions?: Readonly<Record<string, Json>>
}
