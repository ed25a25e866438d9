/** What a relay is started with. */
import type { AccessRule } from './access.js'
import type { RelayEvent } from './bus.js'
import type { HttpOptions } from './gateway/http.js'
import type { NostrOptions } from './gateway/nostr.js'
import type { Limits } from './limits.js'
import type { MailboxFile } from './mailbox/mailbox-file.js'
import type { AsyncPolicy } from './policy/async-policy.js'
import type { CapabilityOptions } from './policy/capability-policy.js'
import type { Policy } from './policy.js'
import type { RetentionRule } from './retention.js'
import type { Store } from './store/store.js'
import type { TlsCredentials } from './tls.js'
import type { Tracer } from './tracing.js'

export interface RelayOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: a free one, see {@link Relay.port}. */
  readonly port?: number
  /** Default: memory. The relay closes it, also when it cannot start. */
  readonly store?: Store
  /** Where durable mailboxes are written down; default: memory. The relay closes it, also when it cannot start. */
  readonly mailboxes?: MailboxFile
  /** Default {@link saneDefaults}. */
  readonly policies?: readonly Policy[]
  /** Asked last, see {@link AsyncPolicy}; default: none. The relay closes them, also when it cannot start. */
  readonly asyncPolicies?: readonly AsyncPolicy[]
  /** What differs from {@link LIMITS}. */
  readonly limits?: Partial<Limits>
  /** Events created longer ago are forwarded, not stored, and no longer shown. Nanoseconds; default: never. */
  readonly retentionNs?: bigint
  /** The same by kind, and by count and size; default: none. What they no longer keep is taken out of the store. */
  readonly retention?: readonly RetentionRule[]
  /** Between two sweeps of the store for what is over or past retention; default 60 seconds. */
  readonly sweepMs?: number
  /** Threads that check signatures. Default: one a core, at most 8. */
  readonly verifyWorkers?: number
  /** Values of the `Origin` header that are let in. Default: all. */
  readonly origins?: readonly string[]
  /**
   * Ed25519 seed of the relay, 32 bytes. The X25519 key of noise-xx, which clients pin, is made from it.
   * Default: random.
   */
  readonly secretKey?: Uint8Array
  /** The Nostr gateway (spec 9); absent: none. */
  readonly nostr?: NostrOptions
  readonly auth?: AuthOptions
  /** The HTTP gateway (spec 10); absent: none. */
  readonly http?: HttpOptions
  /** Kinds that only holders of a capability may publish or read; absent: none. */
  readonly capabilities?: CapabilityOptions
  /** `wss` and `https` on every port; absent: in clear. */
  readonly tls?: TlsCredentials
  /** Spans of publishes; absent: none. */
  readonly tracer?: Tracer | undefined
  /** For the info document. */
  readonly name?: string
  /** Unix time in nanoseconds. */
  readonly now?: () => bigint
  /** Sees connects, verdicts and faults, never content. Must not throw. */
  readonly onEvent?: (event: RelayEvent) => void
}

/** Peers may prove their keys on every WebSocket surface; here is what depends on it. */
export interface AuthOptions {
  /** Who may read what: live, stored and counted. Default: everybody everything. */
  readonly read?: readonly AccessRule[]
  /** Who may publish what. Default: everybody everything. */
  readonly write?: readonly AccessRule[]
  /**
   * URLs under which clients know this relay, `wss://relay.example`: an AUTH event names one of them. Default: the
   * address that a connection came in on, so set it behind a proxy or a name.
   */
  readonly urls?: readonly string[]
}
