/**
 * Request binding by memo (spec payments 9): what was offered for one request cannot pay for another, and two honest
 * purchases under one blockhash are two transactions.
 *
 *   x1.<exp base36>.<nonce, 8 bytes base64url>.<mac, 16 bytes base64url>          exp in unix seconds
 *
 * mac = HMAC-SHA256, first 16 bytes, over `method\nurl\nbodySha256\namount\nasset\npayTo\nexp\nnonce`, the last two as
 * spelled in the memo. The key is derived for each network: devnet and testnet USDC are one mint. Nothing is stored.
 */

import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { PaymentError } from './errors.js'
import type { Network } from './network.js'
import { type Refusal, refuse } from './reason.js'
import type { Requirement } from './requirement.js'

/** How narrow the binding is: the route pattern, URL and method, or these and the body. */
export type BindingLevel = 'route' | 'url' | 'request'

/** The request as far as the level binds it; lines outside the level are empty. */
export interface BoundRequest {
  /** Upper case; HEAD is bound as GET. */
  readonly method: string
  /** Absolute URL with query, or the route pattern at level `route`. */
  readonly url: string
  /** Lower-case hex, only at level `request`. */
  readonly bodySha256?: string
}

const MEMO = /^x1\.([0-9a-z]{1,8})\.([A-Za-z0-9_-]{11})\.([A-Za-z0-9_-]{22})$/
const utf8 = new TextEncoder()

export interface Binding {
  /** A memo for a new offer, good for `seconds`. */
  make(request: BoundRequest, terms: BoundTerms, seconds: number): string
  /** `aetherkit_binding_invalid` for a foreign or altered memo, `aetherkit_binding_expired` for an old one. */
  check(memo: string, request: BoundRequest, terms: BoundTerms): { ok: true } | Refusal
}

type BoundTerms = Pick<Requirement, 'amount' | 'asset' | 'payTo' | 'network'>

/**
 * A binding over secret keys of at least 32 bytes: the first makes memos, all of them check (rotation).
 * @throws PaymentError `invalid_option` for a short key
 */
export function createBinding(options: {
  readonly keys: readonly Uint8Array[]
  readonly now?: () => number
  readonly randomBytes?: (length: number) => Uint8Array
}): Binding {
  const {
    keys,
    now = Date.now,
    randomBytes = (length) => crypto.getRandomValues(new Uint8Array(length)),
  } = options
  if (keys.length === 0 || keys.some((key) => key.length < 32)) {
    throw new PaymentError('invalid_option', 'a binding key has at least 32 bytes')
  }
  const derived = new Map<Network, readonly Uint8Array[]>()
  const keysOf = (network: Network): readonly Uint8Array[] => {
    const known =
      derived.get(network) ??
      keys.map((key) => hkdf(sha256, key, undefined, utf8.encode(`x402-memo ${network}`), 32))
    derived.set(network, known)
    return known
  }
  const seconds = () => Math.floor(now() / 1000)
  return {
    make(request, terms, lifetime) {
      const exp = (seconds() + lifetime).toString(36)
      const nonce = base64url(randomBytes(8))
      const [key] = keysOf(terms.network)
      return `x1.${exp}.${nonce}.${base64url(mac(key as Uint8Array, request, terms, exp, nonce))}`
    },
    check(memo, request, terms) {
      const match = MEMO.exec(memo)
      if (match === null) return refuse('aetherkit_binding_invalid', 'not a memo of ours')
      const [, exp = '', nonce = '', given = ''] = match
      const known = keysOf(terms.network).map((key) => base64url(mac(key, request, terms, exp, nonce)))
      if (!known.some((expected) => equalText(expected, given))) return refuse('aetherkit_binding_invalid')
      return Number.parseInt(exp, 36) < seconds() ? refuse('aetherkit_binding_expired') : { ok: true }
    },
  }
}

function mac(
  key: Uint8Array,
  request: BoundRequest,
  terms: BoundTerms,
  exp: string,
  nonce: string,
): Uint8Array {
  const { method, url, bodySha256 = '' } = request
  const lines = [method, url, bodySha256, terms.amount.toString(), terms.asset, terms.payTo, exp, nonce]
  return hmac(sha256, key, utf8.encode(lines.join('\n'))).subarray(0, 16)
}

/** Every character is looked at, whichever differs. */
function equalText(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}
