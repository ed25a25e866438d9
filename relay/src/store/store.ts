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

/** What became of one event of a batch (spec 2.2). `deleted`: its author's deletion is stored, see `deletion.ts`. */
export type PutStatus = 'stored' | 'duplicate' | 'superseded' | 'deleted'

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

/** Kinds from and to, both inclusive. */
export type KindRange = readonly [from: number, to: number]

export const ALL_KINDS: KindRange = [0, 0xffff]

/**
 * What to take out of a store.
 *
 * - by age, count or size: the last in query order (spec 2.7) go first, until everything of the kinds was created at
 *   `createdBefore` or later, and no more than `maxEvents` and `maxBytes` are left. Deletions (kind 5) are neither
 *   taken nor counted unless the range is `[5, 5]`: without them what they deleted could come back.
 * - `expiredBy`: what was over at that time, in nanoseconds (spec 2.6), the first to expire first
 * - `ids`: these events, in this order; an unknown id is nothing
 */
export type Removal =
  | {
      readonly kinds: KindRange
      readonly createdBefore?: bigint
      readonly maxEvents?: number
      readonly maxBytes?: number
    }
  | { readonly expiredBy: bigint }
  | { readonly ids: readonly string[] }

/** Bytes are the canonical sizes of the events (spec 1.5), whatever else a store writes. */
export interface Amount {
  readonly events: number
  readonly bytes: number
}

export interface KindUsage extends Amount {
  readonly kind: number
}

export interface Store {
  /** 16 characters `[a-z0-9]`, made with a new store and kept with its data (spec 7.4). */
  readonly epoch: string
  /**
   * No seq up to and including this one may be handed out (again). A durable store reserves ahead, so that
   * after a crash it also covers seqs of events that were never written; it may be far above the last seq in use.
   */
  readonly lastSeq: bigint
  /**
   * Everything that was stored with a seq from here on is still there, or lawfully gone: superseded, expired, deleted
   * by its author or taken out by id. Only a removal by age, count or size raises it, above what it took.
   */
  readonly firstSeq: bigint
  /**
   * The same for events of these kinds alone: never above {@link firstSeq}, and untouched by what was taken of other
   * kinds. Absent: the store knows it of all kinds together only.
   */
  firstSeqOf?(kinds: readonly number[]): bigint
  /**
   * The relay is about to hand out seqs up to `seq`. A durable store writes a reservation in big steps, so call
   * it freely: all but one call in a million cost nothing. Never needed before {@link put}.
   * @throws StoreError as {@link put} rejects; then the seqs must not be handed out.
   */
  reserve(seq: bigint): void
  /**
   * Decides and stores a batch in one transaction; resolves after it is durable, outcomes in the order of the
   * batch. An event is judged against what is stored and what stands before it in the batch (spec 2.2, 2.3);
   * replacing deletes the old winner in the same transaction, and a deletion what it deletes (see `deletion.ts`).
   * Calls are carried out one after the other.
   * Rejects with StoreError `storage_full` or `unavailable`: then nothing of the batch is stored, reads go on,
   * and a later put may work.
   */
  put(batch: readonly StoredEvent[]): Promise<readonly PutOutcome[]>
  /**
   * Takes out at most `limit` events; resolves after they are gone for good, to what was taken. When that is `limit`
   * events there may be more: called again with the same object it goes on, and need not look at what was put meanwhile.
   * Puts and reads go on.
   * Rejects as {@link put}: then nothing was taken, or all of it.
   */
  remove(removal: Removal, limit: number): Promise<Amount>
  /** What is stored of each kind, rising. May lag behind puts by seconds; exact when the first call of a removal resolves. */
  usage(): readonly KindUsage[]
  /**
   * Writes a copy to `path`, which must not exist: a store of its own, with a new epoch, that has everything whose put
   * had resolved when the backup began. Puts and reads go on meanwhile. Checks every event of the copy.
   * Rejects with StoreError; then nothing is left at `path`. Absent in stores that have no files.
   */
  backup?(path: string): Promise<Amount>
  has(id: string): boolean
  get(id: string): StoredEvent | undefined
  /** The stored events the filter matches, in query order (spec 2.7). */
  query(filter: Filter, page: Page): readonly StoredEvent[]
  /** The first `limit` stored events behind `seq`, in rising order of seq. */
  since(seq: bigint, limit: number): readonly StoredEvent[]
  /** Waits for the puts under way, then lets go of the files. */
  close(): Promise<void>
}

/** The part of a store that reads. */
export type StoreView = Pick<Store, 'epoch' | 'firstSeq' | 'firstSeqOf' | 'has' | 'get' | 'query' | 'since'>

/** {@link Store.firstSeqOf} of a filter's kinds; all when they are undefined. */
export function firstSeqFor(
  store: Pick<Store, 'firstSeq' | 'firstSeqOf'>,
  kinds: readonly number[] | undefined,
): bigint {
  return (kinds && store.firstSeqOf?.(kinds)) ?? store.firstSeq
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
