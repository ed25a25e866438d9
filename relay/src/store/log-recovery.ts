/**
 * What of the log stands behind a position, read when a store is opened (spec 2.4). A write that a crash tore can only
 * be the last one: it is cut off. Anything else that cannot be read is damage, and said so.
 */
import type { Graves } from './graves.js'
import { seqKey } from './index-keys.js'
import type { LogIndex } from './log-index.js'
import { before, hasLaterBatch, type LogPosition, type LogRecord, readBatches } from './log-record.js'
import { readPruned } from './pruned.js'
import type { SegmentLog } from './segment-log.js'
import { StoreError } from './store.js'

/** Whole batches of one segment; `end` is the position behind them. */
export interface Chunk {
  readonly segment: number
  readonly records: readonly LogRecord[]
  readonly end: LogPosition
}

/**
 * `whole`: the log is known to have been on disk up to here.
 * @throws StoreError `unavailable` at damage; the message names segment and offset.
 */
export function* tail(log: SegmentLog, from: LogPosition, whole: LogPosition): Generator<Chunk, void, void> {
  for (const known of [from, whole]) {
    const size = log.sizes.get(known.segment) ?? (known.segment < log.end.segment ? Infinity : 0)
    if (size < known.offset)
      throw new StoreError(
        'unavailable',
        `the log has lost events: ${log.file(known.segment)} ends before offset ${known.offset}, restore it from a copy`,
      )
  }
  const last = log.end.segment
  for (const [segment, size] of [...log.sizes]) {
    const base = segment === from.segment ? from.offset : 0
    if (segment < from.segment || base === size) continue
    const bytes = log.bytes(segment, base, size)
    const { records, end } = readBatches(bytes, base, log.seed)
    if (end < size) {
      const bad = { segment, offset: end }
      if (segment !== last || before(bad, whole) || hasLaterBatch(bytes, base, end, log.seed))
        throw log.corrupt(bad)
      log.cutTo(end)
    }
    yield { segment, records, end: { segment, offset: end } }
  }
}

/** The graves of everything in the log that a whole index does not name, and its marks. */
export function gravesOf(log: SegmentLog, index: LogIndex, graves: Graves): Buffer[] {
  const found = graves.marks(readPruned(index))
  for (const [segment, length] of log.sizes) {
    if (segment > index.watermark.segment) break
    const size = segment === index.watermark.segment ? index.watermark.offset : length
    for (let at = 0; at < size; ) {
      const { records, end } = log.step(segment, at, size)
      for (const { seq, offset } of records) {
        const location = index.location(seqKey(seq))
        if (location?.segment !== segment || location.offset !== offset)
          found.push(graves.grave({ segment, offset }))
      }
      at = end
    }
  }
  return found
}
