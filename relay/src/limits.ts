/**
 * The limits of a relay: one table for the checks, the welcome and the info document (spec 1.5, 7.3, 7.5).
 * Sizes are bytes, times milliseconds.
 */
import { DEFAULT_LIMITS, type EventLimits } from '@aetherkit/core'

export interface Limits {
  /** One message on the wire. */
  readonly maxFrame: number
  readonly maxSubscriptions: number
  readonly maxFilters: number
  /** Values in one list of a filter. */
  readonly maxFilterValues: number
  /** Of the filters of all subscriptions of a connection, as `filterBytes` counts them. */
  readonly maxFilterBytes: number
  /** UTF-8 bytes. */
  readonly maxSubId: number
  /** Stored events per filter when it names no `limit`. */
  readonly defaultLimit: number
  /** Stored events per filter whatever its `limit`. */
  readonly maxLimit: number
  readonly maxJsonDepth: number
  /** From the start of a connection to the end of its HTTP headers. */
  readonly headersMs: number
  readonly maxHeaders: number
  readonly maxHeaderBytes: number
  readonly keepAliveMs: number
  /** From the upgrade to the first message. */
  readonly firstMessageMs: number
  readonly pingMs: number
  readonly pongMs: number
  readonly connectionsPerIp: number
  readonly acceptsPerSecondPerIp: number
  /** Whether loopback addresses are free of the limits per IP. */
  readonly exemptLoopback: boolean
  /** Body of one HTTP request. */
  readonly maxBody: number
  /** Events of one HTTP publish. */
  readonly maxBatch: number
  /** From the start of an HTTP request to the end of its body; also how long a reader of an answer may stall. */
  readonly bodyMs: number
  readonly requestsPerSecondPerIp: number
  /** HTTP subscriptions of all addresses; one address has at most `maxSubscriptions`. */
  readonly maxHttpSubscriptions: number
  /** How long an HTTP subscription outlives its last reader. */
  readonly subscriptionMs: number
  /** Silence on an event stream after which a heartbeat is sent. */
  readonly heartbeatMs: number
  readonly outboxBytes: number
  readonly outboxMessages: number
  /** A connection with more publishes than this without an answer is not read from. */
  readonly unackedPublishes: number
  /** Of messages without an answer, likewise. */
  readonly unackedBytes: number
  /** How long an id is remembered that is not in the store. */
  readonly recentMs: number
  /** Durable mailboxes of one key. */
  readonly maxMailboxes: number
  /** Deliveries without an ack that one session of a mailbox may ask for. */
  readonly maxUnacked: number
  /** Events of a mailbox that were delivered and are not done: beyond it nothing new is delivered. */
  readonly maxMailboxOpen: number
  /** How long a mailbox stays that nobody opens. */
  readonly mailboxIdleMs: number
  readonly event: EventLimits
}

export const LIMITS: Limits = {
  maxFrame: 1024 * 1024,
  maxSubscriptions: 256,
  maxFilters: 32,
  maxFilterValues: 1000,
  maxFilterBytes: 4 * 1024 * 1024,
  maxSubId: 128,
  defaultLimit: 500,
  maxLimit: 5000,
  maxJsonDepth: 32,
  headersMs: 8_000,
  maxHeaders: 100,
  maxHeaderBytes: 16 * 1024,
  keepAliveMs: 15_000,
  firstMessageMs: 60_000,
  pingMs: 25_000,
  pongMs: 20_000,
  connectionsPerIp: 64,
  acceptsPerSecondPerIp: 20,
  exemptLoopback: true,
  maxBody: 1024 * 1024,
  maxBatch: 1000,
  bodyMs: 30_000,
  requestsPerSecondPerIp: 100,
  maxHttpSubscriptions: 16_384,
  subscriptionMs: 600_000,
  heartbeatMs: 15_000,
  outboxBytes: 4 * 1024 * 1024,
  outboxMessages: 4096,
  unackedPublishes: 256,
  unackedBytes: 1024 * 1024,
  recentMs: 60_000,
  maxMailboxes: 64,
  maxUnacked: 1024,
  maxMailboxOpen: 10_000,
  mailboxIdleMs: 30 * 86_400_000,
  event: DEFAULT_LIMITS,
}

/** The limits that bound a client, as the welcome and the info document print them. */
export function limitsDocument(limits: Limits): Record<string, number> {
  return {
    max_frame: limits.maxFrame,
    max_event_size: limits.event.maxSize,
    max_event_text_size: limits.event.maxTextSize,
    max_event_binary_size: limits.event.maxBinarySize,
    max_tags: limits.event.maxTags,
    max_tag_key: limits.event.maxTagKey,
    max_tag_values: limits.event.maxTagValues,
    max_tag_value: limits.event.maxTagValue,
    max_subscriptions: limits.maxSubscriptions,
    max_filters: limits.maxFilters,
    max_filter_values: limits.maxFilterValues,
    max_filter_bytes: limits.maxFilterBytes,
    max_sub_id: limits.maxSubId,
    default_limit: limits.defaultLimit,
    max_limit: limits.maxLimit,
    max_json_depth: limits.maxJsonDepth,
    max_headers: limits.maxHeaders,
    max_header_bytes: limits.maxHeaderBytes,
    headers_ms: limits.headersMs,
    keep_alive_ms: limits.keepAliveMs,
    first_message_ms: limits.firstMessageMs,
    ping_ms: limits.pingMs,
    pong_ms: limits.pongMs,
    connections_per_ip: limits.connectionsPerIp,
    accepts_per_second_per_ip: limits.acceptsPerSecondPerIp,
    max_body: limits.maxBody,
    max_batch: limits.maxBatch,
    body_ms: limits.bodyMs,
    requests_per_second_per_ip: limits.requestsPerSecondPerIp,
    max_http_subscriptions: limits.maxHttpSubscriptions,
    subscription_ms: limits.subscriptionMs,
    heartbeat_ms: limits.heartbeatMs,
    outbox_bytes: limits.outboxBytes,
    outbox_messages: limits.outboxMessages,
    unacked_publishes: limits.unackedPublishes,
    unacked_bytes: limits.unackedBytes,
    recent_ms: limits.recentMs,
    max_mailboxes: limits.maxMailboxes,
    max_unacked: limits.maxUnacked,
    max_mailbox_open: limits.maxMailboxOpen,
    mailbox_idle_ms: limits.mailboxIdleMs,
  }
}
