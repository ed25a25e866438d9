/**
 * When the index takes in what the log has (spec 2.4): as soon as enough for a large transaction has come together, or
 * after a while. It bounds what may wait in the overlay, and with it the memory and the time of the next opening.
 */
import type { IndexThread } from './index-thread.js'
import type { LogIndex } from './log-index.js'
import { before, type LogPosition } from './log-record.js'
import type { Overlay } from './overlay.js'

export interface Bounds {
  /** Events and bytes of log that the overlay holds before a put has to wait. */
  readonly events: number
  readonly bytes: number
  /** After this time, in milliseconds, even a few events are indexed. */
  readonly delay: number
}

const RETRY_MS = 1000

export interface IndexWriterOptions {
  readonly overlay: Overlay
  readonly index: LogIndex
  readonly thread: IndexThread
  readonly bounds: Bounds
  /** Called after each transaction. */
  indexed(): void
}

export class IndexWriter {
  readonly #options: IndexWriterOptions
  /** The overlay has the log up to here. */
  #end: LogPosition
  #indexed: LogPosition
  #goal: LogPosition | undefined
  #round: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: IndexWriterOptions, end: LogPosition) {
    this.#options = options
    this.#indexed = options.index.watermark
    this.#end = this.#indexed
    this.added(end)
  }

  /** The overlay has got the log up to `end`. */
  added(end: LogPosition): void {
    this.#end = end
    this.#schedule()
  }

  /** Resolves when the overlay has room; rejects with StoreError when the index cannot be written. */
  async room(): Promise<void> {
    const { overlay, bounds } = this.#options
    while (overlay.events >= bounds.events || overlay.bytes >= bounds.bytes) await this.#run()
  }

  /** Resolves when all that was added until now is indexed. */
  async through(): Promise<void> {
    for (const goal = this.#end; before(this.#indexed, goal); ) await this.#run()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#round?.catch(() => undefined)
    await this.#options.thread.close()
  }

  #schedule(): void {
    if (this.#closed || this.#round !== undefined || !before(this.#indexed, this.#end)) return
    const { overlay, bounds } = this.#options
    const { events, bytes } = overlay.growing
    if (events >= bounds.events / 2 || bytes >= bounds.bytes / 2) this.#runLater(0)
    else this.#timer ??= this.#runLater(bounds.delay)
  }

  #runLater(delay: number): NodeJS.Timeout | undefined {
    const run = () => void this.#run().catch(() => undefined)
    if (delay > 0) return setTimeout(run, delay).unref()
    run()
    return undefined
  }

  #run(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#round ??= this.#transact().then(
      () => {
        this.#round = undefined
        this.#schedule()
        if (!this.#closed) this.#options.indexed()
      },
      (error: unknown) => {
        this.#round = undefined
        if (!this.#closed) this.#timer ??= this.#runLater(RETRY_MS)
        throw error
      },
    )
    return this.#round
  }

  async #transact(): Promise<void> {
    const { overlay, index, thread } = this.#options
    if (this.#goal === undefined) {
      overlay.freeze()
      this.#goal = this.#end
    }
    await thread.index(this.#goal)
    index.refresh()
    overlay.drop()
    this.#indexed = this.#goal
    this.#goal = undefined
  }
}
