/**
 * Group commit (spec 2.2, 2.4, 7.4): what was verified while the last group was being written goes into the next
 * one, with one `put` and one sync for all. Order of verification is order of seq, of acks and of dispatch;
 * ephemeral events keep their place in it and never touch the store.
 */
import { type Event, isEphemeral, type Reject, reject, type Status } from '@aetherkit/core'
import type { Publisher } from './bus.js'
import type { Realms } from './realm.js'
import type { RecentIds } from './recent.js'
import { type PutOutcome, type StoredEvent, StoreError } from './store/store.js'

export interface Accepted {
  readonly ok: true
  readonly status: Status
  readonly seq: bigint
}

export interface Verified {
  readonly event: Event
  readonly publisher: Publisher
  /** Acked as if it had been taken, neither stored nor delivered. */
  readonly isShadow?: boolean
}

export interface CommitterOptions {
  readonly realms: Realms
  readonly recent: RecentIds
  /** Whether the event is past retention: forwarded, not stored (spec 2.4). */
  isPast(event: Event): boolean
  /** Called between `settle` and `done`, in order of seq, for every event that goes out to subscribers. */
  dispatch(stored: StoredEvent, kept: boolean): void
  /** A group could not be written. */
  failed(error: unknown): void
  /** A group of so many events took so long, whatever became of it. */
  committed?(events: number, ms: number): void
}

interface Ticket extends StoredEvent {
  readonly verified: Verified
  readonly keep: boolean
  /** Whether it would be kept if it were not for its author to see only. */
  readonly isLasting: boolean
}

/** What a client is told to wait when the store refuses. */
const RETRY_MS = 1000
/** Events of one transaction. */
const MAX_GROUP = 1024
/** Events that go out in one turn of the event loop. */
const BURST = 256

export class Committer {
  readonly #options: CommitterOptions
  #waiting: Verified[] = []
  #running = false
  #lastSeq: bigint
  #idle: (() => void)[] = []

  constructor(options: CommitterOptions) {
    this.#options = options
    this.#lastSeq = options.realms.lastSeq
  }

  /** The last seq handed out. */
  get lastSeq(): bigint {
    return this.#lastSeq
  }

  add(verified: Verified): void {
    this.#waiting.push(verified)
    if (this.#running) return
    this.#running = true
    // At the end of the task: a batch of verdicts comes in one go and belongs into one group.
    queueMicrotask(() => void this.#run())
  }

  /** Resolves when nothing is waiting or under way. */
  async idle(): Promise<void> {
    if (this.#running) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#commit(this.#waiting.splice(0, MAX_GROUP))
    }
    this.#running = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  async #commit(group: readonly Verified[]): Promise<void> {
    const { isPast, committed } = this.#options
    const tickets = group.map((verified): Ticket => {
      const { event, isShadow = false } = verified
      const isLasting = !isEphemeral(event.kind) && !isPast(event)
      return { seq: ++this.#lastSeq, event, verified, keep: isLasting && !isShadow, isLasting }
    })
    const start = performance.now()
    const verdicts = await this.#put(tickets)
    committed?.(tickets.length, performance.now() - start)
    for (const [index, ticket] of tickets.entries()) {
      // Subscribers' sockets get to write in between: a burst must not fill the outbox of one who reads well.
      if (index % BURST === BURST - 1) await new Promise(setImmediate)
      this.#settle(ticket, verdicts.get(ticket) ?? this.#forward(ticket))
    }
  }

  /** What became of those that are to be kept, each in the store of its realm. */
  async #put(tickets: readonly Ticket[]): Promise<ReadonlyMap<Ticket, Accepted | Reject>> {
    const { realms, failed } = this.#options
    const kept = tickets.filter(({ keep }) => keep)
    const verdicts = new Map<Ticket, Accepted | Reject>()
    const refuseAll = (some: readonly Ticket[], error: unknown) => {
      failed(error)
      for (const ticket of some) verdicts.set(ticket, refuse(error))
    }
    try {
      realms.aether.store.reserve(this.#lastSeq)
    } catch (error) {
      refuseAll(kept, error)
      return verdicts
    }
    const puts = realms.all.map(async (realm) => {
      const own = kept.filter(({ event }) => realms.of(event) === realm)
      if (own.length === 0) return
      try {
        const outcomes = await realm.store.put(own)
        for (const [i, ticket] of own.entries()) verdicts.set(ticket, accepted(ticket, outcomes[i]))
      } catch (error) {
        refuseAll(own, error)
      }
    })
    await Promise.all(puts)
    return verdicts
  }

  /**
   * Of what no store has. The same event may be under way twice: the first to come here is forwarded, the other is its
   * duplicate. A shadow is told what it would be told in the light.
   */
  #forward(ticket: Ticket): Accepted {
    const known = this.#options.recent.find(ticket.event.id) !== undefined
    return {
      ok: true,
      status: known ? 'duplicate' : ticket.isLasting ? 'stored' : 'forwarded',
      seq: ticket.seq,
    }
  }

  #settle(ticket: Ticket, verdict: Accepted | Reject): void {
    const { recent, dispatch } = this.#options
    const { event, verified, keep } = ticket
    verified.publisher.settle(verdict)
    if (verdict.ok) {
      const { status } = verdict
      const isShadow = verified.isShadow === true
      if (status === 'forwarded' || status === 'superseded' || isShadow)
        recent.add(event.id, event.sig, performance.now())
      if ((status === 'stored' || status === 'forwarded') && !isShadow) dispatch(ticket, keep)
    }
    verified.publisher.done()
  }
}

function accepted(ticket: Ticket, outcome: PutOutcome | undefined): Accepted | Reject {
  if (outcome === undefined) return reject('internal')
  const { status } = outcome
  if (status === 'deleted') return reject('blocked', undefined, 'its author has deleted it')
  return { ok: true, status, seq: ticket.seq }
}

function refuse(error: unknown): Reject {
  const full = error instanceof StoreError && error.code === 'storage_full'
  return { ...reject(full ? 'storage_full' : 'unavailable'), retryAfterMs: RETRY_MS }
}
