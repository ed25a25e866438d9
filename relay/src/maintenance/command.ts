/** The subcommands of `aether-relay` that look after a store: export, import, backup, verify-store. */
import {
  createReadStream,
  createWriteStream,
  existsSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism } from 'node:os'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { type Filter, isJsonObject, parseJson, readFilter } from '@aetherkit/core'
import { openNostrStore } from '../gateway/nostr-store.js'
import { FlagError } from '../options.js'
import { openLmdbStore } from '../store/lmdb.js'
import { openSqliteStore } from '../store/sqlite.js'
import { type Store, StoreError } from '../store/store.js'
import { VerifyPool } from '../verify-pool.js'
import { backUp } from './backup.js'
import { exportEvents } from './export.js'
import { importEvents } from './import.js'
import { linesOf } from './lines.js'
import { type DataPlace, placeAt } from './place.js'
import { forgetGraves, verifyAll } from './verify.js'

/** 5: it ran, and found lines that are no events, or damage. */
const EXIT = { ok: 0, found: 5 } as const
const PROGRESS_MS = 1000
const WHILE_RUNNING =
  'While a relay runs, `aether import` and `aether export` do it over the network, and `aether-relay backup` copies its data'

const MAINTENANCE_HELP = `aether-relay export|import|backup|verify-store: looks after the data of a relay

Usage: aether-relay export       [--filter <json>] [--to <file>]
       aether-relay import       [--from <file>] [--resume <file>]
       aether-relay backup       --to <directory>
       aether-relay verify-store [--forget-graves]

  --storage <kind>        lmdb or sqlite                          (default lmdb)
  --storage-path <path>   as for the relay                        (default ./data)
  --filter <json>         export: only what this filter matches
  --to <file>             export: default standard output
  --to <directory>        backup: a new one
  --from <file>           import: default standard input
  --resume <file>         import: keeps how far it has come there, and goes on from it

export writes an event a line, oldest acceptance first: Aether events, then genuine Nostr events as NIP-01 has them.
import takes the same lines, checks every id and signature and may be run again. Neither works while a relay has the
stores open: aether import and aether export, of the aether command, do it over the network then.
backup makes a directory that --storage-path takes, also while the relay runs: all stores with epochs of their own, and
the relay's key, counters and mailboxes. It is as secret as the data.
verify-store reads everything and names what is damaged, and where.
  --forget-graves         verify-store: for an lmdb store that has lost both its index and its graves, when there is
                          no copy of it. What was removed before may be back.
The result is one JSON line on standard output (of an export without --to: on standard error), progress is on
standard error. Exit codes: 0 done, 5 done, but lines were refused or damage was found; 1 to 4 as for the relay.
`

/** Undefined: these arguments are none of ours. Resolves to the exit code. @throws FlagError, StoreError */
export function maintain([name, ...args]: readonly string[]): Promise<number> | undefined {
  const command = name === undefined ? undefined : COMMANDS.get(name)
  return command && run(command, args)
}

type Flags = ReturnType<typeof readFlags>
type Command = (place: DataPlace, flags: Flags) => Promise<number>

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['export', exportAll],
  ['import', importAll],
  ['backup', backUpAll],
  ['verify-store', verify],
])

async function run(command: Command, args: readonly string[]): Promise<number> {
  const flags = readFlags(args)
  if (flags.help === true) {
    process.stdout.write(MAINTENANCE_HELP)
    return EXIT.ok
  }
  return command(placeAt(flags.storage, flags['storage-path']), flags)
}

async function exportAll(place: DataPlace, { filter, to }: Flags): Promise<number> {
  const wanted = readFilterFlag(filter)
  assertExists(place)
  const aether = open(place, place.path)
  let nostr: Store | undefined
  try {
    nostr = existsSync(place.nostr) ? openNostr(place) : undefined
    const exported = { events: 0, ...(nostr && { nostr: 0 }) }
    const progress = throttled()
    const lines = async function* () {
      for (const [name, store] of [['events', aether] as const, ['nostr', nostr] as const])
        if (store !== undefined)
          yield* exportEvents(store, {
            ...(wanted && { filter: wanted }),
            onProgress({ events }) {
              exported[name] = events
              progress(exported)
            },
          })
    }
    if (to === undefined)
      await pipeline(Readable.from(lines()), process.stdout, { end: false }).catch(unlessGone)
    else await pipeline(Readable.from(lines()), createWriteStream(to))
    tell(exported, to === undefined ? process.stderr : process.stdout)
    return EXIT.ok
  } finally {
    await Promise.all([aether.close(), nostr?.close()])
  }
}

async function importAll(place: DataPlace, { from, resume }: Flags): Promise<number> {
  const skipLines = readResume(resume)
  if (from !== undefined && !existsSync(from)) throw new FlagError(`--from ${from} is not there`)
  const store = open(place, place.path)
  let nostr: Store | undefined
  const pool = new VerifyPool({ workers: Math.min(availableParallelism(), 8) })
  try {
    const progress = throttled()
    const bytes = from === undefined ? process.stdin : createReadStream(from)
    const report = await importEvents(store, linesOf(bytes), {
      ...{ pool, skipLines, now: BigInt(Date.now()) * 1_000_000n },
      nostr: () => (nostr ??= openNostr(place)),
      onProgress({ lines, stored }) {
        if (resume !== undefined) keepResume(resume, lines)
        progress({ lines, stored })
      },
    })
    tell(report)
    return report.refused.length === 0 ? EXIT.ok : EXIT.found
  } finally {
    await Promise.all([pool.close(), store.close(), nostr?.close()])
  }
}

async function backUpAll(place: DataPlace, { to }: Flags): Promise<number> {
  if (to === undefined) throw new FlagError('--to must name the directory of the backup')
  tell(await backUp(place, to))
  return EXIT.ok
}

async function verify(place: DataPlace, flags: Flags): Promise<number> {
  assertExists(place)
  if (flags['forget-graves'] === true && place.storage === 'lmdb')
    for (const path of [place.path, place.nostr]) if (existsSync(path)) await forgetGraves(path)
  const report = await verifyAll(place)
  tell(report)
  return report.damages.length === 0 ? EXIT.ok : EXIT.found
}

/** @throws StoreError; of a store that a relay has open, with what to do instead. */
function open({ storage }: DataPlace, path: string): Store {
  try {
    return storage === 'sqlite' ? openSqliteStore(path) : openLmdbStore(path)
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'locked') throw error
    throw new StoreError('locked', `${error.message}. ${WHILE_RUNNING}`)
  }
}

function openNostr(place: DataPlace): Store {
  return openNostrStore(open(place, place.nostr))
}

function assertExists({ path }: DataPlace): void {
  if (!existsSync(path)) throw new StoreError('not_writable', `there is no store at ${path}`)
}

function readFilterFlag(text: string | undefined): Filter | undefined {
  if (text === undefined) return undefined
  const json = parseJson(text)
  const read = json.ok ? readFilter(json.value) : json
  if (!read.ok) throw new FlagError(`--filter must be a filter: ${read.detail ?? read.error}`)
  return read.filter
}

/** As a whole or not at all: an import may be killed at any time. */
function keepResume(path: string, lines: number): void {
  writeFileSync(`${path}.new`, `${JSON.stringify({ lines })}\n`)
  renameSync(`${path}.new`, path)
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
        'forget-graves': { type: 'boolean' },
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
