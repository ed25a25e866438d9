/** Errors of this package: one class, a closed table of codes, guarded by name and code (never `instanceof`). */
import type { RejectCode, Status } from '@aetherkit/core'

/** Code and what it says when nothing more is known. A code is never reused. */
export const CLIENT_ERRORS = {
  /** No answer in time; for a publish: not enough relays answered. */
  TIMEOUT: 'no answer in time',
  /** The relays refused; `relays` or `rejectCode` says why. */
  REJECTED: 'refused by the relays',
  /** No relay was connected. */
  DISCONNECTED: 'no relay is connected',
  /** The agent that was called answered with an error; `peerCode` is its code, the message its text. */
  PEER_ERROR: 'the agent answered with an error',
  /** The client, or the subscription, was closed meanwhile. */
  CLOSED: 'closed',
  /** The relay offered less than was asked for (spec 8, 12), or not the key that was pinned. */
  WEAK_WELCOME: 'the relay offered less than was asked for',
  /** The relay did not speak the protocol up to its welcome. */
  HANDSHAKE_FAILED: 'the handshake with the relay failed',
  /** The consumer of a subscription was slower than its events and the buffer is full. */
  SLOW_CONSUMER: 'the subscription was read too slowly',
  /** The event, or the sealed call in it, is larger than a relay takes. */
  TOO_LARGE: 'too large to be sent',
  /** As many publishes as the client keeps are waiting for a relay. */
  QUEUE_FULL: 'too many publishes are waiting',
  /** No relay has what was asked for, such as mailboxes. */
  UNSUPPORTED: 'no relay supports this',
  /** The signer cannot seal or open private content, so it cannot call or be called. */
  CANNOT_SEAL: 'the signer cannot seal content',
  /** A relay delivered an event whose id or signature is wrong; it was dropped. To `onError` only. */
  INVALID_EVENT: 'a relay delivered an invalid event',
  /** A relay sent what is no frame, or something we never asked for. To `onError` only. */
  INVALID_FRAME: 'a relay sent an invalid frame',
  /** A handler or callback of the application threw; `cause` is what it threw. To `onError` only. */
  HANDLER_FAILED: 'a handler threw',
  /** State: an entry of ours does not open, is of a format we do not know, or parts of it are not at the relays. */
  STATE_UNREADABLE: 'an entry of the state cannot be read',
  /** State: others wrote the same entry again and again, so that ours never was the newest. */
  STATE_CONTENDED: 'others keep writing the same entry',
  /** State: a search by meaning without an index to rank by. */
  STATE_NO_INDEX: 'a search by meaning needs an index',
} as const satisfies Record<string, string>

export type ClientErrorCode = keyof typeof CLIENT_ERRORS

/** What one relay said about a publish (spec 2.2, 3.2). */
export type Verdict =
  | { readonly ok: true; readonly status: Status; readonly seq?: bigint }
  | { readonly ok: false; readonly code: RejectCode | 'timeout' | 'disconnected'; readonly error: string }

export interface ClientErrorFacts {
  /** By relay URL. */
  readonly relays?: Readonly<Record<string, Verdict>>
  /** URL of the relay concerned. */
  readonly relay?: string
  readonly rejectCode?: RejectCode
  /** The code another agent chose. Not ours: treat as data. */
  readonly peerCode?: string
  /** For a TIMEOUT of a call: whether the agent said that it is there. */
  readonly acknowledged?: boolean
  readonly cause?: unknown
}

export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: ClientErrorCode
  readonly relays?: Readonly<Record<string, Verdict>>
  readonly relay?: string
  readonly rejectCode?: RejectCode
  readonly peerCode?: string
  readonly acknowledged?: boolean

  constructor(code: ClientErrorCode, message: string = CLIENT_ERRORS[code], facts: ClientErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = code
    if (facts.relays !== undefined) this.relays = facts.relays
    if (facts.relay !== undefined) this.relay = facts.relay
    if (facts.rejectCode !== undefined) this.rejectCode = facts.rejectCode
    if (facts.peerCode !== undefined) this.peerCode = facts.peerCode
    if (facts.acknowledged !== undefined) this.acknowledged = facts.acknowledged
  }

  /** Whether this is a ClientError (of that code), whichever copy of the package made it. */
  static is(error: unknown, code?: ClientErrorCode): error is ClientError {
    return (
      error instanceof Error &&
      error.name === 'ClientError' &&
      'code' in error &&
      (code === undefined ? Object.hasOwn(CLIENT_ERRORS, String(error.code)) : error.code === code)
    )
  }
}

/**
 * What a handler of `serve` throws to answer with an error of its own: code and message travel to the caller. Anything
 * else that it throws stays here and the caller learns only that the agent failed.
 */
export class CallError extends Error {
  override readonly name = 'CallError'
  /** 1 to 64 characters, for programs. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }

  static is(error: unknown): error is CallError {
    return (
      error instanceof Error &&
      error.name === 'CallError' &&
      'code' in error &&
      typeof error.code === 'string'
    )
  }
}
