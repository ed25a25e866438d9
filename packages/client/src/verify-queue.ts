/**
 * Ids and signatures of what comes in, checked in order of arrival and off the hot path (spec 12): after a few
 * milliseconds of checking everything else has its turn.
 */
import { type Event, type Reject, type VerifiedEvent, verify } from '@aetherkit/core'

/** Milliseconds of checking in one go. One signature takes 0.1 on Node and up to 3 in a browser. */
const SLICE_MS = 2
/** What may wait until reading stops, and until those who cannot stop are cut off; then go on at LOW. */
const HIGH = { tasks: 4096, bytes: 16 * 1024 * 1024 }
const FULL = { tasks: 32_768, bytes: 128 * 1024 * 1024 }
const LOW = 512
/** Verified events kept for the copies that other relays and subscriptions bring; their content, bytes. */
const KEPT_BYTES = 8 * 1024 * 1024
const KEPT_WEIGHT = 512

/** How much waits. */
export type Pressure = 'low' | 'high' | 'full'

export type Verified = { readonly ok: true; readonly event: VerifiedEvent } | Reject

export class VerifyQueue {
  readonly #onPressure: (pressure: Pressure) => void
  #tasks: { readonly run: () => void; readonly bytes: number }[] = []
  #next = 0
  #bytes = 0
  #scheduled = false
  #pressure: Pressure = 'low'
  #closed = false
  readonly #kept = new Map<string, VerifiedEvent>()
  #keptBytes = 0

  /** `onPressure` is told of every change. */
  constructor(onPressure: (pressure: Pressure) => void) {
    this.#onPressure = onPressure
  }

  get pressure(): Pressure {
    return this.#pressure
  }

  /** Runs behind everything queued before. Must not throw. `bytes`: what it holds on to. */
  run(run: () => void, bytes = 0): void {
    if (this.#closed) return
    this.#tasks.push({ run, bytes })
    this.#bytes += bytes
    if (this.#pressure === 'low' && this.#exceeds(HIGH)) this.#press('high')
    if (this.#pressure === 'high' && this.#exceeds(FULL)) this.#press('full')
    this.#schedule()
  }

  /** To be called from a task. The id commits to all but the signature, so a verified event of this id is this event. */
  check(event: Event): Verified {
    const known = this.#kept.get(event.id)
    if (known !== undefined) return { ok: true, event: known }
    const verified = verify(event)
    if (verified.ok) this.#keep(verified.event)
    return verified
  }

  close(): void {
    this.#closed = true
    this.#tasks = []
    this.#next = 0
  }

  #exceeds({ tasks, bytes }: { readonly tasks: number; readonly bytes: number }): boolean {
    return this.#tasks.length - this.#next > tasks || this.#bytes > bytes
  }

  #press(pressure: Pressure): void {
    this.#pressure = pressure
    this.#onPressure(pressure)
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    afterOthers(() => this.#work())
  }

  #work(): void {
    this.#scheduled = false
    const end = performance.now() + SLICE_MS
    while (this.#next < this.#tasks.length) {
      const task = this.#tasks[this.#next++]
      this.#bytes -= task?.bytes ?? 0
      task?.run()
      if (performance.now() >= end) break
    }
    if (this.#next === this.#tasks.length || this.#next > HIGH.tasks) {
      this.#tasks = this.#tasks.slice(this.#next)
      this.#next = 0
    }
    if (this.#pressure !== 'low' && this.#tasks.length - this.#next < LOW && !this.#exceeds(HIGH))
      this.#press('low')
    if (this.#next < this.#tasks.length) this.#schedule()
  }

  #keep(event: VerifiedEvent): void {
    const weight = KEPT_WEIGHT + event.content.length
    if (weight > KEPT_BYTES / 16) return
    this.#kept.set(event.id, event)
    this.#keptBytes += weight
    for (const [id, oldest] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES) return
      this.#kept.delete(id)
      this.#keptBytes -= KEPT_WEIGHT + oldest.content.length
    }
  }
}

/** Runs after what the event loop has ready, timers and input included. */
function afterOthers(run: () => void): void {
  if (typeof setImmediate === 'function') setImmediate(run)
  else if (typeof MessageChannel === 'function') {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      run()
    }
    port2.postMessage(undefined)
  } else setTimeout(run, 0)
}
