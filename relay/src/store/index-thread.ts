/** The thread that fills the index of a segment log, seen from outside: one request at a time. */
import { Worker } from 'node:worker_threads'
import type { LogPosition } from './log-record.js'
import { type Amount, type Removal, StoreError, type StoreErrorCode } from './store.js'

/** What the thread starts with. */
export interface IndexWork {
  /** For messages. */
  readonly path: string
  readonly index: string
  readonly segments: string
  readonly graves: string
  readonly seed: number
}

/** To the thread: index the log up to here, remove, or end. */
export type IndexRequest =
  | { readonly to: LogPosition }
  | { readonly removal: Removal; readonly limit: number }
  | 'close'
export type IndexReply =
  | { readonly ok: true; readonly removed: Amount }
  | { readonly ok: false; readonly code: StoreErrorCode; readonly message: string }

export class IndexThread {
  readonly #work: IndexWork
  readonly #script: URL
  #worker: Worker | undefined
  #settle: ((reply: IndexReply) => void) | undefined
  #turn: Promise<unknown> = Promise.resolve()

  /** The thread begins at the first request; `script` is the one that has `index-worker.ts` run. */
  constructor(work: IndexWork, script: URL) {
    this.#work = work
    this.#script = script
  }

  /** Resolves when the index has the log up to `to`, on disk; rejects with StoreError. */
  async index(to: LogPosition): Promise<void> {
    await this.#ask({ to })
  }

  /** As {@link Store.remove}, of what is indexed. */
  async remove(removal: Removal, limit: number): Promise<Amount> {
    return (await this.#ask({ removal, limit })).removed
  }

  /** To be called when nothing is under way. */
  async close(): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) return
    const exit = new Promise((resolve) => worker.once('exit', resolve))
    worker.ref()
    worker.postMessage('close' satisfies IndexRequest)
    await exit
  }

  /** One after the other. */
  #ask(request: IndexRequest) {
    const result = this.#turn.then(() => this.#askNow(request))
    this.#turn = result.catch(() => undefined)
    return result
  }

  async #askNow(request: IndexRequest) {
    this.#worker ??= this.#start()
    const worker = this.#worker
    // Who waits for it must not see the process end.
    worker.ref()
    const reply = await new Promise<IndexReply>((resolve) => {
      this.#settle = resolve
      worker.postMessage(request)
    })
    worker.unref()
    if (!reply.ok) throw new StoreError(reply.code, reply.message)
    return reply
  }

  #start(): Worker {
    // Flags of the process may say how its own program is to be read: `--input-type`.
    const worker = new Worker(this.#script, { workerData: this.#work, execArgv: [] })
    worker.unref()
    worker.on('message', (reply: IndexReply) => this.#settle?.(reply))
    worker.on('error', (error) => this.#lost(worker, error.message))
    worker.on('exit', (code) => this.#lost(worker, `exit code ${code}`))
    return worker
  }

  /** The next request starts another one. */
  #lost(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const message = `store ${this.#work.path} cannot be indexed: ${reason}`
    this.#settle?.({ ok: false, code: 'unavailable', message })
  }
}
