/**
 * The durable default: LMDB (spec 2.4). Writes run on a thread of the library, so the main thread only fills them in;
 * reads come straight from the memory map.
 */
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { failure, refusalToGrow, writeFailure } from './failure.js'
import { type Engine, openIndexedStore, type Writer } from './indexed-store.js'
import { type Store, StoreError } from './store.js'

/** Directories open in this process; LMDB itself would let a second store in. */
const openHere = new Set<string>()

/**
 * Opens or makes the store in the directory `path`.
 * @throws StoreError `not_writable`, `locked`, `wrong_format`, `unavailable`; the message names the path.
 */
export function openLmdbStore(path: string): Store {
  let real: string
  try {
    mkdirSync(path, { recursive: true })
    real = realpathSync(path)
  } catch (error) {
    throw failure(path, error, 'not_writable')
  }
  if (openHere.has(real)) throw lockedBy(path, process.pid)
  let root: RootDatabase<Buffer, Buffer>
  try {
    root = open<Buffer, Buffer>({
      path: real,
      name: 'index',
      noSubdir: false,
      maxDbs: 2,
      encoding: 'binary',
      keyEncoding: 'binary',
      // The default resolves a write before it is synced to disk.
      overlappingSync: false,
      // The default wraps a batch into another one, whose failure nobody can catch.
      eventTurnBatching: false,
    })
  } catch (error) {
    throw failure(path, error, 'not_writable')
  }
  openHere.add(real)
  try {
    const log = root.openDB<Buffer, Buffer>({ name: 'log', encoding: 'binary', keyEncoding: 'binary' })
    assertAlone(path, root)
    return openIndexedStore(lmdbEngine(path, root, log, () => openHere.delete(real)))
  } catch (error) {
    openHere.delete(real)
    void root.close()
    throw error instanceof StoreError ? error : failure(path, error, 'unavailable')
  }
}

function lmdbEngine(path: string, index: RootDatabase<Buffer, Buffer>, log: Db, onClose: () => void): Engine {
  const file = join(path, 'data.mdb')
  let full = false
  const writer: Writer = {
    putIndex: (key, value) => void index.put(key, value),
    deleteIndex: (key) => void index.remove(key),
    putRecord: (seq, record) => void log.put(seq, record),
    deleteRecord: (seq) => void log.remove(seq),
  }
  return {
    path,
    value: (key) => bytes(index.getBinary(key)),
    record: (seq) => bytes(log.getBinary(seq)),
    keys: (start, end, limit) => Array.from(index.getKeys({ start, end, limit })),
    records: (start, limit) =>
      Array.from(log.getRange({ start, limit }), ({ key, value }) => ({ seq: key, record: value })),
    async write(fill) {
      // The library prints every failed commit: while the disk is full, do not let it try.
      const refusal = full ? refusalToGrow(file) : undefined
      if (refusal !== undefined) throw failure(path, refusal, 'unavailable')
      try {
        await index.batch(() => fill(writer))
        full = false
      } catch (error) {
        const known = writeFailure(path, file, await cause(error))
        full = known.code === 'storage_full'
        throw known
      }
    },
    writeNow(fill) {
      try {
        index.transactionSync(() => fill(writer))
      } catch (error) {
        throw writeFailure(path, file, error)
      }
    },
    async close() {
      await index.close()
      onClose()
    },
  }
}

type Db = Database<Buffer, Buffer>

function bytes(value: Buffer | undefined): Buffer | undefined {
  return value && Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

/** Every process that reads holds a slot in LMDB's lock file, which the system frees when the process is gone. */
function assertAlone(path: string, root: RootDatabase<Buffer, Buffer>): void {
  root.getBinary(Buffer.of(0))
  root.readerCheck()
  for (const line of root.readerList().split('\n').slice(1)) {
    const pid = Number.parseInt(line, 10)
    if (pid > 0 && pid !== process.pid) throw lockedBy(path, pid)
  }
}

function lockedBy(path: string, pid: number): StoreError {
  return new StoreError(
    'locked',
    `store ${path} is open in process ${pid}: stop that one, or use another path`,
  )
}

/** The library rejects a write with an error that only promises its cause. */
async function cause(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error
  return Promise.race([
    Promise.resolve(error.commitError).catch((reason: unknown) => reason),
    new Promise((resolve) => setImmediate(resolve, error)),
  ])
}
