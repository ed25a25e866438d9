/**
 * A backup on a thread of its own (see {@link Store.backup}): it reads the files of the store, which goes on meanwhile in
 * this or another process.
 */
import { Worker } from 'node:worker_threads'
import { type Amount, StoreError, type StoreErrorCode } from './store.js'

/** To and from `backup-worker.ts`. */
export interface BackupWork {
  readonly storage: 'lmdb' | 'sqlite'
  readonly source: string
  readonly target: string
  /** Of the thread that indexes. */
  readonly script: string
}
export type BackupReply =
  | { readonly ok: true; readonly copied: Amount }
  | { readonly ok: false; readonly code: StoreErrorCode; readonly message: string }

/** The script beside which those of the other threads are; another one in tests, whose threads run what was built. */
export const THREAD_SCRIPT: URL = new URL('./index-worker.js', import.meta.url)

/**
 * As {@link Store.backup}, of the store at `source`, which may be open in another process.
 * @throws StoreError
 */
export async function backupStore(
  storage: BackupWork['storage'],
  source: string,
  target: string,
  script: URL = THREAD_SCRIPT,
): Promise<Amount> {
  const workerData: BackupWork = { storage, source, target, script: script.href }
  const worker = new Worker(new URL('./backup-worker.js', script), { workerData, execArgv: [] })
  const reply = await new Promise<BackupReply>((resolve) => {
    const lost = (reason: string) =>
      resolve({ ok: false, code: 'unavailable', message: `backup of ${source} ended: ${reason}` })
    worker.once('message', resolve)
    worker.once('error', (error) => lost(error.message))
    worker.once('exit', (code) => lost(`exit code ${code}`))
  })
  await worker.terminate()
  if (!reply.ok) throw new StoreError(reply.code, reply.message)
  return reply.copied
}
