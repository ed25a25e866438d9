/**
 * The events of a mailbox that were delivered and are not done: each is leased to a consumer until some time, waits for
 * a time, or is ready to be delivered again, the oldest first. Times are milliseconds of `performance.now()`.
 */

interface Entry<Holder> {
  /** How often it was delivered. */
  count: number
  /** Who has it; absent: nobody. */
  holder: Holder | undefined
  /** When the lease, or the wait, is over; undefined when it is ready. */
  due: number | undefined
}

export class Leases<Holder extends { readonly held: Set<bigint> }> {
  readonly #entries = new Map<bigint, Entry<Holder>>()
  /** Rising. */
  readonly #ready: bigint[] = []
  #leased = 0

  get size(): number {
    return this.#entries.size
  }

  /** Of them, those that a consumer has. */
  get leased(): number {
    return this.#leased
  }

  has(seq: bigint): boolean {
    return this.#entries.has(seq)
  }

  /** Seqs and how often each was delivered, in no order. */
  *counts(): Generator<readonly [seq: bigint, count: number]> {
    for (const [seq, { count }] of this.#entries) yield [seq, count]
  }

  /** As it was written down: ready. */
  restore(seq: bigint, count: number): void {
    this.#entries.set(seq, { count, holder: undefined, due: undefined })
    this.#makeReady(seq)
  }

  /** Returns how often it was delivered, this time included. */
  lease(seq: bigint, holder: Holder, due: number): number {
    const entry = this.#entries.get(seq) ?? { count: 0, holder, due }
    entry.count++
    entry.holder = holder
    entry.due = due
    this.#entries.set(seq, entry)
    holder.held.add(seq)
    this.#leased++
    return entry.count
  }

  /** Gives back what the holder has; `due`: to be delivered then, at once when absent. */
  release(seq: bigint, due?: number): void {
    const entry = this.#entries.get(seq)
    if (entry === undefined) return
    this.#take(seq, entry)
    entry.due = due
    if (due === undefined) this.#makeReady(seq)
  }

  /** Who had it, if anybody. It is forgotten. */
  done(seq: bigint): Holder | undefined {
    const entry = this.#entries.get(seq)
    if (entry === undefined) return undefined
    const { holder } = entry
    this.#take(seq, entry)
    this.#entries.delete(seq)
    if (holder === undefined && entry.due === undefined) {
      const at = this.#place(seq)
      if (this.#ready[at] === seq) this.#ready.splice(at, 1)
    }
    return holder
  }

  /** The oldest that is ready; it is then to be leased, or done. */
  takeReady(): bigint | undefined {
    return this.#ready.shift()
  }

  /** Makes ready what is due; returns who lost a lease, and when the next is due. */
  expire(now: number): { readonly lost: readonly Holder[]; readonly next: number | undefined } {
    const lost: Holder[] = []
    let next: number | undefined
    for (const [seq, entry] of this.#entries) {
      if (entry.due === undefined) continue
      if (entry.due > now) {
        if (next === undefined || entry.due < next) next = entry.due
        continue
      }
      if (entry.holder !== undefined) lost.push(entry.holder)
      this.#take(seq, entry)
      entry.due = undefined
      this.#makeReady(seq)
    }
    return { lost, next }
  }

  #take(seq: bigint, entry: Entry<Holder>): void {
    if (entry.holder === undefined) return
    entry.holder.held.delete(seq)
    entry.holder = undefined
    this.#leased--
  }

  #makeReady(seq: bigint): void {
    const last = this.#ready.at(-1)
    if (last === undefined || last < seq) this.#ready.push(seq)
    else this.#ready.splice(this.#place(seq), 0, seq)
  }

  /** Where it is among the ready, or would be. */
  #place(seq: bigint): number {
    let [low, high] = [0, this.#ready.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#ready[middle]! < seq) low = middle + 1
      else high = middle
    }
    return low
  }
}
