/**
 * Ed25519 (RFC 8032) where there is no Node.js. The verdict is libsodium's (spec 1.7): `S` below the group order, key
 * and `R` canonically encoded and not of small order, and the equation without cofactor, `[S]B - [k]A = R`.
 */
import { etc, getPublicKey, hashes, Point, sign } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { hasStrictEncoding } from './ed25519-strict.js'

hashes.sha512 = sha512

const GROUP_ORDER = Point.CURVE().n

/** The 32-byte public key of a 32-byte secret seed. */
export function ed25519PublicKey(secretKey: Uint8Array): Uint8Array {
  return getPublicKey(secretKey)
}

/** The 64-byte signature. */
export function ed25519Sign(message: Uint8Array, secretKey: Uint8Array): Uint8Array {
  return sign(message, secretKey)
}

/** Total: false for anything that is not a strictly valid signature. */
export function ed25519Verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (!hasStrictEncoding(signature, publicKey)) return false
  try {
    const r = signature.subarray(0, 32)
    const s = littleEndian(signature.subarray(32))
    const a = Point.fromBytes(publicKey)
    const k = etc.mod(littleEndian(sha512(etc.concatBytes(r, publicKey, message))), GROUP_ORDER)
    const check = Point.BASE.multiply(s, false).subtract(a.multiply(k, false)).toBytes()
    return check.every((byte, i) => byte === r[i])
  } catch {
    return false
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!)
  return value
}
