/** Where mailboxes are written down: a record each, under `<public key>:<name>`. */
import { open, type RootDatabase } from 'lmdb'
import { failure } from '../store/failure.js'

export interface MailboxFile {
  get(key: string): string | undefined
  /** The first `limit` entries behind the key, in order of key. */
  page(behind: string, limit: number): readonly (readonly [key: string, text: string])[]
  readonly size: number
  /** All or nothing, undefined deletes; resolves when it is durable. Never called again before that. */
  write(changes: ReadonlyMap<string, string | undefined>): Promise<void>
  close(): Promise<void>
}

/** Forgets everything at the end. */
export function memoryMailboxes(): MailboxFile {
  const records = new Map<string, string>()
  return {
    get: (key) => records.get(key),
    page: (behind, limit) =>
      [...records]
        .filter(([key]) => key > behind)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, limit),
    get size() {
      return records.size
    },
    async write(changes) {
      for (const [key, text] of changes) {
        if (text === undefined) records.delete(key)
        else records.set(key, text)
      }
    },
    async close() {},
  }
}

/** In an LMDB file of its own, made when missing. One process may have it open. @throws StoreError */
export function openMailboxFile(path: string): MailboxFile {
  let file: RootDatabase<string, string>
  try {
    file = open<string, string>({ path, noSubdir: true, encoding: 'string' })
  } catch (error) {
    throw failure(path, error, 'not_writable')
  }
  let closing: Promise<void> | undefined
  return {
    get: (key) => file.get(key),
    page: (behind, limit) =>
      [...file.getRange({ start: behind, exclusiveStart: true, limit })].map(({ key, value }) => [
        key,
        value,
      ]),
    get size() {
      return file.getCount()
    },
    async write(changes) {
      await file.transaction(() => {
        for (const [key, text] of changes) {
          if (text === undefined) void file.remove(key)
          else void file.put(key, text)
        }
      })
      await file.flushed
    },
    close: () => (closing ??= file.close()),
  }
}
