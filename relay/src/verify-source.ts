/**
 * Where claims come from: each source's claims are settled in their order, and who brought bad ids and signatures is in
 * doubt, so that checking forgeries takes no honest publisher's place (spec 3.1).
 */
import { Doubt } from './doubt.js'
import type { Claim, Verdict } from './verify-batch.js'
import type { VerifyQueue, VerifyRoom } from './verify-queue.js'

/** `failed`: the worker died with the claim in hand; nothing is known about the event. */
export type Settle = (verdict: Verdict | 'failed') => void

export interface Task extends Claim {
  readonly settle: Settle
  readonly source: VerifySource
  /** Where it counts until it is settled. */
  readonly room: VerifyRoom
  /** Of the event, in bytes. */
  readonly size: number
  verdict: Verdict | 'failed' | undefined
}

export class VerifySource {
  /** The queue that it has a turn in, while claims wait. */
  queue: VerifyQueue | undefined
  /** What it may still have of the turn, see {@link VerifyQueue.take}. */
  credit = 0
  readonly #isTrusted: boolean
  readonly #doubt = new Doubt()
  /** Claims without a settled verdict from #head on, in order of submission; those from #next on wait for a worker. */
  #tasks: (Task | undefined)[] = []
  #head = 0
  #next = 0

  /** `trusted`: never in doubt. */
  constructor({ trusted = false } = {}) {
    this.#isTrusted = trusted
  }

  get isDoubtful(): boolean {
    return this.#doubt.isDoubtful
  }

  /** Nothing has to be remembered of it. */
  get isBlank(): boolean {
    return this.#doubt.isBlank && !this.isBusy
  }

  /** Whether it has claims without a settled verdict. */
  get isBusy(): boolean {
    return this.#tasks.length > this.#head
  }

  /** Claims that no worker has. */
  get waiting(): number {
    return this.#tasks.length - this.#next
  }

  /** Of them the first. */
  get first(): Task | undefined {
    return this.#tasks[this.#next]
  }

  push(task: Task): void {
    this.#tasks.push(task)
  }

  /** A worker has the first. */
  advance(): void {
    this.#next++
  }

  /** Claims that wait for a worker fail. */
  failWaiting(): void {
    for (const task of this.#tasks.slice(this.#next)) if (task !== undefined) task.verdict = 'failed'
    this.#next = this.#tasks.length
  }

  /** Settles, in the order of submission, what has a verdict and nothing without one before it. */
  release(): void {
    for (;;) {
      const task = this.#tasks[this.#head]
      if (task?.verdict === undefined) break
      this.#tasks[this.#head++] = undefined
      task.room.leave(task)
      this.#judge(task.verdict, task.size)
      task.settle(task.verdict)
    }
    if (this.#head === this.#tasks.length || this.#head > 1024) {
      this.#tasks = this.#tasks.slice(this.#head)
      this.#next -= this.#head
      this.#head = 0
    }
  }

  #judge(verdict: Verdict | 'failed', size: number): void {
    if (verdict === 'failed' || this.#isTrusted) return
    if (verdict === 'id_mismatch' || verdict === 'invalid_signature') this.#doubt.wrong(size)
    else this.#doubt.right(size)
  }
}

/** The sources of peers by their ids: so many at most that nothing waits of. */
export class VerifySources {
  readonly #max: number
  readonly #byPeer = new Map<number, VerifySource>()

  constructor(max = 4096) {
    this.#max = max
  }

  get size(): number {
    return this.#byPeer.size
  }

  of(peer: number): VerifySource {
    const known = this.#byPeer.get(peer)
    if (known !== undefined) return known
    const made = new VerifySource()
    this.#byPeer.set(peer, made)
    if (this.#byPeer.size > this.#max) this.#forgetOldest()
    return made
  }

  /** After a verdict. */
  forgetIfBlank(peer: number): void {
    if (this.#byPeer.get(peer)?.isBlank === true) this.#byPeer.delete(peer)
  }

  /** Two steps for each new one: the busy ones go to the end, and the number comes down when they are done. */
  #forgetOldest(): void {
    let steps = 2
    for (const [peer, source] of this.#byPeer) {
      if (steps-- === 0) return
      this.#byPeer.delete(peer)
      if (source.isBusy) this.#byPeer.set(peer, source)
    }
  }
}
