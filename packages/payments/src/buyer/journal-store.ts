/**
 * Where a journal lies: a table of text under text keys, changed in transactions that are alone and all or nothing.
 * Memory for one process; an LMDB file for what must outlive it, which several processes may share.
 */
import { openLmdbFile } from '../lmdb-file.js'

export interface JournalTable {
  get(key: string): string | undefined
  put(key: string, value: string): void
  remove(key: string): void
  /** Keys and values under a prefix, in the order of the keys; what this transaction wrote itself is not among them. */
  list(prefix: string): readonly (readonly [key: string, value: string])[]
}

export interface JournalStore {
  /** Runs alone, without awaiting; what it wrote is durable when the promise resolves. When it throws nothing is written. */
  transact<T>(run: (table: JournalTable) => T): Promise<T>
  close(): Promise<void>
}

type Written = Map<string, string | undefined>

/** Lost with the process, and with it what became of every payment under way. */
export function memoryJournalStore(): JournalStore {
  const values = new Map<string, string>()
  const list = (prefix: string) => {
    const found: (readonly [key: string, value: string])[] = []
    for (const entry of values) if (entry[0].startsWith(prefix)) found.push(entry)
    return found.sort(([a], [b]) => (a < b ? -1 : 1))
  }
  return {
    async transact(run) {
      const written: Written = new Map()
      const result = run(tableOver(written, (key) => values.get(key), list))
      for (const [key, value] of written) {
        if (value === undefined) values.delete(key)
        else values.set(key, value)
      }
      return result
    },
    async close() {},
  }
}

/**
 * Opens or makes the file at `path` (its lock lies beside it, `-lock`).
 * @throws PaymentError `invalid_option` when it cannot be opened
 */
export function fileJournalStore(path: string): JournalStore {
  const database = openLmdbFile(path, 'journal')
  const list = (prefix: string) =>
    [...database.getRange({ start: prefix, end: `${prefix}\u{10ffff}` })].map(
      ({ key, value }) => [key, value] as const,
    )
  return {
    async transact(run) {
      // LMDB keeps what a callback wrote before it threw: nothing is written until it has returned.
      const outcome = await database.transaction(() => {
        const written: Written = new Map()
        try {
          const result = run(tableOver(written, (key) => database.get(key), list))
          for (const [key, value] of written) {
            if (value === undefined) void database.remove(key)
            else void database.put(key, value)
          }
          return { result }
        } catch (error) {
          return { error }
        }
      })
      if ('error' in outcome) throw outcome.error
      return outcome.result
    },
    close: () => database.close(),
  }
}

function tableOver(
  written: Written,
  read: (key: string) => string | undefined,
  list: JournalTable['list'],
): JournalTable {
  return {
    get: (key) => (written.has(key) ? written.get(key) : read(key)),
    put: (key, value) => void written.set(key, value),
    remove: (key) => void written.set(key, undefined),
    list,
  }
}
