/**
 * The second durable store: one SQLite file (spec 2.4). Writes run on the main thread, so LMDB carries more; what
 * speaks for this one is a single file that every tool can open and copy, also while the relay runs. Who writes holds
 * the lock file beside it, `<path>.lock`; who reads needs no lock.
 */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'libsql'
import { backupStore, THREAD_SCRIPT } from './backup.js'
import { failure, writeFailure } from './failure.js'
import { lockFile, type Unlock } from './file-lock.js'
import { type Engine, openIndexedStore, renewEpoch, type Writer } from './indexed-store.js'
import { type Store, StoreError } from './store.js'

/** Row ids are signed, seqs are not: the order of both is the same with the top bit flipped. */
const BIAS = 2n ** 63n

/** How long to wait for a reader that opens or closes the file just now. */
const BUSY_MS = 5000

/**
 * Opens or makes the store in the file `path`. `script`: see {@link THREAD_SCRIPT}.
 * @throws StoreError `not_writable`, `locked`, `wrong_format`, `unavailable`; the message names the path.
 */
export function openSqliteStore(path: string, { script = THREAD_SCRIPT }: { script?: URL } = {}): Store {
  const { engine } = openSqlite(path)
  try {
    return openIndexedStore(engine, (target) => backupStore('sqlite', path, target, script))
  } catch (error) {
    void engine.close()
    throw openFailure(path, error)
  }
}

/** For a look at a file that another process may write. @throws StoreError as {@link openSqliteStore}. */
export function readSqlite(path: string, look: (db: Database.Database) => void): void {
  let db: Database.Database | undefined
  try {
    db = new Database(path)
    // WAL: a store that is opened meanwhile need not wait.
    for (const pragma of [`busy_timeout=${BUSY_MS}`, 'journal_mode=wal']) db.exec(`PRAGMA ${pragma}`)
    assertOurs(path, db)
    look(db)
  } catch (error) {
    throw openFailure(path, error)
  } finally {
    if (db !== undefined) release(db)
    db?.close()
  }
}

/** Gives a copy of a store an epoch of its own. @throws as {@link openSqliteStore}. */
export function renewSqlite(path: string): void {
  const { engine } = openSqlite(path)
  try {
    renewEpoch(engine)
  } finally {
    void engine.close()
  }
}

/** The database alone, for who wants to look into it. @throws as {@link openSqliteStore}. */
export function openSqlite(path: string): { readonly db: Database.Database; readonly engine: Engine } {
  try {
    mkdirSync(dirname(path), { recursive: true })
  } catch (error) {
    throw failure(path, error, 'not_writable')
  }
  const unlock = lock(path)
  let db: Database.Database | undefined
  try {
    db = new Database(path)
    // FULL: a commit is on disk on return.
    for (const pragma of [
      `busy_timeout=${BUSY_MS}`,
      'journal_mode=wal',
      'synchronous=full',
      'cache_size=-65536',
    ])
      db.exec(`PRAGMA ${pragma}`)
    assertOurs(path, db)
    db.exec(`
      CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS event_index (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
    `)
    return { db, engine: sqliteEngine(path, db, unlock) }
  } catch (error) {
    const refusal = openFailure(path, error)
    if (db !== undefined && refusal.code !== 'locked') release(db)
    db?.close()
    unlock()
    throw refusal
  }
}

/** @throws StoreError `locked`, `not_writable`. */
function lock(path: string): Unlock {
  let unlock: Unlock | undefined
  try {
    unlock = lockFile(`${path}.lock`)
  } catch (error) {
    throw openFailure(path, error)
  }
  if (unlock === undefined) throw openInAnother(path)
  return unlock
}

/**
 * The library keeps a connection until its statements are collected: this gives back what it holds, and leaves one
 * whole file. Where another connection reads, the file is whole all the same, and the log beside it empty.
 */
function release(db: Database.Database): void {
  for (const sql of [
    'PRAGMA busy_timeout=0',
    'PRAGMA wal_checkpoint(truncate)',
    'PRAGMA journal_mode=delete',
    'SELECT 1 FROM sqlite_schema',
  ])
    try {
      db.prepare(sql).all()
    } catch {
      // No database, or one that another connection reads.
    }
}

function assertOurs(path: string, db: Database.Database): void {
  const tables = db.prepare('SELECT CAST(name AS BLOB) FROM sqlite_schema').raw().all([]) as [Buffer][]
  if (tables.length > 0 && !tables.some(([name]) => name?.toString() === 'event_index'))
    throw new StoreError(
      'wrong_format',
      `store ${path} is an SQLite database of something else: use another path`,
    )
}

function sqliteEngine(path: string, db: Database.Database, unlock: Unlock): Engine {
  // Arguments go in as one array: the library takes a lone Buffer for named ones. A flipped bit can turn a BLOB into a
  // TEXT, and one that is not UTF-8 ends the process within the library: the casts keep those from it.
  const prepared = {
    value: db.prepare('SELECT CAST(value AS BLOB) FROM event_index WHERE key = ?').raw(),
    keys: db
      .prepare('SELECT CAST(key AS BLOB) FROM event_index WHERE key >= ? AND key < ? ORDER BY key LIMIT ?')
      .raw(),
    keysBack: db
      .prepare(
        'SELECT CAST(key AS BLOB) FROM event_index WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT ?',
      )
      .raw(),
    entries: db
      .prepare(
        'SELECT CAST(key AS BLOB), CAST(value AS BLOB) FROM event_index WHERE key >= ? AND key < ? ORDER BY key LIMIT ?',
      )
      .raw(),
    record: db.prepare('SELECT CAST(record AS BLOB) FROM event WHERE seq = ?').raw(),
    records: db
      .prepare('SELECT seq, CAST(record AS BLOB) FROM event WHERE seq >= ? ORDER BY seq LIMIT ?')
      .raw()
      .safeIntegers(),
    putIndex: db.prepare('INSERT OR REPLACE INTO event_index VALUES (?, ?)'),
    deleteIndex: db.prepare('DELETE FROM event_index WHERE key = ?'),
    putRecord: db.prepare('INSERT OR REPLACE INTO event VALUES (?, ?)'),
    deleteRecord: db.prepare('DELETE FROM event WHERE seq = ?'),
  }
  const writer: Writer = {
    putIndex: (key, value) => void prepared.putIndex.run([key, value]),
    deleteIndex: (key) => void prepared.deleteIndex.run([key]),
    putRecord: (seq, record) => void prepared.putRecord.run([rowId(seq), record]),
    deleteRecord: (seq) => void prepared.deleteRecord.run([rowId(seq)]),
  }
  function writeNow(fill: (writer: Writer) => void): void {
    try {
      db.exec('BEGIN IMMEDIATE')
      fill(writer)
      db.exec('COMMIT')
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK')
      throw writeFailure(path, `${path}-wal`, error)
    }
  }
  /** Damage of the file is found as it is read. */
  function read<Result>(run: () => Result): Result {
    try {
      return run()
    } catch (error) {
      throw failure(path, error, 'unavailable')
    }
  }
  /** A flipped bit can make NULL, a number or a text of any column. */
  function blob(row: unknown, column: number): Buffer {
    const value = Array.isArray(row) ? row[column] : undefined
    if (!Buffer.isBuffer(value))
      throw new StoreError('unavailable', `store ${path} is corrupt: restore it from a copy`)
    return value
  }
  function one(run: () => unknown): Buffer | undefined {
    const row = read(run)
    return row === undefined ? undefined : blob(row, 0)
  }
  return {
    path,
    writeNow,
    write: async (fill) => writeNow(fill),
    value: (key) => one(() => prepared.value.get([key])),
    keys: (from, to, limit) => read(() => prepared.keys.all([from, to, limit])).map((row) => blob(row, 0)),
    keysBack: (from, to, limit) =>
      read(() => prepared.keysBack.all([from, to, limit])).map((row) => blob(row, 0)),
    entries: (from, to, limit) =>
      read(() => prepared.entries.all([from, to, limit])).map((row) => [blob(row, 0), blob(row, 1)]),
    record: (seq) => one(() => prepared.record.get([rowId(seq)])),
    records: (seq, limit) =>
      read(() => prepared.records.all([rowId(seq), limit])).map((row) => ({
        seq: seqOfRow((row as [bigint])[0]),
        record: blob(row, 1),
      })),
    async close() {
      release(db)
      db.close()
      unlock()
    },
  }
}

function rowId(seq: Buffer): bigint {
  return seq.readBigUInt64BE() - BIAS
}

function seqOfRow(row: bigint): Buffer {
  const seq = Buffer.allocUnsafe(8)
  seq.writeBigUInt64BE(row + BIAS)
  return seq
}

function openInAnother(path: string): StoreError {
  return new StoreError(
    'locked',
    `store ${path} is open in another process: stop that one, or use another path`,
  )
}

function openFailure(path: string, error: unknown): StoreError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const text = error instanceof Error ? error.message : String(error)
  if (code === 'SQLITE_BUSY' || /database is locked/.test(text)) return openInAnother(path)
  if (code === 'SQLITE_NOTADB') return new StoreError('wrong_format', `store ${path} is no SQLite database`)
  // SQLITE_CANTOPEN, as the library words it.
  if (/ConnectionFailed.*: 14\b/.test(text))
    return new StoreError('not_writable', `store ${path} cannot be written: SQLite cannot open the file`)
  return failure(path, error, 'unavailable')
}
