/** Claims on their way through the verify pool: first those that wait for a worker, and all until they are settled. */
import type { Claim, Verdict } from './verify-batch.js'
import type { VerifySource } from './verify-source.js'

/** `failed`: the worker died with the claim in hand; nothing is known about the event. */
export type Settle = (verdict: Verdict | 'failed') => void

export interface Task extends Claim {
  readonly settle: Settle
  readonly source: VerifySource | undefined
  /** Of the event, in bytes. */
  readonly size: number
  verdict: Verdict | 'failed' | undefined
}

/** What a queue holds at most: claims, and bytes of their events. */
export interface QueueRoom {
  readonly claims: number
  readonly bytes: number
}

export class VerifyQueue {
  readonly inDoubt: boolean
  readonly #room: QueueRoom
  #bytes = 0
  #waiting: Task[] = []
  /** Everything without a settled verdict, in order of submission, from #head on; before it nothing is held. */
  #order: (Task | undefined)[] = []
  #head = 0

  constructor(room: QueueRoom, inDoubt: boolean) {
    this.#room = room
    this.inDoubt = inDoubt
  }

  /** Claims without a verdict. */
  get pending(): number {
    return this.#order.length - this.#head
  }

  /** Of them, those that no worker has. */
  get waiting(): number {
    return this.#waiting.length
  }

  get isFull(): boolean {
    return this.pending >= this.#room.claims
  }

  /** Whether their events take all the memory that there is for them. */
  get isHeavy(): boolean {
    return this.#bytes >= this.#room.bytes
  }

  push(task: Task): void {
    task.source?.submitted(this.inDoubt)
    this.#bytes += task.size
    this.#order.push(task)
    this.#waiting.push(task)
  }

  /** Those that waited longest: so many, and so many bytes, but one at least. */
  take(count: number, bytes: number): Task[] {
    let taken = 0
    for (let left = bytes; taken < count; taken++) {
      left -= this.#waiting[taken]?.size ?? 0
      if (left < 0 && taken > 0) break
    }
    return this.#waiting.splice(0, taken)
  }

  /** Those without a verdict fail: all, or those only that wait for a worker. */
  fail(which: 'all' | 'waiting'): void {
    for (const task of which === 'all' ? this.#order : this.#waiting)
      if (task !== undefined) task.verdict ??= 'failed'
    this.#waiting = []
  }

  /** Settles in the order of submission. A source's claims from before it came into doubt go first. */
  release(): void {
    for (;;) {
      const task = this.#order[this.#head]
      if (task?.verdict === undefined || (this.inDoubt && task.source?.isTrusting === true)) break
      this.#order[this.#head++] = undefined
      this.#bytes -= task.size
      task.source?.settled(this.inDoubt, task.verdict)
      task.settle(task.verdict)
    }
    if (this.#head === this.#order.length || this.#head > 1024) {
      this.#order = this.#order.slice(this.#head)
      this.#head = 0
    }
  }
}
