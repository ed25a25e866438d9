/**
 * Asking again (spec a2a 5, 7.4): exponential backoff with full jitter, never sooner than the agent asks for. What is
 * asked again is the very same request, message id included.
 */
import { sleep } from './deadline.js'
import { AgentError } from './errors.js'

export interface RetryOptions {
  /** Attempts after the first, 3 by default. */
  readonly attempts?: number
  /** Of the first pause, ms, 200 by default; it doubles. */
  readonly firstMs?: number
  /** Longest pause, ms, 10 000 by default. An agent that asks for a longer one gets its error thrown. */
  readonly longestMs?: number
  readonly random?: () => number
}

/** What may be asked again. */
export type Repeatable =
  /** It has no effect, or the same one: after any failure of the way. */
  | 'always'
  /** Only when it is certain that nothing was executed. */
  | 'unsent'

export async function withRetries<T>(
  repeatable: () => Repeatable,
  options: RetryOptions,
  signal: AbortSignal,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  const { attempts = 3 } = options
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work(attempt)
    } catch (error) {
      signal.throwIfAborted()
      const pause = attempt < attempts ? pauseAfter(error, repeatable(), attempt, options) : undefined
      if (pause === undefined) throw error
      await sleep(pause, signal)
    }
  }
}

/** Whether the agent may have taken the request that failed so. */
export const mayHaveArrived = (error: unknown): boolean =>
  !AgentError.is(error) || (error.facts.isUnsent !== true && !isRefusal(error))

/** Asked to come again, and nothing was done. */
const isRefusal = ({ code, facts }: AgentError): boolean => code === 'RATE_LIMITED' || facts.status === 503

/** Milliseconds to wait before the next attempt; undefined where there must be none. */
export function pauseAfter(
  error: unknown,
  repeatable: Repeatable,
  attempt: number,
  options: RetryOptions = {},
): number | undefined {
  const { longestMs = 10_000 } = options
  if (!AgentError.is(error)) return undefined
  const { code, facts } = error
  const isLost = code === 'UNREACHABLE' || (code === 'TIMEOUT' && facts.status !== undefined)
  const isSafe = isRefusal(error) || facts.isUnsent === true || (repeatable === 'always' && isLost)
  if (!isSafe) return undefined
  const asked = (facts.retryAfterSeconds ?? 0) * 1000
  return asked > longestMs ? undefined : Math.max(asked, backoff(attempt, options))
}

/** Full jitter: anywhere up to the doubled pause, at least a tenth of it. */
export function backoff(attempt: number, options: RetryOptions = {}): number {
  const { firstMs = 200, longestMs = 10_000, random = Math.random } = options
  const most = Math.min(firstMs * 2 ** attempt, longestMs)
  return Math.round(most / 10 + random() * (most * 0.9))
}
