/** At most so much at a time: what does not fit waits for its turn, first come, first served. */
export class Limiter {
  readonly #most: number
  readonly #waiting: { readonly weight: number; readonly start: () => void }[] = []
  #running = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Runs the work when there is room; what is heavier than all the room runs alone. */
  async run<T>(weight: number, work: () => Promise<T>): Promise<T> {
    if (this.#waiting.length > 0 || !this.#fits(weight))
      await new Promise<void>((start) => this.#waiting.push({ weight, start }))
    else this.#running += weight
    try {
      return await work()
    } finally {
      this.#running -= weight
      for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.weight); ) {
        this.#waiting.shift()
        this.#running += next.weight
        next.start()
        next = this.#waiting[0]
      }
    }
  }

  #fits(weight: number): boolean {
    return this.#running === 0 || this.#running + weight <= this.#most
  }
}
