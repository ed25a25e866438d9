/**
 * The index beside a segment log: LMDB, filled behind the log in large transactions. It can be made again from the
 * log at any time. Two tables: the index of `index-keys.ts`, and where the record of a seq stands.
 *
 *   index key                        value
 *   00  name                         see `META` and `WATERMARK`
 *   03  segment 4                    bytes of its records that are still wanted, u64
 *
 *   location key: seq 8              segment 4, offset 4, length 4
 */
import { replaceKey, supersedes } from '@aetherkit/core'
import { type Database, open, type RootDatabase } from 'lmdb'
import { idKey, META, replaceIndexKey, seqKey, visitPlaceKeys } from './index-keys.js'
import type { Location, LogPosition, LogRecord } from './log-record.js'
import { decodeRecord } from './record.js'
import type { KeyReader } from './scan.js'
import type { SegmentReader } from './segment-reader.js'
import type { StoredEvent } from './store.js'

/** Version of this layout; an index of another one is made anew. */
const FORMAT = '2'
/** Everything of the log before this position is in the index: segment 4, offset 4. */
const WATERMARK = Buffer.from('\x00watermark')
const LIVE = 0x03
const NO_VALUE = Buffer.alloc(0)

export class LogIndex implements KeyReader {
  readonly #index: RootDatabase<Buffer, Buffer>
  readonly #locations: Database<Buffer, Buffer>

  constructor(path: string) {
    this.#index = open<Buffer, Buffer>({
      path,
      name: 'index',
      noSubdir: false,
      maxDbs: 2,
      encoding: 'binary',
      keyEncoding: 'binary',
      // The default returns from a transaction before it is synced to disk.
      overlappingSync: false,
    })
    this.#locations = this.#index.openDB({ name: 'location', encoding: 'binary', keyEncoding: 'binary' })
  }

  /** Empties an index that belongs to another log or has another layout. */
  claim(epoch: string): void {
    const isOurs = `${this.value(META.format)}` === FORMAT && `${this.value(META.epoch)}` === epoch
    if (isOurs) return
    this.#index.clearSync()
    this.#locations.clearSync()
    this.#index.transactionSync(() => {
      void this.#index.put(META.epoch, Buffer.from(epoch))
      void this.#index.put(META.format, Buffer.from(FORMAT))
    })
  }

  /** Processes that have the index open, this one too. */
  processes(): number[] {
    this.value(META.format)
    this.#index.readerCheck()
    const lines = this.#index.readerList().split('\n').slice(1)
    return lines.map((line) => Number.parseInt(line, 10)).filter((pid) => pid > 0)
  }

  get watermark(): LogPosition {
    const value = this.value(WATERMARK)
    if (value === undefined) return { segment: 0, offset: 0 }
    return { segment: value.readUInt32BE(0), offset: value.readUInt32BE(4) }
  }

  /** By segment, the bytes of its records that are still wanted; those that are not here have none. */
  live(): Map<number, number> {
    const range = this.#index.getRange({ start: Buffer.of(LIVE), end: Buffer.of(LIVE + 1) })
    return new Map(
      Array.from(range, ({ key, value }) => [
        bytes(key).readUInt32BE(1),
        Number(bytes(value).readBigUInt64BE()),
      ]),
    )
  }

  value(key: Buffer): Buffer | undefined {
    const value = this.#index.getBinary(key)
    return value && bytes(value)
  }

  keys(start: Buffer, end: Buffer, limit: number): Buffer[] {
    return Array.from(this.#index.getKeys({ start, end, limit }))
  }

  location(seq: Buffer): Location | undefined {
    const value = this.#locations.getBinary(seq)
    return value && readLocation(bytes(value))
  }

  /** The first `limit` from `seq` on, rising. */
  locations(seq: bigint, limit: number): { readonly seq: bigint; readonly location: Location }[] {
    return Array.from(this.#locations.getRange({ start: seqKey(seq), limit }), ({ key, value }) => ({
      seq: bytes(key).readBigUInt64BE(),
      location: readLocation(bytes(value)),
    }))
  }

  /** What another thread has committed is visible from here on. */
  refresh(): void {
    this.#index.resetReadTxn()
  }

  /**
   * Takes in records that stand behind the watermark and moves it to `end`: one transaction, on disk on return. What
   * the records say is judged as {@link Store.put} judged it; `log` has the events that they replace.
   */
  apply(segment: number, records: readonly LogRecord[], end: LogPosition, log: SegmentReader): void {
    const changes = new Map<number, number>()
    const count = (of: number, change: number) => changes.set(of, (changes.get(of) ?? 0) + change)
    this.#index.transactionSync(() => {
      for (const record of records) this.#take(segment, record, log, count)
      for (const [of, change] of changes) this.#countLive(of, change)
      const watermark = Buffer.alloc(8)
      watermark.writeUInt32BE(end.segment, 0)
      watermark.writeUInt32BE(end.offset, 4)
      void this.#index.put(WATERMARK, watermark)
    })
  }

  close(): Promise<void> {
    return this.#index.close()
  }

  #take(segment: number, record: LogRecord, log: SegmentReader, count: Count): void {
    const event = decodeRecord(record.event)
    const seq = seqKey(record.seq)
    const known = this.value(idKey(event.id))
    if (known !== undefined) {
      // Compaction moved it.
      if (known.equals(seq)) this.#locate(seq, segment, record, count)
      return
    }
    const key = replaceKey(event)
    if (key !== undefined) {
      const winnerSeq = this.value(replaceIndexKey(key))
      if (winnerSeq !== undefined) {
        const winner = this.#load(winnerSeq, log)
        if (!supersedes(event, winner.event)) return
        this.#remove(winner, winnerSeq, log.seed, count)
      }
      void this.#index.put(replaceIndexKey(key), seq)
    }
    void this.#index.put(idKey(event.id), seq)
    this.#locate(seq, segment, record, count)
    visitPlaceKeys({ seq: record.seq, event }, log.seed, (key) => void this.#index.put(key, NO_VALUE))
  }

  #locate(seq: Buffer, segment: number, record: LogRecord, count: Count): void {
    const old = this.location(seq)
    if (old !== undefined) count(old.segment, -old.length)
    count(segment, record.length)
    const value = Buffer.allocUnsafe(12)
    value.writeUInt32BE(segment, 0)
    value.writeUInt32BE(record.offset, 4)
    value.writeUInt32BE(record.length, 8)
    void this.#locations.put(seq, value)
  }

  #load(seq: Buffer, log: SegmentReader): StoredEvent {
    const location = this.location(seq)
    const number = seq.readBigUInt64BE()
    if (location === undefined) throw new Error(`the index names seq ${number}, but not where it is`)
    return { seq: number, event: decodeRecord(log.record(location, number).event) }
  }

  /** The replace key stays: whoever removes a winner has a new one. */
  #remove(stored: StoredEvent, seq: Buffer, seed: number, count: Count): void {
    const old = this.location(seq)
    if (old !== undefined) count(old.segment, -old.length)
    void this.#locations.remove(seq)
    void this.#index.remove(idKey(stored.event.id))
    visitPlaceKeys(stored, seed, (key) => void this.#index.remove(key))
  }

  #countLive(segment: number, change: number): void {
    const key = Buffer.alloc(5, LIVE)
    key.writeUInt32BE(segment, 1)
    const old = this.value(key)
    const live = (old === undefined ? 0 : Number(old.readBigUInt64BE())) + change
    if (live === 0) void this.#index.remove(key)
    else void this.#index.put(key, seqKey(BigInt(live)))
  }
}

type Count = (segment: number, change: number) => void

function readLocation(value: Buffer): Location {
  return { segment: value.readUInt32BE(0), offset: value.readUInt32BE(4), length: value.readUInt32BE(8) }
}

/** The library's own class of bytes lacks the numbers. */
function bytes(value: Buffer): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
