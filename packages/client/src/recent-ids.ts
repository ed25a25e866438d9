/**
 * Ids seen of late (spec 12: 60 s, across relays). Those of the last minute stay, and beyond them the newest few
 * thousand, so that a stored part sent anew after a gap brings no repeats; never more than `max`.
 */

export interface RecentOptions {
  readonly keepMs?: number
  /** So many stay whatever their age. */
  readonly min?: number
  readonly max?: number
  /** Milliseconds, from any start. */
  readonly now?: () => number
}

export class RecentIds {
  readonly #seen = new Map<string, number>()
  readonly #keepMs: number
  readonly #min: number
  readonly #max: number
  readonly #now: () => number

  constructor({
    keepMs = 60_000,
    min = 8192,
    max = 131_072,
    now = () => performance.now(),
  }: RecentOptions = {}) {
    this.#keepMs = keepMs
    this.#min = min
    this.#max = max
    this.#now = now
  }

  has(id: string): boolean {
    return this.#seen.has(id)
  }

  /** Whether the id was new. */
  add(id: string): boolean {
    if (this.#seen.has(id)) return false
    const now = this.#now()
    this.#seen.set(id, now)
    if (this.#seen.size > this.#min) this.#trim(now)
    return true
  }

  #trim(now: number): void {
    for (const [id, at] of this.#seen) {
      const old = this.#seen.size > this.#min && now - at > this.#keepMs
      if (!old && this.#seen.size <= this.#max) return
      this.#seen.delete(id)
    }
  }
}
