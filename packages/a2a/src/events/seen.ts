/**
 * Events that were handled (spec a2a 3.3, 5): by id, until none of that id is fresh any more. An entry inside the window is
 * never let go to make room: full, in all or of one author, it takes no new ones.
 */
export interface SeenLimits {
  readonly max?: number
  readonly maxPerAuthor?: number
  readonly keepMs?: number
}

export class SeenEvents {
  readonly #seen = new Map<string, { readonly author: string; readonly at: number }>()
  readonly #perAuthor = new Map<string, number>()
  readonly #limits: Required<SeenLimits>

  constructor({ max = 200_000, maxPerAuthor = 20_000, keepMs = 120_000 }: SeenLimits = {}) {
    this.#limits = { max, maxPerAuthor, keepMs }
  }

  has(id: string): boolean {
    return this.#seen.has(id)
  }

  /** True the first time; `now` in ms. */
  take(id: string, author: string, now: number): boolean {
    if (this.#seen.has(id)) return false
    const { max, maxPerAuthor, keepMs } = this.#limits
    for (const [old, entry] of this.#seen) {
      if (entry.at + keepMs > now) break
      this.#seen.delete(old)
      this.#count(entry.author, -1)
    }
    if (this.#seen.size >= max || (this.#perAuthor.get(author) ?? 0) >= maxPerAuthor) return false
    this.#seen.set(id, { author, at: now })
    this.#count(author, 1)
    return true
  }

  #count(author: string, by: number): void {
    const count = (this.#perAuthor.get(author) ?? 0) + by
    if (count === 0) this.#perAuthor.delete(author)
    else this.#perAuthor.set(author, count)
  }
}
