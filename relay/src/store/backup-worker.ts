/** The thread of a backup of a segment store. Started by segment-backup.ts. */
import { rmSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { failure } from './failure.js'
import { openLmdbStore } from './lmdb.js'
import { type BackupReply, type BackupWork, copySegments } from './segment-backup.js'
import { sumOf } from './usage.js'

const { source, target, script }: BackupWork = workerData

parentPort?.postMessage(await reply())

async function reply(): Promise<BackupReply> {
  try {
    await copySegments(source, target)
  } catch (error) {
    return refusal(error)
  }
  try {
    // Indexes the tail, so that the copy opens as fast as any.
    const store = openLmdbStore(target, { script: new URL(script) })
    await store.remove({ ids: [] }, 1)
    const copied = sumOf(store.usage())
    await store.close()
    return { ok: true, copied }
  } catch (error) {
    rmSync(target, { recursive: true, force: true })
    return refusal(error)
  }
}

function refusal(error: unknown): BackupReply {
  const { code, message } = failure(target, error, 'unavailable')
  return { ok: false, code, message }
}
