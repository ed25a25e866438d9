/**
 * Writes the index of a segment log: takes in what was appended, and takes out what is to be removed. Each call is one
 * transaction; the graves it makes are written after it, from a copy that the transaction kept:
 *
 *   index key                        value
 *   00  "graves"                     length of the file before them 8, then the entries of the last transaction
 */
import { replaceKey, supersedes } from '@aetherkit/core'
import { DELETION, isTarget, targetsOf } from './deletion.js'
import type { Graves } from './graves.js'
import { idKey, replaceIndexKey, seqKey, usageKey, visitEventKeys } from './index-keys.js'
import { hasDeletions, isDeletedBy } from './indexed-query.js'
import { KindTable } from './kind-table.js'
import { GRAVES, type IndexTransaction, type LogIndex } from './log-index.js'
import type { LogPosition, LogRecord } from './log-record.js'
import { type Pruned, prunedEntries, readPruned } from './pruned.js'
import { decodeRecord } from './record.js'
import type { SegmentReader } from './segment-reader.js'
import { type Amount, type Removal, type StoredEvent, StoreError } from './store.js'
import { UsageChange } from './usage.js'
import { type VictimReader, victims } from './victims.js'

const NO_VALUE = Buffer.alloc(0)

export class LogIndexWriter {
  readonly #index: LogIndex
  readonly #log: SegmentReader
  readonly #graves: Graves
  readonly #reader: VictimReader
  readonly #table: KindTable
  /** The graves of the last transaction are known to be in their file. */
  #settled = false

  constructor(index: LogIndex, log: SegmentReader, graves: Graves) {
    this.#index = index
    this.#log = log
    this.#graves = graves
    this.#reader = {
      keys: index.keys.bind(index),
      keysBack: index.keysBack.bind(index),
      entries: index.entries.bind(index),
      value: index.value.bind(index),
      size: index.size.bind(index),
      id: (seq) => load(index, log, seq).event.id,
    }
    this.#table = new KindTable(this.#reader)
  }

  /**
   * Takes in records that stand behind the watermark and moves it to `end`. What the records say is judged as
   * {@link Store.put} judged it, but those for which `isDead` says so are left out.
   */
  apply(
    segment: number,
    records: readonly LogRecord[],
    end: LogPosition,
    isDead: (position: LogPosition) => boolean = () => false,
  ): void {
    this.#transact((update) => {
      for (const record of records)
        if (!isDead({ segment, offset: record.offset })) update.take(segment, record)
      update.transaction.watermark(end)
    })
  }

  /** See {@link Store.remove}. */
  remove(removal: Removal, limit: number): Amount {
    this.#index.refresh()
    const taken = victims(this.#reader, this.#table, removal, limit).map((seq) =>
      load(this.#index, this.#log, seq),
    )
    if (taken.length === 0) return { events: 0, bytes: 0 }
    let bytes = 0
    this.#transact((update) => {
      for (const victim of taken) update.remove(victim)
      if ('kinds' in removal) update.prune(taken)
      bytes = 0 - update.usage.bytes
    })
    return { events: taken.length, bytes }
  }

  /** What the graves know of it. */
  prune(known: Pruned): void {
    const before = readPruned(this.#index)
    this.#index.write((transaction) => {
      for (const [key, value] of prunedEntries(before, before.or(known))) transaction.put(key, value)
    })
  }

  /** Puts the graves of the last transaction into their file, should it have been killed before. */
  settle(): void {
    if (this.#settled) return
    const pending = this.#index.value(GRAVES)
    if (pending !== undefined)
      this.#graves.append(Number(pending.readBigUInt64BE()), Buffer.from(pending.subarray(8)))
    this.#settled = true
  }

  /** Of the graves, leaves only those of these segments. */
  tidy(segments: ReadonlySet<number>): void {
    if (!this.#graves.isUntidy) return
    this.settle()
    this.#index.forgetGraves()
    this.#graves.tidy(segments)
  }

  #transact(fill: (update: Update) => void): void {
    this.settle()
    try {
      this.#table.changed(this.#write(fill).usage)
    } catch (error) {
      this.#table.forget()
      throw error
    }
    this.settle()
  }

  #write(fill: (update: Update) => void): Update {
    return this.#index.write((transaction) => {
      const update = new Update(this.#index, this.#log, this.#graves, transaction)
      fill(update)
      for (const [kind, value] of update.usage.values((kind) => this.#index.value(usageKey(kind))))
        if (value === undefined) transaction.remove(usageKey(kind))
        else transaction.put(usageKey(kind), value)
      for (const [segment, change] of update.live) transaction.countLive(segment, change)
      if (update.graves.length === 0) return update
      transaction.put(GRAVES, Buffer.concat([seqKey(BigInt(this.#graves.length)), ...update.graves]))
      this.#settled = false
      return update
    })
  }
}

/** One transaction. */
class Update {
  readonly usage = new UsageChange()
  /** Change of the bytes of each segment that are still wanted. */
  readonly live = new Map<number, number>()
  readonly graves: Buffer[] = []
  readonly transaction: IndexTransaction
  readonly #index: LogIndex
  readonly #log: SegmentReader
  readonly #graves: Graves
  #hasDeletions: boolean

  constructor(index: LogIndex, log: SegmentReader, graves: Graves, transaction: IndexTransaction) {
    this.#index = index
    this.#log = log
    this.#graves = graves
    this.transaction = transaction
    this.#hasDeletions = hasDeletions(index)
  }

  take(segment: number, record: LogRecord): void {
    const stored: StoredEvent = { seq: record.seq, event: decodeRecord(record.event) }
    const seq = seqKey(record.seq)
    const known = this.#index.value(idKey(stored.event.id))
    // Compaction moved it.
    if (known?.equals(seq)) this.#locate(seq, segment, record)
    else if (known !== undefined || !this.#add(stored))
      this.graves.push(this.#graves.grave({ segment, offset: record.offset }))
    else this.#locate(seq, segment, record)
  }

  remove({ seq: number, event }: StoredEvent): void {
    const seq = seqKey(number)
    this.#bury(seq)
    this.transaction.unlocate(seq)
    this.transaction.remove(idKey(event.id))
    const key = replaceKey(event)
    if (key !== undefined) this.transaction.remove(replaceIndexKey(key))
    visitEventKeys({ seq: number, event }, this.#log.seed, (key) => this.transaction.remove(key))
    this.usage.add(event, -1)
  }

  /** After the same events were removed by age, count or size. */
  prune(taken: readonly StoredEvent[]): void {
    const before = readPruned(this.#index)
    const now = before.and(taken)
    for (const [key, value] of prunedEntries(before, now)) this.transaction.put(key, value)
    this.graves.push(...this.#graves.marks(now, before))
  }

  /** False when it lost to what is stored. */
  #add(stored: StoredEvent): boolean {
    const { event } = stored
    const key = replaceKey(event)
    if (this.#hasDeletions && isDeletedBy(this.#index, event, key)) return false
    if (key !== undefined) {
      const winner = this.#stored(replaceIndexKey(key))
      if (winner !== undefined && !supersedes(event, winner.event)) return false
      if (winner !== undefined) this.remove(winner)
      this.transaction.put(replaceIndexKey(key), seqKey(stored.seq))
    }
    this.transaction.put(idKey(event.id), seqKey(stored.seq))
    visitEventKeys(stored, this.#log.seed, (key) => this.transaction.put(key, NO_VALUE))
    this.usage.add(event, 1)
    if (event.kind === DELETION) this.#delete(stored)
    return true
  }

  #delete({ event: deletion }: StoredEvent): void {
    this.#hasDeletions = true
    const { ids, replaceKeys } = targetsOf(deletion)
    for (const id of ids) {
      const named = this.#stored(idKey(id))
      if (named !== undefined && isTarget(deletion, named.event, 'ids')) this.remove(named)
    }
    for (const key of replaceKeys) {
      const named = this.#stored(replaceIndexKey(key))
      if (named !== undefined && isTarget(deletion, named.event, 'replaceKeys')) this.remove(named)
    }
  }

  #stored(key: Buffer): StoredEvent | undefined {
    const seq = this.#index.value(key)
    return seq && load(this.#index, this.#log, seq)
  }

  #locate(seq: Buffer, segment: number, { offset, length }: LogRecord): void {
    this.#bury(seq)
    this.#count(segment, length)
    this.transaction.locate(seq, { segment, offset, length })
  }

  /** The record where it stands now. */
  #bury(seq: Buffer): void {
    const old = this.#index.location(seq)
    if (old === undefined) return
    this.#count(old.segment, -old.length)
    this.graves.push(this.#graves.grave(old))
  }

  #count(segment: number, change: number): void {
    this.live.set(segment, (this.live.get(segment) ?? 0) + change)
  }
}

function load(index: LogIndex, log: SegmentReader, seq: Buffer): StoredEvent {
  const location = index.location(seq)
  const number = seq.readBigUInt64BE()
  if (location === undefined)
    throw new StoreError(
      'unavailable',
      `the index is damaged: it names seq ${number}, but not where it is, see verify-store`,
    )
  return { seq: number, event: decodeRecord(log.record(location, number).event) }
}
