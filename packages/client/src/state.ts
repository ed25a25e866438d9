/**
 * State that only its owner can read, on any relay: byte values under paths, as parameterized replaceable events (spec
 * 2.1) sealed to the owner's own key. The newest value of a path counts, whichever process wrote it (spec 2.3); a relay
 * that acknowledged one has committed it (spec 2.4).
 *
 *   d            opaque name of the path, see state-names.ts
 *   s            opaque names of the paths above it, for `list`
 *   content      sealed record, see state-record.ts; empty: deleted
 *   expiration   of a tombstone only
 *
 * A value that is too large for one event is in several, `x` in place of `s`: they are there before the entry names
 * them, and go after it no longer does, so that a reader never sees half of a value.
 *
 * What a relay learns: how many entries an owner has, when each was written, its size up to 25 %, and which ones are
 * below a common path. Not: paths, contents, whether two values are equal. It can withhold a value or serve the one
 * before; it cannot make one up, nor put one in the place of another.
 */
import { SealedState } from './sealed-state.js'
import type { Signer } from './signer.js'
import type { StateClient } from './state-events.js'

export type { StateClient } from './state-events.js'

/** 1 to 32 texts; a prefix may be empty. */
export type StatePath = readonly string[]

export interface StateOptions {
  /** The key of the client, or its secret: it must be able to seal and open. */
  readonly signer: Signer | Uint8Array
  /** Keeps states of one owner apart. Default `default`. */
  readonly space?: string | undefined
  /** 32 bytes that paths are named with, the same in every process. Default: derived from the signer. */
  readonly nameKey?: Uint8Array | undefined
  /** Milliseconds for one publish or query, default 10 000. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Relays that must have stored a value before `put` resolves, default 1. */
  readonly quorum?: number | undefined
  /**
   * How long a tombstone stays at the relays, ms, default 7 days. A relay that was away longer may bring back what was
   * deleted meanwhile.
   */
  readonly tombstoneMs?: number | undefined
  /** Bytes of one event's share of a value, default 448 KiB less 4, which a relay of default limits (spec 1.5) takes. */
  readonly chunkBytes?: number | undefined
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined
}

export interface StateEntry {
  readonly path: StatePath
  /** Time of the write, ns: later than that of every value it replaced. */
  readonly at: bigint
  /** Length of the value. */
  readonly bytes: number
  /**
   * The value; that of now, when this one was replaced before it was read. Undefined when it was deleted meanwhile.
   * @throws ClientError STATE_UNREADABLE when parts of it are not at the relays.
   */
  read(): Promise<Uint8Array | undefined>
}

export interface PutOptions {
  /**
   * The path never gets another value: it is not looked up whether there is one. If there is, it is replaced all the
   * same, but what it took beyond one event stays until `clear`.
   */
  readonly once?: boolean | undefined
  /** The time of the write, ns, where the order of `list` has a meaning. Later, should the path have a later value. */
  readonly at?: bigint | undefined
}

export interface ListOptions {
  /** All below is written `once`: without watching for what is replaced meanwhile, which costs a round trip more. */
  readonly once?: boolean | undefined
  /** Entries to ask for at a time, default 256: as few as will be read. */
  readonly page?: number | undefined
  /** None that were written after this time, ns. */
  readonly until?: bigint | undefined
}

/** Everything rejects as `Client.publish` and `Client.query` do; RangeError or TypeError for a bad path. */
export interface State {
  get(path: StatePath): Promise<StateEntry | undefined>
  /** As many `get` in few queries; in the order of the paths. */
  getAll(paths: readonly StatePath[]): Promise<(StateEntry | undefined)[]>
  /** Resolves when the value is durable. Writes of one path come to pass in the order of the calls. */
  put(path: StatePath, value: Uint8Array, options?: PutOptions): Promise<void>
  /**
   * Writes what `change` makes of the value: bytes, null to delete, undefined to leave it. In this process nobody writes
   * the path in between; should another process have, and later, `change` is called again with its value. That is no
   * compare-and-set: what another process wrote earlier than we did, but after we read, is replaced unseen.
   */
  update(
    path: StatePath,
    change: (
      value: Uint8Array | undefined,
    ) => Uint8Array | null | undefined | Promise<Uint8Array | null | undefined>,
  ): Promise<void>
  /** Replaces the value by a tombstone. False when there was none. */
  delete(path: StatePath): Promise<boolean>
  /**
   * The entries below a path, newest first, each path once. Every entry that is there from beginning to end is listed;
   * one that is written meanwhile may come out of order.
   */
  list(prefix: StatePath, options?: ListOptions): AsyncGenerator<StateEntry>
  /** Deletes all below a path, leftovers of broken writes too, and tells how many entries that were. */
  clear(prefix: StatePath): Promise<number>
}

/**
 * State of the client's owner.
 * @throws TypeError for a signer of another key or a nameKey that is not 32 bytes; RangeError for limits out of range;
 * ClientError CANNOT_SEAL.
 */
export function openState(client: StateClient, options: StateOptions): State {
  return new SealedState(client, options)
}
