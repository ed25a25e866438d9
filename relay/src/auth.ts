/**
 * Who a peer is (spec 4.1, 8.2; NIP-42): it signs a challenge of its connection with its key, in an event of kind 22242
 * that is never stored or forwarded. One connection may prove several keys.
 */
import { randomBytes } from 'node:crypto'
import { type Event, type Reject, reject, tagValue } from '@aetherkit/core'
import type { Bus } from './bus.js'
import type { ConnectionFacts } from './connection.js'
import { NostrEvent } from './nostr-event.js'
import type { Peer } from './policy.js'

export const AUTH_KIND = 22242

/** How far the time of the event may be from now. Nanoseconds. */
const WINDOW = 600n * 1_000_000_000n
/** Keys that one connection may prove. */
const MAX_KEYS = 16

export class Authentication {
  readonly #bus: Pick<Bus, 'verify' | 'now' | 'urls' | 'capabilities'>
  readonly #facts: ConnectionFacts
  #challenge: string | undefined

  constructor(bus: Pick<Bus, 'verify' | 'now' | 'urls' | 'capabilities'>, facts: ConnectionFacts) {
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
    claim: { readonly event: Event; readonly rounded?: bigint | undefined },
    { peer, binding }: { readonly peer: () => Peer; readonly binding: string | undefined },
    settle: (verdict: { readonly ok: true; readonly peer: Peer } | Reject) => void,
  ): void {
    const { event } = claim
    const refusal = this.#check(event, binding) ?? full(peer())
    if (refusal !== undefined) {
      settle(refusal)
      return
    }
    const taken = this.#bus.verify(claim, (verdict) => {
      if (verdict === 'failed') settle(reject('unavailable'))
      else if (verdict === 'id_mismatch' || verdict === 'invalid_signature') settle(reject(verdict))
      else this.#grant(event, peer, settle)
    })
    if (!taken) settle(reject('unavailable'))
  }

  /** With the capabilities that the event shows; one that does not hold refuses it. */
  #grant(
    event: Event,
    peer: () => Peer,
    settle: (verdict: { readonly ok: true; readonly peer: Peer } | Reject) => void,
  ): void {
    const { capabilities } = this.#bus
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

  /**
   * Without configured URLs the relay knows itself by the address that the connection came in on. What a client says
   * in `Host` would not do: another relay that passes our challenge on could say its own.
   */
  #isOurs(text: string | undefined): boolean {
    const claimed = readUrl(text)
    if (claimed === undefined) return false
    const { urls } = this.#bus
    const isSame = (text: string) => {
      const own = readUrl(text)
      return own?.host === claimed.host && own.port === claimed.port && own.path === claimed.path
    }
    if (urls.length > 0) return urls.some(isSame)
    const { address, port } = this.#facts.local
    const isHere = claimed.host === address || (claimed.host === 'localhost' && isLoopback(address))
    return isHere && claimed.port === port
  }
}

function full(peer: Peer): Reject | undefined {
  const keys = (peer.authenticated?.length ?? 0) + (peer.authenticatedNostr?.length ?? 0)
  return keys < MAX_KEYS ? undefined : reject('limit_exceeded', undefined, `at most ${MAX_KEYS} keys`)
}

function withKey(peer: Peer, event: Event): Peer {
  const field = NostrEvent.is(event) ? 'authenticatedNostr' : 'authenticated'
  return { ...peer, [field]: [...new Set([...(peer[field] ?? []), event.pubkey])] }
}

function readUrl(text: string | undefined): { host: string; port: number; path: string } | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined
  const url = new URL(text)
  const isSecure = url.protocol === 'wss:' || url.protocol === 'https:'
  if (!isSecure && url.protocol !== 'ws:' && url.protocol !== 'http:') return undefined
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
    path: url.pathname.replace(/\/+$/, ''),
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
