/** COUNT (NIP-45): how many stored events the filters match, each counted once; what a peer may not read does not count. */
import { type Filter, reject } from '@aetherkit/core'
import type { Bus } from '../bus.js'
import { storedEvents } from '../stored-events.js'
import type { Reader } from '../view.js'
import { closedMessage } from './nostr-wording.js'

/** Events after which others have their turn. */
const STEP = 256
/** A count that reaches it ends there and says that it is approximate. */
const MAX_COUNT = 100_000
/** Counts of one connection that may wait. */
const MAX_WAITING = 32

interface Count {
  readonly sub: string
  readonly filters: readonly Filter[]
}

/** The counts of one connection, one after the other. */
export class NostrCounts {
  readonly #bus: Bus
  readonly #reader: Reader
  readonly #send: (message: string) => void
  #waiting: Count[] = []
  #running = false
  #open = true

  constructor(bus: Bus, reader: Reader, send: (message: string) => void) {
    this.#bus = bus
    this.#reader = reader
    this.#send = send
  }

  add(sub: string, filters: readonly Filter[]): void {
    const isOneTooMany = this.#waiting.length >= MAX_WAITING
    const refusal = isOneTooMany
      ? reject('limit_exceeded', undefined, `at most ${MAX_WAITING} counts at once`)
      : this.#bus.access.refuse(filters, this.#reader.peer)
    if (refusal !== undefined) {
      this.#send(closedMessage(sub, refusal))
      return
    }
    this.#waiting.push({ sub, filters })
    if (!this.#running) void this.#run()
  }

  close(): void {
    this.#open = false
    this.#waiting = []
  }

  async #run(): Promise<void> {
    this.#running = true
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await this.#count(next)
      } catch (error) {
        this.#bus.observe({ type: 'fault', error })
        this.#send(closedMessage(next.sub, reject('unavailable')))
      }
    }
    this.#running = false
  }

  async #count({ sub, filters }: Count): Promise<void> {
    const { history } = this.#bus.view(this.#reader, true)
    // A filter's own limit is for events that are sent.
    const all = filters.map(({ limit: _, ...filter }): Filter => filter)
    const events = storedEvents(history, all, { seam: history.ring.last, unlimited: true })
    let count = 0
    while (count < MAX_COUNT && events.next().done !== true) {
      if (++count % STEP !== 0) continue
      await new Promise(setImmediate)
      if (!this.#open) return
    }
    const approximate = count === MAX_COUNT ? { approximate: true } : {}
    this.#send(JSON.stringify(['COUNT', sub, { count, ...approximate }]))
  }
}
