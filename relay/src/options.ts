/**
 * The settings of `aether-relay`: flags as the reference relay's where it has them (spec, appendix A), the same by
 * environment and file, see `config-layers.ts`.
 */
import { extname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { layer } from './config-layers.js'
import { FlagError, type Section } from './config-section.js'
import { LIMITS } from './limits.js'
import { type FileSettings, readFileSettings, SECTIONS } from './options-file.js'

export { FlagError } from './config-section.js'

const GATEWAYS = ['nostr', 'http'] as const
type GatewayName = (typeof GATEWAYS)[number]

export interface CommandLine {
  readonly host: string
  readonly port: number
  readonly gateways: ReadonlySet<GatewayName>
  readonly nostrHost: string | undefined
  readonly nostrPort: number
  /** Under which clients know this relay, for AUTH events; empty: the addresses that connections come in on. */
  readonly publicUrls: readonly string[]
  readonly httpHost: string | undefined
  readonly httpPort: number
  readonly httpWsPort: number
  /** Values of `Origin` whose pages may use the HTTP gateway; absent: none may read answers. */
  readonly httpOrigins: readonly string[] | undefined
  readonly httpAdminTokenFile: string | undefined
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
  /** Values of `Origin` that are let in on the native port; absent: all. */
  readonly wsOrigins: readonly string[] | undefined
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly logLevel: LogLevel
  /** Program and arguments of a policy in a process of its own. */
  readonly policyPlugin: readonly string[] | undefined
  /** What only the file has. */
  readonly file: FileSettings
  /** Every setting that is not left to the relay, as a file would have it. */
  readonly effective: Readonly<Record<string, unknown>>
  /** Whether it is only to be printed. */
  readonly printConfig: boolean
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
type LogLevel = (typeof LOG_LEVELS)[number]

export const HELP = `aether-relay: a relay for Aether events

Agents connect to it by WebSocket, publish signed events and subscribe to those of others.
It checks every signature, keeps what is to be kept, and passes the rest on.

Usage: aether-relay [flags]
       aether-relay export|import|backup|verify-store --help

  --ws-host <host>               address to listen on                    (default 127.0.0.1)
  --ws-port <port>               port, 0 for a free one                  (default 9000)
  --gateway <names>              none, or a list of ${GATEWAYS.join(', ').padEnd(22)} (default none)
  --nostr-host <host>            address of the Nostr gateway            (default: that of --ws-host)
  --nostr-port <port>            NIP-01, also for genuine Nostr events   (default 7447)
  --public-url <url>             what clients call this relay in auth,   (default: the address that
                                 repeatable                              a connection came in on)
  --http-host <host>             address of the HTTP gateway             (default: that of --ws-host)
  --http-port <port>             REST, event streams and /v1/ws          (default 8081)
  --http-ws-port <port>          /v1/ws on a port of its own             (default 8082)
  --http-origin <origin>         web pages that may use it, repeatable   (default: none)
  --http-admin-token-file <file> opens the console at / to its holders   (default: no console)
  --storage <kind>               lmdb, sqlite or memory                  (default lmdb)
  --storage-path <path>          folder of the data, made when missing   (default ./data)
                                 (for sqlite also the file itself, with an extension)
  --retention-ns <ns>            hide and no longer store what is older  (default: keep for ever)
  --max-size <bytes>             largest event                           (default ${LIMITS.event.maxSize})
  --pow-difficulty <bits>        leading zero bits asked of event ids    (default 0)
  --rate-limit-capacity <n>      events a key may publish at once        (default: no limit)
  --rate-limit-per-sec <n>       events a second a key gets back
  --verify-workers <n>           threads that check signatures           (default: one a core)
  --ws-origin <origin>           web pages that may connect, repeatable  (default: all)
  --tls-cert <file>              certificate and chain, PEM: wss, https  (default: in clear)
  --tls-key <file>               its key, PEM
  --policy-plugin <command>      program that judges each event          (default: none)
  --log-level <level>            ${LOG_LEVELS.join(', ')} (default info)
  --config <file>                settings in JSON, see the README        (default: none)
  --print-config                 print the settings in effect, and end
  --help                         this text
  --version                      the version

Each flag may also be set in the environment (AETHER_RELAY_WS_PORT for --ws-port) and in the file
("ws-port"); a flag wins over the environment, the environment over the file. SIGHUP reads all again,
takes over what can change while the relay runs, and says what needs a restart.

Logs are JSON lines on standard output. SIGTERM or SIGINT: answers what is in flight, tells its
clients, and ends within 10 seconds.

Exit codes: 0 ended as asked, 1 internal error, 2 bad setting, 3 cannot listen, 4 cannot open the storage.
`

/** `environment`: variables that begin with `AETHER_RELAY_` count. @throws FlagError */
export function readCommandLine(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): CommandLine | 'help' | 'version' {
  const flags = readFlags(args)
  if (flags.help === true) return 'help'
  if (flags.version === true) return 'version'
  const { values, source, file } = layer({
    flags,
    ...{ defaults: DEFAULTS, environment, names: NAMES, sections: SECTIONS, read: readFlags },
    file: flags.config ?? environment.AETHER_RELAY_CONFIG,
  })
  const fileSettings = readFileSettings(file)
  const integer = (flag: string, text: string | undefined, min: number, max: number) => {
    if (text === undefined) return undefined
    const value = Number(text)
    if (!/^[0-9]{1,15}$/.test(text) || value < min || value > max)
      throw new FlagError(
        `${source(flag)} must be an integer from ${min} to ${max}, got ${JSON.stringify(text)}`,
      )
    return value
  }
  const port = (flag: 'ws-port' | 'nostr-port' | 'http-port' | 'http-ws-port', byDefault: number) =>
    integer(flag, values[flag], 0, 65_535) ?? byDefault
  const storage = values.storage ?? 'lmdb'
  if (storage !== 'lmdb' && storage !== 'sqlite' && storage !== 'memory')
    throw new FlagError(`${source('storage')} must be lmdb, sqlite or memory, got ${JSON.stringify(storage)}`)
  const path = values['storage-path'] ?? './data'
  const isFile = storage === 'sqlite' && extname(path) !== ''
  const capacity = integer('rate-limit-capacity', values['rate-limit-capacity'], 1, 1e9)
  const perSecond = integer('rate-limit-per-sec', values['rate-limit-per-sec'], 1, 1e9)
  return {
    host: values['ws-host'] ?? '127.0.0.1',
    port: port('ws-port', 9000),
    gateways: readGateways(values.gateway ?? 'none', source('gateway')),
    nostrHost: values['nostr-host'],
    nostrPort: port('nostr-port', 7447),
    publicUrls: readUrls(values['public-url'] ?? [], source('public-url')),
    httpHost: values['http-host'],
    httpPort: port('http-port', 8081),
    httpWsPort: port('http-ws-port', 8082),
    httpOrigins: values['http-origin'],
    httpAdminTokenFile: values['http-admin-token-file'],
    storage,
    storagePath: storage === 'sqlite' && !isFile ? join(path, 'aether.sqlite') : path,
    keyDirectory: isFile ? join(path, '..') : path,
    retentionNs: readRetention(values['retention-ns'], source('retention-ns')),
    maxSize: integer('max-size', values['max-size'], 1, LIMITS.event.maxSize) ?? LIMITS.event.maxSize,
    powDifficulty: integer('pow-difficulty', values['pow-difficulty'], 0, 256) ?? 0,
    rate:
      capacity === undefined && perSecond === undefined
        ? undefined
        : { capacity: capacity ?? perSecond ?? 1, perSecond: perSecond ?? capacity ?? 1 },
    verifyWorkers: integer('verify-workers', values['verify-workers'], 1, 256),
    wsOrigins: values['ws-origin'],
    tls: readTls(values, source),
    logLevel: readLogLevel(values['log-level'] ?? 'info', source('log-level')),
    policyPlugin: readCommand(values['policy-plugin'], source('policy-plugin')),
    file: fileSettings,
    effective: effectiveSettings(values, file),
    printConfig: values['print-config'] === true,
  }
}

/** What holds when nobody says anything; the rest is left to the relay. */
const DEFAULTS = {
  'ws-host': '127.0.0.1',
  'ws-port': '9000',
  gateway: 'none',
  'nostr-port': '7447',
  'http-port': '8081',
  'http-ws-port': '8082',
  storage: 'lmdb',
  'storage-path': './data',
  'max-size': String(LIMITS.event.maxSize),
  'pow-difficulty': '0',
  'log-level': 'info',
}

const text = { type: 'string' } as const
const list = { type: 'string', multiple: true } as const

/** Only of the command line. */
const OWN_FLAGS = {
  config: text,
  'print-config': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const

/** Of the command line, the environment and the file. */
const FLAGS = {
  'ws-host': text,
  'ws-port': text,
  gateway: text,
  'nostr-host': text,
  'nostr-port': text,
  'public-url': list,
  'http-host': text,
  'http-port': text,
  'http-ws-port': text,
  'http-origin': list,
  'http-admin-token-file': text,
  storage: text,
  'storage-path': text,
  'retention-ns': text,
  'max-size': text,
  'pow-difficulty': text,
  'rate-limit-capacity': text,
  'rate-limit-per-sec': text,
  'verify-workers': text,
  'ws-origin': list,
  'tls-cert': text,
  'tls-key': text,
  'policy-plugin': text,
  'log-level': text,
} as const

const NAMES = new Map(
  Object.entries(FLAGS).map(([name, flag]) => [name, 'multiple' in flag ? 'list' : 'text'] as const),
)

type Values = ReturnType<typeof readFlags>

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: { ...FLAGS, ...OWN_FLAGS } }).values
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new FlagError(message.split('\n')[0])
  }
}

function readGateways(text: string, source: string): ReadonlySet<GatewayName> {
  if (text === 'none') return new Set()
  const names = text.split(',').map((name) => {
    const known = GATEWAYS.find((gateway) => gateway === name.trim())
    if (known !== undefined) return known
    throw new FlagError(
      `${source} must be none or a list of ${GATEWAYS.join(', ')}, got ${JSON.stringify(text)}`,
    )
  })
  return new Set(names)
}

function readUrls(urls: readonly string[], source: string): readonly string[] {
  const wrong = urls.find((url) => !/^(ws|http)s?:$/.test(URL.canParse(url) ? new URL(url).protocol : ''))
  if (wrong === undefined) return urls
  throw new FlagError(`${source} must be a URL like wss://relay.example, got ${JSON.stringify(wrong)}`)
}

function readRetention(text: string | undefined, source: string): bigint | undefined {
  if (text === undefined) return undefined
  if (!/^[0-9]{1,19}$/.test(text) || BigInt(text) === 0n)
    throw new FlagError(`${source} must be a positive number of nanoseconds, got ${JSON.stringify(text)}`)
  return BigInt(text)
}

function readTls(
  { 'tls-cert': cert, 'tls-key': key }: Values,
  source: (name: string) => string,
): CommandLine['tls'] {
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined)
    throw new FlagError(
      cert === undefined
        ? `${source('tls-key')} needs --tls-cert beside it`
        : `${source('tls-cert')} needs --tls-key beside it`,
    )
  return { cert, key }
}

function readLogLevel(text: string, source: string): LogLevel {
  const level = LOG_LEVELS.find((each) => each === text)
  if (level !== undefined) return level
  throw new FlagError(`${source} must be one of ${LOG_LEVELS.join(', ')}, got ${JSON.stringify(text)}`)
}

/** Words between blanks; whoever needs more writes the section `policies.plugin` of the file. */
function readCommand(text: string | undefined, source: string): readonly string[] | undefined {
  const words = text?.split(' ').filter((word) => word !== '')
  if (words?.length === 0) throw new FlagError(`${source} must name a program`)
  return words
}

function effectiveSettings(values: Values, file: Section): Readonly<Record<string, unknown>> {
  const flags = [...NAMES.keys()].map((name) => [
    name,
    Object.entries(values).find(([key]) => key === name)?.[1],
  ])
  const sections = SECTIONS.map((name) => [name, file.raw(name)])
  return Object.fromEntries([...flags, ...sections].filter(([, value]) => value !== undefined))
}
