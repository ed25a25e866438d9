/** Compact JWS with EdDSA over canonical JSON (RFC 7515, 8037, 8785), keys as `did:key` (multicodec ed01, base58btc). */
import {
  canonicalJson,
  fromHex,
  isJsonObject,
  type JsonObject,
  parseJson,
  publicKeyOf,
  signDigest,
  verifyDigest,
} from '@aetherkit/core'
import { base58, base64urlnopad } from '@scure/base'
import { type Refusal, refuse } from '../reason.js'
import type { Json } from '../requirement.js'

const ED25519 = Uint8Array.of(0xed, 0x01)
const utf8 = new TextEncoder()

/** The DID URL of an Ed25519 public key of 32 bytes: `did:key:z…#z…`. */
export function didOf(publicKey: Uint8Array): string {
  const key = `z${base58.encode(Uint8Array.of(...ED25519, ...publicKey))}`
  return `did:key:${key}#${key}`
}

/** The key in a `did:key` of Ed25519; undefined for every other DID. */
export function keyOfDid(did: string): Uint8Array | undefined {
  const [, text] = /^did:key:z([1-9A-HJ-NP-Za-km-z]+)(?:#.*)?$/.exec(did) ?? []
  if (text === undefined || text.length > 64) return undefined
  const bytes = base58.decode(text)
  const isEd25519 = bytes.length === 34 && bytes[0] === ED25519[0] && bytes[1] === ED25519[1]
  return isEd25519 ? bytes.slice(2) : undefined
}

/** Signs with a 32-byte secret seed; `kid` defaults to the key's own `did:key`. */
export function signJws(
  payload: Readonly<Record<string, Json>>,
  secretKey: Uint8Array,
  kid?: string,
): string {
  const header = { alg: 'EdDSA', kid: kid ?? didOf(fromHex(publicKeyOf(secretKey))) }
  const signed = `${encode(utf8.encode(canonicalJson(header)))}.${encode(utf8.encode(canonicalJson(payload)))}`
  return `${signed}.${encode(signDigest(utf8.encode(signed), secretKey))}`
}

/**
 * The payload, when the signature is by this public key, or by the `did:key` it names itself (then look at `kid`).
 * `invalid_payload` for anything else.
 */
export function verifyJws(
  jws: string,
  publicKey?: Uint8Array,
): { ok: true; payload: JsonObject; kid: string } | Refusal {
  const [head, body, signature, ...more] = jws.split('.')
  if (head === undefined || body === undefined || signature === undefined || more.length > 0)
    return refuse('invalid_payload', 'no compact JWS')
  const header = decodeJson(head)
  const payload = decodeJson(body)
  if (header?.alg !== 'EdDSA' || typeof header.kid !== 'string' || payload === undefined)
    return refuse('invalid_payload', 'no EdDSA JWS of an object')
  const key = publicKey ?? keyOfDid(header.kid)
  if (key === undefined) return refuse('invalid_payload', `no key for ${header.kid}`)
  const isGood = verifyDigest(decode(signature), utf8.encode(`${head}.${body}`), key)
  return isGood ? { ok: true, payload, kid: header.kid } : refuse('invalid_payload', 'signature')
}

function decodeJson(part: string): JsonObject | undefined {
  const parsed = parseJson(new TextDecoder().decode(decode(part)))
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined
}

function encode(bytes: Uint8Array): string {
  return base64urlnopad.encode(bytes)
}

/** Strict: what an encoder would not write is no bytes. */
function decode(part: string): Uint8Array {
  try {
    return base64urlnopad.decode(part)
  } catch {
    return new Uint8Array(0)
  }
}
