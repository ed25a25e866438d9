/** Counter that goes both ways (spec 11.5): two grow-only counters, the value is their difference. */
import type { Reject } from '../codes.js'
import { isJsonObject } from '../json.js'
import { GCounter } from './g-counter.js'

export class PNCounter {
  readonly #positive = new GCounter()
  readonly #negative = new GCounter()

  /** Exact while both sums stay below 2^53. */
  get value(): number {
    return this.#positive.value - this.#negative.value
  }

  /** Counts up. @throws as {@link GCounter.add}. */
  add(amount: number, replica: string): void {
    this.#positive.add(amount, replica)
  }

  /** Counts down by a non-negative amount. @throws as {@link GCounter.add}. */
  remove(amount: number, replica: string): void {
    this.#negative.add(amount, replica)
  }

  /** Merges another counter into this one. */
  update(other: PNCounter): void {
    this.#positive.update(other.#positive)
    this.#negative.update(other.#negative)
  }

  toJSON(): { type: 'pncounter'; positive: Record<string, number>; negative: Record<string, number> } {
    return {
      type: 'pncounter',
      positive: this.#positive.toJSON().counts,
      negative: this.#negative.toJSON().counts,
    }
  }

  /** Reads parsed JSON. Anything but names with non-negative integers: `invalid_message`. */
  static fromJSON(json: unknown): { ok: true; crdt: PNCounter } | Reject {
    const sides = isJsonObject(json) && json.type === 'pncounter' ? json : {}
    const positive = GCounter.fromJSON({ type: 'gcounter', counts: sides.positive })
    if (!positive.ok) return positive
    const negative = GCounter.fromJSON({ type: 'gcounter', counts: sides.negative })
    if (!negative.ok) return negative
    const crdt = new PNCounter()
    crdt.#positive.update(positive.crdt)
    crdt.#negative.update(negative.crdt)
    return { ok: true, crdt }
  }
}
