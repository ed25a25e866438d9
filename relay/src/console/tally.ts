/** Counts of what a relay observes, in all and by the second. Codes and statuses are closed lists, so it stays small. */
import type { RelayEvent } from '../bus.js'
import type { Counts, Rates } from './console-data.js'

const SECONDS = 60

export class Tally {
  readonly #accepted = new Map<string, number>()
  readonly #rejected = new Map<string, number>()
  readonly #counts = { slow_consumer: 0, undeliverable: 0, fault: 0, store_failed: 0, committed: 0 }
  #commitMs = 0
  readonly #perSecond = { accepted: new Second(), rejected: new Second() }
  readonly #clock: () => number
  readonly #started: number

  /** `clock`: milliseconds that only rise. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock
    this.#started = clock()
  }

  /** Whole seconds since it began to count. */
  get age(): number {
    return Math.floor((this.#clock() - this.#started) / 1000)
  }

  observe(event: RelayEvent): void {
    if (event.type === 'accepted') {
      add(this.#accepted, event.status)
      this.#perSecond.accepted.add(this.#second)
    } else if (event.type === 'rejected') {
      add(this.#rejected, event.code)
      this.#perSecond.rejected.add(this.#second)
    } else if (event.type === 'committed') {
      this.#counts.committed++
      this.#commitMs = event.ms
    } else if (event.type === 'slow_consumer') this.#counts.slow_consumer++
    else if (event.type === 'undeliverable') this.#counts.undeliverable++
    else if (event.type === 'fault') this.#counts.fault++
    else if (event.type === 'store_failed') this.#counts.store_failed++
  }

  get counts(): Counts {
    const { slow_consumer, undeliverable, fault, store_failed, committed } = this.#counts
    return {
      accepted: Object.fromEntries(this.#accepted),
      rejected: Object.fromEntries(this.#rejected),
      ...{ slow_consumers: slow_consumer, undeliverable, faults: fault, store_failures: store_failed },
      commits: committed,
      commit_us: Math.round(this.#commitMs * 1000),
    }
  }

  get rates(): Rates {
    const { accepted, rejected } = this.#perSecond
    return { accepted: accepted.before(this.#second), rejected: rejected.before(this.#second) }
  }

  get #second(): number {
    return Math.floor(this.#clock() / 1000)
  }
}

/** A ring of counts, one slot more than is shown: the second that is under way. */
class Second {
  readonly #slots = new Uint32Array(SECONDS + 1)
  #last = 0

  add(second: number): void {
    this.#turn(second)
    const slot = second % this.#slots.length
    this.#slots[slot] = (this.#slots[slot] ?? 0) + 1
  }

  /** The whole seconds before this one, the oldest first. */
  before(second: number): readonly number[] {
    this.#turn(second)
    return Array.from({ length: SECONDS }, (_, i) => {
      const at = second - SECONDS + i
      return at < 0 ? 0 : (this.#slots[at % this.#slots.length] ?? 0)
    })
  }

  #turn(second: number): void {
    const length = this.#slots.length
    for (let at = Math.max(this.#last + 1, second - length + 1); at <= second; at++)
      this.#slots[at % length] = 0
    this.#last = Math.max(this.#last, second)
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
