/**
 * The durable default (spec 2.4). The directory holds
 *
 *   identity.json   what the store was born with, see `identity.ts`
 *   segments/       the log, the truth: see `log-record.ts`
 *   graves          what of the log is dead, see `graves.ts`; made again from log and index when it was cut
 *   index/          LMDB, made from log and graves: see `log-index.ts`; a missing one is made again at the next opening
 *   backup.pin      while a backup copies the segments, see `segment-backup.ts`
 */
import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { backupStore, THREAD_SCRIPT } from './backup.js'
import { failure } from './failure.js'
import { Graves } from './graves.js'
import { FORMAT, type Identity, newIdentity, readIdentity, writeIdentity } from './identity.js'
import { shrinkIndex } from './index-shrink.js'
import { IndexThread } from './index-thread.js'
import type { Bounds } from './index-writer.js'
import { LogIndex } from './log-index.js'
import { LogIndexWriter } from './log-index-writer.js'
import { gravesOf } from './log-recovery.js'
import { type Paths, pathsIn } from './paths.js'
import { isPinned } from './segment-backup.js'
import { SegmentLog } from './segment-log.js'
import { openSegmentStore } from './segment-store.js'
import { type Store, StoreError } from './store.js'

/** For tests: what makes rare things happen often. */
export interface LmdbStoreTuning {
  /** A segment is sealed before it grows beyond it. */
  readonly segmentBytes: number
  readonly bounds: Bounds
  /** At an opening, an index file that is longer and more than half free is copied without what is free. */
  readonly shrinkBytes: number
  /** The script of the thread that indexes. */
  readonly script: URL
}

const DEFAULTS: LmdbStoreTuning = {
  segmentBytes: 1 << 26,
  bounds: { events: 65_536, bytes: 1 << 26, delay: 2000 },
  shrinkBytes: 1 << 26,
  script: THREAD_SCRIPT,
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

function openAlone(path: string, real: string, tuning: LmdbStoreTuning): Store {
  const { segmentBytes, bounds, shrinkBytes, script } = tuning
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
    if (isWasteful(index, shrinkBytes) && shrinkIndex(at.index, script)) {
      void index.close()
      index = new LogIndex(at.index)
      const late = index.processes().find((pid) => pid !== process.pid)
      if (late !== undefined) throw lockedBy(path, late)
    }
    const identity = readIdentity(path) ?? beginIdentity(path, at)
    log = new SegmentLog(at.segments, identity.seed, segmentBytes)
    index.claim(identity.born, log.end)
    const graves = new Graves(at.graves, identity.seed)
    const writer = new LogIndexWriter(index, log, graves)
    writer.settle()
    if (identity.format !== FORMAT) {
      index.forgetGraves()
      if (!graves.isMeasured) graves.measure()
      writeIdentity(path, { ...identity, format: FORMAT })
    }
    const loss = graves.loss()
    if (loss !== undefined && index.isPartial) throw lostGraves(path, graves, loss)
    if (loss !== undefined) {
      index.forgetGraves()
      graves.replace(gravesOf(log, index, graves))
    }
    const dead = index.isPartial && !graves.isEmpty ? graves.read() : undefined
    if (dead !== undefined) writer.prune(dead.pruned)
    return openSegmentStore({
      ...{ path, identity: { ...identity, format: FORMAT }, log, index, bounds },
      thread: new IndexThread({ path, ...at, seed: identity.seed }, script),
      recovery: { writer, ...dead },
      isPinned: () => isPinned(real),
      backup: (target) => backupStore('lmdb', path, target, script),
      closed: () => openHere.delete(real),
    })
  } catch (error) {
    void log?.close()
    void index.close()
    throw error
  }
}

function isWasteful(index: LogIndex, shrinkBytes: number): boolean {
  const { file, used } = index.room
  return file > shrinkBytes && used < file / 2
}

function beginIdentity(path: string, { segments, graves }: Paths): Identity {
  if (existsSync(segments))
    throw new StoreError(
      'wrong_format',
      `store ${path} has a log but no identity.json: restore it from a copy`,
    )
  const identity = newIdentity()
  new Graves(graves, identity.seed).replace([])
  writeIdentity(path, identity)
  return identity
}

/** Index and graves together are what tells the dead from the living; either can be made from the other. */
function lostGraves(path: string, graves: Graves, loss: string): StoreError {
  return new StoreError(
    'unavailable',
    `store ${path} has lost its index, and ${graves.path} ${loss}: what was removed cannot be told from what was not. ` +
      'Restore it from a copy, or run aether-relay verify-store --forget-graves and have what was removed back',
  )
}

function lockedBy(path: string, pid: number): StoreError {
  return new StoreError(
    'locked',
    `store ${path} is open in process ${pid}: stop that one, or use another path`,
  )
}
