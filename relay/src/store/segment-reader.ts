/** Reads the segments of a log: files `<number, ten digits>.log` in one directory. Every record is checked as it is read. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { type Location, type LogPosition, type LogRecord, readBatches, readRecord } from './log-record.js'
import { StoreError } from './store.js'

/** Segment files kept open at most. */
const MAX_OPEN = 256
/** Read at once by {@link SegmentReader.records}. */
const STEP = 1 << 18

export class SegmentReader {
  readonly directory: string
  readonly seed: number
  /** By segment, the least recently used first. */
  readonly #open = new Map<number, number>()

  constructor(directory: string, seed: number) {
    this.directory = directory
    this.seed = seed
  }

  /** The segments there are, rising. */
  list(): number[] {
    return readdirSync(this.directory)
      .filter((name) => /^\d{10}\.log$/.test(name))
      .map((name) => Number.parseInt(name, 10))
      .sort((a, b) => a - b)
  }

  file(segment: number): string {
    return join(this.directory, `${String(segment).padStart(10, '0')}.log`)
  }

  size(segment: number): number {
    return fstatSync(this.#descriptor(segment)).size
  }

  /** @throws StoreError `unavailable` when it is not, or no longer, there. */
  record(location: Location, seq: bigint): LogRecord {
    const { segment, offset, length } = location
    const record = readRecord(this.bytes(segment, offset, offset + length), 0, offset, this.seed)
    if (record?.seq !== seq || record.length !== length) throw this.corrupt(location)
    return record
  }

  bytes(segment: number, from: number, to: number): Buffer {
    const bytes = Buffer.allocUnsafe(to - from)
    let at = 0
    while (at < bytes.length) {
      const read = readSync(this.#descriptor(segment), bytes, at, bytes.length - at, from + at)
      if (read === 0) throw this.corrupt({ segment, offset: from + at })
      at += read
    }
    return bytes
  }

  /** All records of the range, which is one of whole batches. */
  range(segment: number, from: number, to: number): LogRecord[] {
    const { records, end } = readBatches(this.bytes(segment, from, to), from, this.seed)
    if (end !== to) throw this.corrupt({ segment, offset: end })
    return records
  }

  /** The records from `from` on, about `bytes` at a time; `end` is the offset behind them. */
  step(segment: number, from: number, size: number, bytes = STEP): { records: LogRecord[]; end: number } {
    const records: LogRecord[] = []
    for (let room = bytes; ; room *= 4) {
      const chunk = this.bytes(segment, from, Math.min(size, from + room))
      let at = 0
      for (;;) {
        const record = readRecord(chunk, at, from, this.seed)
        if (record === undefined) break
        records.push(record)
        at += record.length
      }
      if (records.length > 0) return { records, end: from + at }
      if (from + room >= size) throw this.corrupt({ segment, offset: from })
    }
  }

  corrupt({ segment, offset }: LogPosition): StoreError {
    return new StoreError(
      'unavailable',
      `the log is corrupt: ${this.file(segment)} has no true record at offset ${offset}, restore it from a copy`,
    )
  }

  /** Closes the file. */
  forget(segment: number): void {
    const descriptor = this.#open.get(segment)
    if (descriptor === undefined) return
    this.#open.delete(segment)
    closeSync(descriptor)
  }

  forgetAll(): void {
    for (const segment of [...this.#open.keys()]) this.forget(segment)
  }

  #descriptor(segment: number): number {
    let descriptor = this.#open.get(segment)
    if (descriptor === undefined) {
      descriptor = openSync(this.file(segment), 'r')
      if (this.#open.size >= MAX_OPEN) this.forget(this.#open.keys().next().value!)
    } else this.#open.delete(segment)
    this.#open.set(segment, descriptor)
    return descriptor
  }
}
