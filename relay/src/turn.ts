/** One turn of the event loop, shared by all connections: what it takes in, and what it sends out (spec 7.3). */
import { Chain } from './outbox.js'

/** A connection. */
export interface Speaker {
  /** Whether what it says is mostly refused. */
  readonly isDoubtful: boolean
  /** Handles one message that waits at least, more while the turn is not spent. */
  proceed(): void
  /** Writes what is queued. */
  flush(): void
}

/** What messages that waited may take of a turn of the event loop, ms, and again what those may that come in it. */
const SLICE_MS = 1
/** Peers whose messages are mostly refused have one part of the time in so many, together. */
const DOUBT_PARTS = 4

/**
 * Collects the connections that have something to write, and has them write when the turn of the event loop ends. Counts
 * what handling messages takes, so that no peer has a turn for itself however much it says at once.
 */
export class Turn {
  #start = Chain.start()
  #waiting: Speaker[] = []
  #spentMs = 0
  #isRunning = false
  /** After a message that took long others have as long. */
  readonly #held = new Line(this, (took) => took - SLICE_MS)
  readonly #doubtful = new Line(this, (took) => took * (DOUBT_PARTS - 1))

  /** Where an empty outbox begins in this turn. */
  get start(): Chain {
    return this.#start
  }

  add(connection: Speaker): void {
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
    if (this.#isRunning) return
    this.#isRunning = true
    setImmediate(() => {
      this.#isRunning = false
      this.#spentMs = 0
    })
  }

  /** Has the connection proceed in a later turn. */
  hold(connection: Speaker): void {
    const line = connection.isDoubtful ? this.#doubtful : this.#held
    line.add(connection)
  }

  /** A slice for those that waited; what it took, ms. */
  serve(line: Line): number {
    this.#spentMs = 0
    while (!this.isSpent && line.proceed()) {}
    const took = this.#spentMs
    this.#spentMs = 0
    return took
  }

  #end(): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#start = Chain.start()
    for (const connection of waiting) connection.flush()
  }
}

/** Connections with messages that wait, one slice after the other and a rest between. */
class Line {
  readonly #turn: Turn
  /** After a slice that took so long, ms. */
  readonly #restAfter: (took: number) => number
  #connections: Speaker[] = []
  #next = 0
  #notBefore = 0
  #isScheduled = false

  constructor(turn: Turn, restAfter: (took: number) => number) {
    this.#turn = turn
    this.#restAfter = restAfter
  }

  add(connection: Speaker): void {
    this.#connections.push(connection)
    this.#schedule()
  }

  /** The first in line; false when there is none. */
  proceed(): boolean {
    const connection = this.#connections[this.#next]
    if (connection === undefined) return false
    this.#next++
    connection.proceed()
    return true
  }

  #schedule(): void {
    if (this.#isScheduled || this.#connections.length === 0) return
    this.#isScheduled = true
    const serve = () => {
      const took = this.#turn.serve(this)
      this.#connections = this.#connections.slice(this.#next)
      this.#next = 0
      this.#notBefore = performance.now() + this.#restAfter(took)
      this.#isScheduled = false
      this.#schedule()
    }
    const rest = this.#notBefore - performance.now()
    if (rest < 1) setImmediate(serve)
    else setTimeout(serve, rest)
  }
}
