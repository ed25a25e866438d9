/** Opens the LMDB files of this package: texts under text keys, and a write that resolves is on the disk. */
import { open } from 'lmdb'
import { PaymentError } from './errors.js'

/**
 * Opens or makes the file at `path` (its lock lies beside it, `-lock`); `name` says in errors what it is.
 * @throws PaymentError `invalid_option` when it cannot be opened
 */
export function openLmdbFile(path: string, name: string) {
  try {
    return open<string, string>({
      path,
      noSubdir: true,
      encoding: 'string',
      // The defaults resolve a write before it is synced, and wrap batches whose failure nobody can catch.
      overlappingSync: false,
      eventTurnBatching: false,
    })
  } catch (cause) {
    throw new PaymentError('invalid_option', `the ${name} ${path} cannot be opened`, { cause })
  }
}
