/** The command line of `aether-relay`: flags as the reference relay's where it has them (spec, appendix A). */
import { extname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { LIMITS } from './limits.js'

export interface CommandLine {
  readonly host: string
  readonly port: number
  readonly storage: 'lmdb' | 'sqlite' | 'memory'
  /** Directory for LMDB, file for SQLite. */
  readonly storagePath: string
  /** Directory of the relay's own key. */
  readonly keyDirectory: string
  readonly retentionNs: bigint | undefined
  readonly maxSize: number
  readonly powDifficulty: number
  readonly rate: { readonly capacity: number; readonly perSecond: number } | undefined
  readonly verifyWorkers: number | undefined
}

export const HELP = `aether-relay: a relay for Aether events

Agents connect to it by WebSocket, publish signed events and subscribe to those of others.
It checks every signature, keeps what is to be kept, and passes the rest on.

Usage: aether-relay [flags]

  --ws-host <host>               address to listen on                    (default 127.0.0.1)
  --ws-port <port>               port, 0 for a free one                  (default 9000)
  --storage <kind>               lmdb, sqlite or memory                  (default lmdb)
  --storage-path <path>          folder of the data, made when missing   (default ./data)
                                 (for sqlite also the file itself, with an extension)
  --retention-ns <ns>            hide and no longer store what is older  (default: keep for ever)
  --max-size <bytes>             largest event                           (default ${LIMITS.event.maxSize})
  --pow-difficulty <bits>        leading zero bits asked of event ids    (default 0)
  --rate-limit-capacity <n>      events a key may publish at once        (default: no limit)
  --rate-limit-per-sec <n>       events a second a key gets back
  --verify-workers <n>           threads that check signatures           (default: one a core)
  --help                         this text
  --version                      the version

Logs are JSON lines on standard output. SIGTERM or SIGINT: answers what is in flight, tells its
clients, and ends within 10 seconds.

Exit codes: 0 ended as asked, 1 internal error, 2 bad flag, 3 cannot listen, 4 cannot open the storage.
`

/** A flag that cannot be: the message is one line for the user. */
export class FlagError extends Error {
  override readonly name = 'FlagError'
}

/** @throws FlagError */
export function readCommandLine(args: readonly string[]): CommandLine | 'help' | 'version' {
  const values = readFlags(args)
  if (values.help === true) return 'help'
  if (values.version === true) return 'version'
  const integer = (flag: string, text: string | undefined, min: number, max: number) => {
    if (text === undefined) return undefined
    const value = Number(text)
    if (!/^[0-9]{1,15}$/.test(text) || value < min || value > max)
      throw new FlagError(`--${flag} must be an integer from ${min} to ${max}, got ${JSON.stringify(text)}`)
    return value
  }
  const storage = values.storage ?? 'lmdb'
  if (storage !== 'lmdb' && storage !== 'sqlite' && storage !== 'memory')
    throw new FlagError(`--storage must be lmdb, sqlite or memory, got ${JSON.stringify(storage)}`)
  const path = values['storage-path'] ?? './data'
  const isFile = storage === 'sqlite' && extname(path) !== ''
  const capacity = integer('rate-limit-capacity', values['rate-limit-capacity'], 1, 1e9)
  const perSecond = integer('rate-limit-per-sec', values['rate-limit-per-sec'], 1, 1e9)
  return {
    host: values['ws-host'] ?? '127.0.0.1',
    port: integer('ws-port', values['ws-port'], 0, 65_535) ?? 9000,
    storage,
    storagePath: storage === 'sqlite' && !isFile ? join(path, 'aether.sqlite') : path,
    keyDirectory: isFile ? join(path, '..') : path,
    retentionNs: readRetention(values['retention-ns']),
    maxSize: integer('max-size', values['max-size'], 1, LIMITS.event.maxSize) ?? LIMITS.event.maxSize,
    powDifficulty: integer('pow-difficulty', values['pow-difficulty'], 0, 256) ?? 0,
    rate:
      capacity === undefined && perSecond === undefined
        ? undefined
        : { capacity: capacity ?? perSecond ?? 1, perSecond: perSecond ?? capacity ?? 1 },
    verifyWorkers: integer('verify-workers', values['verify-workers'], 1, 256),
  }
}

function readFlags(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        'ws-host': text,
        'ws-port': text,
        storage: text,
        'storage-path': text,
        'retention-ns': text,
        'max-size': text,
        'pow-difficulty': text,
        'rate-limit-capacity': text,
        'rate-limit-per-sec': text,
        'verify-workers': text,
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new FlagError(message.split('\n')[0])
  }
}

function readRetention(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined
  if (!/^[0-9]{1,19}$/.test(text) || BigInt(text) === 0n)
    throw new FlagError(
      `--retention-ns must be a positive number of nanoseconds, got ${JSON.stringify(text)}`,
    )
  return BigInt(text)
}
