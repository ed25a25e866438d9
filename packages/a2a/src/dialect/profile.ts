/**
 * Signatures of `agent.request` (spec a2a 3.2). The profile `aether-jcs-v1` signs the UTF-8 of the RFC 8785 form of
 * `params` without its member `signature`: every other member is covered, unknown ones too.
 *
 *   signature   pure Ed25519 (RFC 8032), 64 bytes, base58
 *   from        the verifying key, exactly 32 bytes, base58
 *
 * The bytes start with `{`: as a Solana message they would claim 123 signers, so no signature is one of a transaction.
 * `json-order` and `none` verify only, for agents that were there before; one profile an agent, never tried in turn.
 */
import { canonicalJson, fromHex, publicKeyOf, signDigest, verifyDigest } from '@aetherkit/core'
import { base58 } from '@scure/base'
import type { JsonRecord } from '../model.js'

/** `json-order`: JSON.stringify of params in the order as received. `none`: no signature at all, for development. */
export type SignatureProfile = 'aether-jcs-v1' | 'json-order' | 'none'

export const DEFAULT_PROFILE = 'aether-jcs-v1'

/** Base58 digits that 64 bytes can take, at most; longer text is not decoded. */
const MAX_DIGITS = 88

/**
 * What a signature covers; undefined when the params have no such form: a number that is not finite, a lone surrogate,
 * nesting beyond 64 levels.
 */
export function signedBytes(
  params: JsonRecord,
  profile: SignatureProfile = DEFAULT_PROFILE,
): Uint8Array | undefined {
  const { signature: _signature, ...covered } = params
  try {
    const text = profile === 'json-order' ? JSON.stringify(covered) : canonicalJson(covered)
    return new TextEncoder().encode(text)
  } catch {
    return undefined
  }
}

/**
 * The params with `from` and `signature` of this 32-byte seed, under `aether-jcs-v1`.
 * @throws TypeError for a seed of another length, or params that have no canonical form
 */
export function signParams(params: JsonRecord, secretKey: Uint8Array): JsonRecord {
  const unsigned = { ...params, from: base58.encode(fromHex(publicKeyOf(secretKey))) }
  const bytes = signedBytes(unsigned)
  if (bytes === undefined) throw new TypeError('params must be JSON with a canonical form')
  return { ...unsigned, signature: base58.encode(signDigest(bytes, secretKey)) }
}

/** Whether `from` signed these bytes. Total: false for keys and signatures of a wrong length, and for S + L. */
export function verifySignature(bytes: Uint8Array, signature: string, from: string): boolean {
  const key = decodeBase58(from, 32)
  const sig = decodeBase58(signature, 64)
  return key !== undefined && sig !== undefined && verifyDigest(sig, bytes, key)
}

/** Base58 text of exactly so many bytes; undefined for anything else. */
export function decodeBase58(text: string, length: number): Uint8Array | undefined {
  if (text.length > MAX_DIGITS) return undefined
  try {
    const bytes = base58.decode(text)
    return bytes.length === length ? bytes : undefined
  } catch {
    return undefined
  }
}

/** The base58 address of a 32-byte key in hex. */
export function addressOf(publicKey: string): string {
  return base58.encode(fromHex(publicKey))
}
