/** How much somebody was wrong of late: who mostly is, waits behind the others (spec 3.1, 7.3). */

/** What wrong adds and right takes away: below one wrong in five nobody comes into doubt. */
const WRONG = 4
const DOUBTFUL = 32
/** So that a client that was mended is out of doubt after being right as many times. */
const MOST = 256
/** What is large counts as so much more. */
const COST_BYTES = 16 * 1024

export class Doubt {
  #amount = 0

  get isDoubtful(): boolean {
    return this.#amount >= DOUBTFUL
  }

  /** Nothing has to be remembered. */
  get isBlank(): boolean {
    return this.#amount === 0
  }

  right(bytes: number): void {
    if (this.#amount > 0) this.#amount = Math.max(0, this.#amount - costOf(bytes))
  }

  wrong(bytes: number): void {
    this.#amount = Math.min(MOST, this.#amount + WRONG * costOf(bytes))
  }
}

/** Of a message or a claim: 1, and what so many bytes take besides. */
export function costOf(bytes: number): number {
  return 1 + bytes / COST_BYTES
}
