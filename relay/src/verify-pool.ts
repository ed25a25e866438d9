/**
 * Ids and signatures, off the main thread (spec 1.7). Claims of one turn of the event loop travel as batches over
 * the workers; verdicts come out in the order of submission, however many workers there are.
 */
import { Worker } from 'node:worker_threads'
import { type Claim, packBatch, VERDICTS, type Verdict } from './verify-batch.js'

/** `failed`: the worker died with the claim in hand; nothing is known about the event. */
export type Settle = (verdict: Verdict | 'failed') => void

interface Task extends Claim {
  readonly settle: Settle
  verdict: Verdict | 'failed' | undefined
}

interface Lane {
  worker: Worker
  alive: boolean
  /** Batches under way, oldest first. */
  readonly batches: Task[][]
}

export interface VerifyPoolOptions {
  readonly workers: number
  /** Claims waiting or under way; beyond it {@link VerifyPool.submit} says no. Default 16,384. */
  readonly maxQueue?: number
  /** The worker's script. Default: the one beside this file. */
  readonly script?: URL
}

/** Few enough that a batch is back within two milliseconds, many enough that the message costs little beside it. */
const BATCH = 32
/** One batch in work, one waiting: a worker never idles and claims stay free to go to another. */
const DEPTH = 2
const RESTART_MS = 1000

export class VerifyPool {
  readonly #lanes: Lane[]
  readonly #script: URL
  readonly #maxQueue: number
  readonly #waiting: Task[] = []
  /** Everything without a settled verdict, in order of submission, from #head on. */
  #order: Task[] = []
  #head = 0
  #scheduled = false
  #closed = false

  constructor({ workers, maxQueue = 16_384, script }: VerifyPoolOptions) {
    if (!Number.isInteger(workers) || workers < 1)
      throw new RangeError(`workers must be a positive integer, got ${workers}`)
    this.#script = script ?? new URL('./verify-worker.js', import.meta.url)
    this.#maxQueue = maxQueue
    this.#lanes = Array.from({ length: workers }, () => {
      const lane: Lane = { worker: new Worker(this.#script), alive: true, batches: [] }
      this.#listen(lane)
      return lane
    })
  }

  /** Claims without a verdict. */
  get pending(): number {
    return this.#order.length - this.#head
  }

  /** False when the queue is full: nothing was taken, `settle` is not called. */
  submit(claim: Claim, settle: Settle): boolean {
    if (this.#closed || this.pending >= this.#maxQueue || this.#idlest() === undefined) return false
    const task: Task = { event: claim.event, rounded: claim.rounded, settle, verdict: undefined }
    this.#order.push(task)
    this.#waiting.push(task)
    if (!this.#scheduled) {
      this.#scheduled = true
      queueMicrotask(() => this.#send())
    }
    return true
  }

  /** Stops the workers; claims under way are settled as `failed`. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#lanes.map(({ worker }) => worker.terminate()))
    for (const task of this.#order) task.verdict ??= 'failed'
    this.#release()
  }

  #send(): void {
    this.#scheduled = false
    while (this.#waiting.length > 0 && !this.#closed) {
      const lane = this.#idlest()
      if (lane === undefined || lane.batches.length >= DEPTH) return
      const share = Math.ceil(this.#waiting.length / this.#lanes.length)
      const tasks = this.#waiting.splice(0, Math.min(BATCH, share))
      const batch = packBatch(tasks)
      lane.batches.push(tasks)
      lane.worker.postMessage(batch, [batch.buffer])
    }
  }

  #idlest(): Lane | undefined {
    let idlest: Lane | undefined
    for (const lane of this.#lanes) {
      if (lane.alive && (idlest === undefined || lane.batches.length < idlest.batches.length)) idlest = lane
    }
    return idlest
  }

  #listen(lane: Lane): void {
    const { worker } = lane
    worker.unref()
    worker.on('message', (verdicts: Uint8Array) => {
      const tasks = lane.batches.shift() ?? []
      for (const [index, task] of tasks.entries()) task.verdict = VERDICTS[verdicts[index]!] ?? 'failed'
      this.#send()
      this.#release()
    })
    worker.on('error', () => this.#replace(lane, worker))
    worker.on('exit', () => this.#replace(lane, worker))
  }

  /** A worker that dies is replaced after a second, so that a broken one does not spin. */
  #replace(lane: Lane, dead: Worker): void {
    if (this.#closed || !lane.alive || lane.worker !== dead) return
    lane.alive = false
    for (const task of lane.batches.splice(0).flat()) task.verdict = 'failed'
    if (this.#idlest() === undefined) for (const task of this.#waiting.splice(0)) task.verdict = 'failed'
    this.#release()
    setTimeout(() => {
      if (this.#closed) return
      lane.worker = new Worker(this.#script)
      lane.alive = true
      this.#listen(lane)
      this.#send()
    }, RESTART_MS).unref()
  }

  #release(): void {
    while (this.#head < this.#order.length) {
      const task = this.#order[this.#head]!
      if (task.verdict === undefined) break
      this.#head++
      task.settle(task.verdict)
    }
    if (this.#head === this.#order.length || this.#head > 1024) {
      this.#order = this.#order.slice(this.#head)
      this.#head = 0
    }
  }
}
