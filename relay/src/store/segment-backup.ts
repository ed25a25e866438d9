/**
 * A copy of a segment store, made from its files while another thread or process goes on writing (see {@link
 * Store.backup}): a snapshot of the index, then every segment. A pin keeps compaction from taking segments away that
 * the snapshot names; what was appended since the snapshot is the tail that an opening reads anyway.
 */
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { copyFile, open } from 'node:fs/promises'
import { join } from 'node:path'
import { randomEpoch } from './epoch.js'
import { failure } from './failure.js'
import { Graves } from './graves.js'
import { FORMAT, readIdentity, syncDirectory, writeIdentity } from './identity.js'
import { LogIndex } from './log-index.js'
import { pathsIn } from './paths.js'
import { readPruned } from './pruned.js'
import { auditSegments } from './segment-audit.js'
import { SegmentReader } from './segment-reader.js'
import { StoreError } from './store.js'

/** Copies and checks; the copy still wants to be opened, for its tail. @throws StoreError; nothing is left then. */
export async function copySegments(source: string, target: string): Promise<void> {
  if (existsSync(target)) throw new StoreError('not_writable', `${target} exists: choose another path`)
  const identity = readIdentity(source)
  if (identity === undefined) throw new StoreError('wrong_format', `${source} is no store`)
  const [from, to] = [pathsIn(realpathSync(source)), pathsIn(target)]
  const unpin = pin(realpathSync(source))
  try {
    mkdirSync(to.index, { recursive: true })
    mkdirSync(to.segments)
    const live = new LogIndex(from.index)
    await live.copyTo(to.index).finally(() => live.close())
    const log = new SegmentReader(from.segments, identity.seed)
    const copy = new SegmentReader(to.segments, identity.seed)
    // One that compaction was just about to take away is not in the snapshot; if it is, the audit misses it.
    for (const segment of log.list())
      await copyDurably(log.file(segment), copy.file(segment)).catch(unlessMissing)
    const index = new LogIndex(to.index)
    try {
      const graves = new Graves(to.graves, identity.seed)
      const { dead, damages } = await auditSegments(copy, index, graves)
      const [damage] = damages
      if (damage !== undefined)
        throw new StoreError(
          'unavailable',
          `${source} is damaged: ${damage.what} (${damage.file}): see verify-store`,
        )
      index.forgetGraves()
      graves.replace([...graves.marks(readPruned(index)), ...dead.map((at) => graves.grave(at))])
      writeIdentity(target, { ...identity, format: FORMAT, epoch: randomEpoch(), end: index.watermark })
    } finally {
      copy.forgetAll()
      await index.close()
    }
    for (const directory of [to.segments, to.index]) syncDirectory(directory)
  } catch (error) {
    rmSync(target, { recursive: true, force: true })
    throw failure(target, error, 'unavailable')
  } finally {
    unpin()
  }
}

async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to)
  const file = await open(to, 'r+')
  await file.sync().finally(() => file.close())
}

function unlessMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}

/** While it lasts no segment of the store goes, in whatever process it is open. */
export function pin(directory: string): () => void {
  const file = join(directory, PIN)
  if (isPinned(directory))
    throw new StoreError('locked', `${directory} is being copied already: wait for that`)
  writeFileSync(file, `${process.pid}\n`)
  return () => rmSync(file, { force: true })
}

/** The pin of a process that is gone does not count. */
export function isPinned(directory: string): boolean {
  try {
    const pid = Number(readFileSync(join(directory, PIN), 'utf8'))
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

const PIN = 'backup.pin'
