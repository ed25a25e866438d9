/** Settling in time (spec frameworks 3): also when what is waited for is deaf to its signal. */
import { ToolError } from './tool-error.js'

/** Settles as `work` does, or rejects with the reason of the signal, whichever is first. */
export async function orAbort<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work
  let aborted = () => {}
  try {
    return await new Promise<T>((resolve, reject) => {
      aborted = () => reject(signal.reason)
      signal.addEventListener('abort', aborted, { once: true })
      work.then(resolve, reject)
    })
  } finally {
    signal.removeEventListener('abort', aborted)
  }
}

/**
 * Runs `work` with a signal that is aborted by the caller's and by the deadline.
 * @throws the caller's reason; ToolError TIMEOUT; whatever `work` rejects with in time
 */
export async function withDeadline<T>(
  { name, timeoutMs }: { readonly name: string; readonly timeoutMs: number },
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController()
  const aborted = () => stop.abort(signal?.reason)
  const timer = setTimeout(() => {
    const message = `${name} did not finish in ${timeoutMs / 1000} s`
    stop.abort(new ToolError({ code: 'TIMEOUT', message, retryable: true }))
  }, timeoutMs)
  signal?.addEventListener('abort', aborted, { once: true })
  try {
    return await orAbort(stop.signal, work(stop.signal))
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', aborted)
  }
}
