/**
 * Checks a store that no relay has open, from end to end: every record against its checksum and its id, the log against
 * the index both ways, the counts. Finds flipped bits, cut files and disagreement, and says what and where.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { Graves } from '../store/graves.js'
import { FORMAT, readIdentity } from '../store/identity.js'
import type { Damage } from '../store/index-audit.js'
import { openLmdbStore } from '../store/lmdb.js'
import { LogIndex } from '../store/log-index.js'
import { pathsIn } from '../store/paths.js'
import { auditSegments } from '../store/segment-audit.js'
import { pin } from '../store/segment-backup.js'
import { SegmentReader } from '../store/segment-reader.js'
import { auditSqlite } from '../store/sqlite-audit.js'
import { type Amount, type Store, StoreError, type StoreErrorCode } from '../store/store.js'
import { type DataPlace, isTable, sideFiles } from './place.js'

export interface StoreReport extends Amount {
  /** Empty: the store is as it should be. */
  readonly damages: readonly Damage[]
}

/** Where a durable store is. */
export interface StorePlace {
  readonly storage: 'lmdb' | 'sqlite'
  readonly path: string
  /** Of the thread that indexes, for tests. */
  readonly script?: URL
}

/** From `verify-process.ts`. */
export type VerifyReply =
  | { readonly ok: true; readonly report: StoreReport }
  | { readonly ok: false; readonly code: StoreErrorCode; readonly message: string }

/** What is damaged of all stores and files. */
export interface DataReport extends StoreReport {
  /** Genuine Nostr events, where there is a store of them. */
  readonly nostr?: Amount
  /** Looked at beside the stores. */
  readonly files: readonly string[]
}

/** Everything that a backup has. @throws as {@link verifyStore} */
export async function verifyAll(place: DataPlace, script?: URL): Promise<DataReport> {
  const rest = { storage: place.storage, ...(script && { script }) }
  const { events, bytes, damages } = await verifyStore({ ...rest, path: place.path })
  const nostr = existsSync(place.nostr) ? await verifyStore({ ...rest, path: place.nostr }) : undefined
  const files = sideFiles(place).filter(isTable)
  const tables: StoreReport[] = []
  for (const name of files) tables.push(await inProcess(join(place.directory, name), script, 'restore it'))
  return {
    ...{ events, bytes, files },
    ...(nostr && { nostr: { events: nostr.events, bytes: nostr.bytes } }),
    damages: [...damages, ...(nostr?.damages ?? []), ...tables.flatMap(({ damages }) => damages)],
  }
}

/** @throws StoreError `locked`, `not_writable`, `wrong_format`: it cannot be looked at. Damage is in the report. */
export async function verifyStore({ storage, path, script }: StorePlace): Promise<StoreReport> {
  if (storage === 'sqlite') return auditSqlite(path)
  return inProcess(path, script, 'remove it, the next opening makes it again', pathsIn(path).index)
}

/** A damaged page of LMDB can end the process that reads it: then `file` is damaged, and `remedy` says what to do. */
async function inProcess(
  path: string,
  own: URL | undefined,
  remedy: string,
  file = path,
): Promise<StoreReport> {
  const script = new URL('./verify-process.js', own ? new URL('../maintenance/', own) : import.meta.url)
  const child = fork(script, [path], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  let reply: VerifyReply | undefined
  child.once('message', (message: VerifyReply) => (reply = message))
  // What it said last is here when the channel ends, which may be after the process.
  const ended = Promise.all([once(child, 'exit'), once(child, 'disconnect')])
  const [[code, signal]] = (await ended) as [[number | null, string | null], unknown]
  if (reply?.ok) return reply.report
  if (reply !== undefined) throw new StoreError(reply.code, reply.message)
  const what = `reading it ended the process (${signal ?? code}): ${remedy}`
  return { events: 0, bytes: 0, damages: [{ file, what }] }
}

/**
 * Lets a store open that has lost its index and graves: what was removed may be back. One that opens as it is keeps
 * its graves. @throws StoreError `wrong_format`, `locked`
 */
export async function forgetGraves(path: string): Promise<void> {
  const identity = readIdentity(path)
  if (identity === undefined) throw new StoreError('wrong_format', `${path} is no store`)
  try {
    await openLmdbStore(path).close()
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'unavailable') throw error
    const graves = new Graves(pathsIn(path).graves, identity.seed)
    if (graves.loss() !== undefined || graves.damage().length > 0) graves.replace([])
  }
}

/** In this process. @throws StoreError as {@link verifyStore} */
export async function verifySegments(path: string): Promise<StoreReport> {
  const identity = readIdentity(path)
  if (identity === undefined) throw new StoreError('wrong_format', `${path} is no store`)
  const damages: Damage[] = []
  const damaged = (file: string, error: unknown) => {
    if (error instanceof StoreError && error.code !== 'unavailable') throw error
    damages.push({ file, what: error instanceof Error ? error.message : String(error) })
  }
  const at = pathsIn(realpathSync(path))
  // Nothing is compacted under the audit.
  const unpin = pin(realpathSync(path))
  let store: Store | undefined
  try {
    const graves = new Graves(at.graves, identity.seed)
    // An opening mends them, so they are looked at before.
    const loss = identity.format === FORMAT ? graves.loss() : undefined
    if (loss !== undefined) damages.push({ file: at.graves, what: loss })
    try {
      store = openLmdbStore(path)
      // What the index lacks of the log is taken in before they are compared.
      await store.remove({ ids: [] }, 1)
    } catch (error) {
      damaged(path, error)
    }
    const index = new LogIndex(at.index)
    const log = new SegmentReader(at.segments, identity.seed)
    const audit = await auditSegments(log, index, graves).catch((error: unknown) => damaged(at.index, error))
    log.forgetAll()
    await index.close()
    const { events, bytes } = audit ?? { events: 0, bytes: 0 }
    return { events, bytes, damages: [...damages, ...(audit?.damages ?? [])] }
  } finally {
    await store?.close().catch((error: unknown) => damaged(path, error))
    unpin()
  }
}
