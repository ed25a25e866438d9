/**
 * Last-writer-wins register (spec 11.5). Of two writes the later wins: by timestamp, then by replica id as UTF-8 bytes,
 * then a tombstone over a value, then by the canonical JSON of the value. This order is total, so arrival order never
 * matters.
 */
import { type Reject, reject } from '../codes.js'
import { isJsonObject } from '../json.js'
import { compareText, isName, type KeyedValue, keyed, readKeyed } from './value.js'

const MAX_TIMESTAMP = 2n ** 64n - 1n
const NULL: KeyedValue<null> = { key: 'null', value: null }

interface Write<T> {
  readonly timestamp: bigint
  readonly replica: string
  readonly tombstone: boolean
  readonly content: KeyedValue<T> | KeyedValue<null>
}

/** `T` is JSON. What is read back is a frozen copy. */
export class LWWRegister<T> {
  /** Before the first write: older than any, since replica ids are not empty. */
  #last: Write<T> = { timestamp: 0n, replica: '', tombstone: false, content: NULL }

  /** Null before the first write and after a removal. */
  get value(): T | null {
    return this.#last.content.value
  }

  get timestamp(): bigint {
    return this.#last.timestamp
  }

  get replica(): string {
    return this.#last.replica
  }

  get tombstone(): boolean {
    return this.#last.tombstone
  }

  /**
   * Writes, if this write is the later one. Any unit of time will do, the same for all replicas; ours is nanoseconds.
   * @throws TypeError for a value that is no JSON or an empty replica id; RangeError for a timestamp outside u64.
   */
  update(value: T, timestamp: bigint | number, replica: string): void {
    this.#write({ ...stamp(timestamp, replica), tombstone: false, content: keyed(value) })
  }

  /** The same as {@link update}. */
  add(value: T, timestamp: bigint | number, replica: string): void {
    this.update(value, timestamp, replica)
  }

  /** Leaves a tombstone, if this is the later write. @throws as {@link update}. */
  remove(timestamp: bigint | number, replica: string): void {
    this.#write({ ...stamp(timestamp, replica), tombstone: true, content: NULL })
  }

  /** Merges another register into this one. */
  merge(other: LWWRegister<T>): void {
    this.#write(other.#last)
  }

  /** A timestamp beyond 2^53 is a string of digits, so that every JSON reader gets it whole. */
  toJSON(): {
    type: 'lww'
    value: T | null
    timestamp: number | string
    replica: string
    tombstone: boolean
  } {
    const { timestamp, replica, tombstone, content } = this.#last
    const exact = timestamp <= Number.MAX_SAFE_INTEGER ? Number(timestamp) : String(timestamp)
    return { type: 'lww', value: content.value, timestamp: exact, replica, tombstone }
  }

  /** Reads parsed JSON. Of the wrong shape: `invalid_message`. The value may be any JSON: check it before use. */
  static fromJSON(json: unknown): { ok: true; crdt: LWWRegister<unknown> } | Reject {
    if (!isJsonObject(json) || json.type !== 'lww') return refused('expected')
    const { replica, tombstone } = json
    const timestamp = readTimestamp(json.timestamp)
    const content = readKeyed(json.value)
    if (timestamp === undefined) return refused('timestamp must be an integer')
    if (typeof tombstone !== 'boolean') return refused('tombstone must be a boolean')
    if (content === undefined) return refused('value must be JSON')
    if (content.value !== null && tombstone) return refused('a tombstone has no value')
    const crdt = new LWWRegister<unknown>()
    const unwritten = replica === '' && timestamp === 0n && !tombstone && content.value === null
    if (unwritten) return { ok: true, crdt }
    if (!isName(replica)) return refused('replica must be text')
    crdt.#write({ timestamp, replica, tombstone, content })
    return { ok: true, crdt }
  }

  #write(write: Write<T>): void {
    if (compare(write, this.#last) > 0) this.#last = write
  }
}

function compare(a: Write<unknown>, b: Write<unknown>): number {
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp ? 1 : -1
  if (a.replica !== b.replica) return compareText(a.replica, b.replica)
  if (a.tombstone !== b.tombstone) return a.tombstone ? 1 : -1
  return compareText(a.content.key, b.content.key)
}

function stamp(timestamp: bigint | number, replica: string): { timestamp: bigint; replica: string } {
  if (!isName(replica)) throw new TypeError('replica must be text, not empty')
  const read = readTimestamp(timestamp)
  if (read === undefined) throw new RangeError(`timestamp must be 0 to 2^64 - 1, got ${timestamp}`)
  return { timestamp: read, replica }
}

function readTimestamp(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined
  if (typeof value === 'string') return /^[0-9]{1,20}$/.test(value) ? readTimestamp(BigInt(value)) : undefined
  return typeof value === 'bigint' && value >= 0n && value <= MAX_TIMESTAMP ? value : undefined
}

function refused(detail: string): Reject {
  return reject('invalid_message', undefined, `lww: ${detail}`)
}
