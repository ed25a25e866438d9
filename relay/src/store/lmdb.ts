/**
 * The durable default (spec 2.4). The directory holds
 *
 *   identity.json   what the store was born with, see `identity.ts`
 *   segments/       the log, the truth: see `log-record.ts`
 *   graves          what of the log is dead, see `graves.ts`
 *   index/          LMDB, made from log and graves: see `log-index.ts`; a missing one is made again at the next opening
 *   backup.pin      while a backup copies the segments, see `segment-backup.ts`
 */
import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { failure } from './failure.js'
import { Graves } from './graves.js'
import { type Identity, newIdentity, readIdentity, writeIdentity } from './identity.js'
import { IndexThread } from './index-thread.js'
import type { Bounds } from './index-writer.js'
import { LogIndex } from './log-index.js'
import { LogIndexWriter } from './log-index-writer.js'
import { pathsIn } from './paths.js'
import { backupSegments, isPinned } from './segment-backup.js'
import { SegmentLog } from './segment-log.js'
import { openSegmentStore } from './segment-store.js'
import { type Amount, type Store, StoreError } from './store.js'

/** For tests: what makes rare things happen often. */
export interface LmdbStoreTuning {
  /** A segment is sealed before it grows beyond it. */
  readonly segmentBytes: number
  readonly bounds: Bounds
  /** The script of the thread that indexes. */
  readonly script: URL
}

const DEFAULTS: LmdbStoreTuning = {
  segmentBytes: 1 << 26,
  bounds: { events: 65_536, bytes: 1 << 26, delay: 2000 },
  script: new URL('./index-worker.js', import.meta.url),
}

/**
 * As {@link Store.backup}, of the store in the directory `path`, which may be open in another process.
 * @throws StoreError
 */
export function backupLmdbStore(path: string, target: string): Promise<Amount> {
  return backupSegments(path, target, DEFAULTS.script)
}

/** Directories open in this process; LMDB itself would let a second store in. */
const openHere = new Set<string>()

/**
 * Opens or makes the store in the directory `path`.
 * @throws StoreError `not_writable`, `locked`, `wrong_format`, `unavailable`; the message names the path.
 */
export function openLmdbStore(path: string, tuning: Partial<LmdbStoreTuning> = {}): Store {
  let real: string
  try {
    mkdirSync(path, { recursive: true })
    real = realpathSync(path)
  } catch (error) {
    throw failure(path, error, 'not_writable')
  }
  if (openHere.has(real)) throw lockedBy(path, process.pid)
  openHere.add(real)
  try {
    return openAlone(path, real, { ...DEFAULTS, ...tuning })
  } catch (error) {
    openHere.delete(real)
    throw failure(path, error, 'unavailable')
  }
}

function openAlone(path: string, real: string, { segmentBytes, bounds, script }: LmdbStoreTuning): Store {
  if (existsSync(join(path, 'data.mdb')))
    throw new StoreError(
      'wrong_format',
      `store ${path} has format 1, which this version does not read: use another path`,
    )
  const at = pathsIn(real)
  let index: LogIndex
  try {
    index = new LogIndex(at.index)
  } catch (error) {
    throw failure(path, error, 'not_writable')
  }
  let log: SegmentLog | undefined
  try {
    // Every process that reads holds a slot in LMDB's lock file, which the system frees when the process is gone.
    const other = index.processes().find((pid) => pid !== process.pid)
    if (other !== undefined) throw lockedBy(path, other)
    const identity = readIdentity(path) ?? beginIdentity(path, at.segments)
    log = new SegmentLog(at.segments, identity.seed, segmentBytes)
    index.claim(identity.born, log.end)
    const graves = new Graves(at.graves, identity.seed)
    const writer = new LogIndexWriter(index, log, graves)
    const dead = index.isPartial && graves.length > 0 ? graves.read() : undefined
    if (dead !== undefined && dead.firstSeq > index.firstSeq) writer.raise(dead.firstSeq)
    return openSegmentStore({
      ...{ path, identity, log, index, bounds },
      thread: new IndexThread({ path, ...at, seed: identity.seed }, script),
      recovery: { writer, ...dead },
      isPinned: () => isPinned(real),
      backup: (target) => backupSegments(path, target, script),
      closed: () => openHere.delete(real),
    })
  } catch (error) {
    void log?.close()
    void index.close()
    throw error
  }
}

function beginIdentity(path: string, segments: string): Identity {
  if (existsSync(segments))
    throw new StoreError(
      'wrong_format',
      `store ${path} has a log but no identity.json: restore it from a copy`,
    )
  const identity = newIdentity()
  writeIdentity(path, identity)
  return identity
}

function lockedBy(path: string, pid: number): StoreError {
  return new StoreError(
    'locked',
    `store ${path} is open in process ${pid}: stop that one, or use another path`,
  )
}
