/** The subcommands of `aether-relay` that look after a store: export, import, backup, verify-store. */
import { createReadStream, createWriteStream, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { type Filter, isJsonObject, parseJson, readFilter } from '@aetherkit/core'
import { FlagError, readCommandLine } from '../options.js'
import { backupLmdbStore, openLmdbStore } from '../store/lmdb.js'
import { openSqliteStore } from '../store/sqlite.js'
import { type Amount, type Store, StoreError } from '../store/store.js'
import { VerifyPool } from '../verify-pool.js'
import { exportEvents } from './export.js'
import { importEvents } from './import.js'
import { linesOf } from './lines.js'
import { type StorePlace, verifyStore } from './verify.js'

/** 5: it ran, and found lines that are no events, or damage. */
const EXIT = { ok: 0, found: 5 } as const
const PROGRESS_MS = 1000

const MAINTENANCE_HELP = `aether-relay export|import|backup|verify-store: looks after the data of a relay

Usage: aether-relay export       [--filter <json>] [--to <file>]
       aether-relay import       [--from <file>] [--resume <file>]
       aether-relay backup       --to <path>
       aether-relay verify-store

  --storage <kind>        lmdb or sqlite                          (default lmdb)
  --storage-path <path>   as for the relay                        (default ./data)
  --filter <json>         export: only what this filter matches
  --to <file>             export: default standard output
  --from <file>           import: default standard input
  --resume <file>         import: keeps how far it has come there, and goes on from it

export writes an event a line, oldest acceptance first. import checks every id and signature and may be run again.
backup makes a store with an epoch of its own; of an lmdb store also while its relay runs.
verify-store reads everything and names what is damaged, and where.
The result is one JSON line on standard output (of an export without --to: on standard error), progress is on
standard error. Exit codes: 0 done, 5 done, but lines were refused or damage was found; 1 to 4 as for the relay.
`

/** Undefined: these arguments are none of ours. Resolves to the exit code. @throws FlagError, StoreError */
export function maintain([name, ...args]: readonly string[]): Promise<number> | undefined {
  const command = name === undefined ? undefined : COMMANDS.get(name)
  return command && run(command, args)
}

type Flags = ReturnType<typeof readFlags>
type Command = (place: StorePlace, flags: Flags) => Promise<number>

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['export', exportAll],
  ['import', importAll],
  ['backup', backUp],
  ['verify-store', verify],
])

async function run(command: Command, args: readonly string[]): Promise<number> {
  const flags = readFlags(args)
  if (flags.help === true) {
    process.stdout.write(MAINTENANCE_HELP)
    return EXIT.ok
  }
  return command(placeOf(flags), flags)
}

async function exportAll(place: StorePlace, { filter, to }: Flags): Promise<number> {
  const wanted = readFilterFlag(filter)
  const store = openExisting(place)
  try {
    let exported = 0
    const progress = throttled()
    const lines = exportEvents(store, {
      ...(wanted && { filter: wanted }),
      onProgress({ events }) {
        exported = events
        progress({ events })
      },
    })
    if (to === undefined)
      await pipeline(Readable.from(lines), process.stdout, { end: false }).catch(unlessGone)
    else await pipeline(Readable.from(lines), createWriteStream(to))
    tell({ events: exported }, to === undefined ? process.stderr : process.stdout)
    return EXIT.ok
  } finally {
    await store.close()
  }
}

async function importAll(place: StorePlace, { from, resume }: Flags): Promise<number> {
  const skipLines = readResume(resume)
  if (from !== undefined && !existsSync(from)) throw new FlagError(`--from ${from} is not there`)
  const store = open(place)
  const pool = new VerifyPool({ workers: Math.min(availableParallelism(), 8) })
  try {
    const progress = throttled()
    const bytes = from === undefined ? process.stdin : createReadStream(from)
    const report = await importEvents(store, linesOf(bytes), {
      ...{ pool, skipLines, now: BigInt(Date.now()) * 1_000_000n },
      onProgress({ lines, stored }) {
        if (resume !== undefined) writeFileSync(resume, `${JSON.stringify({ lines })}\n`)
        progress({ lines, stored })
      },
    })
    tell(report)
    return report.refused.length === 0 ? EXIT.ok : EXIT.found
  } finally {
    await Promise.all([pool.close(), store.close()])
  }
}

async function backUp(place: StorePlace, { to }: Flags): Promise<number> {
  if (to === undefined) throw new FlagError('--to must name the path of the backup')
  tell(await backupOf(place, to))
  return EXIT.ok
}

async function backupOf(place: StorePlace, to: string): Promise<Amount> {
  if (place.storage === 'lmdb') return backupLmdbStore(place.path, to)
  const store = openExisting(place)
  try {
    if (store.backup === undefined) throw new StoreError('unavailable', `store ${place.path} has no backup`)
    return await store.backup(to)
  } finally {
    await store.close()
  }
}

async function verify(place: StorePlace): Promise<number> {
  assertExists(place)
  const report = await verifyStore(place)
  tell(report)
  return report.damages.length === 0 ? EXIT.ok : EXIT.found
}

function open({ storage, path }: StorePlace): Store {
  return storage === 'sqlite' ? openSqliteStore(path) : openLmdbStore(path)
}

function openExisting(place: StorePlace): Store {
  assertExists(place)
  return open(place)
}

function assertExists({ path }: StorePlace): void {
  if (!existsSync(path)) throw new StoreError('not_writable', `there is no store at ${path}`)
}

function placeOf({ storage = 'lmdb', 'storage-path': path = './data' }: Flags): StorePlace {
  const command = readCommandLine(['--storage', storage, '--storage-path', path])
  if (typeof command === 'string' || command.storage === 'memory')
    throw new FlagError(`--storage must be lmdb or sqlite, got ${JSON.stringify(storage)}`)
  return { storage: command.storage, path: command.storagePath }
}

function readFilterFlag(text: string | undefined): Filter | undefined {
  if (text === undefined) return undefined
  const json = parseJson(text)
  const read = json.ok ? readFilter(json.value) : json
  if (!read.ok) throw new FlagError(`--filter must be a filter: ${read.detail ?? read.error}`)
  return read.filter
}

function readResume(path: string | undefined): number {
  if (path === undefined || !existsSync(path)) return 0
  const json = parseJson(readFileSync(path, 'utf8'))
  const count = json.ok && isJsonObject(json.value) ? json.value.lines : undefined
  if (typeof count !== 'number') throw new FlagError(`--resume ${path} is not what an import has written`)
  return count
}

/** Who reads standard output may have had enough. */
function unlessGone(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error
}

function readFlags(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...{ storage: text, 'storage-path': text, filter: text, to: text, from: text, resume: text },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new FlagError(error instanceof Error ? error.message.split('\n')[0] : String(error))
  }
}

/** A line a second at most. */
function throttled(): (facts: object) => void {
  let next = performance.now() + PROGRESS_MS
  return (facts) => {
    if (performance.now() < next) return
    next = performance.now() + PROGRESS_MS
    tell(facts, process.stderr)
  }
}

function tell(facts: object, stream: NodeJS.WriteStream = process.stdout): void {
  stream.write(`${JSON.stringify(facts)}\n`)
}
