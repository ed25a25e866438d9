/**
 * Proof of work whose difficulty rises with load (spec 11.2). Load is what the relay took in for good, events with the
 * right id and signature: claimed ids cost nothing to make, so they must not be able to make work dear for others.
 */
import { type JsonObject, leadingZeroBits, reject } from '@aetherkit/core'
import type { Policy } from '../policy.js'

export interface AdaptiveWork {
  /** Asked of ids when there is little to do: 0 to `maxBits`. */
  readonly bits: number
  /** At most asked, up to 256. Each bit doubles the work of clients: 20 is about a second. */
  readonly maxBits: number
  /** Events a second up to which `bits` will do; each doubling beyond it asks for one bit more. */
  readonly eventsPerSecond: number
}

/** Over which the rate is averaged, so that a short burst makes nothing dearer. Seconds. */
const WINDOW = 10
const NS = 1e9

/**
 * Two policies, one that asks (`pow_required`, the bits in `detail`) and one that counts; both go into the list. The
 * info document always says what is asked for now.
 * @throws RangeError for bits that are not integers with 0 <= bits <= maxBits <= 256, or a rate that is not positive.
 */
export function adaptiveWork(options: AdaptiveWork): readonly [ask: Policy, count: Policy] {
  const { bits, maxBits, eventsPerSecond } = options
  const isOrdered = Number.isInteger(bits) && Number.isInteger(maxBits) && 0 <= bits && bits <= maxBits
  if (!isOrdered || maxBits > 256)
    throw new RangeError(
      `bits and maxBits must be integers that rise within 0 to 256, got ${bits}, ${maxBits}`,
    )
  if (!(eventsPerSecond > 0) || !Number.isFinite(eventsPerSecond))
    throw new RangeError(`eventsPerSecond must be positive, got ${eventsPerSecond}`)
  const load = new Load()
  const asked = (now: bigint) => {
    const doublings = Math.ceil(Math.log2(Math.max(1, load.perSecond(now) / eventsPerSecond)))
    return Math.min(maxBits, bits + doublings)
  }
  /** What the relay's clock said, and when, by a clock that goes on between events. */
  let seen = { now: 0n, at: 0 }
  const ask = ((event, _peer, now) => {
    seen = { now, at: performance.now() }
    const difficulty = asked(now)
    return leadingZeroBits(event.id) >= difficulty
      ? undefined
      : reject('pow_required', undefined, `${difficulty} bits`)
  }) satisfies Policy
  const count = ((_event, _peer, now) => {
    seen = { now, at: performance.now() }
    load.add(now)
    return undefined
  }) satisfies Policy
  const described = Object.defineProperty(Object.assign(ask, { stage: 'work' as const }), 'info', {
    enumerable: true,
    get: (): JsonObject => {
      const now = seen.now + BigInt(Math.round((performance.now() - seen.at) * 1e6))
      return { pow_difficulty: asked(now), max_pow_difficulty: maxBits }
    },
  })
  return [described, Object.assign(count, { stage: 'key' as const })]
}

/** A rate that fades: an event counts in full at once and less and less later. */
class Load {
  #events = 0
  #at = 0n

  add(now: bigint): void {
    this.#fade(now)
    this.#events++
  }

  perSecond(now: bigint): number {
    this.#fade(now)
    return this.#events / WINDOW
  }

  /** A clock that steps back fades nothing by it, and goes on fading from where it is then. */
  #fade(now: bigint): void {
    const seconds = now > this.#at ? Number(now - this.#at) / NS : 0
    this.#events *= Math.exp(-seconds / WINDOW)
    this.#at = now
  }
}
