/** Rate limits before anything that costs an RPC call (spec payments 8.4): a bucket for each key, forgotten when full. */
import { PaymentError } from './errors.js'

export interface RateLimit {
  /** Requests at once. */
  readonly burst: number
  readonly perSecond: number
}

/** Keys that are kept at most; the oldest is forgotten first. */
const MAX_KEYS = 10_000

/**
 * Takes one from the bucket of a key; false when it is empty.
 * @throws PaymentError `invalid_option` for numbers that are no limit
 */
export function createRateLimit(limit: RateLimit, now: () => number = Date.now): (key: string) => boolean {
  const { burst, perSecond } = limit
  if (!(Number.isFinite(burst) && burst >= 1 && Number.isFinite(perSecond) && perSecond > 0)) {
    throw new PaymentError('invalid_option', 'a rate limit needs a burst of at least 1 and a positive rate')
  }
  const buckets = new Map<string, { tokens: number; at: number }>()
  return (key) => {
    const time = now()
    const bucket = buckets.get(key) ?? { tokens: burst, at: time }
    const tokens = Math.min(burst, bucket.tokens + ((time - bucket.at) / 1000) * perSecond)
    buckets.delete(key)
    const [oldest] = buckets.keys()
    if (buckets.size >= MAX_KEYS && oldest !== undefined) buckets.delete(oldest)
    buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: time })
    return tokens >= 1
  }
}
