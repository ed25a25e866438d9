/** X25519 key agreement (RFC 7748), as both noise layers and sealed content use it (spec 8). */
import { x25519PublicKey, x25519Shared } from '#x25519'
import { toHex } from './hex.js'

export interface ExchangeKeys {
  /** 32 bytes. */
  readonly secretKey: Uint8Array
  /** 32 bytes, hex. */
  readonly publicKey: string
}

/**
 * An X25519 key pair; a random one unless the secret is given.
 * @throws TypeError unless the secret is 32 bytes.
 */
export function exchangeKeys(secretKey: Uint8Array = randomBytes(32)): ExchangeKeys {
  if (secretKey.length !== 32) throw new TypeError(`secretKey must be 32 bytes, got ${secretKey.length}`)
  return { secretKey, publicKey: toHex(x25519PublicKey(secretKey)) }
}

/**
 * The 32 shared bytes; undefined for a public key of small order, with which everybody would share the same zeros
 * (RFC 7748 section 6.1, spec 8.1), and for one that is not 32 bytes.
 */
export function sharedSecret(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  if (secretKey.length !== 32) throw new TypeError(`secretKey must be 32 bytes, got ${secretKey.length}`)
  return x25519Shared(secretKey, publicKey)
}

/** Bytes of the platform's secure random source. */
export function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length))
}
