/**
 * Ids and signatures, off the main thread (spec 1.7). Claims of one turn of the event loop travel as batches over
 * the workers. A source's verdicts come out in the order in which it submitted, however many workers there are; sources
 * take turns, and those in doubt have a queue of their own, which is given little time.
 */
import { Worker } from 'node:worker_threads'
import { canonicalSize } from '@aetherkit/core'
import { type Claim, packBatch, VERDICTS } from './verify-batch.js'
import { VerifyQueue, VerifyRoom } from './verify-queue.js'
import { type Settle, type Task, VerifySource } from './verify-source.js'

export type { Settle }

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
  /** The same in bytes of their events. Default 128 MiB, a full window of the largest. */
  readonly maxBytes?: number
  /** The worker's script. Default: the one beside this file. */
  readonly script?: URL
}

/** Few enough that a batch is back within two milliseconds, many enough that the message costs little beside it. */
const BATCH = 32
const BATCH_BYTES = 256 * 1024
/** One batch in work, one waiting: a worker never idles and claims stay free to go to another. */
const DEPTH = 2
const RESTART_MS = 1000
const MAX_BYTES = 128 * 1024 * 1024
/** Claims of sources in doubt that are checked in a millisecond; what is not used is good for one batch. */
const DOUBTS_PER_MS = 1
/** A claim of more bytes counts as several. */
const DOUBT_BYTES = 4096
/** Of the queue, what sources in doubt may have. */
const DOUBT_SHARE = 4

export class VerifyPool {
  readonly #lanes: Lane[]
  readonly #script: URL
  readonly #trusted: VerifyQueue
  readonly #doubtful: VerifyQueue
  /** Of who names none. */
  readonly #nameless = new VerifySource({ trusted: true })
  /** Claims in doubt that may go to a worker, at that time of the steady clock; below 0 after large ones. */
  #doubts = BATCH
  #doubtsAt = performance.now()
  #doubtTimer: NodeJS.Timeout | undefined
  #scheduled = false
  #closed = false

  constructor({ workers, maxQueue = 16_384, maxBytes = MAX_BYTES, script }: VerifyPoolOptions) {
    if (!Number.isInteger(workers) || workers < 1)
      throw new RangeError(`workers must be a positive integer, got ${workers}`)
    this.#script = script ?? new URL('./verify-worker.js', import.meta.url)
    this.#trusted = new VerifyQueue(new VerifyRoom(maxQueue, maxBytes))
    const share = new VerifyRoom(Math.ceil(maxQueue / DOUBT_SHARE), maxBytes / DOUBT_SHARE)
    this.#doubtful = new VerifyQueue(share)
    this.#lanes = Array.from({ length: workers }, () => {
      const lane: Lane = { worker: new Worker(this.#script), alive: true, batches: [] }
      this.#listen(lane)
      return lane
    })
  }

  /** Claims without a verdict. */
  get pending(): number {
    return this.#trusted.room.taken + this.#doubtful.room.taken
  }

  /**
   * False when the queue is full: nothing was taken, `settle` is not called. Without a source there is no doubt, and
   * memory is the caller's to mind.
   */
  submit({ event, rounded }: Claim, settle: Settle, source = this.#nameless): boolean {
    const queue = this.#queueOf(source)
    const { room } = queue
    const isFull = room.isFull || (source !== this.#nameless && room.isHeavy)
    if (this.#closed || isFull || this.#idlest() === undefined) return false
    const task = { event, rounded, settle, source, room, size: canonicalSize(event), verdict: undefined }
    room.enter(task)
    queue.push(task)
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
    clearTimeout(this.#doubtTimer)
    for (const lane of this.#lanes) this.#settle(this.#forsake(lane))
    this.#failWaiting()
  }

  #queueOf({ isDoubtful }: VerifySource): VerifyQueue {
    return isDoubtful ? this.#doubtful : this.#trusted
  }

  #send(): void {
    this.#scheduled = false
    this.#sendDoubtful()
    while (this.#trusted.waiting > 0 && this.#dispatch(this.#trusted) > 0) {}
  }

  /** A batch when one is due, whoever else waits: nobody waits for ever. */
  #sendDoubtful(): void {
    const queue = this.#doubtful
    if (queue.waiting === 0 || this.#doubtTimer !== undefined) return
    const now = performance.now()
    this.#doubts = Math.min(BATCH, this.#doubts + (now - this.#doubtsAt) * DOUBTS_PER_MS)
    this.#doubtsAt = now
    if (this.#doubts >= Math.min(BATCH, queue.waiting)) this.#doubts -= this.#dispatch(queue)
    if (queue.waiting === 0) return
    const missing = Math.min(BATCH, queue.waiting) - this.#doubts
    this.#doubtTimer = setTimeout(
      () => {
        this.#doubtTimer = undefined
        this.#sendDoubtful()
      },
      Math.max(1, missing / DOUBTS_PER_MS),
    )
    this.#doubtTimer.unref()
  }

  /** Hands a worker what it takes; gives how many that counts as: 0 when none is free. */
  #dispatch(queue: VerifyQueue): number {
    const lane = this.#idlest()
    if (this.#closed || lane === undefined || lane.batches.length >= DEPTH) return 0
    const tasks = queue.take(Math.min(BATCH, Math.ceil(queue.waiting / this.#lanes.length)), BATCH_BYTES)
    const batch = packBatch(tasks)
    lane.batches.push(tasks)
    lane.worker.postMessage(batch, [batch.buffer])
    return tasks.reduce((sum, { size }) => sum + Math.max(1, size / DOUBT_BYTES), 0)
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
      this.#settle(tasks)
    })
    worker.on('error', () => this.#replace(lane, worker))
    worker.on('exit', () => this.#replace(lane, worker))
  }

  /** A worker that dies is replaced after a second, so that a broken one does not spin. */
  #replace(lane: Lane, dead: Worker): void {
    if (this.#closed || !lane.alive || lane.worker !== dead) return
    lane.alive = false
    this.#settle(this.#forsake(lane))
    if (this.#idlest() === undefined) this.#failWaiting()
    setTimeout(() => {
      if (this.#closed) return
      lane.worker = new Worker(this.#script)
      lane.alive = true
      this.#listen(lane)
      this.#send()
    }, RESTART_MS).unref()
  }

  /** What the lane has under way fails. */
  #forsake(lane: Lane): readonly Task[] {
    const tasks = lane.batches.splice(0).flat()
    for (const task of tasks) task.verdict = 'failed'
    return tasks
  }

  #failWaiting(): void {
    for (const queue of [this.#trusted, this.#doubtful]) for (const source of queue.fail()) source.release()
  }

  /** After verdicts. A source that comes into doubt, or out of it, changes queues with all that waits. */
  #settle(tasks: readonly Task[]): void {
    let hasMoved = false
    for (const { source } of tasks) {
      source.release()
      const queue = this.#queueOf(source)
      if (source.queue === undefined || source.queue === queue) continue
      source.queue.remove(source)
      queue.add(source)
      hasMoved = true
    }
    if (hasMoved) this.#send()
  }
}
