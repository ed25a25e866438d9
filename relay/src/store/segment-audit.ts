/** Walks a segment log from end to end and compares it with its index: for `verify-store` and backups. */
import { readFile } from 'node:fs/promises'
import type { Graves } from './graves.js'
import { type Damage, IndexAudit, idFault } from './index-audit.js'
import { seqKey } from './index-keys.js'
import type { LogIndex } from './log-index.js'
import { before, type LogPosition, type LogRecord, RECORD_HEAD, readRecord } from './log-record.js'
import { decodeRecord } from './record.js'
import type { SegmentReader } from './segment-reader.js'
import { type Amount, StoreError } from './store.js'

export interface SegmentAudit extends Amount {
  readonly damages: readonly Damage[]
  /** Records that the index does not name. */
  readonly dead: readonly LogPosition[]
}

/** Records looked at before others have their turn. */
const STEP = 256

/**
 * What stands behind the watermark of the index is only checked record by record: a write may be under way there, so
 * where it stops to be whole is for the opening to judge.
 */
export async function auditSegments(
  log: SegmentReader,
  index: LogIndex,
  graves: Graves,
): Promise<SegmentAudit> {
  const walk = new Walk(log, index, graves)
  for (const segment of log.list()) await walk.segment(segment)
  await walk.end()
  return walk
}

class Walk implements SegmentAudit {
  readonly damages: Damage[] = []
  readonly dead: LogPosition[] = []
  events = 0
  bytes = 0
  readonly #log: SegmentReader
  readonly #index: LogIndex
  readonly #audit: IndexAudit
  readonly #watermark: LogPosition
  readonly #live = new Map<number, number>()
  #isBuried: (position: LogPosition) => boolean = () => false

  constructor(log: SegmentReader, index: LogIndex, graves: Graves) {
    this.#log = log
    this.#index = index
    this.#audit = new IndexAudit(index, log.seed)
    this.#watermark = index.watermark
    for (const offset of graves.damage()) this.#damaged(graves.path, 'no entry that was written', offset)
    try {
      this.#isBuried = graves.read().isDead
    } catch (error) {
      // It was said above.
      if (!(error instanceof StoreError)) throw error
    }
  }

  async segment(segment: number): Promise<void> {
    const bytes = await readFile(this.#log.file(segment))
    for (let at = 0, count = 0; at < bytes.length; count++) {
      if (count % STEP === STEP - 1) await new Promise(setImmediate)
      const record = readRecord(bytes, at, 0, this.#log.seed)
      if (record !== undefined) {
        this.#record(segment, record)
        at += record.length
        continue
      }
      const next = nextRecord(bytes, at, this.#log.seed)
      const isTail = !before({ segment, offset: at }, this.#watermark) && next === bytes.length
      if (!isTail) this.#damaged(this.#log.file(segment), `${next - at} bytes that are no true record`, at)
      at = next
    }
  }

  async end(): Promise<void> {
    const file = 'index'
    for (const what of await this.#audit.end()) this.#damaged(file, what)
    for (const [segment, live] of this.#index.live())
      if (live !== this.#live.get(segment))
        this.#damaged(
          file,
          `counts ${live} live bytes in ${this.#log.file(segment)}, there are ${this.#live.get(segment) ?? 0}`,
        )
    for (let from = 0n; ; ) {
      const page = this.#index.locations(from, STEP)
      for (const { seq, location } of page)
        try {
          this.#log.record(location, seq)
        } catch {
          const where = `${this.#log.file(location.segment)} at offset ${location.offset}`
          this.#damaged(file, `names an event of seq ${seq} in ${where}, which is not there`)
        }
      const last = page.at(-1)
      if (last === undefined || page.length < STEP) break
      from = last.seq + 1n
      await new Promise(setImmediate)
    }
  }

  #record(segment: number, record: LogRecord): void {
    const position = { segment, offset: record.offset }
    const stored = { seq: record.seq, event: decodeRecord(record.event) }
    const wrong = (lines: readonly string[]) => {
      for (const what of lines) this.#damaged(this.#log.file(segment), what, record.offset)
    }
    const isIndexed = before(position, this.#watermark)
    const location = isIndexed ? this.#index.location(seqKey(record.seq)) : undefined
    if (location?.segment !== segment || location.offset !== record.offset) {
      if (isIndexed) this.dead.push(position)
      wrong(idFault(stored.event))
      return
    }
    this.events++
    this.bytes += record.length - RECORD_HEAD
    this.#live.set(segment, (this.#live.get(segment) ?? 0) + record.length)
    wrong(this.#audit.event(stored))
    if (this.#isBuried(position)) wrong([`the graves have the event ${stored.event.id}, the index too`])
  }

  #damaged(file: string, what: string, offset?: number): void {
    this.damages.push(offset === undefined ? { file, what } : { file, offset, what })
  }
}

/** The offset of the first true record behind `bad`, or the end. */
function nextRecord(bytes: Buffer, bad: number, seed: number): number {
  for (let at = bad + 1; at + RECORD_HEAD <= bytes.length; at++)
    if (readRecord(bytes, at, 0, seed) !== undefined) return at
  return bytes.length
}
