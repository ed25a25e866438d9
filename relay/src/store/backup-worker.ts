/** The thread of a backup. Started by backup.ts. */
import { rmSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import type { BackupReply, BackupWork } from './backup.js'
import { failure } from './failure.js'
import { openLmdbStore } from './lmdb.js'
import { copySegments } from './segment-backup.js'
import { copySqlite } from './sqlite-backup.js'
import type { Amount } from './store.js'
import { sumOf } from './usage.js'

const { storage, source, target, script }: BackupWork = workerData

parentPort?.postMessage(await reply())

async function reply(): Promise<BackupReply> {
  try {
    return { ok: true, copied: await (storage === 'lmdb' ? copyLmdb() : copySqlite(source, target)) }
  } catch (error) {
    const { code, message } = failure(target, error, 'unavailable')
    return { ok: false, code, message }
  }
}

async function copyLmdb(): Promise<Amount> {
  await copySegments(source, target)
  try {
    // Indexes the tail, so that the copy opens as fast as any.
    const store = openLmdbStore(target, { script: new URL(script) })
    await store.remove({ ids: [] }, 1)
    const copied = sumOf(store.usage())
    await store.close()
    return copied
  } catch (error) {
    rmSync(target, { recursive: true, force: true })
    throw error
  }
}
