/**
 * Replay is retry (spec a2a 3.3): the same signed bytes again, inside the window, get the answer of the first copy and
 * are never executed twice. Keyed by sender and hash of the signed bytes; recorded after the signature verified, and
 * only released to a copy whose own signature verified.
 *
 * Bounded: an entry inside its window is never let go to make room, the newcomer is told to wait. Of answers the oldest
 * are let go first; what is asked for then is REPLAYED.
 */

export interface ReplayLimits {
  /** Entries in all, 100 000 by default. */
  readonly maxEntries?: number
  /** Entries of one sender, 1000 by default. */
  readonly maxPerSender?: number
  /** Bytes of the answers that are kept, 32 MiB by default. */
  readonly maxBytes?: number
}

export interface Entry<Answer> {
  readonly sender: string
  /** ms; it may be forgotten after it, unless it runs. */
  readonly expiresAt: number
  /** Undefined once the answer was let go. */
  answer: Promise<Answer> | undefined
  isRunning: boolean
  bytes: number
}

export class ReplayCache<Answer> {
  readonly #limits: Required<ReplayLimits>
  readonly #entries = new Map<string, Entry<Answer>>()
  readonly #perSender = new Map<string, number>()
  #bytes = 0

  constructor({
    maxEntries = 100_000,
    maxPerSender = 1_000,
    maxBytes = 32 * 1024 * 1024,
  }: ReplayLimits = {}) {
    this.#limits = { maxEntries, maxPerSender, maxBytes }
  }

  find(sender: string, key: string): Entry<Answer> | undefined {
    return this.#entries.get(`${sender} ${key}`)
  }

  /** Whether one more of this sender can be taken; `now` in ms. */
  hasRoom(sender: string, now: number): boolean {
    const { maxEntries, maxPerSender } = this.#limits
    const isFull = () =>
      this.#entries.size >= maxEntries || (this.#perSender.get(sender) ?? 0) >= maxPerSender
    if (isFull()) this.#forget(now)
    return !isFull()
  }

  /** Runs once for this key; `bytes` is the size of what came out, `keep` whether a copy gets it too. */
  run(
    sender: string,
    key: string,
    expiresAt: number,
    run: () => Promise<{ readonly answer: Answer; readonly bytes: number; readonly keep: boolean }>,
  ): Promise<Answer> {
    const name = `${sender} ${key}`
    const outcome = run()
    const answer = outcome.then((done) => done.answer)
    const entry: Entry<Answer> = { sender, expiresAt, answer, isRunning: true, bytes: 0 }
    this.#entries.set(name, entry)
    this.#perSender.set(sender, (this.#perSender.get(sender) ?? 0) + 1)
    outcome.then(
      (done) => (done.keep ? this.#keep(entry, done.bytes) : this.#drop(name, entry)),
      () => this.#drop(name, entry),
    )
    return answer
  }

  get size(): number {
    return this.#entries.size
  }

  #keep(entry: Entry<Answer>, bytes: number): void {
    entry.isRunning = false
    entry.bytes = bytes
    this.#bytes += bytes
    for (const oldest of this.#entries.values()) {
      if (this.#bytes <= this.#limits.maxBytes) return
      if (oldest.isRunning) continue
      this.#bytes -= oldest.bytes
      oldest.bytes = 0
      oldest.answer = undefined
    }
  }

  #drop(name: string, entry: Entry<Answer>): void {
    if (!this.#entries.delete(name)) return
    this.#bytes -= entry.bytes
    const left = (this.#perSender.get(entry.sender) ?? 1) - 1
    if (left === 0) this.#perSender.delete(entry.sender)
    else this.#perSender.set(entry.sender, left)
  }

  #forget(now: number): void {
    for (const [name, entry] of this.#entries) {
      if (!entry.isRunning && entry.expiresAt <= now) this.#drop(name, entry)
    }
  }
}
