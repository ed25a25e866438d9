/** Ed25519 keys and signatures (spec 1.1, 1.7): a signature covers the 32 raw bytes of the event id. */
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from '#ed25519'
import { contentBytes, type Event, type EventTemplate, type UnsignedEvent } from './event.js'
import { toHex } from './hex.js'
import { blake3, canonicalBytes } from './id.js'

/** A random 32-byte Ed25519 seed. */
export function generateSecretKey(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(32))
}

/**
 * The public key of a secret seed, 64 hex digits.
 * @throws TypeError unless the seed is 32 bytes.
 */
export function publicKeyOf(secretKey: Uint8Array): string {
  return toHex(ed25519PublicKey(seed(secretKey)))
}

/**
 * Signs 32 bytes, commonly an event id; 64 bytes out.
 * @throws TypeError unless the seed is 32 bytes.
 */
export function signDigest(digest: Uint8Array, secretKey: Uint8Array): Uint8Array {
  return ed25519Sign(digest, seed(secretKey))
}

/** libsodium's verdict on every backend (spec 1.7). Total: false for lengths that are off, never throws. */
export function verifyDigest(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean {
  return ed25519Verify(signature, digest, publicKey)
}

/**
 * Completes a template with the key's id and signature.
 * @throws TypeError or RangeError for a template that has no canonical bytes.
 */
export function signEvent(template: EventTemplate & { createdAt: bigint }, secretKey: Uint8Array): Event {
  const unsigned = completeTemplate(template, publicKeyOf(secretKey))
  const id = blake3(canonicalBytes(unsigned))
  return { id: toHex(id), ...unsigned, sig: toHex(signDigest(id, secretKey)) }
}

/** A template with its author and with the defaults filled in: what the id is made of. */
export function completeTemplate(
  template: EventTemplate & { createdAt: bigint },
  pubkey: string,
): UnsignedEvent {
  const { createdAt, kind, tags = [], content = '' } = template
  return { pubkey, createdAt, kind, tags, content: contentBytes(content) }
}

/** A clock in nanoseconds that never gives the same value twice nor goes back, whatever the system clock does. */
export function createClock(now: () => number = Date.now): () => bigint {
  let last = 0n
  return () => {
    const time = BigInt(now()) * 1_000_000n
    last = time > last ? time : last + 1n
    return last
  }
}

function seed(secretKey: Uint8Array): Uint8Array {
  if (secretKey.length !== 32) throw new TypeError(`secret key must be 32 bytes, got ${secretKey.length}`)
  return secretKey
}
