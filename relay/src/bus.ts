/** What sessions and gateways share: one bus serves every surface (spec 7.1). Built in relay.ts. */
import type { Event, JsonObject, Reject, RejectCode, Status } from '@aetherkit/core'
import type { Accepted } from './commit.js'
import type { Limits } from './limits.js'
import type { SubscriptionIndex } from './match.js'
import type { Peer } from './policy.js'
import type { History } from './replay.js'
import type { Subscription } from './subscriptions.js'

/** Who waits for the verdict on a publish. */
export interface Publisher {
  /** Once; before the event goes out to any subscriber. */
  settle(verdict: Accepted | Reject): void
  /** Once, after `settle` and after the event went out. */
  done(): void
}

export interface Bus {
  readonly limits: Limits
  readonly history: History
  readonly index: SubscriptionIndex<Subscription>
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
  | { readonly type: 'connected'; readonly peer: Peer; readonly connections: number }
  | { readonly type: 'disconnected'; readonly peer: Peer; readonly connections: number }
  | { readonly type: 'accepted'; readonly peer: Peer; readonly status: Status; readonly kind: number }
  | { readonly type: 'rejected'; readonly peer: Peer; readonly code: RejectCode }
  /** A peer was closed because it read too slowly. */
  | { readonly type: 'slow_consumer'; readonly peer: Peer }
  /** A subscriber was not sent an event that its format cannot hold (spec 1.6). */
  | { readonly type: 'undeliverable'; readonly peer: Peer }
  /** A group of events could not be written. */
  | { readonly type: 'store_failed'; readonly error: unknown }
  /** A bug, a policy that threw, or a store that could not be read. The peer was told `internal` or `unavailable`. */
  | { readonly type: 'fault'; readonly error: unknown }
