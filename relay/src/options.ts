/**
 * The settings of `aether-relay`: flags as the reference relay's where it has them (spec, appendix A), the same by
 * environment and file, see `config-layers.ts`.
 */
import { extname, join } from 'node:path'
import { layer } from './config-layers.js'
import { FlagError, type Section } from './config-section.js'
import { DEFAULTS, NAMES, readFlags, type Values } from './flags.js'
import { LIMITS } from './limits.js'
import {
  type GatewayName,
  type LogLevel,
  readCommand,
  readGateways,
  readLogLevel,
  readRetention,
  readTls,
  readUrls,
} from './option-values.js'
import { type FileSettings, readFileSettings, SECTIONS } from './options-file.js'

export { FlagError } from './config-section.js'
export { HELP } from './flags.js'

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

function effectiveSettings(values: Values, file: Section): Readonly<Record<string, unknown>> {
  const flags = [...NAMES.keys()].map((name) => [
    name,
    Object.entries(values).find(([key]) => key === name)?.[1],
  ])
  const sections = SECTIONS.map((name) => [name, file.raw(name)])
  return Object.fromEntries([...flags, ...sections].filter(([, value]) => value !== undefined))
}
