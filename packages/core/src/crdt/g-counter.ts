/** Grow-only counter (spec 11.5): a count for each replica; merging takes the larger of each. */
import { type Reject, reject } from '../codes.js'
import { hasDuplicateKeys, isJsonObject } from '../json.js'
import { compareText, isName } from './value.js'

export class GCounter {
  readonly #counts = new Map<string, number>()

  /** Sum over all replicas; exact up to 2^53. */
  get value(): number {
    let sum = 0
    for (const count of this.#counts.values()) sum += count
    return sum
  }

  /**
   * Counts on behalf of a replica. Only that replica itself may do so, or counts get lost.
   * @throws RangeError unless the amount is a non-negative integer and the sum stays below 2^53; TypeError for an empty
   * id.
   */
  add(amount: number, replica: string): void {
    if (!isName(replica)) throw new TypeError('replica must be text, not empty')
    const count = (this.#counts.get(replica) ?? 0) + amount
    if (!isCount(amount) || !isCount(count))
      throw new RangeError(`amount must be a non-negative integer, got ${amount}`)
    if (amount > 0) this.#counts.set(replica, count)
  }

  /** Kept for symmetry with the other types. @throws RangeError unless the amount is 0. */
  remove(amount: number, _replica: string): void {
    if (amount !== 0) throw new RangeError('G-Counter does not support decrements')
  }

  /** Merges another counter into this one. */
  update(other: GCounter): void {
    for (const [replica, count] of other.#counts)
      if (count > (this.#counts.get(replica) ?? 0)) this.#counts.set(replica, count)
  }

  /** Plain JSON; `canonicalJson` of it is the same text wherever the state is the same. */
  toJSON(): { type: 'gcounter'; counts: Record<string, number> } {
    const counts: Record<string, number> = Object.create(null)
    for (const [replica, count] of [...this.#counts].sort(([a], [b]) => compareText(a, b)))
      counts[replica] = count
    return { type: 'gcounter', counts }
  }

  /** Reads parsed JSON. Anything but names with non-negative integers: `invalid_message`. */
  static fromJSON(json: unknown): { ok: true; crdt: GCounter } | Reject {
    if (
      !isJsonObject(json) ||
      json.type !== 'gcounter' ||
      !isJsonObject(json.counts) ||
      hasDuplicateKeys(json.counts)
    )
      return reject('invalid_message', undefined, 'gcounter expected')
    const crdt = new GCounter()
    for (const [replica, count] of Object.entries(json.counts)) {
      if (!isName(replica) || typeof count !== 'number' || !isCount(count))
        return reject('invalid_message', undefined, 'gcounter: counts must be non-negative integers')
      crdt.add(count, replica)
    }
    return { ok: true, crdt }
  }
}

function isCount(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 0
}
