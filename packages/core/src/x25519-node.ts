/** X25519 (RFC 7748) on Node.js: OpenSSL, several times as fast as pure JavaScript. It refuses all-zero secrets. */
import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto'

const CURVE = { kty: 'OKP', crv: 'X25519' } as const

/** The 32-byte public key of a 32-byte secret. */
export function x25519PublicKey(secretKey: Uint8Array): Uint8Array {
  const { x } = createPublicKey(privateKey(secretKey)).export({ format: 'jwk' })
  return new Uint8Array(Buffer.from(x as string, 'base64url'))
}

/** The 32 shared bytes; undefined when they are all zero or the public key is not 32 bytes. */
export function x25519Shared(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  try {
    const peer = createPublicKey({ key: { ...CURVE, x: base64url(publicKey) }, format: 'jwk' })
    return new Uint8Array(diffieHellman({ privateKey: privateKey(secretKey), publicKey: peer }))
  } catch {
    return undefined
  }
}

/** The JWK member `x` is required and not read: Node.js derives the public key from `d`. */
function privateKey(secretKey: Uint8Array): KeyObject {
  return createPrivateKey({ key: { ...CURVE, d: base64url(secretKey), x: '' }, format: 'jwk' })
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}
