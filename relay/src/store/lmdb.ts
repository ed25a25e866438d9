/**
 * The durable default (spec 2.4). The directory holds
 *
 *   identity.json   what the store was born with, see `identity.ts`
 *   segments/       the log, the truth: see `log-record.ts`
 *   index/          LMDB, made from the log: see `log-index.ts`; a missing one is made again at the next opening
 */
import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { failure } from './failure.js'
import { newIdentity, readIdentity, writeIdentity } from './identity.js'
import { IndexThread } from './index-thread.js'
import type { Bounds } from './index-writer.js'
import { LogIndex } from './log-index.js'
import { SegmentLog } from './segment-log.js'
import { openSegmentStore } from './segment-store.js'
import { type Store, StoreError } from './store.js'

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
  const [indexPath, segments] = [join(real, 'index'), join(real, 'segments')]
  let index: LogIndex
  try {
    index = new LogIndex(indexPath)
  } catch (error) {
    throw failure(path, error, 'not_writable')
  }
  let log: SegmentLog | undefined
  try {
    // Every process that reads holds a slot in LMDB's lock file, which the system frees when the process is gone.
    const other = index.processes().find((pid) => pid !== process.pid)
    if (other !== undefined) throw lockedBy(path, other)
    const known = readIdentity(path)
    const identity = known ?? newIdentity()
    if (known === undefined) {
      if (existsSync(segments))
        throw new StoreError(
          'wrong_format',
          `store ${path} has a log but no identity.json: restore it from a copy`,
        )
      writeIdentity(path, identity)
    }
    index.claim(identity.epoch)
    log = new SegmentLog(segments, identity.seed, segmentBytes)
    const thread = new IndexThread({ path, index: indexPath, segments, seed: identity.seed }, script)
    const closed = () => openHere.delete(real)
    return openSegmentStore({ path, identity, log, index, thread, bounds, closed })
  } catch (error) {
    void log?.close()
    void index.close()
    throw error
  }
}

function lockedBy(path: string, pid: number): StoreError {
  return new StoreError(
    'locked',
    `store ${path} is open in process ${pid}: stop that one, or use another path`,
  )
}
