/** One call in time: the caller's signal, and a deadline of its own (spec a2a 6.2 no. 18). */
import { AgentError } from './errors.js'

export interface Deadline {
  /** Fires with the caller's reason, or with AgentError TIMEOUT. */
  readonly signal: AbortSignal
  /** Milliseconds that are left. */
  left(): number
  /** Starts the time anew: something was heard. */
  extend(): void
  end(): void
  /** Ends it, and whatever listens to its signal. */
  stop(): void
}

export function startDeadline(ms: number, outer: AbortSignal | undefined, what: string): Deadline {
  const stop = new AbortController()
  const abort = () => stop.abort(outer?.reason)
  if (outer?.aborted === true) abort()
  outer?.addEventListener('abort', abort, { once: true })
  let until = performance.now() + ms
  const late = () => {
    const left = until - performance.now()
    if (left > 1) timer = setTimeout(late, left)
    else stop.abort(new AgentError('TIMEOUT', `${what} took longer than ${ms} ms`))
  }
  let timer = setTimeout(late, ms)
  const end = () => {
    clearTimeout(timer)
    outer?.removeEventListener('abort', abort)
  }
  return {
    signal: stop.signal,
    left: () => until - performance.now(),
    extend() {
      until = performance.now() + ms
    },
    end,
    stop() {
      end()
      stop.abort(new AgentError('CLOSED', 'nobody waits for it any more'))
    },
  }
}

/** Settles as `work` does, or rejects with the signal's reason, whichever is first. */
export function orAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const slept = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  return orAborted(signal, slept).finally(() => clearTimeout(timer))
}
