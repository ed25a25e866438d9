/**
 * Who a peer is (spec 4.1, 8.2; NIP-42): it signs a challenge of its connection with its key, in an event of kind 22242
 * that is never stored or forwarded. One connection may prove several keys.
 */
import { randomBytes } from 'node:crypto'
import { type Event, type Reject, reject, tagValue } from '@aetherkit/core'
import type { Bus } from './bus.js'
import type { ConnectionFacts } from './connection.js'
import { NostrEvent } from './nostr-event.js'
import { ownPaths } from './own-url.js'
import type { Peer } from './policy.js'

const AUTH_KIND = 22242
/** A proof of one HTTP request, see `gateway/http-auth.ts`. */
export const HTTP_AUTH_KIND = 27235

/** Events of these kinds say who somebody is to one relay, and are nobody else's business: they are never published. */
export function isAuthKind(kind: number): boolean {
  return kind === AUTH_KIND || kind === HTTP_AUTH_KIND
}

/** How far the time of the event may be from now. Nanoseconds. */
const WINDOW = 600n * 1_000_000_000n
/** Keys that one connection may prove. */
const MAX_KEYS = 16

type Proving = Pick<Bus, 'verify' | 'capabilities'>
interface Claim {
  readonly event: Event
  readonly rounded?: bigint | undefined
}
type SettleProof = (verdict: { readonly ok: true; readonly peer: Peer } | Reject) => void

export class Authentication {
  readonly #bus: Proving & Pick<Bus, 'now' | 'urls'>
  readonly #facts: ConnectionFacts
  #challenge: string | undefined

  constructor(bus: Proving & Pick<Bus, 'now' | 'urls'>, facts: ConnectionFacts) {
    this.#bus = bus
    this.#facts = facts
  }

  /** Of this connection, 32 hex digits; undefined until {@link ask}. */
  get challenge(): string | undefined {
    return this.#challenge
  }

  /** The challenge, made at the first call. */
  ask(): string {
    this.#challenge ??= randomBytes(16).toString('hex')
    return this.#challenge
  }

  /**
   * Settles once with the peer, which is `peer` with one more key, or with the reason why not: `kind_unsupported`,
   * `created_at_out_of_window`, `auth_required` for tags of another connection or relay, `limit_exceeded`,
   * `id_mismatch`, `invalid_signature`, `unavailable`, and those of capability tokens. `binding`: the handshake hash of noise-xx, where there is one.
   */
  prove(
    claim: Claim,
    { peer, binding }: { readonly peer: () => Peer; readonly binding: string | undefined },
    settle: SettleProof,
  ): void {
    const refusal = this.#check(claim.event, binding)
    if (refusal === undefined) proveKey(this.#bus, claim, peer, settle)
    else settle(refusal)
  }

  #check(event: Event, binding: string | undefined): Reject | undefined {
    if (event.kind !== AUTH_KIND) return reject('kind_unsupported', undefined, `auth has kind ${AUTH_KIND}`)
    const now = this.#bus.now()
    if (event.createdAt > now + WINDOW || event.createdAt + WINDOW < now)
      return reject('created_at_out_of_window', undefined, 'at most 10 minutes from now')
    if (this.#challenge === undefined || tagValue(event, 'challenge') !== this.#challenge)
      return reject('auth_required', undefined, 'the challenge is not that of this connection')
    if (!this.#isOurs(tagValue(event, 'relay')))
      return reject('auth_required', undefined, 'the tag relay names another relay')
    if (binding !== undefined && tagValue(event, 'binding') !== binding)
      return reject('auth_required', undefined, 'the tag binding is not of this noise session')
    return undefined
  }

  #isOurs(text: string | undefined): boolean {
    const { urls } = this.#bus
    const found = ownPaths(text, { urls, local: this.#facts.local })
    return urls.length === 0 ? found.length > 0 : found.some(({ path }) => /^\/*$/.test(path))
  }
}

/**
 * The one way that a key becomes a peer's: the event of the claim has the right tags, and now its id and signature are
 * checked, and the capability tokens that it shows. `peer` is asked when that is done.
 */
export function proveKey(bus: Proving, claim: Claim, peer: () => Peer, settle: SettleProof): void {
  const refusal = full(peer())
  if (refusal !== undefined) {
    settle(refusal)
    return
  }
  const taken = bus.verify(claim, (verdict) => {
    if (verdict === 'failed') settle(reject('unavailable'))
    else if (verdict === 'id_mismatch' || verdict === 'invalid_signature') settle(reject(verdict))
    else grant(bus, claim.event, peer, settle)
  })
  if (!taken) settle(reject('unavailable'))
}

/** With the capabilities that the event shows; one that does not hold refuses it. */
function grant({ capabilities }: Proving, event: Event, peer: () => Peer, settle: SettleProof): void {
  if (capabilities === undefined) {
    settle({ ok: true, peer: withKey(peer(), event) })
    return
  }
  void capabilities.shown(event).then((shown) => {
    if (!shown.ok) settle(shown)
    else {
      const known = withKey(peer(), event)
      settle({ ok: true, peer: { ...known, grants: [...(known.grants ?? []), ...shown.grants] } })
    }
  })
}

function full(peer: Peer): Reject | undefined {
  const keys = (peer.authenticated?.length ?? 0) + (peer.authenticatedNostr?.length ?? 0)
  return keys < MAX_KEYS ? undefined : reject('limit_exceeded', undefined, `at most ${MAX_KEYS} keys`)
}

function withKey(peer: Peer, event: Event): Peer {
  const field = NostrEvent.is(event) ? 'authenticatedNostr' : 'authenticated'
  return { ...peer, [field]: [...new Set([...(peer[field] ?? []), event.pubkey])] }
}
