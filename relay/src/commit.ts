/**
 * Group commit (spec 2.2, 2.4, 7.4): what was verified while the last group was being written goes into the next
 * one, with one `put` and one sync for all. Order of verification is order of seq, of acks and of dispatch;
 * ephemeral events keep their place in it and never touch the store.
 */
import { type Event, isEphemeral, type Reject, reject, type Status } from '@aetherkit/core'
import type { Publisher } from './bus.js'
import type { RecentIds } from './recent.js'
import { type PutOutcome, type Store, type StoredEvent, StoreError } from './store/store.js'

export interface Accepted {
  readonly ok: true
  readonly status: Status
  readonly seq: bigint
}

export interface Verified {
  readonly event: Event
  readonly publisher: Publisher
}

export interface CommitterOptions {
  readonly store: Store
  readonly recent: RecentIds
  /** Whether the event is past retention: forwarded, not stored (spec 2.4). */
  isPast(event: Event): boolean
  /** Called between `settle` and `done`, in order of seq, for every event that goes out to subscribers. */
  dispatch(stored: StoredEvent, kept: boolean): void
  /** A group could not be written. */
  failed(error: unknown): void
}

interface Ticket extends StoredEvent {
  readonly verified: Verified
  readonly keep: boolean
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
    this.#lastSeq = options.store.lastSeq
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
    const { store, isPast, failed } = this.#options
    let refusal: Reject | undefined
    let outcomes: readonly PutOutcome[] = []
    const tickets = group.map((verified): Ticket => {
      const { event } = verified
      return { seq: ++this.#lastSeq, event, verified, keep: !isEphemeral(event.kind) && !isPast(event) }
    })
    const kept = tickets.filter(({ keep }) => keep)
    try {
      store.reserve(this.#lastSeq)
      if (kept.length > 0) outcomes = await store.put(kept)
    } catch (error) {
      failed(error)
      refusal = refuse(error)
    }
    let at = 0
    for (const [index, ticket] of tickets.entries()) {
      // Subscribers' sockets get to write in between: a burst must not fill the outbox of one who reads well.
      if (index % BURST === BURST - 1) await new Promise(setImmediate)
      if (ticket.keep) this.#settle(ticket, refusal ?? accepted(ticket, outcomes[at++]))
      else this.#settle(ticket, this.#forward(ticket))
    }
  }

  /** The same event may be under way twice: the first to come here is forwarded, the other is its duplicate. */
  #forward(ticket: Ticket): Accepted {
    const known = this.#options.recent.find(ticket.event.id) !== undefined
    return { ok: true, status: known ? 'duplicate' : 'forwarded', seq: ticket.seq }
  }

  #settle(ticket: Ticket, verdict: Accepted | Reject): void {
    const { recent, dispatch } = this.#options
    const { event, verified, keep } = ticket
    verified.publisher.settle(verdict)
    if (verdict.ok) {
      const { status } = verdict
      if (status === 'forwarded' || status === 'superseded')
        recent.add(event.id, event.sig, performance.now())
      if (status === 'stored' || status === 'forwarded') dispatch(ticket, keep)
    }
    verified.publisher.done()
  }
}

function accepted(ticket: Ticket, outcome: PutOutcome | undefined): Accepted | Reject {
  return outcome === undefined ? reject('internal') : { ok: true, status: outcome.status, seq: ticket.seq }
}

function refuse(error: unknown): Reject {
  const full = error instanceof StoreError && error.code === 'storage_full'
  return { ...reject(full ? 'storage_full' : 'unavailable'), retryAfterMs: RETRY_MS }
}
