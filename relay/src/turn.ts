/** One turn of the event loop, shared by all connections: what it takes in, and what it sends out (spec 7.3). */
import type { Connection } from './connection.js'
import { Chain } from './outbox.js'

/** What messages that waited may take of a turn of the event loop, ms, and again what those may that come in it. */
const SLICE_MS = 1

/**
 * Collects the connections that have something to write, and has them write when the turn of the event loop ends. Counts
 * what handling messages takes, so that no peer has a turn for itself however much it says at once.
 */
export class Turn {
  #start = Chain.start()
  #waiting: Connection[] = []
  #spentMs = 0
  #held: Connection[] = []
  #isRunning = false

  /** Where an empty outbox begins in this turn. */
  get start(): Chain {
    return this.#start
  }

  add(connection: Connection): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#end())
    this.#waiting.push(connection)
  }

  /** Whether messages that come now wait for the next turn. */
  get isSpent(): boolean {
    return this.#spentMs >= SLICE_MS
  }

  /** Runs what handles one message. */
  spend(handle: () => void): void {
    const begun = performance.now()
    handle()
    this.#spentMs += performance.now() - begun
    this.#run()
  }

  /** Has the connection proceed in the next turn. */
  hold(connection: Connection): void {
    this.#held.push(connection)
    this.#run()
  }

  #run(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    setImmediate(() => {
      this.#isRunning = false
      this.#spentMs = 0
      const held = this.#held
      this.#held = []
      let done = 0
      while (done < held.length && !this.isSpent) held[done++]?.proceed()
      // First in the next turn, before those that have just had theirs.
      this.#held = [...held.slice(done), ...this.#held]
      if (this.#held.length > 0) this.#run()
      this.#spentMs = 0
    })
  }

  #end(): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#start = Chain.start()
    for (const connection of waiting) connection.flush()
  }
}
