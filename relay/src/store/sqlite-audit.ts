/** Walks an SQLite store from end to end and compares events and index: for `verify-store`. */
import { type Damage, IndexAudit } from './index-audit.js'
import { seqKey } from './index-keys.js'
import { type Engine, hashSeedOf } from './indexed-store.js'
import { decodeRecord } from './record.js'
import { openRecord, SEAL_LENGTH } from './record-seal.js'
import { openSqlite } from './sqlite.js'
import { type Amount, StoreError } from './store.js'

const PAGE = 256

/** @throws StoreError `locked` or `not_writable`; what is damaged is in the result. */
export async function auditSqlite(path: string): Promise<Amount & { readonly damages: readonly Damage[] }> {
  const damages: Damage[] = []
  const damaged = (what: string) => void damages.push({ file: path, what })
  const sum = { events: 0, bytes: 0 }
  let opened: ReturnType<typeof openSqlite>
  try {
    opened = openSqlite(path)
  } catch (error) {
    if (!isDamage(error)) throw error
    damaged(error.message)
    return { ...sum, damages }
  }
  const { db, engine } = opened
  try {
    const check = db.prepare('SELECT CAST(integrity_check AS BLOB) FROM pragma_integrity_check').raw()
    for (const [line] of check.all([]) as [Buffer][]) if (line.toString() !== 'ok') damaged(line.toString())
    const seed = hashSeedOf(engine)
    if (seed === undefined) damaged('the store lacks what it was born with')
    else await walk(engine, seed, sum, damaged)
  } catch (error) {
    damaged(error instanceof Error ? error.message : String(error))
  } finally {
    await engine.close()
  }
  return { ...sum, damages }
}

async function walk(
  engine: Engine,
  seed: number,
  sum: { events: number; bytes: number },
  damaged: (what: string) => void,
): Promise<void> {
  const audit = new IndexAudit(engine, seed)
  for (let from = seqKey(0n); ; ) {
    const page = engine.records(from, PAGE)
    for (const { seq, record } of page)
      try {
        const event = decodeRecord(openRecord(engine.path, seq, record, seed))
        sum.events++
        sum.bytes += record.length - SEAL_LENGTH
        for (const what of audit.event({ seq: seq.readBigUInt64BE(), event }))
          damaged(`seq ${seq.readBigUInt64BE()}: ${what}`)
      } catch (error) {
        if (!isDamage(error)) throw error
        damaged(`seq ${seq.readBigUInt64BE()}: the record is not what was written`)
      }
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) break
    from = seqKey(last.seq.readBigUInt64BE() + 1n)
    await new Promise(setImmediate)
  }
  for (const what of await audit.end()) damaged(what)
}

function isDamage(error: unknown): error is StoreError {
  return error instanceof StoreError && (error.code === 'unavailable' || error.code === 'wrong_format')
}
