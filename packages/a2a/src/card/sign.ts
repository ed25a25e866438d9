/**
 * Signatures of cards (spec a2a 2.8, 7.10): JWS with EdDSA over the canonical form, by the agent's own key, which its
 * base58 address names. A verifier trusts pinned keys or a key document that it was given; nothing is fetched here.
 */
import { canonicalJson, fromHex } from '@aetherkit/core'
import { base58, base64urlnopad } from '@scure/base'
import { createLocalJWKSet, flattenedVerify, type JSONWebKeySet, type JWK } from 'jose'
import type { AgentCard, CardSignature, Json, JsonRecord } from '../model.js'
import { asJson, isRecord } from '../read-fields.js'
import { coveredCard, legacyForms } from './canonical.js'
import { fromLegacyCard, isLegacyCard } from './from-legacy.js'

/** Signs bytes with Ed25519; the `Signer` of @aetherkit/client is one when it signs what it is given. */
export interface CardSigner {
  /** 32 bytes, lower-case hex. */
  readonly publicKey: string
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
}

export interface CardTrust {
  /** Ed25519 keys as base58 addresses. */
  readonly keys?: readonly string[]
  /** A key document that the caller vouches for. */
  readonly jwks?: JSONWebKeySet
}

export type CardVerdict =
  /** `card` holds what the signature covers, and nothing else. */
  | { readonly ok: true; readonly kid: string; readonly card: AgentCard }
  | { readonly ok: false; readonly reason: 'unsigned' | 'untrusted-key' | 'bad-signature' | 'malformed' }

/** Signatures of a card that are looked at. */
const MAX_SIGNATURES = 8
const MAX_HEADER = 4096
const ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256', 'ES384', 'ES512', 'PS256', 'RS256']
const utf8 = new TextEncoder()

/** The card with one more signature; those it has stay. */
export async function signCard(card: AgentCard, signer: CardSigner): Promise<AgentCard> {
  const entry = await signatureOf(coveredCard(card), signer)
  return { ...card, signatures: [...(card.signatures ?? []), entry] }
}

/** A card of 0.3 with its signature, when there is a signer. */
export async function signedLegacy(card: JsonRecord, signer: CardSigner | undefined): Promise<JsonRecord> {
  if (signer === undefined) return card
  return { ...card, signatures: [asJson(await signatureOf(card, signer))] }
}

/** Of a card in a form that is signed: of 1.0 `coveredCard`, of 0.3 as it is sent. */
export async function signatureOf(form: JsonRecord, signer: CardSigner): Promise<CardSignature> {
  const header = { alg: 'EdDSA', kid: base58.encode(fromHex(signer.publicKey)), typ: 'JOSE' }
  const protectedHeader = base64urlnopad.encode(utf8.encode(JSON.stringify(header)))
  const payload = base64urlnopad.encode(utf8.encode(canonicalJson(form)))
  const signature = await signer.sign(utf8.encode(`${protectedHeader}.${payload}`))
  return { protected: protectedHeader, signature: base64urlnopad.encode(signature) }
}

/** Total: one good signature by a trusted key is enough. Cards of 0.3 as well. */
export async function verifyCard(card: AgentCard | JsonRecord, trust: CardTrust): Promise<CardVerdict> {
  const source = asJson(card)
  const { signatures } = source
  if (!Array.isArray(signatures) || signatures.length === 0) return { ok: false, reason: 'unsigned' }
  const forms = formsOf(source)
  if (forms === undefined) return { ok: false, reason: 'malformed' }
  let reason: 'untrusted-key' | 'bad-signature' | 'malformed' = 'malformed'
  for (const entry of signatures.slice(0, MAX_SIGNATURES)) {
    const parsed = readEntry(entry)
    if (parsed === undefined) continue
    const key = keyFor(parsed.kid, trust)
    if (key === undefined) {
      if (reason === 'malformed') reason = 'untrusted-key'
      continue
    }
    for (const { payload, covered } of forms)
      if (await verifies(parsed, payload, key))
        return { ok: true, kid: parsed.kid, card: covered as Json as AgentCard & Json }
    reason = 'bad-signature'
  }
  return { ok: false, reason }
}

interface Entry {
  readonly kid: string
  readonly protected: string
  readonly signature: string
}

type Key = JWK | JSONWebKeySet

interface Form {
  readonly payload: string
  /** In 1.0. */
  readonly covered: JsonRecord
}

function formsOf(card: JsonRecord): readonly Form[] | undefined {
  const isLegacy = isLegacyCard(card)
  const forms = isLegacy ? legacyForms(card) : [coveredCard(card)]
  try {
    return forms.map((form) => ({
      payload: base64urlnopad.encode(utf8.encode(canonicalJson(form))),
      covered: isLegacy ? coveredCard(fromLegacyCard(form)) : form,
    }))
  } catch {
    return undefined
  }
}

/** A key is named in the protected header, which is signed; the other one is a hint and is not read. */
function readEntry(value: unknown): Entry | undefined {
  if (!isRecord(value)) return undefined
  const { protected: header, signature } = value
  if (typeof header !== 'string' || typeof signature !== 'string' || header.length > MAX_HEADER)
    return undefined
  try {
    const parsed: unknown = JSON.parse(Buffer.from(header, 'base64url').toString())
    // RFC 7797 would sign other bytes than ours.
    if (!isRecord(parsed) || typeof parsed.kid !== 'string' || 'b64' in parsed) return undefined
    return { kid: parsed.kid, protected: header, signature }
  } catch {
    return undefined
  }
}

function keyFor(kid: string, { keys = [], jwks }: CardTrust): Key | undefined {
  if (keys.includes(kid)) {
    const x = keyText(kid)
    return x === undefined ? undefined : { kty: 'OKP', crv: 'Ed25519', x }
  }
  return jwks?.keys.some((key) => key.kid === kid) ? jwks : undefined
}

function keyText(address: string): string | undefined {
  try {
    const bytes = base58.decode(address)
    return bytes.length === 32 ? base64urlnopad.encode(bytes) : undefined
  } catch {
    return undefined
  }
}

async function verifies(entry: Entry, payload: string, key: Key): Promise<boolean> {
  const jws = { protected: entry.protected, payload, signature: entry.signature }
  const options = { algorithms: ALGORITHMS }
  try {
    if ('keys' in key && Array.isArray(key.keys))
      await flattenedVerify(jws, createLocalJWKSet(key as JSONWebKeySet), options)
    else await flattenedVerify(jws, key as JWK, options)
    return true
  } catch {
    return false
  }
}
