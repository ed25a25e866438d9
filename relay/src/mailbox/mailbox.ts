/**
 * One mailbox while somebody has it open: it hands out the stored events of its agent to the consumers that share it,
 * each to one of them at a time, oldest first, until it is acked. It is a subscription of the index like any other; what
 * is live goes straight to a consumer that has room, all else waits in the store.
 */
import { type Filter, isEphemeral, type Reject, reject } from '@aetherkit/core'
import type { Bus } from '../bus.js'
import { Delivery } from '../deliver.js'
import type { Peer } from '../policy.js'
import type { StoredEvent } from '../store/store.js'
import { type Subscriber, Subscription } from '../subscriptions.js'
import type { View } from '../view.js'
import type { Consumer } from './consumer.js'
import { Leases } from './leases.js'
import type { MailboxJournal } from './mailbox-journal.js'
import { type MailboxRecord, writeRecord } from './mailbox-record.js'
import { Spool } from './spool.js'

/** Events a step looks at before others have their turn. */
const STEP = 256
/** Between two looks at what is due, ms, at least. */
const TICK_MS = 20

export interface MailboxParts {
  readonly bus: Bus
  readonly journal: MailboxJournal
  readonly key: string
  readonly pubkey: string
  readonly filters: readonly Filter[]
  readonly record: MailboxRecord
  /** The last consumer has gone. */
  left(): void
}

export class Mailbox implements Subscriber {
  readonly filtersHash: string
  readonly congested = false
  readonly #parts: MailboxParts
  readonly #view: View
  readonly #spool: Spool
  readonly #leases = new Leases<Consumer>()
  readonly #early: Set<bigint>
  readonly #consumers = new Set<Consumer>()
  /** Those that have room, whose turn is next first. */
  readonly #free = new Set<Consumer>()
  readonly #subscription: Subscription
  #timer: NodeJS.Timeout | undefined
  #wakesAt = Number.POSITIVE_INFINITY
  #scheduled = false
  #saved: bigint

  constructor(parts: MailboxParts) {
    const { bus, record, filters, key } = parts
    this.#parts = parts
    this.filtersHash = record.filters
    this.#view = bus.view(this, false)
    this.#spool = new Spool(this.#view.history, filters, record.position)
    this.#early = new Set(record.early)
    this.#saved = record.position
    for (const [seq, count] of record.open) this.#leases.restore(seq, count)
    this.#subscription = new Subscription(this, key)
    this.#subscription.live = true
    this.#view.index.add(this.#subscription, filters)
  }

  /** The agent, with what its open sessions were granted: who has it open makes no difference to what it sees. */
  get peer(): Peer {
    const peers = [...this.#consumers].map(({ peer }) => peer)
    const grants = peers.flatMap((peer) => peer.grants ?? [])
    const { id, address } = peers[0] ?? { id: 0, address: 'inside' }
    return { id, address, authenticated: [this.#parts.pubkey], ...(grants.length > 0 && { grants }) }
  }

  get consumers(): number {
    return this.#consumers.size
  }

  get unacked(): number {
    return this.#leases.leased
  }

  join(consumer: Consumer): void {
    this.#consumers.add(consumer)
  }

  /** From now on it is delivered to. */
  start(consumer: Consumer): void {
    if (this.#consumers.has(consumer)) this.#freed(consumer)
    this.#pump()
  }

  /** What it had is for the others at once, or for whoever comes. */
  leave(consumer: Consumer): void {
    if (!this.#consumers.delete(consumer)) return
    this.#free.delete(consumer)
    for (const seq of [...consumer.held]) this.#leases.release(seq)
    if (this.#consumers.size > 0) {
      this.#pump()
      return
    }
    this.end()
    void this.save().catch(() => {})
    this.#parts.left()
  }

  /** Says `closed` to all that have it open. */
  close(why: Reject): void {
    for (const consumer of [...this.#consumers]) consumer.close(why)
  }

  /** Out of the index, and no timer any more. */
  end(): void {
    this.#view.index.remove(this.#subscription)
    // Also what is written down later says how far it was then.
    this.#spool.stop()
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Resolves when it is durable that these are done; anybody's, in any order, as often as they like. */
  ack(seqs: readonly bigint[]): Promise<void> | Reject {
    const { maxMailboxOpen } = this.#parts.bus.limits
    const { position } = this.#spool
    const { last } = this.#view.history.ring
    const early = seqs.filter((seq) => seq > position && seq <= last)
    if (early.length > 0 && this.#early.size + this.#leases.size + early.length > maxMailboxOpen)
      return reject('limit_exceeded', undefined, `at most ${maxMailboxOpen} events under way`)
    for (const seq of early) this.#early.add(seq)
    let done = early.length
    for (const seq of seqs) {
      if (!this.#leases.has(seq)) continue
      const holder = this.#leases.done(seq)
      if (holder !== undefined) this.#freed(holder)
      done++
    }
    const written = this.save()
    if (done > 0) this.#parts.bus.observe({ type: 'mailbox_acked', events: done })
    this.#pump()
    return written
  }

  /** Gives back what this consumer has; it is delivered again after `delayMs`. */
  nack(consumer: Consumer, seqs: readonly bigint[], delayMs: number): void {
    const due = delayMs === 0 ? undefined : performance.now() + delayMs
    for (const seq of seqs) {
      if (!consumer.held.has(seq)) continue
      this.#leases.release(seq, due)
      this.#freed(consumer)
    }
    if (due !== undefined) this.#wakeBy(due)
    this.#pump()
  }

  /** There is room in a consumer's outbox again. */
  relieved(): void {
    this.#pump()
  }

  /** Writes it down as it then is. */
  save(): Promise<void> {
    return this.#parts.journal.put(this.#parts.key, () => this.#record())
  }

  /** When reading on after a crash would have grown long. */
  saveIfFar(far: bigint): void {
    if (this.#spool.position - this.#saved > far) void this.save().catch(() => {})
  }

  /** Live, from the index. */
  deliver(_: Subscription, { seq, event }: Delivery): void {
    if (!this.#spool.atEnd) return
    const stored = { seq, event }
    if (isEphemeral(event.kind) || this.#view.history.ring.isUnkept(stored)) return
    // What is to be delivered again goes first.
    const consumer = this.#scheduled ? undefined : this.#next()
    if (consumer === undefined) this.#spool.missed(seq)
    else this.#give(consumer, stored)
  }

  say(): void {}

  cut(): void {
    this.close(reject('internal'))
  }

  #record(): string {
    const { epoch } = this.#view.history.store
    const { position } = this.#spool
    this.#saved = position
    for (const seq of this.#early) if (seq <= position) this.#early.delete(seq)
    const open = [...this.#leases.counts()]
    return writeRecord({
      ...{ epoch, position, open, filters: this.filtersHash },
      ...{ used: Date.now(), early: [...this.#early] },
    })
  }

  /** Delivers as long as there is something to deliver and somebody with room; others have their turn in between. */
  #pump(): void {
    if (this.#scheduled || this.#consumers.size === 0) return
    try {
      for (let budget = STEP; budget > 0; ) {
        const consumer = this.#next()
        if (consumer === undefined) return
        const seen = this.#step(consumer)
        if (seen === 0) return
        budget -= seen
      }
    } catch (error) {
      this.#parts.bus.observe({ type: 'fault', error })
      this.close(reject('unavailable'))
      return
    }
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#pump()
    })
  }

  /** One event for the consumer, or a look for one; 0 when there is nothing. */
  #step(consumer: Consumer): number {
    const again = this.#leases.takeReady()
    if (again !== undefined) {
      const stored = this.#spool.find(again)
      if (stored === undefined) this.#leases.done(again)
      else this.#give(consumer, stored)
      return 4
    }
    if (this.#leases.size + this.#early.size >= this.#parts.bus.limits.maxMailboxOpen) return 0
    const next = this.#spool.take()
    if (next !== undefined) {
      if (!this.#early.delete(next.seq)) this.#give(consumer, next)
      return 1
    }
    if (this.#spool.atEnd) return 0
    const { seen, gap } = this.#spool.read()
    if (gap) for (const each of this.#consumers) each.gap()
    return seen
  }

  #freed(consumer: Consumer): void {
    if (this.#consumers.has(consumer)) this.#free.add(consumer)
  }

  /** Whose turn it is of those that have room. */
  #next(): Consumer | undefined {
    for (const consumer of this.#free) {
      if (consumer.held.size >= consumer.maxUnacked) this.#free.delete(consumer)
      else if (!consumer.congested) return consumer
    }
    return undefined
  }

  #give(consumer: Consumer, stored: StoredEvent): void {
    const due = performance.now() + consumer.ackTimeoutMs
    const count = this.#leases.lease(stored.seq, consumer, due)
    if (count > 1) this.#parts.bus.observe({ type: 'mailbox_redelivered' })
    this.#free.delete(consumer)
    if (consumer.held.size < consumer.maxUnacked) this.#free.add(consumer)
    this.#wakeBy(due)
    consumer.deliver(new Delivery(stored, true, count))
  }

  #wakeBy(due: number): void {
    if (due >= this.#wakesAt) return
    clearTimeout(this.#timer)
    this.#wakesAt = due
    this.#timer = setTimeout(() => this.#wake(), Math.max(due - performance.now(), TICK_MS))
    this.#timer.unref()
  }

  #wake(): void {
    this.#wakesAt = Number.POSITIVE_INFINITY
    const { lost, next } = this.#leases.expire(performance.now())
    for (const consumer of lost) this.#freed(consumer)
    if (next !== undefined) this.#wakeBy(next)
    this.#pump()
  }
}
