/**
 * The seam of gateways (spec 7.1, 9, 10). A gateway translates at the edge: it opens its ports, reads its own wire
 * form, hands publishes to the bus and subscriptions to `Subscriptions`. It holds no policy and no storage, so
 * whatever comes in on one surface is judged by the same rules and goes out on all.
 */
import type { Admission } from '../admission.js'
import type { Bus, RelayEvent } from '../bus.js'
import type { Connection } from '../connection.js'
import type { SubscriptionIndex } from '../match.js'
import type { AsyncPolicy } from '../policy/async-policy.js'
import type { ErrorWording } from '../replies.js'
import type { Sockets } from '../socket.js'
import type { Subscription } from '../subscriptions.js'
import type { OpenPeer, SurfaceCounts } from '../surface.js'
import type { Tls } from '../tls.js'

/** What a relay gives to its gateways. */
export interface GatewayHost {
  readonly bus: Bus
  /** Limits per address, one for all ports. */
  readonly admission: Admission
  /** WebSockets of all ports; also the source of peer ids. */
  readonly sockets: Sockets
  /** Makes a connection a native peer. `wording`: how this surface says errors in JSON. */
  serveNative(connection: Connection, wording?: ErrorWording): void
  stats(): RelayStats
  /** The live subscriptions of all surfaces, to be looked at. */
  readonly subscriptions: Pick<SubscriptionIndex<Subscription>, 'filtersOf'> & Iterable<Subscription>
  /** From now on the function sees what the observer of the relay sees. It must not throw. */
  watch(watcher: (event: RelayEvent) => void): void
  /** Of every port; absent: in clear. */
  readonly tls: Tls | undefined
  /** Values of `Origin` that are let in where a gateway has no list of its own; undefined: all. May change. */
  origins(): readonly string[] | undefined
}

/** What is open now. */
export interface RelayStats {
  /** Open ones of all surfaces; HTTP requests that are answered at once are none. */
  readonly connections: number
  /** The same by surface. */
  readonly surfaces: SurfaceCounts
  /** Live subscriptions of all surfaces. */
  readonly subscriptions: number
  /** Publishes without a verdict. */
  readonly publishes: number
  /** Of them, those that wait for their id and signature to be checked. */
  readonly verifying: number
  /** Of them, those that wait for an {@link AsyncPolicy}. */
  readonly judging: number
  /** Bytes that they have not taken yet. */
  readonly outboxBytes: number
  /** Mailboxes that somebody has open. */
  readonly mailboxes: number
  /** Their deliveries without an ack. */
  readonly unacked: number
}

/** The steps of a drain (spec 7.2), in this order. WebSockets that came through `Sockets` are not its business. */
export interface Gateway {
  /** What is open and no WebSocket; absent: nothing ever is. */
  open?(): Iterable<OpenPeer>
  /** No new connections. */
  stop(): void
  /** All that was under way is answered: tells subscribers that their subscriptions end. */
  farewell(): void
  /** Resolves when its ports are free, after `graceMs` by force. */
  close(graceMs: number): Promise<void>
}
