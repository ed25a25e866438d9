/**
 * What the relay tells the page of the console, as JSON. Nothing in it is more than 53 bits: u64 are decimal digits.
 *
 *   GET /v1/console          ConsoleState with `agents`
 *   GET /v1/console/stream   server-sent events: `state` each second, `agents` when they change, `events`, `closed`
 */
import type { Surface, SurfaceCounts } from '../surface.js'

export interface ConsoleState {
  readonly name: string
  readonly epoch: string
  readonly uptime_seconds: number
  readonly seq: string
  readonly stored: { readonly events: number; readonly bytes: number }
  readonly publishes: number
  readonly verifying: number
  readonly judging: number
  readonly outbox_bytes: number
  readonly connections: Listed<ConnectionRow>
  readonly surfaces: SurfaceCounts
  readonly subscriptions: Listed<SubscriptionRow>
  readonly counts: Counts
  readonly rates: Rates
}

/** The first of them, and how many there are. */
export interface Listed<Row> {
  readonly total: number
  readonly rows: readonly Row[]
}

export interface ConnectionRow {
  readonly id: number
  readonly address: string
  readonly surface: Surface
  /** Where it came in; absent for streams. */
  readonly port?: number
  /** The subprotocol agreed on, if any. */
  readonly protocol?: string
  readonly age_seconds: number
  readonly pending_bytes: number
  readonly subscriptions: number
}

export interface SubscriptionRow {
  /** Of the connection. */
  readonly peer: number
  readonly id: string
  /** False while stored events are still on their way. */
  readonly live: boolean
  /** JSON, cut. */
  readonly filters: string
}

/** Since the relay was started. */
export interface Counts {
  /** By status. */
  readonly accepted: Readonly<Record<string, number>>
  /** By code. */
  readonly rejected: Readonly<Record<string, number>>
  readonly slow_consumers: number
  readonly undeliverable: number
  readonly faults: number
  readonly store_failures: number
  readonly commits: number
  /** Of the last group commit, microseconds. */
  readonly commit_us: number
}

/** One number for each of the last 60 whole seconds, the oldest first. */
export interface Rates {
  readonly accepted: readonly number[]
  readonly rejected: readonly number[]
}

export interface ShownEvent {
  readonly id: string
  readonly pubkey: string
  readonly kind: number
  /** Unix time in nanoseconds. */
  readonly created_at: string
  readonly seq: string
  /** Out of the store, not live. */
  readonly stored: boolean
  readonly nostr: boolean
  /** The first tags and values, cut. */
  readonly tags: readonly (readonly string[])[]
  readonly more_tags: number
  readonly form: 'text' | 'bytes' | 'sealed'
  /** Cut; empty unless it is text. */
  readonly content: string
  readonly content_bytes: number
}

export interface EventsMessage {
  readonly events: readonly ShownEvent[]
  /** Events that came too fast to be shown. */
  readonly skipped: number
}

/** What an agent says of itself. */
export interface Agent {
  readonly pubkey: string
  readonly name: string
  readonly description: string
  readonly capabilities: readonly { readonly name: string; readonly description: string }[]
  /** Of the invoice of its offer; empty: none given. */
  readonly amount_msat: string
}
