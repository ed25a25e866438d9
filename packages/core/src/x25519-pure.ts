/** X25519 (RFC 7748) in pure JavaScript: browsers and anything else that has no OpenSSL. */
import { x25519 } from '@noble/curves/ed25519.js'

/** The 32-byte public key of a 32-byte secret. */
export function x25519PublicKey(secretKey: Uint8Array): Uint8Array {
  return x25519.getPublicKey(secretKey)
}

/** The 32 shared bytes; undefined when they are all zero or the public key is not 32 bytes. */
export function x25519Shared(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  try {
    return x25519.getSharedSecret(secretKey, publicKey)
  } catch {
    return undefined
  }
}
