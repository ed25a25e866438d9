/**
 * The index beside a segment log: LMDB, filled behind the log in large transactions, see `log-index-writer.ts`. It can
 * be made again from the log and its graves at any time. Two tables: the index of `index-keys.ts`, and where the record
 * of a seq stands.
 *
 *   index key                        value
 *   00  name                         see `META`, `WATERMARK`, `WHOLE` and `log-index-writer.ts`
 *   03  segment 4                    bytes of its records that are still wanted, u64
 *
 *   location key: seq 8              segment 4, offset 4, length 4
 */
import { type Database, open, type RootDatabase } from 'lmdb'
import { failure } from './failure.js'
import { META, seqKey } from './index-keys.js'
import { before, type Location, type LogPosition, RECORD_HEAD } from './log-record.js'
import type { VictimReader } from './victims.js'

/** Version of this layout; an index of another one is made anew. */
const FORMAT = '3'
/** Everything of the log before this position is in the index: segment 4, offset 4. */
const WATERMARK = Buffer.from('\x00watermark')
/** Up to here the log had stood when the index was begun: it is made from log and graves, until it has all of that. */
const WHOLE = Buffer.from('\x00whole')
/** See `log-index-writer.ts`. */
export const GRAVES = Buffer.from('\x00graves')
const LIVE = 0x03
/** LMDB's code of a transaction that must abort. */
const MDB_BAD_TXN = -30782
const START: LogPosition = { segment: 0, offset: 0 }

/** Within a transaction of {@link LogIndex.write}; reads see what was written. */
export interface IndexTransaction {
  put(key: Buffer, value: Buffer): void
  remove(key: Buffer): void
  locate(seq: Buffer, location: Location): void
  unlocate(seq: Buffer): void
  /** Adds to the bytes that are still wanted of a segment. */
  countLive(segment: number, change: number): void
  watermark(position: LogPosition): void
}

export class LogIndex implements Pick<VictimReader, 'keys' | 'keysBack' | 'entries' | 'value' | 'size'> {
  readonly #index: RootDatabase<Buffer, Buffer>
  readonly #locations: Database<Buffer, Buffer>

  readonly #path: string

  constructor(path: string) {
    this.#path = path
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

  /** Empties an index that belongs to another log or has another layout; the log ends at `end`. */
  claim(log: string, end: LogPosition): void {
    const isOurs = `${this.value(META.format)}` === FORMAT && `${this.value(META.epoch)}` === log
    if (isOurs) return
    this.#index.clearSync()
    this.#locations.clearSync()
    this.#index.transactionSync(() => {
      void this.#index.put(META.epoch, Buffer.from(log))
      void this.#index.put(WHOLE, positionValue(end))
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
    return this.#position(WATERMARK)
  }

  /** Still to be made from the log as it was: what of it is dead is told by the graves alone. */
  get isPartial(): boolean {
    return before(this.watermark, this.#position(WHOLE))
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
    const value = this.#read(() => this.#index.getBinary(key))
    return value && bytes(value)
  }

  keys(start: Buffer, end: Buffer, limit: number): Buffer[] {
    return this.#read(() => Array.from(this.#index.getKeys({ start, end, limit }), bytes))
  }

  keysBack(from: Buffer, to: Buffer, limit: number): Buffer[] {
    const range = { start: to, end: from, limit, reverse: true, exclusiveStart: true }
    return this.#read(() => Array.from(this.#index.getKeys(range), bytes))
  }

  entries(start: Buffer, end: Buffer, limit: number): [Buffer, Buffer][] {
    const range = this.#read(() => Array.from(this.#index.getRange({ start, end, limit })))
    return range.map(({ key, value }) => [bytes(key), bytes(value)])
  }

  /** Of the event with this seq, without the head of its record. */
  size(seq: Buffer): number {
    return (this.location(seq)?.length ?? RECORD_HEAD) - RECORD_HEAD
  }

  location(seq: Buffer): Location | undefined {
    const value = this.#read(() => this.#locations.getBinary(seq))
    return value && readLocation(bytes(value))
  }

  /** The first `limit` from `seq` on, rising. */
  locations(seq: bigint, limit: number): { readonly seq: bigint; readonly location: Location }[] {
    const range = { start: seqKey(seq), limit }
    return this.#read(() => Array.from(this.#locations.getRange(range))).map(({ key, value }) => ({
      seq: bytes(key).readBigUInt64BE(),
      location: readLocation(bytes(value)),
    }))
  }

  /** What another thread has committed is visible from here on. */
  refresh(): void {
    this.#index.resetReadTxn()
  }

  /** One transaction, on disk on return; nothing of it when `fill` throws. It may be called twice. */
  write<Result>(fill: (transaction: IndexTransaction) => Result): Result {
    try {
      return this.#transact(fill)
    } catch (error) {
      if (!isBadTransaction(error)) throw error
      // With many pages coming free, LMDB now and then finds its own list of them wrong at the commit, and aborts. It
      // reads the list anew for the next transaction.
      return this.#transact(fill)
    }
  }

  #transact<Result>(fill: (transaction: IndexTransaction) => Result): Result {
    return this.#index.transactionSync(() =>
      fill({
        put: (key, value) => void this.#index.put(key, value),
        remove: (key) => void this.#index.remove(key),
        locate: (seq, location) => void this.#locations.put(seq, locationValue(location)),
        unlocate: (seq) => void this.#locations.remove(seq),
        countLive: (segment, change) => this.#countLive(segment, change),
        watermark: (position) => void this.#index.put(WATERMARK, positionValue(position)),
      }),
    )
  }

  /** What the last transaction has kept of its graves is in their file. */
  forgetGraves(): void {
    this.write((transaction) => transaction.remove(GRAVES))
  }

  /** Bytes of its file, and of the pages in it that hold something. */
  get room(): { readonly file: number; readonly used: number } {
    const { root, free, pageSize, lastPageNumber, ...index } = this.#index.getStats() as Stats
    const trees = [root, free, index, this.#locations.getStats() as Pages]
    const pages = trees.reduce((sum, tree) => sum + pagesOf(tree), 0)
    return { file: (lastPageNumber + 1) * pageSize, used: pages * pageSize }
  }

  /** A copy of the index as it is now without what is free, in a new directory. */
  async copyTo(directory: string): Promise<void> {
    await this.#index.backup(directory, true)
  }

  close(): Promise<void> {
    return this.#index.close()
  }

  /** What LMDB notices of damage. */
  #read<Result>(run: () => Result): Result {
    try {
      return run()
    } catch (error) {
      throw failure(this.#path, error, 'unavailable')
    }
  }

  #position(key: Buffer): LogPosition {
    const value = this.value(key)
    return value === undefined ? START : { segment: value.readUInt32BE(0), offset: value.readUInt32BE(4) }
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

interface Pages {
  readonly treeBranchPageCount: number
  readonly treeLeafPageCount: number
  readonly overflowPages: number
}

interface Stats extends Pages {
  readonly root: Pages
  readonly free: Pages
  readonly pageSize: number
  readonly lastPageNumber: number
}

function isBadTransaction(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === MDB_BAD_TXN
}

function pagesOf({ treeBranchPageCount, treeLeafPageCount, overflowPages }: Pages): number {
  return treeBranchPageCount + treeLeafPageCount + overflowPages
}

function readLocation(value: Buffer): Location {
  return { segment: value.readUInt32BE(0), offset: value.readUInt32BE(4), length: value.readUInt32BE(8) }
}

function locationValue({ segment, offset, length }: Location): Buffer {
  const value = Buffer.allocUnsafe(12)
  value.writeUInt32BE(segment, 0)
  value.writeUInt32BE(offset, 4)
  value.writeUInt32BE(length, 8)
  return value
}

function positionValue({ segment, offset }: LogPosition): Buffer {
  const value = Buffer.allocUnsafe(8)
  value.writeUInt32BE(segment, 0)
  value.writeUInt32BE(offset, 4)
  return value
}

/** The library's own class of bytes lacks the numbers. */
function bytes(value: Buffer): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
