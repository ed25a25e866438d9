/**
 * The chain: LiteSVM executes; what a cluster does around execution is here (spec solana 10, points 1-6): blockhash age,
 * duplicates, landing at the next slot, a running clock, history.
 */
import { type Blockhashes, createBlockhashes } from './blockhashes.js'
import { type ChainClock, createClock } from './clock.js'
import { type Simulated, simulate } from './execution.js'
import { createHistory, type LandedTransaction } from './history.js'
import { land } from './landing.js'
import { isNonceValid } from './nonce.js'
import { createSvm, type Svm } from './svm.js'
import type { Transaction } from './transaction.js'
import { ALREADY_PROCESSED, BLOCKHASH_NOT_FOUND, SIGNATURE_FAILURE } from './transaction-error.js'

export interface ChainOptions {
  /** Length of a slot, milliseconds; a cluster has 400. */
  readonly slotMs: number
  /** `next-slot` as a cluster does, `immediate` for speed. */
  readonly landing: 'next-slot' | 'immediate'
  /** A blockhash is good for that many blocks; a cluster has 150. */
  readonly validBlocks: number
  /** Landed transactions stay hidden from every query and subscription for that many milliseconds. */
  readonly confirmDelayMs: number
}

export const CHAIN_DEFAULTS: ChainOptions = {
  slotMs: 400,
  landing: 'next-slot',
  validBlocks: 150,
  confirmDelayMs: 0,
}

/** `dropped` counts what a leader throws away without status or fee, by reason. */
export interface ChainCounts {
  landed: number
  failed: number
  readonly dropped: Record<string, number>
}

export type ChainListener = (event: 'slot' | 'landed' | 'options') => void

export class Chain {
  readonly svm: Svm
  readonly counts: ChainCounts = { landed: 0, failed: 0, dropped: {} }
  readonly #clock: ChainClock
  readonly #blockhashes: Blockhashes
  readonly #now: () => number
  readonly #history = createHistory()
  readonly #listeners = new Set<ChainListener>()
  #options: ChainOptions
  #pending: Transaction[] = []
  #transactionCount = 0
  #timer: NodeJS.Timeout | undefined
  #paused = false

  /** @throws DevnetError `platform_unsupported` */
  static async create(options: ChainOptions, now: () => number = Date.now): Promise<Chain> {
    return new Chain(await createSvm(), options, now)
  }

  private constructor(svm: Svm, options: ChainOptions, now: () => number) {
    this.svm = svm
    this.#options = options
    this.#now = now
    this.#clock = createClock(svm, now)
    this.#blockhashes = createBlockhashes(this.#clock.height)
    this.#schedule()
  }

  get options(): ChainOptions {
    return this.#options
  }

  get slot(): number {
    return this.#clock.slot
  }

  get height(): number {
    return this.#clock.height
  }

  get unixTime(): number {
    return this.#clock.unixTime
  }

  get transactionCount(): number {
    return this.#transactionCount
  }

  get pendingCount(): number {
    return this.#pending.length
  }

  get latestBlockhash(): { readonly blockhash: string; readonly lastValidBlockHeight: number } {
    return {
      blockhash: this.#blockhashes.latest,
      lastValidBlockHeight: this.height + this.#options.validBlocks,
    }
  }

  isBlockhashValid(hash: string): boolean {
    return this.#blockhashes.isValid(hash, this.height, this.#options.validBlocks)
  }

  /** Takes a transaction for the next block. Whether it lands is decided there. */
  submit(transaction: Transaction): void {
    if (this.#options.landing === 'immediate') this.#land(transaction)
    else this.#pending.push(transaction)
  }

  /** By the strict rule of validators. */
  isSigned(transaction: Transaction): boolean {
    return simulate(this.svm, transaction, true).err !== SIGNATURE_FAILURE
  }

  /** Without `anyBlockhash`, age and duplicates are judged as at landing; then nothing is executed. */
  simulate(transaction: Transaction, anyBlockhash = false): Simulated | { readonly err: string } {
    const refusal = anyBlockhash ? undefined : this.#refusal(transaction)
    return refusal === undefined ? simulate(this.svm, transaction, false) : { err: refusal }
  }

  /** A landed transaction, once it may be seen. */
  landed(id: string): LandedTransaction | undefined {
    const entry = this.#history.get(id)
    return entry !== undefined && this.#isVisible(entry) ? entry : undefined
  }

  landedNewestFirst(): readonly LandedTransaction[] {
    return this.#history.newestFirst().filter((entry) => this.#isVisible(entry))
  }

  /** Makes that many blocks at once; unix time gains 0.4 s for each. */
  advanceSlots(count: number): void {
    for (let made = 0; made < count; made++) this.#makeBlock(1, true)
  }

  /** One block, far ahead: the slots between are skipped ones. @throws RangeError for a slot that is not ahead */
  jumpToSlot(slot: number): void {
    if (slot <= this.slot) throw new RangeError(`slot ${slot} is not ahead of ${this.slot}`)
    this.#makeBlock(slot - this.slot, true)
  }

  /** Unix seconds. @throws RangeError for the past */
  jumpToTime(seconds: number): void {
    if (seconds < this.unixTime) throw new RangeError(`time ${seconds} is before ${this.unixTime}`)
    this.#clock.setUnixTime(seconds)
    this.#makeBlock(1, false)
  }

  /** All blockhashes given out so far are dead at once. */
  expireBlockhashes(): void {
    this.#blockhashes.expire(this.height)
  }

  /** No slots, no landing, until `resume` (immediate landing goes on). */
  pause(): void {
    this.#paused = true
    clearTimeout(this.#timer)
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  setOptions(options: Partial<ChainOptions>): void {
    this.#options = { ...this.#options, ...options }
    if (options.slotMs !== undefined && !this.#paused) this.#schedule()
    this.#emit('options')
  }

  resetCounts(): void {
    this.counts.landed = 0
    this.counts.failed = 0
    for (const reason of Object.keys(this.counts.dropped)) delete this.counts.dropped[reason]
  }

  /** Called after each slot, each landing and each change of options. Returns the way to stop. */
  watch(listener: ChainListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stop(): void {
    this.pause()
    this.#listeners.clear()
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#makeBlock(1, false)
      this.#schedule()
    }, this.#options.slotMs)
  }

  #makeBlock(slots: number, byHand: boolean): void {
    const hash = this.#blockhashes.next(this.height + 1, this.#options.validBlocks)
    this.#clock.advance(hash, slots, byHand)
    this.svm.native.expireBlockhash()
    const pending = this.#pending
    this.#pending = []
    for (const transaction of pending) this.#land(transaction)
    this.#emit('slot')
  }

  /** Age, then duplicate, in a bank's order. */
  #refusal({ message, messageHash }: Transaction): string | undefined {
    const { blockhash } = message
    if (!this.isBlockhashValid(blockhash)) {
      return isNonceValid(this.svm, message, this.#blockhashes.latest) ? undefined : BLOCKHASH_NOT_FOUND
    }
    return this.#blockhashes.hasLanded(blockhash, messageHash) ? ALREADY_PROCESSED : undefined
  }

  #land(transaction: Transaction): void {
    const { blockhash } = transaction.message
    const refusal = this.#refusal(transaction)
    if (refusal !== undefined) {
      this.#drop(refusal)
      return
    }
    const landed = land(this.svm, transaction, !this.isBlockhashValid(blockhash), {
      slot: this.slot,
      blockhash: this.#blockhashes.latest,
      time: this.unixTime,
      now: this.#now(),
    })
    if ('dropped' in landed) {
      this.#drop(landed.dropped)
      return
    }
    this.#blockhashes.markLanded(blockhash, transaction.messageHash)
    this.#history.add(landed)
    this.#transactionCount += 1
    this.counts.landed += 1
    if (landed.err !== null) this.counts.failed += 1
    this.#emit('landed')
  }

  #drop(reason: string): void {
    this.counts.dropped[reason] = (this.counts.dropped[reason] ?? 0) + 1
  }

  #isVisible({ landedAt }: LandedTransaction): boolean {
    return this.#now() >= landedAt + this.#options.confirmDelayMs
  }

  #emit(event: Parameters<ChainListener>[0]): void {
    for (const listener of this.#listeners) listener(event)
  }
}
