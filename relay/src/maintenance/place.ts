/** Where the data of a relay is: its stores, and the files beside them that it must not lose. */
import { existsSync, readdirSync } from 'node:fs'
import { extname, join } from 'node:path'
import { FlagError, readCommandLine } from '../options.js'

export interface DataPlace {
  readonly storage: 'lmdb' | 'sqlite'
  /** Of Aether events: a directory of LMDB, a file of SQLite. */
  readonly path: string
  /** Of genuine Nostr events; there once the Nostr gateway was on. */
  readonly nostr: string
  /** Of the side files. */
  readonly directory: string
}

/** A store of genuine Nostr events is of the same kind, and beside that of Aether events. */
export function nostrPath(storage: DataPlace['storage'], path: string): string {
  if (storage === 'lmdb') return join(path, 'nostr')
  const extension = extname(path)
  return `${path.slice(0, path.length - extension.length)}.nostr${extension}`
}

/** As the relay reads the same flags. @throws FlagError */
export function placeAt(storage = 'lmdb', at = './data'): DataPlace {
  const command = readCommandLine(['--storage', storage, '--storage-path', at])
  if (typeof command === 'string' || command.storage === 'memory')
    throw new FlagError(`--storage must be lmdb or sqlite, got ${JSON.stringify(storage)}`)
  const { storagePath: path, keyDirectory: directory } = command
  return { storage: command.storage, path, nostr: nostrPath(command.storage, path), directory }
}

/** The relay's key, and whatever of its stages keeps an LMDB file of its own. */
export function sideFiles({ directory }: DataPlace): readonly string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => name === KEY || name.endsWith(TABLE))
    .sort()
}

/** An LMDB file by its name. */
export function isTable(name: string): boolean {
  return name.endsWith(TABLE)
}

const KEY = 'relay.key'
const TABLE = '.mdb'
