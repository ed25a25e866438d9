/**
 * Whether a card, of 1.0 or of 0.3, is its agent's (spec a2a 2.8, 7.10): by keys that the caller pins, by a key set of the card's own
 * origin, or by the key of the first time. A `jku` of another origin is not fetched.
 */
import type { JSONWebKeySet } from 'jose'
import { verifyCard } from '../card/sign.js'
import { readCapped } from '../guard.js'
import type { AgentCard, JsonRecord } from '../model.js'
import { isRecord } from '../read-fields.js'
import { AgentError } from './errors.js'
import { type Fetch, fetchError } from './http-link.js'
import { checkCard, type ReadCard } from './read-card.js'

/** Keys that were seen, by origin of the agent. */
export interface TrustStore {
  get(origin: string): string | undefined | Promise<string | undefined>
  set(origin: string, key: string): void | Promise<void>
}

/** One of them, or several: a card that any of them verifies is verified. */
export interface VerifyOptions {
  /** Ed25519 keys as base58 addresses. */
  readonly keys?: readonly string[]
  /** A key set that the caller vouches for, or the one at the card's origin: its `jku`, else `/.well-known/jwks.json`. */
  readonly jwks?: 'same-origin' | JSONWebKeySet
  /** The key that signed the first card of an origin must sign all later ones. */
  readonly firstUse?: TrustStore
  /**
   * A card without any signature is refused unless this is false; one that is signed must always verify, and so must
   * every card of an origin whose key is known by first use.
   */
  readonly required?: boolean
}

export interface VerifiedCard {
  /** What the signature covers, and nothing else. */
  readonly card: AgentCard
  /** Undefined for a card without signatures that was let through. */
  readonly kid: string | undefined
}

const MAX_KEYS_BYTES = 256 * 1024

/** @throws AgentError CARD_UNVERIFIED with the reason */
export async function verifyFoundCard(
  { url, source, card }: ReadCard & { readonly url: string | undefined },
  options: VerifyOptions,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<VerifiedCard> {
  const { keys, jwks, firstUse, required = true } = options
  const origin = url === undefined ? undefined : new URL(url).origin
  const known = origin === undefined ? undefined : await firstUse?.get(origin)
  const isUnsigned = !Array.isArray(source.signatures) || source.signatures.length === 0
  if (!required && isUnsigned && known === undefined) return { card, kid: undefined }
  let reason = 'no key is trusted'
  if (keys !== undefined) {
    const verdict = await verifyCard(source, { keys })
    if (verdict.ok) return checked(verdict)
    reason = verdict.reason
  }
  if (jwks !== undefined) {
    const set = jwks === 'same-origin' ? await originKeys(url, source, fetch, signal) : jwks
    const verdict = set === undefined ? undefined : await verifyCard(source, { jwks: set })
    if (verdict?.ok === true) return checked(verdict)
    reason = verdict?.reason ?? 'its origin has no key set'
  }
  if (firstUse !== undefined && origin !== undefined) {
    const verdict = await verifyCard(source, { keys: known === undefined ? kidsOf(source) : [known] })
    if (verdict.ok) {
      if (known === undefined) await firstUse.set(origin, verdict.kid)
      return checked(verdict)
    }
    reason = known === undefined ? verdict.reason : 'another key signed it than the first time'
  }
  throw new AgentError('CARD_UNVERIFIED', `the agent card could not be verified: ${reason}`)
}

/** In the shapes of the protocol, too. */
const checked = ({ card, kid }: { readonly card: AgentCard; readonly kid: string }): VerifiedCard => ({
  card: checkCard(card).card,
  kid,
})

async function originKeys(
  url: string | undefined,
  source: JsonRecord,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<JSONWebKeySet | undefined> {
  if (url === undefined) return undefined
  const { origin } = new URL(url)
  const named = headersOf(source).flatMap(({ jku }) =>
    typeof jku === 'string' && isOf(jku, origin) ? [jku] : [],
  )
  for (const address of new Set([...named.slice(0, 2), `${origin}/.well-known/jwks.json`])) {
    let response: Response
    try {
      response = await fetch(address, { headers: { accept: 'application/json' }, signal })
    } catch (error) {
      signal.throwIfAborted()
      throw fetchError(error)
    }
    const bytes = await readCapped(response, MAX_KEYS_BYTES).catch(() => undefined)
    const keys = response.ok && bytes !== undefined ? readKeys(bytes) : undefined
    if (keys !== undefined) return keys
  }
  return undefined
}

const isOf = (url: string, origin: string): boolean => URL.canParse(url) && new URL(url).origin === origin

function readKeys(bytes: Uint8Array): JSONWebKeySet | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    const isSet = isRecord(value) && Array.isArray(value.keys) && value.keys.every(isRecord)
    return isSet ? (value as { keys: JSONWebKeySet['keys'] }) : undefined
  } catch {
    return undefined
  }
}

const kidsOf = (source: JsonRecord): string[] =>
  headersOf(source).flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : []))

function headersOf({ signatures }: JsonRecord): readonly JsonRecord[] {
  if (!Array.isArray(signatures)) return []
  return signatures.slice(0, 8).flatMap((entry) => {
    if (!isRecord(entry) || typeof entry.protected !== 'string') return []
    try {
      const value: unknown = JSON.parse(Buffer.from(entry.protected, 'base64url').toString())
      return isRecord(value) ? [value] : []
    } catch {
      return []
    }
  })
}
