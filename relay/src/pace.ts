/**
 * Work in the background that others wait behind, step by step: how much of it a step has, and how long it rests after
 * one. The longer the whole takes, the more it may.
 *
 *   since its start   a step takes about   of the time it works
 *   up to 10 s              20 ms              a quarter
 *   up to 60 s              40 ms              a half
 *   from then on            80 ms              nine tenths
 */
import { setTimeout } from 'node:timers/promises'

const PACES = [
  { untilMs: 10_000, stepMs: 20, share: 1 / 4 },
  { untilMs: 60_000, stepMs: 40, share: 1 / 2 },
  { untilMs: Number.POSITIVE_INFINITY, stepMs: 80, share: 9 / 10 },
] as const
const FIRST_STEP = 50
const MIN_STEP = 20
const MAX_STEP = 2000
/** A disk that hangs is no reason to rest for minutes. */
const MAX_REST_MS = 1000

export class Pace {
  readonly #start = performance.now()
  readonly #fixed: number | undefined
  #step: number
  #took = 0

  /** `step`: of every step; when absent, it follows from how long the last one took. */
  constructor(step?: number) {
    this.#fixed = step
    this.#step = step ?? FIRST_STEP
  }

  /** How much the next step may do. */
  get step(): number {
    return this.#step
  }

  /** Carries out a step. */
  async time<Result>(run: () => Promise<Result>): Promise<Result> {
    const start = performance.now()
    const result = await run()
    this.#took = performance.now() - start
    return result
  }

  /** After a step that did all that it might. Ends early when it is aborted; never rejects. */
  async rest(signal?: AbortSignal): Promise<void> {
    const since = performance.now() - this.#start
    const { stepMs, share } = PACES.find(({ untilMs }) => since < untilMs) ?? PACES[2]
    const change = Math.min(2, Math.max(0.5, stepMs / Math.max(this.#took, 1)))
    this.#step = this.#fixed ?? Math.min(MAX_STEP, Math.max(MIN_STEP, Math.round(this.#step * change)))
    const rest = Math.min(this.#took * (1 / share - 1), MAX_REST_MS)
    await setTimeout(rest, undefined, signal && { signal }).catch(() => undefined)
  }
}
