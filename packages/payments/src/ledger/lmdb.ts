/**
 * The durable store of one machine: an LMDB file, which several processes may open at once. A swap is one write
 * transaction, synced to disk before it resolves; swaps that wait together are committed together.
 *
 *   value   until, milliseconds since 1970, decimal; one space; the text
 */
import { openLmdbFile } from '../lmdb-file.js'
import type { LedgerStore } from './store.js'

/** Records that one sweep looks at, and how often it does. */
const SWEEP_LIMIT = 1_000
const SWEEP_MS = 10_000

/**
 * Opens or makes the file at `path` (its lock lies beside it, `-lock`).
 * @throws PaymentError `invalid_option` when it cannot be opened
 */
export function lmdbStore(path: string, options: { readonly now?: () => number } = {}): LedgerStore {
  const { now = Date.now } = options
  const database = openLmdbFile(path, 'ledger file')
  const live = (value: string | undefined): string | undefined => {
    if (value === undefined) return undefined
    const space = value.indexOf(' ')
    return Number(value.slice(0, space)) > now() ? value.slice(space + 1) : undefined
  }
  let from = ''
  const sweep = async (): Promise<void> => {
    const some = [...database.getRange({ start: from, limit: SWEEP_LIMIT })]
    from = some.length < SWEEP_LIMIT ? '' : (some.at(-1)?.key ?? '')
    const over = some.filter(({ value }) => live(value) === undefined).map(({ key }) => key)
    if (over.length === 0) return
    await database.transaction(() => {
      for (const key of over) if (live(database.get(key)) === undefined) database.remove(key)
    })
  }
  // A sweep that fails leaves the records for the next one.
  const sweeper = setInterval(() => void sweep().catch(() => {}), SWEEP_MS)
  sweeper.unref()

  return {
    reach: 'machine',
    async get(key) {
      // Another process may have written since this turn of the event loop took its view.
      database.resetReadTxn()
      return live(database.get(key))
    },
    swap: (key, expected, next, ttlMs) =>
      database.transaction(() => {
        if (live(database.get(key)) !== expected) return false
        if (next === undefined) database.remove(key)
        else database.put(key, `${now() + ttlMs} ${next}`)
        return true
      }),
    async keys(prefix) {
      database.resetReadTxn()
      const found = [...database.getRange({ start: prefix, end: `${prefix}\u{10ffff}` })]
      return found.filter(({ value }) => live(value) !== undefined).map(({ key }) => key)
    },
    async close() {
      clearInterval(sweeper)
      await database.close()
    },
  }
}
