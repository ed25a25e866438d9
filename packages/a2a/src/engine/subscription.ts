/**
 * One reader of one task (spec a2a 6.2 no. 11 and 12, 7.7): a queue between the task, which never waits, and a stream
 * that may. Over its bound, or undrained for too long, the reader is cut; the task and other readers do not notice.
 */
import type { Numbered } from '../engine.js'
import { A2AError } from '../errors.js'
import { type Deferred, deferred } from './deferred.js'

export interface SubscriptionBounds {
  readonly bytes: number
  readonly stallMs: number
  readonly now: () => number
}

export class Subscription {
  /** Ends when this turn asks the caller for something; undefined: when any does. */
  readonly turn: object | undefined
  readonly #bounds: SubscriptionBounds
  readonly #queue: { readonly numbered: Numbered; readonly bytes: number }[] = []
  #head = 0
  #bytes = 0
  #lastDrained: number
  #ended = false
  #error: A2AError | undefined
  #wake: Deferred<void> | undefined
  #relief: Deferred<void> | undefined

  constructor(bounds: SubscriptionBounds, turn?: object) {
    this.#bounds = bounds
    this.turn = turn
    this.#lastDrained = bounds.now()
  }

  get open(): boolean {
    return !this.#ended
  }

  /**
   * A snapshot shares its content with the task and is free. An update larger than half of the bound is taken over it by
   * a queue that is at most half full, or nobody could read it.
   */
  push(numbered: Numbered, bytes: number): void {
    if (this.#ended) return
    const { bytes: bound } = this.#bounds
    const isLarge = bytes * 2 > bound && this.#bytes * 2 <= bound
    if (this.#bytes + bytes > bound && !isLarge) {
      this.#cut()
      return
    }
    if (this.#head === this.#queue.length) this.#lastDrained = this.#bounds.now()
    this.#queue.push({ numbered, bytes })
    this.#bytes += bytes
    this.#wake?.resolve()
  }

  /** After what is queued. */
  end(): void {
    this.#ended = true
    this.#wake?.resolve()
    this.#relief?.resolve()
  }

  /** Cuts a reader that has taken nothing for too long. */
  checkStall(): void {
    const waits = this.#head < this.#queue.length
    if (!this.#ended && waits && this.#bounds.now() - this.#lastDrained > this.#bounds.stallMs) this.#cut()
  }

  /** Resolves when the queue is at most half of its bound, or the reader is gone. */
  relieved(): Promise<void> {
    if (this.#ended || this.#bytes * 2 <= this.#bounds.bytes) return Promise.resolve()
    this.#relief ??= deferred()
    return this.#relief.promise
  }

  async *read(signal?: AbortSignal): AsyncGenerator<Numbered, void, undefined> {
    const leave = (): void => this.#wake?.resolve()
    signal?.addEventListener('abort', leave)
    try {
      while (signal?.aborted !== true) {
        if (this.#error !== undefined) throw this.#error
        const next = this.#take()
        if (next !== undefined) yield next
        else if (this.#ended) return
        else {
          this.#wake = deferred()
          await this.#wake.promise
          this.#wake = undefined
        }
      }
    } finally {
      signal?.removeEventListener('abort', leave)
      this.#queue.length = 0
      this.end()
    }
  }

  #take(): Numbered | undefined {
    const item = this.#queue[this.#head]
    if (item === undefined) return undefined
    this.#head++
    this.#bytes -= item.bytes
    this.#lastDrained = this.#bounds.now()
    if (this.#head === this.#queue.length || this.#head > 1024) {
      this.#queue.splice(0, this.#head)
      this.#head = 0
    }
    if (this.#relief !== undefined && this.#bytes * 2 <= this.#bounds.bytes) {
      this.#relief.resolve()
      this.#relief = undefined
    }
    return item.numbered
  }

  #cut(): void {
    this.#error = new A2AError('RATE_LIMITED', 'The stream was not read fast enough: subscribe again', {
      retryAfterSeconds: 1,
    })
    this.#queue.length = 0
    this.#head = 0
    this.#bytes = 0
    this.end()
  }
}
