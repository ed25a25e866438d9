/** A wait that an event, a signal or time ends; once ended it does not wait again. */
export class Pause {
  isEnded = false
  readonly #waiters = new Set<() => void>()

  end(): void {
    this.isEnded = true
    this.poke()
  }

  /** Those who wait look again. */
  poke(): void {
    for (const waiter of [...this.#waiters]) waiter()
  }

  /** Rejects with the reason of the signal. */
  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason)
      if (this.isEnded) return resolve()
      const leave = (settle: () => void) => () => {
        clearTimeout(timer)
        this.#waiters.delete(done)
        signal?.removeEventListener('abort', abort)
        settle()
      }
      const done = leave(resolve)
      const abort = leave(() => reject(signal?.reason))
      const timer = setTimeout(done, ms)
      this.#waiters.add(done)
      signal?.addEventListener('abort', abort)
    })
  }
}
