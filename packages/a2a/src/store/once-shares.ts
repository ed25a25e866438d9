/**
 * Once records in memory (spec a2a 7.4), bounded for each owner and in all. Beyond the bound of an owner its own oldest
 * goes; beyond that of all the oldest of an owner that has most. So nobody pushes out what somebody with fewer records
 * has.
 */
import type { OnceRecord } from '../task-store.js'

export interface OnceBounds {
  readonly perOwner: number
  readonly all: number
}

type Share = Map<string, OnceRecord>

export class OnceShares {
  readonly #bounds: OnceBounds
  readonly #records = new Map<string, OnceRecord>()
  /** Oldest first. */
  readonly #shares = new Map<string, Share>()
  /** By how many records they have. */
  readonly #bySize = new Map<number, Set<string>>()
  #largest = 0

  constructor(bounds: OnceBounds) {
    this.#bounds = bounds
  }

  get(key: string): OnceRecord | undefined {
    return this.#records.get(key)
  }

  /** It is the youngest of its owner now. */
  set(key: string, record: OnceRecord): void {
    this.delete(key)
    const owner = ownerOf(record)
    const share: Share = this.#shares.get(owner) ?? new Map()
    this.#records.set(key, record)
    this.#shares.set(owner, share.set(key, record))
    this.#resized(owner, share.size - 1, share.size)
    if (share.size > this.#bounds.perOwner) this.#dropOldest(share)
    if (this.#records.size <= this.#bounds.all) return
    const [most] = this.#bySize.get(this.#largest) ?? []
    this.#dropOldest(this.#shares.get(most ?? owner) ?? share)
  }

  delete(key: string): void {
    const record = this.#records.get(key)
    if (record === undefined) return
    this.#records.delete(key)
    const owner = ownerOf(record)
    const share = this.#shares.get(owner)
    if (share?.delete(key) !== true) return
    if (share.size === 0) this.#shares.delete(owner)
    this.#resized(owner, share.size + 1, share.size)
  }

  forget(now: number): void {
    for (const [key, { expiresAt }] of this.#records) if (expiresAt <= now) this.delete(key)
  }

  #dropOldest(share: Share): void {
    const [oldest] = share.keys()
    if (oldest !== undefined) this.delete(oldest)
  }

  #resized(owner: string, from: number, to: number): void {
    const before = this.#bySize.get(from)
    before?.delete(owner)
    if (before?.size === 0) this.#bySize.delete(from)
    if (to > 0) this.#bySize.set(to, (this.#bySize.get(to) ?? new Set()).add(owner))
    // Sizes change by one, so the largest does.
    if (to > this.#largest || !this.#bySize.has(this.#largest)) this.#largest = Math.max(to, 0)
  }
}

const ownerOf = ({ owner = '' }: OnceRecord): string => owner
