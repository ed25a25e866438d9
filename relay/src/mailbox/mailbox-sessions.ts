/** The mailboxes that one session has open: what a peer asks of them, and who may (schemas/README.md, "Mailboxes"). */
import { type Filter, type MailboxTerms, type Reject, reject } from '@aetherkit/core'
import type { Bus } from '../bus.js'
import type { SubId } from '../replies.js'
import type { Request } from '../requests.js'
import { Consumer, type MailboxReader } from './consumer.js'

export type MailboxRequest = Extract<Request, { type: `mailbox${string}` }>

/** To be called once; `say` runs when it is this answer's turn. */
type Answer = (say: () => void) => void

const ACK_TIMEOUT_MS = 30_000
const MAX_UNACKED = 64
/** Bounds of what a peer may ask for, ms. */
const MIN_ACK_MS = 100
const MAX_ACK_MS = 12 * 3_600_000

export class MailboxSessions {
  readonly #bus: Bus
  readonly #reader: MailboxReader
  readonly #byId = new Map<SubId, Consumer>()

  constructor(bus: Bus, reader: MailboxReader) {
    this.#bus = bus
    this.#reader = reader
  }

  /**
   * `auth_required`, `restricted`: the key of the mailbox is not proven; `subscription_not_found`: nothing is open under
   * this id; `limit_exceeded`, `unavailable`; and those of opening. An error ends what was open under the id.
   */
  request(request: MailboxRequest, answer: Answer): void {
    const { sub } = request
    const refusal = this.#carryOut(request, answer)
    if (refusal === undefined) return
    this.leave(sub)
    answer(() => this.#reader.say({ type: 'error', reject: refusal, sub }))
  }

  /** Ends what is open under the id, if anything is. */
  leave(sub: SubId): void {
    this.#byId.get(sub)?.close()
  }

  relieved(): void {
    for (const { mailbox } of this.#byId.values()) mailbox.relieved()
  }

  /** Ends all; `closed` is said for each when a reason is given. */
  close(reason?: 'going_away'): void {
    for (const consumer of [...this.#byId.values()]) consumer.close(reason && reject(reason))
  }

  #carryOut(request: MailboxRequest, answer: Answer): Reject | undefined {
    switch (request.type) {
      case 'mailbox':
        return this.#open(request.sub, request, answer)
      case 'mailbox_ack':
        return this.#ack(request.sub, request.seqs, answer)
      case 'mailbox_nack':
        return this.#nack(request.sub, request.seqs, request.delayMs ?? 0, answer)
      case 'mailbox_delete':
        return this.#delete(request, answer)
    }
  }

  #open(sub: SubId, terms: MailboxTerms, answer: Answer): Reject | undefined {
    const { access, mailboxes } = this.#bus
    const filters = addressed(terms)
    const refusal = this.#refuse(sub, terms) ?? access.refuse(filters, this.#reader.peer)
    if (refusal !== undefined) return refusal
    this.leave(sub)
    const entered = mailboxes.enter(this.#bus, terms, filters)
    if (!entered.ok) return entered
    const { mailbox, gap, written } = entered
    const { ackTimeoutMs = ACK_TIMEOUT_MS, maxUnacked = MAX_UNACKED } = terms
    const consumer = new Consumer({
      ...{ mailbox, reader: this.#reader, sub, ackTimeoutMs, maxUnacked },
      gone: (gone) => {
        if (this.#byId.get(sub) === gone) this.#byId.delete(sub)
      },
    })
    this.#byId.set(sub, consumer)
    mailbox.join(consumer)
    const ready = () => {
      if (!consumer.open) return
      this.#reader.say({ type: 'subscribed', sub, gap })
      mailbox.start(consumer)
    }
    if (written === undefined) answer(ready)
    else
      this.#whenWritten(written, {
        done: () => answer(ready),
        otherwise: (why) => this.#fail(sub, why, answer),
      })
    return undefined
  }

  #refuse(sub: SubId, { pubkey, filters, ackTimeoutMs, maxUnacked }: MailboxTerms): Reject | undefined {
    const { maxSubscriptions, maxUnacked: most } = this.#bus.limits
    const unproven = this.#unproven(pubkey)
    if (unproven !== undefined) return unproven
    if (!this.#byId.has(sub) && this.#byId.size >= maxSubscriptions)
      return reject('limit_exceeded', undefined, `at most ${maxSubscriptions} mailboxes`)
    if (filters?.length === 0) return reject('invalid_filter', undefined, 'no filter matches nothing')
    if (filters?.some(({ limit, replay }) => limit !== undefined || replay !== undefined))
      return reject('unsupported', undefined, 'a mailbox knows no limit and no replay')
    if (maxUnacked !== undefined && maxUnacked > most)
      return reject('limit_exceeded', undefined, `max_unacked: at most ${most}`)
    if (ackTimeoutMs !== undefined && (ackTimeoutMs < MIN_ACK_MS || ackTimeoutMs > MAX_ACK_MS))
      return reject('limit_exceeded', undefined, `ack_timeout_ms: ${MIN_ACK_MS} to ${MAX_ACK_MS}`)
    return undefined
  }

  #unproven(pubkey: string): Reject | undefined {
    const { authenticated = [], authenticatedNostr = [] } = this.#reader.peer
    if (authenticated.includes(pubkey)) return undefined
    return reject(authenticated.length + authenticatedNostr.length > 0 ? 'restricted' : 'auth_required')
  }

  #ack(sub: SubId, seqs: readonly bigint[], answer: Answer): Reject | undefined {
    const consumer = this.#byId.get(sub)
    if (consumer === undefined) return reject('subscription_not_found')
    const acked = consumer.mailbox.ack(seqs)
    if ('ok' in acked) return acked
    this.#whenWritten(acked, {
      done: () => answer(() => this.#reader.say({ type: 'mailbox_acked', sub, seqs })),
      otherwise(why) {
        // What is not written down may come again: who has it open is to begin anew.
        answer(() => {})
        consumer.mailbox.close(why)
      },
    })
    return undefined
  }

  #nack(sub: SubId, seqs: readonly bigint[], delayMs: number, answer: Answer): Reject | undefined {
    const consumer = this.#byId.get(sub)
    if (consumer === undefined) return reject('subscription_not_found')
    if (delayMs > MAX_ACK_MS) return reject('limit_exceeded', undefined, `delay_ms: at most ${MAX_ACK_MS}`)
    answer(() => {})
    consumer.mailbox.nack(consumer, seqs, delayMs)
    return undefined
  }

  #delete(
    { sub, pubkey, name }: { readonly sub: SubId; readonly pubkey: string; readonly name: string },
    answer: Answer,
  ): Reject | undefined {
    const unproven = this.#unproven(pubkey)
    if (unproven !== undefined) return unproven
    this.#whenWritten(this.#bus.mailboxes.delete(pubkey, name), {
      done: () => answer(() => this.#reader.say({ type: 'mailbox_deleted', sub })),
      otherwise: (why) => this.#fail(sub, why, answer),
    })
    return undefined
  }

  #fail(sub: SubId, why: Reject, answer: Answer): void {
    this.leave(sub)
    answer(() => this.#reader.say({ type: 'error', reject: why, sub }))
  }

  #whenWritten(
    written: Promise<void>,
    { done, otherwise }: { done(): void; otherwise(why: Reject): void },
  ): void {
    void written.then(done, (error: unknown) => otherwise(this.#bus.mailboxes.refused(error)))
  }
}

/** What the mailbox wants: of what it was narrowed to, that which is addressed to the agent. */
function addressed({ pubkey, filters = [{}] }: MailboxTerms): readonly Filter[] {
  return filters.map((filter) => ({ ...filter, pairs: [...(filter.pairs ?? []), ['p', pubkey] as const] }))
}
