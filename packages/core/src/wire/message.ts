/** Native messages as values (spec 4.1, 7.2): what a client sends and what a relay sends. Names in JSON are snake case. */
import type { Reject, RejectCode } from '../codes.js'
import type { Event } from '../event.js'
import type { EventJsonOptions } from '../event-json.js'
import type { Filter } from '../filter.js'
import type { JsonObject } from '../json.js'
import type { Status } from './frame-buffer.js'
import type { MailboxAnswer, MailboxRequest } from './mailbox-message.js'

/** An event that a client sends; `rounded` for the double repair (spec 1.3). */
interface SentEvent {
  readonly event: Event
  readonly rounded?: bigint
}

interface SubId {
  /** 1 to 128 bytes. */
  readonly subId: string
}

export type ClientMessage =
  | MailboxRequest<SubId>
  | {
      readonly type: 'hello'
      readonly version: number
      /** Never empty. */
      readonly formats: readonly string[]
      /** `pubkey`: X25519, 32 bytes hex; absent too where what was sent is no such key. */
      readonly noise: { readonly required: boolean; readonly pubkey?: string }
      readonly features: readonly string[]
    }
  | ({ readonly type: 'publish' } & SentEvent)
  | {
      readonly type: 'subscribe'
      /** 1 to 128 bytes. */
      readonly subId: string
      readonly filters: readonly Filter[]
      /** Cursor `<epoch>-<seq>`. */
      readonly after?: string
    }
  | { readonly type: 'unsubscribe'; readonly subId: string }
  | { readonly type: 'noise'; readonly payload: Uint8Array }
  | ({ readonly type: 'auth' } & SentEvent)

export type RelayMessage =
  | MailboxAnswer<SubId>
  | {
      readonly type: 'welcome'
      readonly version: number
      readonly format: string
      readonly noise: { readonly required: boolean; readonly pubkey?: string; readonly pattern?: string }
      readonly features: readonly string[]
      readonly limits?: Readonly<Record<string, number>>
      readonly epoch?: string
    }
  | { readonly type: 'subscribed'; readonly subId: string; readonly gap: boolean }
  | { readonly type: 'unsubscribed'; readonly subId: string }
  | {
      readonly type: 'event'
      readonly subId: string
      readonly event: Event
      readonly seq?: bigint
      readonly stored: boolean
      /** Of a mailbox: how often it was delivered, this time included. */
      readonly deliveries?: number
    }
  | {
      /** A reference relay sends no field at all. */
      readonly type: 'ack'
      readonly eventId?: string
      readonly status?: Status
      readonly seq?: bigint
      readonly cursor?: string
    }
  | {
      readonly type: 'error'
      /** The kept text, or an umbrella word of a gateway with the kept text in `message`. */
      readonly error: string
      readonly message?: string
      readonly code?: RejectCode
      readonly detail?: string
      readonly eventId?: string
      readonly subId?: string
      readonly retryAfterMs?: number
    }
  | { readonly type: 'noise'; readonly payload: Uint8Array }
  | { readonly type: 'eose'; readonly subId: string; readonly cursor?: string }
  | { readonly type: 'closed'; readonly subId: string; readonly code?: RejectCode; readonly error: string }
  | { readonly type: 'auth'; readonly challenge: string }
  | { readonly type: 'notice'; readonly message: string }
  | { readonly type: 'info'; readonly info: JsonObject }

export interface ReadOptions extends EventJsonOptions {
  /** Id of the envelope the JSON came in; it must name the same type, or stand for it when the JSON has none. */
  readonly envelope?: number
  /** JSON depth; default 32 (spec 7.5). */
  readonly maxDepth?: number
  /** Filters of one subscribe; default 32. */
  readonly maxFilters?: number
  /** Values of one filter array; default 1000. */
  readonly maxValues?: number
}

/** Why a message was refused, and what it was about where that could be read: what the `error` names. */
export type MessageReject = Reject & { readonly subId?: string; readonly eventId?: string }
