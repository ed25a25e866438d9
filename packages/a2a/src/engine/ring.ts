/** The last updates of a task, for readers that resume (spec a2a 7.7): bounded by number and by bytes. */
import type { Numbered } from '../engine.js'

export class Ring {
  readonly #items: { readonly numbered: Numbered; readonly bytes: number }[] = []
  readonly #maxItems: number
  readonly #maxBytes: number
  #head = 0
  #bytes = 0

  constructor(maxItems: number, maxBytes: number) {
    this.#maxItems = maxItems
    this.#maxBytes = maxBytes
  }

  push(numbered: Numbered, bytes: number): void {
    this.#items.push({ numbered, bytes })
    this.#bytes += bytes
    while (this.#items.length - this.#head > this.#maxItems || this.#bytes > this.#maxBytes) {
      this.#bytes -= this.#items[this.#head]!.bytes
      this.#head++
    }
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head)
      this.#head = 0
    }
  }

  /** All updates behind `seq`, or undefined when some are no longer held or `seq` was never reached. */
  after(seq: number, current: number): readonly Numbered[] | undefined {
    if (seq === current) return []
    const first = this.#items[this.#head]?.numbered.seq
    if (first === undefined || seq < first - 1 || seq > current) return undefined
    return this.#items.slice(this.#head + (seq - first + 1)).map(({ numbered }) => numbered)
  }
}
