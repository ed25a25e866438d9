/** How many executions and queued messages there may be at once, in all and of one owner (spec a2a 7.6). */
import type { Caller } from '../engine.js'
import { A2AError } from '../errors.js'
import type { Limits } from '../limits.js'

export class Slots {
  readonly #limits: Limits
  readonly #used = new Map<string, number>()
  #all = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** @throws A2AError RATE_LIMITED. What comes back frees the slot, once. */
  take(caller: Caller, peer: string | undefined): () => void {
    const key = caller.anonymous ? `anonymous ${peer ?? ''}` : `owner ${caller.owner}`
    const used = this.#used.get(key) ?? 0
    if (this.#all >= this.#limits.executions || used >= this.#limits.executionsPerOwner) {
      throw new A2AError('RATE_LIMITED', 'Too many tasks are running', { retryAfterSeconds: 1 })
    }
    this.#all++
    this.#used.set(key, used + 1)
    let taken = true
    return () => {
      if (!taken) return
      taken = false
      this.#all--
      const left = (this.#used.get(key) ?? 1) - 1
      if (left > 0) this.#used.set(key, left)
      else this.#used.delete(key)
    }
  }
}
