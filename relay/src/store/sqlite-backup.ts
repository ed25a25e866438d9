/**
 * A copy of an SQLite store (see {@link Store.backup}), made by SQLite from one snapshot while another connection goes on
 * writing: in WAL mode neither waits for the other.
 */
import { existsSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncDirectory } from './identity.js'
import { readSqlite, renewSqlite } from './sqlite.js'
import { auditSqlite } from './sqlite-audit.js'
import { type Amount, StoreError } from './store.js'

/** Copies and checks. @throws StoreError; nothing is left at `target` then, unless it was there before. */
export async function copySqlite(source: string, target: string): Promise<Amount> {
  if (existsSync(target)) throw new StoreError('not_writable', `${target} exists: choose another path`)
  if (!existsSync(source)) throw new StoreError('not_writable', `there is no store at ${source}`)
  try {
    readSqlite(source, (db) => void db.prepare('VACUUM INTO ?').run([target]))
    renewSqlite(target)
    const { events, bytes, damages } = await auditSqlite(target)
    const [damage] = damages
    if (damage !== undefined)
      throw new StoreError('unavailable', `${source} is damaged: ${damage.what}: see verify-store`)
    const file = await open(target, 'r+')
    await file.sync().finally(() => file.close())
    syncDirectory(dirname(target))
    return { events, bytes }
  } catch (error) {
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${target}${end}`, { force: true })
    throw error
  } finally {
    rmSync(`${target}.lock`, { force: true })
  }
}
