/**
 * One process at a time: a lock beside what it guards. SQLite holds it, on an empty file, since that has a lock on
 * every system that the system gives back when the process is gone. The file stays, as a lock that is removed is none.
 */
import Database from 'libsql'

/** Gives the lock back. */
export type Unlock = () => void

/** Undefined: this or another process has it. @throws what SQLite throws at a file that cannot be made. */
export function lockFile(path: string): Unlock | undefined {
  const file = new Database(path)
  try {
    file.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    file.close()
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') return undefined
    throw error
  }
  return () => {
    file.exec('ROLLBACK')
    file.close()
  }
}
