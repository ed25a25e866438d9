/** The frames of `aether.v2` as values (spec 5.2, 5.3). */
import type { Reject } from '../codes.js'
import type { Event } from '../event.js'
import type { Filter } from '../filter.js'
import type { Status } from './frame-buffer.js'
import type { MailboxFrame } from './mailbox-frame.js'
import type { BufferLimits } from './verify-buffer.js'

export type Frame =
  | MailboxFrame
  | { readonly type: 'hello'; readonly version: number; readonly features: readonly string[] }
  | {
      readonly type: 'welcome'
      readonly version: number
      readonly features: readonly string[]
      /** Bytes. */
      readonly maxFrame: number
      readonly epoch: string
    }
  | { readonly type: 'publish'; readonly event: Event }
  | { readonly type: 'accepted'; readonly id: string; readonly status: Status; readonly seq: bigint }
  | {
      readonly type: 'rejected'
      /** Absent when no event is concerned. */
      readonly id?: string
      /** N of spec 3.2. */
      readonly code: number
      readonly message: string
      readonly retryAfterMs?: number
    }
  | {
      readonly type: 'subscribe'
      /** Chosen by the client, unique on its connection, u32. */
      readonly sub: number
      readonly filters: readonly Filter[]
      /** Cursor `<epoch>-<seq>`. */
      readonly after?: string
    }
  | { readonly type: 'subscribed'; readonly sub: number; readonly gap: boolean }
  | { readonly type: 'unsubscribe'; readonly sub: number }
  | {
      readonly type: 'deliver'
      /** Empty for a live event. */
      readonly subs: readonly number[]
      readonly seq: bigint
      readonly stored: boolean
      /** Of a mailbox: how often it was delivered, this time included. */
      readonly deliveries?: number
      readonly event: Event
    }
  | { readonly type: 'end'; readonly sub: number; readonly cursor?: string }
  | { readonly type: 'closed'; readonly sub: number; readonly code: number; readonly message: string }
  | { readonly type: 'authChallenge'; readonly challenge: string }
  | { readonly type: 'auth'; readonly event: Event }

export interface FrameLimits extends BufferLimits {
  /** Filters of one subscribe; default 32 (spec 7.5). */
  readonly maxFilters?: number
  /** Values of one filter array; default 1000 (spec 7.5). */
  readonly maxValues?: number
}

/** Why a frame was refused, and which subscription it was about where that could be read. */
export type FrameReject = Reject & { readonly sub?: number }
