/**
 * Who may read and who may write what (spec 3.1 step 7, 13.2): gates by kind and recipient, asked of every surface.
 * The read gate holds for live events, for stored ones and for counts alike; the write gate is a policy.
 *
 * A key is known as somebody's when its owner has signed a challenge of this connection, see `auth.ts`.
 */
import { type Event, type Filter, type Reject, reject } from '@aetherkit/core'
import { NostrEvent } from './nostr-event.js'
import type { Capabilities } from './policy/capability-policy.js'
import type { Peer, Policy } from './policy.js'
import type { KindRange } from './store/store.js'

/** An event must meet every rule that names it. */
export interface AccessRule {
  /** Kinds from and to, both inclusive; absent: every kind. */
  readonly kinds?: readonly KindRange[]
  /** Only events with a `p` tag of one of these keys (hex); absent: whoever they are addressed to. */
  readonly recipients?: readonly string[]
  /**
   * - `authenticated`: whoever has proven any key
   * - `author`: who has proven the key of the event
   * - `parties`: its author, and whom its `p` tags name
   * - a list: who has proven one of these keys (hex)
   */
  readonly allow: 'authenticated' | 'author' | 'parties' | readonly string[]
}

export class Access {
  readonly #read: readonly AccessRule[]
  readonly #capabilities: Capabilities | undefined

  constructor(read: readonly AccessRule[] = [], capabilities?: Capabilities) {
    this.#read = read
    this.#capabilities = capabilities
  }

  /** Whether everybody may read everything. */
  get isOpen(): boolean {
    return this.#read.length === 0 && this.#capabilities === undefined
  }

  /** Whether a rule names the event. */
  isGated(event: Event): boolean {
    return this.#read.some((rule) => names(rule, event)) || this.#capabilities?.isGated(event) === true
  }

  /** `peer` absent: nobody that is known. */
  mayRead(event: Event, peer: Peer | undefined): boolean {
    return (
      this.#read.every((rule) => !names(rule, event) || meets(rule, event, peer)) &&
      (this.#capabilities?.mayRead(event, peer) ?? true)
    )
  }

  /** Who has proven no key is told so when a filter names a gated kind; all others see what they may see. */
  refuse(filters: readonly Filter[], peer: Peer | undefined): Reject | undefined {
    return this.#unknown(filters, peer) ?? this.#capabilities?.refuse(filters, peer)
  }

  /** What {@link refuse} would say of a filter that names a gated kind, without counting a use of a capability. */
  foresee(filters: readonly Filter[], peer: Peer | undefined): Reject | undefined {
    return this.#unknown(filters, peer) ?? this.#capabilities?.foresee(filters, peer)
  }

  #unknown(filters: readonly Filter[], peer: Peer | undefined): Reject | undefined {
    const isGated = (kind: number) => this.#read.some(({ kinds }) => kinds?.some(holds(kind)))
    const isRefused = !isKnown(peer) && filters.some(({ kinds }) => kinds?.some(isGated))
    return isRefused ? reject('auth_required') : undefined
  }
}

/** The write gate: `auth_required` for who has proven no key, `restricted` for who has proven others. */
export function writeGate(rules: readonly AccessRule[]): Policy {
  const rule = (event: Event, peer: Peer) => {
    if (rules.every((each) => !names(each, event) || meets(each, event, peer))) return undefined
    return reject(isKnown(peer) ? 'restricted' : 'auth_required')
  }
  return Object.assign(rule, { stage: 'content' as const })
}

function names({ kinds, recipients }: AccessRule, event: Event): boolean {
  if (kinds !== undefined && !kinds.some(holds(event.kind))) return false
  return recipients === undefined || recipients.some((key) => isAddressed(event, key))
}

function meets({ allow }: AccessRule, event: Event, peer: Peer | undefined): boolean {
  if (!isKnown(peer)) return false
  if (allow === 'authenticated') return true
  // A key of one curve is nobody on the other.
  const keys = (NostrEvent.is(event) ? peer?.authenticatedNostr : peer?.authenticated) ?? []
  if (typeof allow !== 'string') return keys.some((key) => allow.includes(key))
  return keys.some((key) => key === event.pubkey || (allow === 'parties' && isAddressed(event, key)))
}

function isKnown(peer: Peer | undefined): boolean {
  return (peer?.authenticated?.length ?? 0) + (peer?.authenticatedNostr?.length ?? 0) > 0
}

function isAddressed({ tags }: Event, key: string): boolean {
  return tags.some(([name, value]) => name === 'p' && value?.toLowerCase() === key)
}

function holds(kind: number): (range: KindRange) => boolean {
  return ([from, to]) => kind >= from && kind <= to
}
