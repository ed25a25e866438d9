/**
 * A buyer's claim on what is handed out beside the goods (spec payments 10, 16 D9), such as a credit token. A payment
 * that landed is public, and its bytes get whoever presents them the goods that were kept; a bearer token is money, so it
 * is kept only for a buyer that sent a secret with the first presentation, and given only to who sends it again.
 *
 *   X-Payment-Claim: <16 to 128 characters of A-Z a-z 0-9 _ ->
 */
import { toHex } from '@aetherkit/core'
import { sha256 } from '@noble/hashes/sha2.js'

export const CLAIM_HEADER = 'X-Payment-Claim'

const CLAIM = /^[A-Za-z0-9_-]{16,128}$/

/** SHA-256 of a claim, hex, as it is kept; undefined for none and for one that is malformed. */
export function hashClaim(claim: string | undefined): string | undefined {
  if (claim === undefined || !CLAIM.test(claim)) return undefined
  return toHex(sha256(new TextEncoder().encode(claim)))
}
