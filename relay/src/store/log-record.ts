/**
 * Bytes of the segment log: records, one behind the other, written in batches that count whole or not at all.
 *
 *   0    checksum   4   CRC-32 of everything behind it, begun with the seed of the store
 *   4    length     4   of the event
 *   8    begin      4   offset in the segment at which the batch of this record begins
 *   12   last       1   1: the batch ends here, 0: more of it follow
 *   13   seq        8   u64
 *   21   event      n   see `record.ts`
 *
 * All numbers are big-endian. Nobody but the store knows its seed, so no event can carry bytes that pass for a record.
 */
import { crc32 } from 'node:zlib'

export const RECORD_HEAD = 21

/** A place in the log: everything of the segments before it, and of its own up to the offset. */
export interface LogPosition {
  readonly segment: number
  readonly offset: number
}

/** Where a record stands; `length` is that of the whole record. */
export interface Location extends LogPosition {
  readonly length: number
}

export interface Entry {
  readonly seq: bigint
  /** The encoded event. */
  readonly event: Buffer
}

export interface LogRecord extends Entry {
  readonly offset: number
  readonly length: number
  readonly begin: number
  readonly last: boolean
}

export function before(a: LogPosition, b: LogPosition): boolean {
  return a.segment === b.segment ? a.offset < b.offset : a.segment < b.segment
}

/** One batch, to be written at the offset `begin`. */
export function packBatch(entries: readonly Entry[], begin: number, seed: number): Buffer {
  let size = 0
  for (const { event } of entries) size += RECORD_HEAD + event.length
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const [index, { seq, event }] of entries.entries()) {
    const end = at + RECORD_HEAD + event.length
    bytes.writeUInt32BE(event.length, at + 4)
    bytes.writeUInt32BE(begin, at + 8)
    bytes[at + 12] = index === entries.length - 1 ? 1 : 0
    bytes.writeBigUInt64BE(seq, at + 13)
    bytes.set(event, at + RECORD_HEAD)
    bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, end), seed), at)
    at = end
  }
  return bytes
}

/** The record at `at` of `bytes`, which begin at the offset `base` of their segment; undefined: no whole and true one. */
export function readRecord(bytes: Buffer, at: number, base: number, seed: number): LogRecord | undefined {
  if (at + RECORD_HEAD > bytes.length) return undefined
  const length = RECORD_HEAD + bytes.readUInt32BE(at + 4)
  const end = at + length
  const offset = base + at
  const begin = bytes.readUInt32BE(at + 8)
  if (end > bytes.length || begin > offset) return undefined
  if (crc32(bytes.subarray(at + 4, end), seed) !== bytes.readUInt32BE(at)) return undefined
  const event = bytes.subarray(at + RECORD_HEAD, end)
  return { seq: bytes.readBigUInt64BE(at + 13), event, offset, length, begin, last: bytes[at + 12] === 1 }
}

/** The whole batches at the start of `bytes`; `end` is the offset behind the last of them. */
export function readBatches(
  bytes: Buffer,
  base: number,
  seed: number,
): { records: LogRecord[]; end: number } {
  const records: LogRecord[] = []
  let whole = 0
  let begin = base
  for (;;) {
    const at = records.length === 0 ? 0 : records.at(-1)!.offset + records.at(-1)!.length - base
    const record = readRecord(bytes, at, base, seed)
    if (record === undefined || record.begin !== begin) break
    records.push(record)
    if (!record.last) continue
    whole = records.length
    begin = record.offset + record.length
  }
  return { records: records.slice(0, whole), end: begin }
}

/**
 * Whether a batch that begins behind the offset `bad` can be read from `bytes`. A batch is written only after the one
 * before it is on disk, so then what stands at `bad` was whole once, and is no torn write.
 */
export function hasLaterBatch(bytes: Buffer, base: number, bad: number, seed: number): boolean {
  for (let at = bad - base + 1; at + RECORD_HEAD <= bytes.length; at++) {
    if (bytes.readUInt32BE(at + 8) <= bad) continue
    if (readRecord(bytes, at, base, seed) !== undefined) return true
  }
  return false
}
