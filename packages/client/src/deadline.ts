/** Waiting with an end: a promise to settle by hand, and a wait that a timeout or an AbortSignal cuts short. */

export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(reason: unknown): void
}

/** A rejection that nobody awaits is no unhandled one. */
export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {}
  let reject: (reason: unknown) => void = () => {}
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  promise.catch(() => {})
  return { promise, resolve, reject }
}

export interface Limits {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds. */
  readonly timeoutMs: number
}

/**
 * Settles as `promise` does, unless time runs out first (then with what `late` returns: a value, or an error that it
 * throws) or the signal is aborted (then rejects with its reason). Leaves no timer and no listener behind.
 */
export async function within<T>(
  promise: Promise<T>,
  { signal, timeoutMs }: Limits,
  late: () => T,
): Promise<T> {
  signal?.throwIfAborted()
  const cut = deferred<T>()
  const onAbort = () => cut.reject(signal?.reason)
  const onTimeout = () => {
    try {
      cut.resolve(late())
    } catch (error) {
      cut.reject(error)
    }
  }
  const timer = setTimeout(onTimeout, timerMs(timeoutMs))
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, cut.promise])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

/** What `setTimeout` can hold: a longer delay would fire at once. */
export function timerMs(ms: number): number {
  return Math.max(0, Math.min(ms, 2 ** 31 - 1))
}

/** @throws RangeError unless it is a positive number of milliseconds. */
export function checkTimeout(timeoutMs: number): number {
  if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs must be above 0, got ${timeoutMs}`)
  return timeoutMs
}
