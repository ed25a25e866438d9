/**
 * The storage seam of the relay (spec 2): what an event store must do, whatever it is made of.
 *
 * The relay is the only writer. It hands out `seq` itself, rising, and never offers ephemeral events.
 * When it is closed, every method but `close` fails with StoreError `unavailable`.
 * `storeContract` of `@aetherkit/relay/testing` checks an implementation.
 */
import type { Event, Filter } from '@aetherkit/core'

export interface StoredEvent {
  /** u64; rises over everything the relay takes in (spec 7.4). */
  readonly seq: bigint
  readonly event: Event
}

/** What became of one event of a batch (spec 2.2). */
export type PutStatus = 'stored' | 'duplicate' | 'superseded'

export interface PutOutcome {
  readonly status: PutStatus
}

/** A place in query order (spec 2.7): newest first, on a tie the lower id first. */
export interface Position {
  readonly createdAt: bigint
  readonly id: string
}

export interface Page {
  /** At most so many events; 0 gives none. The filter's own `limit` is not looked at. */
  readonly limit: number
  /** Only events strictly behind this place; it need not be that of a stored event. */
  readonly after?: Position
}

export interface Store {
  /** 16 characters `[a-z0-9]`, made with a new store and kept with its data (spec 7.4). */
  readonly epoch: string
  /**
   * No seq up to and including this one may be handed out (again). A durable store reserves ahead, so that
   * after a crash it also covers seqs of events that were never written; it may be far above the last seq in use.
   */
  readonly lastSeq: bigint
  /** Everything that was stored with a seq from here on is still there or lawfully superseded; pruning raises it. */
  readonly firstSeq: bigint
  /**
   * The relay is about to hand out seqs up to `seq`. A durable store writes a reservation in big steps, so call
   * it freely: all but one call in a million cost nothing. Never needed before {@link put}.
   * @throws StoreError as {@link put} rejects; then the seqs must not be handed out.
   */
  reserve(seq: bigint): void
  /**
   * Decides and stores a batch in one transaction; resolves after it is durable, outcomes in the order of the
   * batch. An event is judged against what is stored and what stands before it in the batch (spec 2.2, 2.3);
   * replacing deletes the old winner in the same transaction. Calls are carried out one after the other.
   * Rejects with StoreError `storage_full` or `unavailable`: then nothing of the batch is stored, reads go on,
   * and a later put may work.
   */
  put(batch: readonly StoredEvent[]): Promise<readonly PutOutcome[]>
  has(id: string): boolean
  get(id: string): StoredEvent | undefined
  /** The stored events the filter matches, in query order (spec 2.7). */
  query(filter: Filter, page: Page): readonly StoredEvent[]
  /** The first `limit` stored events behind `seq`, in rising order of seq. */
  since(seq: bigint, limit: number): readonly StoredEvent[]
  /** Waits for the puts under way, then lets go of the files. */
  close(): Promise<void>
}

/**
 * - `storage_full`: the disk or a quota is full
 * - `unavailable`: any other failure, or the store is closed
 * - `not_writable`: the path cannot be written
 * - `locked`: another live process has the store open
 * - `wrong_format`: the data was written by a newer version, or is no store
 */
export type StoreErrorCode = 'storage_full' | 'unavailable' | 'not_writable' | 'locked' | 'wrong_format'

export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Query order (spec 2.7), for `sort`. */
export function newestFirst(a: Position, b: Position): number {
  if (a.createdAt !== b.createdAt) return a.createdAt > b.createdAt ? -1 : 1
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}
