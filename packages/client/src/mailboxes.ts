/** The durable mailboxes that a client has open: who hears of which frame. */
import { isMailboxName, type MailboxTerms } from '@aetherkit/core'
import type { Connection } from './connection.js'
import type { ClientError } from './errors.js'
import { checkFilters } from './filters.js'
import type { InFrame } from './format.js'
import type { Mailbox, MailboxOptions } from './mailbox.js'
import type { Receiver } from './receive.js'
import { RelayMailbox } from './relay-mailbox.js'

const U32 = 0xffffffff

export class Mailboxes {
  readonly #receiver: Receiver
  readonly #onError: (error: ClientError) => void
  readonly #connections: Connection[] = []
  readonly #bySub = new Map<number, RelayMailbox>()

  constructor(receiver: Receiver, onError: (error: ClientError) => void) {
    this.#receiver = receiver
    this.#onError = onError
  }

  add(connection: Connection): void {
    this.#connections.push(connection)
  }

  /** @throws TypeError or RangeError for a name, filters or bounds that no relay could take. */
  open(pubkey: string, name: string, options: MailboxOptions): Mailbox {
    const mailbox = new RelayMailbox(
      {
        connections: this.#connections,
        onError: this.#onError,
        listens: (one, yes) => {
          if (yes) this.#bySub.set(one.sub, one)
          else this.#bySub.delete(one.sub)
        },
      },
      this.#receiver.nextSub(),
      checkTerms(pubkey, name, options),
      options,
    )
    return mailbox
  }

  up(connection: Connection): void {
    for (const mailbox of this.#bySub.values()) mailbox.up(connection)
  }

  down(connection: Connection): void {
    for (const mailbox of [...this.#bySub.values()]) mailbox.down(connection)
  }

  /** True when the frame was one for a mailbox. */
  frame(connection: Connection, frame: InFrame): boolean {
    if (frame.type === 'deliver') return this.#deliver(connection, frame)
    if (!('sub' in frame)) return false
    const mailbox = this.#bySub.get(frame.sub)
    mailbox?.frame(connection, frame)
    return mailbox !== undefined
  }

  close(): void {
    for (const mailbox of [...this.#bySub.values()]) mailbox.closeNow()
  }

  #deliver(connection: Connection, frame: Extract<InFrame, { type: 'deliver' }>): boolean {
    const { subs, seq, deliveries, event } = frame
    if (deliveries === undefined || seq === undefined) return false
    const { url, session } = connection
    const [mailbox] = subs.map((sub) => this.#bySub.get(sub))
    if (mailbox !== undefined)
      this.#receiver.verified(url, event, (verified) => {
        if (session === connection.session) mailbox.delivered(connection, verified, seq, deliveries)
      })
    return true
  }
}

function checkTerms(pubkey: string, name: string, options: MailboxOptions): MailboxTerms {
  const { filters, from = 'start', ackTimeoutMs, maxUnacked } = options
  if (!isMailboxName(name))
    throw new TypeError(`the name of a mailbox is 1 to 64 of A-Z a-z 0-9 . _ -, got ${JSON.stringify(name)}`)
  for (const [what, value] of Object.entries({ ackTimeoutMs, maxUnacked }))
    if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value <= U32))
      throw new RangeError(`${what} must be an integer of 1 or more, got ${value}`)
  return {
    ...{ pubkey, name, from },
    ...(filters !== undefined && { filters: checkFilters(filters) }),
    ...(ackTimeoutMs !== undefined && { ackTimeoutMs }),
    ...(maxUnacked !== undefined && { maxUnacked }),
  }
}
