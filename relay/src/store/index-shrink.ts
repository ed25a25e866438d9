/**
 * Gives the room of an index back that has lost most of its keys: LMDB uses free pages again, but its file never
 * shrinks. A copy without them is made in a process of its own, because an opening waits for it; then it takes the place
 * of the file at once.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { syncDirectory } from './identity.js'
import { LogIndex } from './log-index.js'

const FILE = 'data.mdb'

/**
 * Nobody but the caller may have the index open, and it must open it anew. False: it is as it was, for lack of room, say.
 * `script`: see `THREAD_SCRIPT`.
 */
export function shrinkIndex(index: string, script: URL): boolean {
  const draft = `${index}.new`
  try {
    rmSync(draft, { recursive: true, force: true })
    const program = new URL('./index-shrink-worker.js', script)
    const { status } = spawnSync(process.execPath, [fileURLToPath(program), index, draft], {
      stdio: 'ignore',
    })
    if (status !== 0) return false
    renameSync(join(draft, FILE), join(index, FILE))
    syncDirectory(index)
    return true
  } catch {
    return false
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** On disk when it resolves. */
export async function copyCompact(index: string, draft: string): Promise<void> {
  mkdirSync(draft)
  const from = new LogIndex(index)
  await from.copyTo(draft).finally(() => from.close())
  const file = await open(join(draft, FILE), 'r+')
  await file.sync().finally(() => file.close())
}
