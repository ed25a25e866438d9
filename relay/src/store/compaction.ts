/**
 * Gives back the room of what was replaced or removed: a sealed segment that is dead for more than its half is read through, what
 * is still wanted is appended to the log again, and when the index has all of it at its new place, the file goes. Until
 * then both copies are true, so a crash at any moment costs nothing but the work.
 */
import { setTimeout } from 'node:timers/promises'
import { seqKey } from './index-keys.js'
import type { LogIndex } from './log-index.js'
import type { LogRecord } from './log-record.js'
import type { Overlay } from './overlay.js'
import type { SegmentLog } from './segment-log.js'
import { StoreError } from './store.js'

const MAX_REST_MS = 100
/** Of the log, read and moved at once. */
const MOVE_BYTES = 1 << 16

export interface CompactionOptions {
  readonly log: SegmentLog
  readonly index: LogIndex
  readonly overlay: Overlay
  /** Appends those of the records that are wanted when their turn among the puts has come. */
  move(records: readonly LogRecord[], isWanted: (record: LogRecord) => boolean): Promise<void>
  /** Resolves when everything moved is indexed. */
  through(): Promise<void>
  /** Whether no segment may go. */
  isPinned(): boolean
}

export class Compaction {
  readonly #options: CompactionOptions
  #running: Promise<void> | undefined
  #closed = false
  /** Segments that could not be moved, for damage: their other events are still there to be read. */
  readonly #stuck = new Set<number>()

  constructor(options: CompactionOptions) {
    this.#options = options
  }

  /** Looks for a segment that is worth it, unless one is under way; to be called when the index has grown. */
  check(): void {
    if (this.#closed || this.#running !== undefined || this.#options.isPinned()) return
    const segment = this.#worst()
    if (segment === undefined) return
    this.#running = this.#compact(segment)
      .then(
        () => true,
        (error: unknown) => {
          const isPassing = error instanceof StoreError && error.code === 'storage_full'
          if (!isPassing) this.#stuck.add(segment)
          return !isPassing
        },
      )
      .then((goOn) => {
        this.#running = undefined
        if (goOn) this.check()
      })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  #worst(): number | undefined {
    const { log, index } = this.#options
    const { segment: indexed } = index.watermark
    const live = index.live()
    let worst: number | undefined
    let share = 0.5
    for (const [segment, size] of log.sizes) {
      const dead = size === 0 ? 0 : 1 - (live.get(segment) ?? 0) / size
      if (segment >= indexed || dead <= share || this.#stuck.has(segment)) continue
      worst = segment
      share = dead
    }
    return worst
  }

  async #compact(segment: number): Promise<void> {
    const { log, index, move, through, isPinned } = this.#options
    // What is wholly dead need not be read.
    const size = index.live().has(segment) ? (log.sizes.get(segment) ?? 0) : 0
    for (let at = 0; at < size; ) {
      const { records, end } = log.step(segment, at, size, MOVE_BYTES)
      const start = performance.now()
      await move(records, (record) => this.#isWanted(segment, record))
      if (this.#closed) return
      at = end
      // A put waits for a move: at least half of the time is theirs.
      await setTimeout(Math.min(performance.now() - start, MAX_REST_MS))
      if (this.#closed) return
    }
    await through()
    if (this.#closed || isPinned()) return
    if (index.live().has(segment)) throw log.corrupt({ segment, offset: size })
    log.remove(segment)
  }

  #isWanted(segment: number, { seq, offset, event }: LogRecord): boolean {
    const { index, overlay } = this.#options
    const location = index.location(seqKey(seq))
    if (location?.segment !== segment || location.offset !== offset) return false
    return !overlay.hasRemoved(event.toString('hex', 0, 32))
  }
}
