/**
 * Retention (spec 2.4, 2.6): what a relay no longer keeps, by kind and by age, count and size, and what is over. It
 * concerns storage only: what is too old is still forwarded. A sweep takes it out of the store in small steps, with
 * rests between them that leave most of the time to those who publish; one that takes long rests less and less, so
 * that no load keeps it from its end for ever.
 */
import type { Event } from '@aetherkit/core'
import { Pace } from './pace.js'
import type { Amount, Removal, Store } from './store/store.js'

/** At least one of the limits; an event that several rules name must meet all of them. */
export interface RetentionRule {
  /** From and to, both inclusive. Deletions (kind 5) are kept unless it is `[5, 5]`. */
  readonly kinds: readonly [from: number, to: number]
  /** Since `created_at`. */
  readonly maxAgeSeconds?: number
  readonly maxCount?: number
  /** Of canonical sizes (spec 1.5). */
  readonly maxBytes?: number
}

const MAX_KIND = 0xffff
const NS = 1_000_000_000
const LIMITS = ['maxAgeSeconds', 'maxCount', 'maxBytes'] as const

/**
 * Reads rules from a configuration.
 * @throws TypeError or RangeError whose message begins with the key: `retention[1].maxCount must be ...`
 */
export function readRetention(value: unknown, name = 'retention'): readonly RetentionRule[] {
  if (!Array.isArray(value)) throw new TypeError(`${name} must be a list of rules, got ${show(value)}`)
  return value.map((rule: unknown, i) => readRule(rule, `${name}[${i}]`))
}

/** Whether a rule by age no longer keeps the event; `now` in nanoseconds. */
export function isPastRetention(rules: readonly RetentionRule[], event: Event, now: bigint): boolean {
  return rules.some(
    ({ kinds: [from, to], maxAgeSeconds }) =>
      maxAgeSeconds !== undefined &&
      event.kind >= from &&
      event.kind <= to &&
      event.createdAt < oldest(now, maxAgeSeconds),
  )
}

export interface SweepOptions {
  readonly rules: readonly RetentionRule[]
  /** Unix time in nanoseconds. */
  readonly now: bigint
  /** Events of one step. Default: as many as take some 20 milliseconds, see `pace.ts`. */
  readonly step?: number
  /** Ends the sweep after the step under way. */
  readonly signal?: AbortSignal
  onStep?(removed: Amount): void
}

/**
 * Takes out what is over and what the rules no longer keep; resolves to what was taken.
 * Rejects with the StoreError of {@link Store.remove}; what was taken until then stays away.
 */
export async function sweep(store: Store, options: SweepOptions): Promise<Amount> {
  const { rules, now, signal, onStep } = options
  const pace = new Pace(options.step)
  const removals: Removal[] = [{ expiredBy: now }, ...rules.map((rule) => removalOf(rule, now))]
  let [events, bytes] = [0, 0]
  for (const removal of removals)
    for (let more = true; more && signal?.aborted !== true; ) {
      const { step } = pace
      const removed = await pace.time(() => store.remove(removal, step))
      events += removed.events
      bytes += removed.bytes
      more = removed.events === step
      if (removed.events > 0) onStep?.(removed)
      if (more) await pace.rest(signal)
    }
  return { events, bytes }
}

export interface RetentionOptions {
  readonly store: Store
  /** As they are now. */
  rules(): readonly RetentionRule[]
  /** Unix time in nanoseconds. */
  now(): bigint
  /** Between the end of a sweep and the next, default 60 seconds. */
  readonly everyMs?: number
  swept(removed: Amount): void
  /** The next sweep tries again. */
  failed(error: unknown): void
}

/** Sweeps again and again until closed. */
export class Retention {
  readonly #options: RetentionOptions
  readonly #ended = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

  constructor(options: RetentionOptions) {
    this.#options = options
    this.#wait()
  }

  /** Resolves when the step under way is done. */
  async close(): Promise<void> {
    this.#ended.abort()
    clearTimeout(this.#timer)
    await this.#running
  }

  #wait(): void {
    if (this.#ended.signal.aborted) return
    this.#timer = setTimeout(() => (this.#running = this.#sweep()), this.#options.everyMs ?? 60_000)
    this.#timer.unref()
  }

  async #sweep(): Promise<void> {
    const { store, rules, now, swept, failed } = this.#options
    try {
      const removed = await sweep(store, { rules: rules(), now: now(), signal: this.#ended.signal })
      if (removed.events > 0) swept(removed)
    } catch (error) {
      failed(error)
    }
    this.#wait()
  }
}

function removalOf({ kinds, maxAgeSeconds, maxCount, maxBytes }: RetentionRule, now: bigint): Removal {
  return {
    kinds,
    ...(maxAgeSeconds !== undefined && { createdBefore: oldest(now, maxAgeSeconds) }),
    ...(maxCount !== undefined && { maxEvents: maxCount }),
    ...(maxBytes !== undefined && { maxBytes }),
  }
}

function oldest(now: bigint, maxAgeSeconds: number): bigint {
  const at = now - BigInt(Math.round(maxAgeSeconds * NS))
  return at > 0n ? at : 0n
}

function readRule(value: unknown, name: string): RetentionRule {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${name} must be a rule like { kinds: [1, 1], maxCount: 1000 }, got ${show(value)}`)
  const rule: Record<string, unknown> = { ...value }
  for (const key of Object.keys(rule))
    if (key !== 'kinds' && !LIMITS.some((limit) => limit === key))
      throw new TypeError(`${name}.${key} is no key of a rule: those are kinds, ${LIMITS.join(', ')}`)
  const limits = LIMITS.filter((key) => rule[key] !== undefined)
  if (limits.length === 0) throw new TypeError(`${name} needs one of ${LIMITS.join(', ')}`)
  const kinds = readKinds(rule.kinds, `${name}.kinds`)
  const [maxAgeSeconds, maxCount, maxBytes] = LIMITS.map((key) => readLimit(rule[key], key, `${name}.${key}`))
  return {
    kinds,
    ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
    ...(maxCount !== undefined && { maxCount }),
    ...(maxBytes !== undefined && { maxBytes }),
  }
}

function readKinds(value: unknown, name: string): readonly [number, number] {
  const [from, to]: unknown[] = Array.isArray(value) ? value : []
  if (!Array.isArray(value) || value.length !== 2 || typeof from !== 'number' || typeof to !== 'number')
    throw new TypeError(`${name} must be [from, to], got ${show(value)}`)
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to < from || to > MAX_KIND)
    throw new RangeError(`${name} must rise within 0 to ${MAX_KIND}, got ${show(value)}`)
  return [from, to]
}

function readLimit(value: unknown, key: (typeof LIMITS)[number], name: string): number | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${show(value)}`)
  const isOk =
    key === 'maxAgeSeconds' ? value > 0 && value <= 1e10 : Number.isSafeInteger(value) && value >= 0
  const meant = key === 'maxAgeSeconds' ? 'more than 0 and at most 10000000000' : 'an integer of 0 or more'
  if (!isOk) throw new RangeError(`${name} must be ${meant}, got ${value}`)
  return value
}

function show(value: unknown): string {
  return typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value))
}
