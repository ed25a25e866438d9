/**
 * Kinds that only holders of a capability may publish or read (spec 11.1). The capabilities are `publish:<kind>` and
 * `subscribe:<kind>`; `publish` and `subscribe` cover all kinds. A chain is shown in the event that is published, or in
 * the AUTH event of a connection, and then holds for all of it.
 *
 * Uses are counted when an event is about to be taken, and when a subscription or a query that could see such kinds
 * begins.
 */
import { type Event, type Filter, type Reject, reject } from '@aetherkit/core'
import { NostrEvent } from '../nostr-event.js'
import { isOfKind, type Peer } from '../policy.js'
import type { KindRange } from '../store/store.js'
import type { AsyncPolicy, Judgement } from './async-policy.js'
import { findGrant, type Grant, Grants } from './capability-grant.js'
import { type CapabilityUses, memoryUses } from './capability-uses.js'

export interface CapabilityOptions {
  /** Ed25519 key, hex, of who issues the first token of every chain. */
  readonly owner: string
  /** Kinds that need `publish:<kind>`; default: none. */
  readonly publish?: readonly KindRange[]
  /** Kinds that need `subscribe:<kind>`; default: none. */
  readonly subscribe?: readonly KindRange[]
  /** Default: in memory. Closed with the relay. */
  readonly uses?: CapabilityUses
}

export class Capabilities implements AsyncPolicy {
  readonly #publish: readonly KindRange[]
  readonly #subscribe: readonly KindRange[]
  readonly #grants: Grants
  readonly #uses: CapabilityUses
  readonly #now: () => bigint
  readonly info

  constructor(options: CapabilityOptions, now: () => bigint) {
    const { owner, publish = [], subscribe = [], uses = memoryUses() } = options
    this.#publish = publish
    this.#subscribe = subscribe
    this.#grants = new Grants(owner)
    this.#uses = uses
    this.#now = now
    this.info = {
      capabilities: {
        owner,
        publish: publish.map((range) => [...range]),
        subscribe: subscribe.map((range) => [...range]),
      },
    }
  }

  /** What an AUTH event brings its connection. A chain that does not hold refuses it: `restricted` and others. */
  shown(event: Event): ReturnType<Grants['of']> {
    if (NostrEvent.is(event)) return Promise.resolve({ ok: true, grants: [] })
    return this.#grants.of(event, this.#now())
  }

  /** The gate of publishing; asked when the signature is right. */
  async judge(event: Event, peer: Peer, now: bigint): Promise<Judgement> {
    if (!isOfKind(event.kind, this.#publish)) return undefined
    const shown = await this.shown(event)
    if (!shown.ok) return shown
    const required = `publish:${event.kind}`
    const grant = findGrant([...shown.grants, ...(peer.grants ?? [])], required, now)
    if (grant === undefined) return notGranted(required)
    return (await this.#uses.take(grant.counted)) ? undefined : exceeded()
  }

  /** Whether only some may read the event. */
  isGated(event: Event): boolean {
    return isOfKind(event.kind, this.#subscribe)
  }

  mayRead(event: Event, peer: Peer | undefined): boolean {
    return (
      !this.isGated(event) || findGrant(grantsOf(peer), `subscribe:${event.kind}`, this.#now()) !== undefined
    )
  }

  /**
   * At the begin of a subscription, a query or a count. A filter that names such kinds is refused to who may not see
   * them, one that names no kinds is not, and does not see them. Counts one use of each grant that it needs.
   */
  refuse(filters: readonly Filter[], peer: Peer | undefined): Reject | undefined {
    const needed = this.#needed(filters, peer)
    if ('code' in needed) return needed
    const counted = [...needed].flatMap((grant) => grant.counted)
    return this.#uses.takeNow([...new Map(counted.map((each) => [each.id, each])).values()])
      ? undefined
      : exceeded()
  }

  /** The same without counting: what is asked ahead of the begin. */
  foresee(filters: readonly Filter[], peer: Peer | undefined): Reject | undefined {
    const needed = this.#needed(filters, peer)
    return 'code' in needed ? needed : undefined
  }

  /** The grants that these filters use, or why they are refused. */
  #needed(filters: readonly Filter[], peer: Peer | undefined): ReadonlySet<Grant> | Reject {
    const needed = new Set<Grant>()
    if (this.#subscribe.length === 0) return needed
    const now = this.#now()
    const grants = grantsOf(peer)
    for (const kind of new Set(filters.flatMap(({ kinds }) => kinds ?? []))) {
      if (!isOfKind(kind, this.#subscribe)) continue
      const required = `subscribe:${kind}`
      const grant = findGrant(grants, required, now)
      if (grant === undefined) return isKnown(peer) ? notGranted(required) : reject('auth_required')
      needed.add(grant)
    }
    // Without kinds it sees whatever the connection may see.
    if (filters.some(({ kinds }) => kinds === undefined))
      for (const grant of grants) if (grant.capability.split(':')[0] !== 'publish') needed.add(grant)
    return needed
  }

  close(): Promise<void> {
    return this.#uses.close()
  }
}

function grantsOf(peer: Peer | undefined): readonly Grant[] {
  return peer?.grants ?? []
}

function isKnown(peer: Peer | undefined): boolean {
  return (peer?.authenticated?.length ?? 0) > 0
}

function notGranted(required: string): Reject {
  return reject('restricted', 'capability not granted', required)
}

function exceeded(): Reject {
  return reject('restricted', 'capability usage exceeded')
}
