/**
 * Capability tokens (spec 11.1): `{issuer, subject, capability, caveats, sig}`. The issuer lets the subject do what the
 * capability names, within the caveats. Enforcement of a chain is in capability-chain.
 *
 *   token id   BLAKE3 over the canonical JSON of issuer, subject, capability, caveats (RFC 8785), keys as hex
 *   sig        Ed25519 of the issuer over the token id
 *   caveats    not_before, not_after: nanoseconds, inclusive; max_uses: a count; each an integer or a string of digits
 *
 * Two other forms are verified, because they are in the field, and never written: Python's (members sorted, everything
 * outside printable ASCII escaped) and TypeScript's (issuer, subject, capability, caveats in this order).
 */
import { canonicalJson } from './canonical-json.js'
import { type Reject, reject } from './codes.js'
import { fromHex, parseHex, toHex } from './hex.js'
import { blake3 } from './id.js'
import { hasDuplicateKeys, isJsonObject, type JsonObject, type JsonValue } from './json.js'
import { publicKeyOf, signDigest, verifyDigest } from './sign.js'

export interface CapabilityToken {
  /** Ed25519 public keys, hex. */
  readonly issuer: string
  readonly subject: string
  /** Segments joined by `:`; a segment `*` stands for any one. */
  readonly capability: string
  /** As received: the signature covers how numbers were written. See {@link readCaveats}. */
  readonly caveats: Readonly<JsonObject>
  /** 64 bytes, hex. */
  readonly sig: string
}

export interface Caveats {
  /** Nanoseconds since 1970, inclusive. */
  readonly notBefore?: bigint
  readonly notAfter?: bigint
  readonly maxUses?: bigint
}

export interface SignTokenOptions {
  /** The issuer's Ed25519 seed, 32 bytes. The token carries the public key, never this. */
  readonly issuerSecret: Uint8Array
  readonly subject: string
  readonly capability: string
  readonly caveats?: Caveats
}

const utf8 = new TextEncoder()
const MAX_INTEGER = 2n ** 64n - 1n

/**
 * A signed token. Caveats are written as strings of digits: every reader gets those exactly.
 * @throws TypeError for an empty capability or a key of the wrong length; RangeError for a caveat outside u64.
 */
export function signToken(options: SignTokenOptions): CapabilityToken {
  const { issuerSecret, capability, caveats = {} } = options
  const subject = parseHex(options.subject, 32)
  if (subject === undefined) throw new TypeError('subject must be 32 bytes of hex')
  if (capability === '') throw new TypeError('capability must not be empty')
  const unsigned = {
    issuer: publicKeyOf(issuerSecret),
    subject,
    capability,
    caveats: writeCaveats(caveats),
  }
  const digest = blake3(utf8.encode(canonicalJson(unsigned)))
  return { ...unsigned, sig: toHex(signDigest(digest, issuerSecret)) }
}

/** The token's id, hex: BLAKE3 of its RFC 8785 form, whichever form was signed. Use counters go by it. */
export function tokenId(token: CapabilityToken): string {
  const { issuer, subject, capability, caveats } = token
  return toHex(blake3(utf8.encode(canonicalJson({ issuer, subject, capability, caveats }))))
}

/** Whether the issuer signed the token in one of the three forms. */
export function verifyToken(token: CapabilityToken): boolean {
  const sig = fromHex(token.sig)
  const issuer = fromHex(token.issuer)
  return signedForms(token).some((form) => verifyDigest(sig, blake3(utf8.encode(form)), issuer))
}

/**
 * Reads a token from parsed JSON. Of the wrong shape: `invalid_message`.
 *
 * `secrets`: our own seeds. A token whose issuer is one of them is refused: the reference's Python SDK puts the private
 * key there, and whoever shows such a token shows the key.
 */
export function readToken(
  value: JsonValue,
  options: { secrets?: readonly Uint8Array[] } = {},
): { ok: true; token: CapabilityToken } | Reject {
  if (!isJsonObject(value)) return refused('not an object')
  const { capability, caveats } = value
  const issuer = parseHex(value.issuer, 32)
  const subject = parseHex(value.subject, 32)
  const sig = parseHex(value.sig, 64)
  if (issuer === undefined || subject === undefined || sig === undefined)
    return refused('issuer, subject and sig must be hex')
  if (options.secrets?.some((secret) => isSame(secret, fromHex(issuer))))
    return refused('issuer is a secret key')
  if (typeof capability !== 'string' || capability === '') return refused('capability must be text')
  if (!isJsonObject(caveats)) return refused('caveats must be an object')
  if (hasDuplicateKeys(value) || hasDuplicateKeys(caveats)) return refused('a member twice')
  try {
    canonicalJson([capability, caveats])
  } catch {
    return refused('capability and caveats must have a canonical form')
  }
  return { ok: true, token: { issuer, subject, capability, caveats, sig } }
}

/**
 * The caveats by meaning; `null` counts as absent, as in the reference. Not an integer: `invalid_message`, `caveat must
 * be int`. A caveat we do not know could be anything, so it fails closed: `restricted`, `capability not granted`.
 */
export function readCaveats(caveats: Readonly<JsonObject>): { ok: true; caveats: Caveats } | Reject {
  const read: { -readonly [name in keyof Caveats]: bigint } = {}
  for (const [name, value] of Object.entries(caveats)) {
    if (!isCaveat(name)) return reject('restricted', 'capability not granted', 'unknown caveat')
    if (value === null || value === undefined) continue
    const integer = readInteger(value)
    if (integer === undefined) return reject('invalid_message', 'caveat must be int')
    read[CAVEATS[name]] = integer
  }
  return { ok: true, caveats: read }
}

/** In constant time: the other side chose one of the two, and the other is a secret. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.reduce((difference, byte, i) => difference | (byte ^ b[i]!), 0) === 0
}

const CAVEATS = { not_before: 'notBefore', not_after: 'notAfter', max_uses: 'maxUses' } as const

function isCaveat(name: string): name is keyof typeof CAVEATS {
  return Object.hasOwn(CAVEATS, name)
}

function writeCaveats(caveats: Caveats): JsonObject {
  const written: JsonObject = {}
  for (const name of Object.keys(CAVEATS).filter(isCaveat)) {
    const value = caveats[CAVEATS[name]]
    if (value === undefined) continue
    if (value < 0n || value > MAX_INTEGER)
      throw new RangeError(`${CAVEATS[name]} must be 0 to 2^64 - 1, got ${value}`)
    written[name] = String(value)
  }
  return written
}

function readInteger(value: JsonValue): bigint | undefined {
  const integer =
    typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))
      ? BigInt(value)
      : typeof value === 'string' && /^[0-9]{1,20}$/.test(value)
        ? BigInt(value)
        : undefined
  return integer !== undefined && integer >= 0n && integer <= MAX_INTEGER ? integer : undefined
}

/** Enforced tokens have flat caveats (the rest fails closed), so the legacy forms differ in order and escapes only. */
function signedForms(token: CapabilityToken): string[] {
  const { issuer, subject, capability, caveats } = token
  const canonical = canonicalJson({ issuer, subject, capability, caveats })
  const python = canonical.replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  const quoted = [issuer, subject, capability, caveats].map(canonicalJson)
  const typescript = `{"issuer":${quoted[0]},"subject":${quoted[1]},"capability":${quoted[2]},"caveats":${quoted[3]}}`
  return [canonical, ...(python === canonical ? [] : [python]), typescript]
}

function refused(detail: string): Reject {
  return reject('invalid_message', undefined, `capability token: ${detail}`)
}
