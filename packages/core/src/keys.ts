/**
 * Keys as text (spec 11.4): 32 bytes as hex or as bech32 (BIP 173, not bech32m).
 *
 *   prefix      key      family
 *   aesec       secret   aether   what we write
 *   aepub       public   aether
 *   nsec        secret   legacy   what the reference writes; the same text may be a secp256k1 key of Nostr
 *   npub        public   legacy
 *   (64 digits) either   hex      says nothing about which it is
 */
import { bech32 } from '@scure/base'
import { type Reject, reject } from './codes.js'
import { fromHex, parseHex, toHex } from './hex.js'

export type KeyFamily = 'aether' | 'legacy' | 'hex'

export interface KeyTextOptions {
  /** Write `nsec` and `npub`, for peers that know nothing else. */
  readonly legacyPrefix?: boolean
}

const PREFIXES = {
  secret: { aether: 'aesec', legacy: 'nsec' },
  public: { aether: 'aepub', legacy: 'npub' },
} as const

/** Prefix of 5, separator, 52 digits for 32 bytes, checksum of 6. */
const MAX_TEXT = 64

/**
 * A secret seed as `aesec...`.
 * @throws TypeError unless it is 32 bytes.
 */
export function writeSecretKey(secretKey: Uint8Array, options: KeyTextOptions = {}): string {
  return write(secretKey, 'secret', options)
}

/**
 * A public key (hex) as `aepub...`.
 * @throws TypeError unless it is 32 bytes of hex.
 */
export function writePublicKey(publicKey: string, options: KeyTextOptions = {}): string {
  return write(fromHex(publicKey), 'public', options)
}

/** Reads a secret key in any of its forms. Anything else, a public key above all: `invalid_message`. */
export function readSecretKey(text: string): { ok: true; secretKey: Uint8Array; family: KeyFamily } | Reject {
  const key = read(text, 'secret')
  return key.ok ? { ok: true, secretKey: key.bytes, family: key.family } : key
}

/** Reads a public key in any of its forms. Anything else, a secret key above all: `invalid_message`. */
export function readPublicKey(text: string): { ok: true; publicKey: string; family: KeyFamily } | Reject {
  const key = read(text, 'public')
  return key.ok ? { ok: true, publicKey: toHex(key.bytes), family: key.family } : key
}

type Role = keyof typeof PREFIXES

function write(bytes: Uint8Array, role: Role, { legacyPrefix = false }: KeyTextOptions): string {
  if (bytes.length !== 32) throw new TypeError(`a ${role} key must be 32 bytes, got ${bytes.length}`)
  return bech32.encode(PREFIXES[role][legacyPrefix ? 'legacy' : 'aether'], bech32.toWords(bytes))
}

function read(text: string, role: Role): { ok: true; bytes: Uint8Array; family: KeyFamily } | Reject {
  const hex = parseHex(text, 32)
  if (hex !== undefined) return { ok: true, bytes: fromHex(hex), family: 'hex' }
  let prefix: string
  let bytes: Uint8Array
  try {
    const decoded = bech32.decodeToBytes(text, MAX_TEXT)
    prefix = decoded.prefix
    bytes = decoded.bytes
  } catch {
    return refused('neither hex nor bech32')
  }
  const family = familyOf(prefix, role)
  if (family === undefined) {
    const other: Role = role === 'secret' ? 'public' : 'secret'
    return refused(
      familyOf(prefix, other) === undefined ? 'unknown prefix' : `a ${other} key where a ${role} key belongs`,
    )
  }
  return bytes.length === 32 ? { ok: true, bytes, family } : refused('not 32 bytes')
}

function familyOf(prefix: string, role: Role): 'aether' | 'legacy' | undefined {
  const { aether, legacy } = PREFIXES[role]
  return prefix === aether ? 'aether' : prefix === legacy ? 'legacy' : undefined
}

/** Never repeats the text: it may be a secret. */
function refused(detail: string): Reject {
  return reject('invalid_message', undefined, `key not readable: ${detail}`)
}
