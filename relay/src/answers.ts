/**
 * The order of one connection's answers (spec 7.4): what came first is answered first. A publish takes its place when
 * it arrives and is answered when its verdict is known; anything behind it waits for that.
 */
import type { Reject } from '@aetherkit/core'
import type { Publisher } from './bus.js'
import type { Accepted } from './commit.js'
import type { Limits } from './limits.js'

/** What may be due to one connection before it is not read from. */
export interface Window {
  readonly answers: number
  /** Of the messages that are to be answered. */
  readonly bytes: number
}

export function windowOf({ unackedPublishes, unackedBytes }: Limits): Window {
  return { answers: unackedPublishes, bytes: unackedBytes }
}

export class Answers {
  readonly #window: Window
  readonly #reader: { pause(): void; resume(): void }
  #waiting: Place[] = []
  #paused = false
  /** Of the message that is being handled, of the one that is being answered, and of all that wait. */
  #handled = 0
  #answered = 0
  #bytes = 0

  /** The reader is paused while more is due than the window has (spec 7.3). */
  constructor(window: Window, reader: { pause(): void; resume(): void }) {
    this.#window = window
    this.#reader = reader
  }

  /** What follows is about a message of so many bytes. */
  handling(bytes: number): void {
    this.#handled = bytes
  }

  /** Of the message that is being answered. */
  get bytes(): number {
    return this.#answered
  }

  /** Runs now, or when everything before it is answered. */
  inOrder(run: () => void): void {
    if (this.#waiting.length === 0) {
      this.#answered = this.#handled
      run()
    } else this.#push(new Place(this, run))
  }

  /** A place for a publish: `answer` says the verdict. */
  reserve(answer: (verdict: Accepted | Reject) => void): Publisher {
    const place = new Place(this, undefined, answer)
    this.#push(place)
    return place
  }

  /** The connection is gone: nobody waits for an answer. */
  clear(): void {
    this.#waiting = []
    this.#bytes = 0
  }

  /** Runs what is first as long as it is ready; with `only`, nothing but that. */
  advance(only?: Place): void {
    for (;;) {
      const first = this.#waiting[0]
      if (first?.ready !== true || (only !== undefined && first !== only)) break
      this.#waiting.shift()
      this.#bytes -= first.bytes
      this.#answered = first.bytes
      first.run()
    }
    const { answers, bytes } = this.#window
    if (this.#paused && this.#waiting.length <= answers / 2 && this.#bytes <= bytes / 2) {
      this.#paused = false
      this.#reader.resume()
    }
  }

  #push(place: Place): void {
    place.bytes = this.#handled
    this.#bytes += this.#handled
    this.#waiting.push(place)
    const { answers, bytes } = this.#window
    if (this.#paused || (this.#waiting.length <= answers && this.#bytes <= bytes)) return
    this.#paused = true
    this.#reader.pause()
  }
}

class Place implements Publisher {
  bytes = 0
  readonly #answers: Answers
  readonly #answer: ((verdict: Accepted | Reject) => void) | undefined
  #verdict: Accepted | Reject | undefined
  readonly #run: (() => void) | undefined

  constructor(answers: Answers, run?: () => void, answer?: (verdict: Accepted | Reject) => void) {
    this.#answers = answers
    this.#answer = answer
    this.#run = run
  }

  /** The ack goes out before the event does; what waits behind it runs after (spec 4.4 f). */
  settle(verdict: Accepted | Reject): void {
    this.#verdict = verdict
    this.#answers.advance(this)
  }

  get ready(): boolean {
    return this.#run !== undefined || this.#verdict !== undefined
  }

  run(): void {
    if (this.#verdict !== undefined) this.#answer?.(this.#verdict)
    else this.#run?.()
  }

  done(): void {
    this.#answers.advance()
  }
}
