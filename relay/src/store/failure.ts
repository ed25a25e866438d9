/** Failures of the system below a store, as one StoreError. */
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { StoreError, type StoreErrorCode } from './store.js'

/** What the system, LMDB and SQLite say when the disk, the quota, the file size limit or the map is used up. */
const FULL = /ENOSPC|EDQUOT|EFBIG|MDB_MAP_FULL|SQLITE_FULL|No space left|quota exceeded|File too large/i
/** Both engines also say this when a page could be written in part only. */
const IO = /EIO|SQLITE_IOERR|Input\/output error/i
const NOT_WRITABLE =
  /EACCES|EPERM|EROFS|ENOTDIR|EEXIST|EISDIR|SQLITE_CANTOPEN|SQLITE_READONLY|Permission denied|Read-only/i

const PROBE = Buffer.alloc(65_536)

/** One line with the path of the store; `otherwise` is the code of what is not recognized. */
export function failure(path: string, error: unknown, otherwise: StoreErrorCode): StoreError {
  if (error instanceof StoreError) return error
  const text = describe(error)
  if (FULL.test(text))
    return new StoreError('storage_full', `store ${path} is full: ${text}`, { cause: error })
  if (NOT_WRITABLE.test(text))
    return new StoreError('not_writable', `store ${path} cannot be written: ${text}`, { cause: error })
  return new StoreError(otherwise, `store ${path} is not usable: ${text}`, { cause: error })
}

/** As {@link failure}, for a write to `file` that failed: tells a full disk from a broken one by trying it. */
export function writeFailure(path: string, file: string, error: unknown): StoreError {
  return failure(path, (IO.test(describe(error)) && refusalToGrow(file)) || error, 'unavailable')
}

/** Why the system would not let another file, as long as this one, grow; undefined when it does. */
export function refusalToGrow(file: string): unknown {
  const probe = `${file}.probe`
  try {
    const descriptor = openSync(probe, 'w')
    try {
      let at = statSync(file).size
      for (let rest = PROBE.length; rest > 0; ) {
        const written = writeSync(descriptor, PROBE, 0, rest, at)
        at += written
        rest -= written
      }
    } finally {
      closeSync(descriptor)
    }
    return undefined
  } catch (error) {
    return error
  } finally {
    rmSync(probe, { force: true })
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && !error.message.startsWith(`${error.code}`) ? `${error.code} ` : ''
  return `${code}${error.message}`.replace(/\s+/g, ' ')
}
