/** What sessions and gateways share: one bus serves every surface (spec 7.1). Built in relay.ts. */
import type { Event, JsonObject, Reject, RejectCode, Status } from '@aetherkit/core'
import type { Access } from './access.js'
import type { Accepted } from './commit.js'
import type { Limits } from './limits.js'
import type { Mailboxes } from './mailbox/mailboxes.js'
import type { Capabilities } from './policy/capability-policy.js'
import type { Peer } from './policy.js'
import type { Realm } from './realm.js'
import type { History } from './replay.js'
import type { Surface } from './surface.js'
import type { Claim } from './verify-batch.js'
import type { Settle } from './verify-pool.js'
import type { Reader, View } from './view.js'

/** Who waits for the verdict on a publish. */
export interface Publisher {
  /** Once; before the event goes out to any subscriber. */
  settle(verdict: Accepted | Reject): void
  /** Once, after `settle` and after the event went out. */
  done(): void
}

export interface Bus {
  readonly limits: Limits
  /** What everybody may see of the Aether events. */
  readonly history: History & Pick<Realm, 'store'>
  readonly access: Access
  readonly mailboxes: Mailboxes
  /** Absent: no kind needs a capability. */
  readonly capabilities?: Capabilities | undefined
  /** Under which clients know this relay, for AUTH events; none: the addresses that connections come in on. */
  readonly urls: readonly string[]
  /** What this relay speaks, for welcome and info document. */
  readonly features: readonly string[]
  /** What a reader sees; `nostr`: with the genuine Nostr events. */
  view(reader: Reader, nostr: boolean): View
  /** The verify pool alone, for what is not published. False: not taken. */
  verify(claim: Claim, settle: Settle): boolean
  /** Unix time in nanoseconds. */
  now(): bigint
  /** X25519 secret of this relay, 32 bytes (spec 8.2). */
  readonly noiseSecret: Uint8Array
  /** Takes an event of the right shape through all stages; `rounded` as `readEvent` gave it. */
  publish(event: Event, rounded: bigint | undefined, peer: Peer, publisher: Publisher): void
  /** The info document (spec 10.6). */
  info(): JsonObject
  observe(event: RelayEvent): void
}

/** What an observer of a relay sees, for logs and metrics. Never an event's content. */
export type RelayEvent =
  | { readonly type: 'connected'; readonly peer: Peer; readonly surface: Surface }
  | { readonly type: 'disconnected'; readonly peer: Peer; readonly surface: Surface }
  | { readonly type: 'accepted'; readonly peer: Peer; readonly status: Status; readonly kind: number }
  /** `kind` of a publish; absent: something else was refused, or what was to be published could not be read. */
  | { readonly type: 'rejected'; readonly peer: Peer; readonly code: RejectCode; readonly kind?: number }
  /** A group of events was written, or could not be. */
  | { readonly type: 'committed'; readonly events: number; readonly ms: number }
  /** A peer was closed because it read too slowly. */
  | { readonly type: 'slow_consumer'; readonly peer: Peer }
  /** A subscriber was not sent an event that its format cannot hold (spec 1.6). */
  | { readonly type: 'undeliverable'; readonly peer: Peer }
  /** Events of mailboxes were acked; so many. */
  | { readonly type: 'mailbox_acked'; readonly events: number }
  /** An event of a mailbox was delivered again. */
  | { readonly type: 'mailbox_redelivered' }
  /** What was over or past retention was taken out of the store. */
  | { readonly type: 'swept'; readonly events: number; readonly bytes: number }
  /** A group of events could not be written, or what was over not be taken out. */
  | { readonly type: 'store_failed'; readonly error: unknown }
  /** A bug, a policy that threw, or a store that could not be read. The peer was told `internal` or `unavailable`. */
  | { readonly type: 'fault'; readonly error: unknown }
