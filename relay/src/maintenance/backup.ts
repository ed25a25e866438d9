/**
 * A backup of everything that an operator must not lose, in one new directory: each store, with a new epoch, and the
 * files beside them. A relay may run meanwhile, and `--storage-path` with the directory (of SQLite, with the file in it,
 * unless that is `aether.sqlite`) starts one from it.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { FlagError } from '../options.js'
import { backupStore } from '../store/backup.js'
import { failure } from '../store/failure.js'
import { syncDirectory } from '../store/identity.js'
import { type Amount, StoreError } from '../store/store.js'
import { type DataPlace, placeAt, sideFiles } from './place.js'
import { copySideFile } from './side-files.js'

export interface BackupReport extends Amount {
  /** Genuine Nostr events, where there is a store of them. */
  readonly nostr?: Amount
  readonly files: readonly string[]
}

/** `script`: of the threads, for tests. @throws StoreError; nothing is left at `to` then. @throws FlagError */
export async function backUp(place: DataPlace, to: string, script?: URL): Promise<BackupReport> {
  if (place.storage === 'sqlite' && extname(to) !== '')
    throw new FlagError(`--to must name a directory, got ${to}: a backup is more than one file`)
  if (!existsSync(place.path))
    throw new StoreError('not_writable', `there is no store at ${place.path}: see --storage-path`)
  // A file keeps its name, because those beside it are named after it.
  const target = placeAt(place.storage, place.storage === 'lmdb' ? to : join(to, basename(place.path)))
  if (existsSync(to) && readdirSync(to).length > 0)
    throw new StoreError('not_writable', `${to} exists: choose another path`)
  try {
    rmSync(to, { recursive: true, force: true })
    if (place.storage === 'sqlite') mkdirSync(to, { recursive: true })
    // The files last: what they say of the events must not be older than the events are.
    const copied = await backupStore(place.storage, place.path, target.path, script)
    const nostr = existsSync(place.nostr)
      ? await backupStore(place.storage, place.nostr, target.nostr, script)
      : undefined
    const files = sideFiles(place)
    for (const name of files) await copySideFile(name, place.directory, to)
    syncDirectory(to)
    return { ...copied, ...(nostr && { nostr }), files }
  } catch (error) {
    rmSync(to, { recursive: true, force: true })
    throw failure(to, error, 'unavailable')
  }
}
