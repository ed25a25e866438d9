/**
 * Signatures of Nostr events (spec 9.3): BIP-340 over secp256k1. The library is loaded when the first one comes, so that
 * a relay without them pays nothing for it.
 */
import { createRequire } from 'node:module'

type Secp256k1 = typeof import('tiny-secp256k1')

let library: Secp256k1 | undefined

/** Whether `sig` is that of `publicKey` over `digest`; false also for what is no key or signature at all. */
export function schnorr(sig: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean {
  library ??= createRequire(import.meta.url)('tiny-secp256k1') as Secp256k1
  try {
    return library.verifySchnorr(digest, publicKey, sig)
  } catch {
    return false
  }
}
