/** The thread that fills the index of a segment log, seen from outside: one request at a time. */
import { Worker } from 'node:worker_threads'
import type { LogPosition } from './log-record.js'
import { StoreError, type StoreErrorCode } from './store.js'

/** What the thread starts with. */
export interface IndexWork {
  /** For messages. */
  readonly path: string
  readonly index: string
  readonly segments: string
  readonly seed: number
}

/** To the thread: index the log up to here; or end. */
export type IndexRequest = LogPosition | 'close'
export type IndexReply =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: StoreErrorCode; readonly message: string }

export class IndexThread {
  readonly #work: IndexWork
  readonly #script: URL
  #worker: Worker | undefined
  #settle: ((reply: IndexReply) => void) | undefined

  /** The thread begins at the first request; `script` is the one that has `index-worker.ts` run. */
  constructor(work: IndexWork, script: URL) {
    this.#work = work
    this.#script = script
  }

  /** Resolves when the index has the log up to `to`, on disk; rejects with StoreError. */
  async index(to: LogPosition): Promise<void> {
    this.#worker ??= this.#start()
    const worker = this.#worker
    // Who waits for it must not see the process end.
    worker.ref()
    const reply = await new Promise<IndexReply>((resolve) => {
      this.#settle = resolve
      worker.postMessage(to satisfies IndexRequest)
    })
    worker.unref()
    if (!reply.ok) throw new StoreError(reply.code, reply.message)
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
