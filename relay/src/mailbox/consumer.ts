/** One session's part in a mailbox: what it was delivered and has not acked, and how it is told. */
import type { Reject } from '@aetherkit/core'
import type { Delivery } from '../deliver.js'
import type { Peer } from '../policy.js'
import type { Reply, SubId } from '../replies.js'
import type { Mailbox } from './mailbox.js'

/** The session. */
export interface MailboxReader {
  readonly peer: Peer
  readonly congested: boolean
  say(reply: Reply): void
  hand(sub: SubId, delivery: Delivery): void
}

export interface ConsumerOptions {
  readonly mailbox: Mailbox
  readonly reader: MailboxReader
  readonly sub: SubId
  readonly ackTimeoutMs: number
  readonly maxUnacked: number
  /** It has no part any more. */
  gone(consumer: Consumer): void
}

export class Consumer {
  readonly held = new Set<bigint>()
  readonly mailbox: Mailbox
  readonly ackTimeoutMs: number
  readonly maxUnacked: number
  readonly #options: ConsumerOptions
  #open = true

  constructor(options: ConsumerOptions) {
    this.#options = options
    this.mailbox = options.mailbox
    this.ackTimeoutMs = options.ackTimeoutMs
    this.maxUnacked = options.maxUnacked
  }

  get open(): boolean {
    return this.#open
  }

  get peer(): Peer {
    return this.#options.reader.peer
  }

  get congested(): boolean {
    return this.#options.reader.congested
  }

  deliver(delivery: Delivery): void {
    this.#options.reader.hand(this.#options.sub, delivery)
  }

  /** Events that it never was given may have been taken out of the store. */
  gap(): void {
    this.#options.reader.say({ type: 'subscribed', sub: this.#options.sub, gap: true })
  }

  /** Ends its part; says `closed` when there is something to say. */
  close(why?: Reject): void {
    if (!this.#open) return
    this.#open = false
    this.#options.gone(this)
    if (why !== undefined) this.#options.reader.say({ type: 'closed', sub: this.#options.sub, reject: why })
    this.mailbox.leave(this)
  }
}
