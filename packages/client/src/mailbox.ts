/**
 * Durable mailboxes (schemas/README.md, "Mailboxes"): the stored events that are addressed to us, also those of while we
 * were away, each until it is acked. The relays keep what was acked, so processes with one key and one name share them.
 */
import type { Filter, VerifiedEvent } from '@aetherkit/core'

export interface MailboxOptions {
  /** What narrows it. It is part of the mailbox: to change it, delete the mailbox or use another name. Default: nothing. */
  readonly filters?: Filter | readonly Filter[] | undefined
  /** Where a new mailbox begins: with all that is stored (default), or with what comes. */
  readonly from?: 'start' | 'now' | undefined
  /** Without an ack for so long, ms, an event is delivered again; 100 to 12 hours, default 30 000. */
  readonly ackTimeoutMs?: number | undefined
  /** Events that a relay delivers ahead of the acks, default 64; 1: one after the other. */
  readonly maxUnacked?: number | undefined
  /** With `onDeadLetter`: an event that was delivered more often than this is not handed out any more. */
  readonly maxDeliveries?: number | undefined
  /** Takes what was delivered too often; it is acked when this resolves, and comes again when it rejects. */
  readonly onDeadLetter?: ((letter: DeadLetter) => void | Promise<void>) | undefined
  /** Hears of every relay where events may be missing: taken out of its store, or its store is another. */
  readonly onGap?: ((relay: string) => void) | undefined
  /** Ends it; the iteration then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

export interface DeadLetter {
  readonly event: VerifiedEvent
  readonly deliveries: number
}

export interface MailboxMessage {
  readonly event: VerifiedEvent
  /** How often it was delivered, this time included. */
  readonly deliveries: number
  /**
   * Done. Resolves when it is on disk at a relay, and at every connected one that delivered it; then it never comes again.
   * Without a relay it waits for one. Rejects with CLOSED when the mailbox or the client is closed before that.
   */
  ack(): Promise<void>
  /** Not done: comes again, after `delayMs` (at most 12 hours), to whichever process has room. */
  nack(delayMs?: number): void
}

export interface Mailbox extends AsyncIterable<MailboxMessage> {
  readonly name: string
  /** Resolves when a relay has opened it; rejects when none will. */
  readonly opened: Promise<void>
  /** Whether events may be missing at a relay. */
  readonly gap: boolean
  /** Ends it here: what is not acked is for other processes at once. Acks under way are still confirmed. */
  close(): void
  /** Closes it and has every relay forget it. @throws ClientError TIMEOUT, REJECTED, CLOSED */
  delete(options?: {
    readonly timeoutMs?: number | undefined
    readonly signal?: AbortSignal | undefined
  }): Promise<void>
}
