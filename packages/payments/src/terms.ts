/** What a route asks for, resolved for one request, and the request as far as payments look at it (spec payments 9 to 11). */

import { toHex } from '@aetherkit/core'
import { sha256 } from '@noble/hashes/sha2.js'
import type { BindingLevel, BoundRequest } from './binding.js'
import type { HeaderReader } from './codec/classify.js'
import { decodeBase64 } from './codec/header.js'
import type { Confirmation } from './confirmation.js'
import { memoOf } from './exact/static.js'
import type { Network } from './network.js'
import type { Json, Resource } from './requirement.js'
import { parseTransaction } from './wire.js'

/** One way to pay a route: everything of a requirement but what is made for each challenge. */
export interface AcceptedTerms {
  readonly network: Network
  /** Atomic, above zero. */
  readonly amount: bigint
  readonly asset: string
  readonly payTo: string
  /** 300 by default; the challenge expires with it. */
  readonly maxTimeoutSeconds?: number
  readonly extra?: Readonly<Record<string, Json>>
}

export interface RouteTerms {
  /** Its `url` is absolute, from the configured public base URL and never from `Host`. */
  readonly resource: Resource
  readonly accepts: readonly AcceptedTerms[]
  /** `upfront` by default: paid before the handler runs. */
  readonly flow?: 'upfront' | 'authorization'
  /** How narrow a payment is bound, `url` by default; `off` for upstream facilitators that refuse a memo. */
  readonly bind?: BindingLevel | 'off'
  /** The route's pattern, for `bind: 'route'`. */
  readonly route?: string
  /**
   * Which payments must carry the memo: those that echo their offer (default), all, or none. Payments without it are
   * kept to the resource where they were used first.
   */
  readonly requireBinding?: 'v2-only' | 'always' | 'off'
  /** Which statuses of the handler are charged: below 500 when paid up front, else below 400. */
  readonly chargeOn?: (status: number) => boolean
  /** From when on a payment counts, `confirmed` by default; another level needs a settler that has it. */
  readonly confirmation?: Confirmation
  readonly extensions?: Readonly<Record<string, Json>>
  /** The one wallet that may pay, base58; anybody's by default. */
  readonly payer?: string
}

export interface GateRequest {
  readonly method: string
  /** Absolute public URL with query. */
  readonly url: string
  /** By lower-case name. */
  readonly header: HeaderReader
  /** SHA-256 of the raw body, lower-case hex; needed for `bind: 'request'` and payment identifiers. */
  readonly bodySha256?: string
  /** Who asks, for the rate limit. */
  readonly ip?: string
}

export const DEFAULT_TIMEOUT_SECONDS = 300

/** The request as its level binds it; HEAD is bound as GET. */
export function boundRequest(request: GateRequest, terms: RouteTerms): BoundRequest {
  const { bind = 'url', route = '' } = terms
  const method = boundMethod(request.method)
  if (bind === 'route') return { method, url: route }
  if (bind !== 'request') return { method, url: request.url }
  return { method, url: request.url, bodySha256: request.bodySha256 ?? '' }
}

/** What a payment is used for, as the ledger keeps it: a payment without a memo is good for one resource. */
export function resourceName(request: GateRequest, terms: RouteTerms): string {
  const { method, url, bodySha256 = '' } = boundRequest(request, terms)
  return `${method} ${url}${bodySha256 === '' ? '' : ` ${bodySha256}`}`
}

export function boundMethod(method: string): string {
  const upper = method.toUpperCase()
  return upper === 'HEAD' ? 'GET' : upper
}

/** What the bytes of a payment tell before any rule has looked at them. */
export interface Peeked {
  readonly paymentId: string
  /** The first account: who is to pay the fee. */
  readonly feePayer: string
  /** The one memo, when there is exactly one. */
  readonly memo?: string
}

export function peek(transaction: string): Peeked | undefined {
  const wire = decodeBase64(transaction)
  const parsed = wire && parseTransaction(wire)
  const feePayer = parsed?.accounts[0]
  if (parsed === undefined || feePayer === undefined) return undefined
  const memo = memoOf(parsed)
  return { paymentId: toHex(sha256(parsed.message)), feePayer, ...(memo !== undefined && { memo }) }
}
