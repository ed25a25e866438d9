#!/usr/bin/env node
/** The binary `aether-relay`: settings, keys and signals around `createRelay`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fromHex, generateSecretKey, parseHex, publicKeyOf, toHex } from '@aetherkit/core'
import { type Logger, pino } from 'pino'
import type { HttpOptions } from './gateway/http.js'
import type { NostrOptions } from './gateway/nostr.js'
import { SOFTWARE_VERSION } from './info.js'
import { logObserver } from './log.js'
import { openMailboxFile } from './mailbox/mailbox-file.js'
import { maintain } from './maintenance/command.js'
import { nostrPath } from './maintenance/place.js'
import { Metrics, metricsRoute } from './metrics.js'
import { type CommandLine, FlagError, HELP, readCommandLine } from './options.js'
import type { AsyncPolicy } from './policy/async-policy.js'
import type { CapabilityOptions } from './policy/capability-policy.js'
import { memoryUses, openCapabilityUses } from './policy/capability-uses.js'
import { pluginPolicy } from './policy/plugin.js'
import { createRelay, type Relay } from './relay.js'
import { changesOf, difference, merged, withoutSecrets } from './reload.js'
import { adminTokenOf, credentialsOf, limitsOf, pluginOf, policiesOf } from './serve-options.js'
import { openLmdbStore } from './store/lmdb.js'
import { openMemoryStore } from './store/memory.js'
import { openSqliteStore } from './store/sqlite.js'
import { type Store, StoreError } from './store/store.js'
import { fingerprintOf } from './tls.js'
import { loadTracer } from './tracing.js'

const EXIT = { ok: 0, internal: 1, flag: 2, listen: 3, storage: 4 } as const
/** A drain that takes longer is ended by force: ten seconds are promised. */
const DRAIN_MS = 9000

try {
  await main()
} catch (error) {
  const [code, line] = explain(error)
  process.stderr.write(`aether-relay: ${line}\n`)
  process.exit(code)
}

async function main(): Promise<void> {
  const maintained = maintain(process.argv.slice(2))
  if (maintained !== undefined) {
    process.exitCode = await maintained
    return
  }
  const command = readCommandLine(process.argv.slice(2), process.env)
  if (command === 'help') process.stdout.write(HELP)
  else if (command === 'version') process.stdout.write(`${SOFTWARE_VERSION}\n`)
  else if (command.printConfig)
    process.stdout.write(`${JSON.stringify(withoutSecrets(command.effective), undefined, 2)}\n`)
  else await serve(command)
}

async function serve(command: CommandLine): Promise<void> {
  const logger = pino({ base: null, level: command.logLevel })
  const tls = credentialsOf(command)
  const adminToken = adminTokenOf(command)
  const store = openStore(command)
  const secretKey = command.storage === 'memory' ? generateSecretKey() : relayKey(command.keyDirectory)
  const metrics = new Metrics({ stats: () => relay.stats(), usage: () => store.usage() })
  const log = logObserver(logger)
  const relay = await createRelay({
    host: command.host,
    port: command.port,
    ...{ store, secretKey, policies: policiesOf(command), asyncPolicies: startPlugin(command, logger) },
    ...(command.file.capabilities && { capabilities: capabilityOptions(command, secretKey) }),
    ...(command.storage !== 'memory' && { mailboxes: openMailboxFile(mailboxPath(command)) }),
    limits: limitsOf(command),
    retention: command.file.retention,
    auth: { ...command.file.auth, urls: command.publicUrls },
    ...(command.gateways.has('nostr') && { nostr: nostrOptions(command) }),
    ...(command.gateways.has('http') && {
      http: { ...httpOptions(command, metrics), ...(adminToken && { adminToken }) },
    }),
    ...(command.retentionNs !== undefined && { retentionNs: command.retentionNs }),
    ...(command.verifyWorkers !== undefined && { verifyWorkers: command.verifyWorkers }),
    ...(command.wsOrigins !== undefined && { origins: command.wsOrigins }),
    ...(tls !== undefined && { tls }),
    tracer: await loadTracer(SOFTWARE_VERSION),
    onEvent(event) {
      metrics.observe(event)
      log(event)
    },
  })
  const drain = (signal: string) => {
    logger.info({ signal }, 'draining')
    setTimeout(() => process.exit(EXIT.internal), DRAIN_MS).unref()
    void end(relay).then((code) => process.exit(code))
  }
  process.once('SIGTERM', drain).once('SIGINT', drain)
  reloadOnSignal(relay, { command, adminToken }, logger)
  const { storage, storagePath } = command
  const nostr = relay.nostr && { nostr: relay.nostr.url }
  const http = relay.http && { http: relay.http.url, http_ws_port: relay.http.wsPort }
  logger.info(
    { url: relay.url, ...nostr, ...http, storage, ...(storage !== 'memory' && { path: storagePath }) },
    'listening',
  )
}

interface Running {
  readonly command: CommandLine
  readonly adminToken: string | undefined
}

/** SIGHUP. Settings that cannot be read change nothing; what needs a restart stays as it was, and is named each time. */
function reloadOnSignal(relay: Relay, first: Running, logger: Logger): void {
  let running = first.command.effective
  let token = first.adminToken
  let underWay = Promise.resolve()
  const reload = async () => {
    let asyncPolicies: readonly AsyncPolicy[] = []
    try {
      const command = readCommandLine(process.argv.slice(2), process.env)
      if (typeof command === 'string') return
      const tls = first.command.tls === undefined ? undefined : credentialsOf(command)
      const adminToken = adminTokenOf(command)
      const { changed, needsRestart } = difference(running, command.effective)
      asyncPolicies = startPlugin(command, logger)
      const found = { changed, needsRestart }
      await relay.reload(changesOf({ command, difference: found, asyncPolicies, tls, adminToken }))
      logger.level = command.logLevel
      running = merged(running, command.effective, needsRestart)
      const facts = {
        ...(tls && { certificate: fingerprintOf(tls) }),
        ...(adminToken !== token && { admin_token: adminToken === undefined ? 'removed' : 'replaced' }),
      }
      token = adminToken
      logger.warn({ changed, needs_restart: needsRestart, ...facts }, 'reloaded')
    } catch (error) {
      await Promise.all(asyncPolicies.map((policy) => policy.close?.()))
      logger.error({ error: error instanceof Error ? error.message : String(error) }, 'not reloaded')
    }
  }
  process.on('SIGHUP', () => {
    underWay = underWay.then(reload)
  })
}

function startPlugin(command: CommandLine, logger: Logger) {
  const plugin = pluginOf(command)
  if (plugin === undefined) return []
  const onFault = ({ message: error }: Error) => logger.error({ error }, 'policy_plugin')
  return [pluginPolicy({ ...plugin, onFault })]
}

/** The counters are kept beside the store. */
function capabilityOptions(
  { file: { capabilities }, storage, keyDirectory }: CommandLine,
  secretKey: Uint8Array,
): CapabilityOptions {
  return {
    ...{ publish: [], subscribe: [], ...capabilities },
    owner: capabilities?.owner ?? publicKeyOf(secretKey),
    uses: storage === 'memory' ? memoryUses() : openCapabilityUses(join(keyDirectory, 'capability-uses.mdb')),
  }
}

/** Beside the store, and its alone: what is in it are places in that store. */
function mailboxPath({ storage, storagePath }: CommandLine): string {
  const stem = storagePath.slice(0, storagePath.length - extname(storagePath).length)
  return storage === 'lmdb' ? join(storagePath, 'mailboxes.mdb') : `${stem}.mailboxes.mdb`
}

async function end(relay: Relay): Promise<number> {
  try {
    await relay.close()
    return EXIT.ok
  } catch {
    return EXIT.internal
  }
}

/** Genuine Nostr events have a store of the same kind to themselves, beside that of Aether events. */
function nostrOptions({ nostrHost, nostrPort, storage, storagePath }: CommandLine): NostrOptions {
  return {
    ...(nostrHost !== undefined && { host: nostrHost }),
    port: nostrPort,
    ...(storage === 'lmdb' && { store: openLmdbStore(nostrPath(storage, storagePath)) }),
    ...(storage === 'sqlite' && { store: openSqliteStore(nostrPath(storage, storagePath)) }),
  }
}

function httpOptions(command: CommandLine, metrics: Metrics): HttpOptions {
  const { httpHost, httpPort, httpWsPort, httpOrigins, storage, keyDirectory } = command
  return {
    ...(httpHost !== undefined && { host: httpHost }),
    port: httpPort,
    wsPort: httpWsPort,
    ...(httpOrigins !== undefined && { origins: httpOrigins }),
    ...(storage !== 'memory' && { dataPath: keyDirectory }),
    routes: [metricsRoute(metrics)],
  }
}

function openStore({ storage, storagePath }: CommandLine): Store {
  if (storage === 'memory') return openMemoryStore()
  return storage === 'lmdb' ? openLmdbStore(storagePath) : openSqliteStore(storagePath)
}

/** The relay's seed, made at the first start and kept beside its data: clients pin what comes from it. */
function relayKey(directory: string): Uint8Array {
  const path = join(directory, 'relay.key')
  try {
    mkdirSync(directory, { recursive: true })
    const fresh = `${toHex(generateSecretKey())}\n`
    try {
      writeFileSync(path, fresh, { flag: 'wx', mode: 0o600 })
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error
    }
    const seed = parseHex(readFileSync(path, 'utf8').trim(), 32)
    if (seed === undefined) throw new StoreError('wrong_format', `${path} does not hold 64 hex digits`)
    return fromHex(seed)
  } catch (error) {
    if (error instanceof StoreError) throw error
    throw new StoreError('not_writable', `${path} cannot be written: ${String(error)}`)
  }
}

/** One line for the user, and the exit code that HELP promises. */
function explain(error: unknown): [code: number, line: string] {
  if (error instanceof FlagError) return [EXIT.flag, `${error.message} (see --help)`]
  if (error instanceof StoreError) return [EXIT.storage, error.message]
  if (hasCode(error, 'EADDRINUSE')) return [EXIT.listen, `${error.message}: choose another port`]
  if (error instanceof Error && 'syscall' in error) return [EXIT.listen, `cannot listen: ${error.message}`]
  return [EXIT.internal, `internal error: ${String(error)}`]
}

function hasCode(error: unknown, code: string): error is Error {
  return error instanceof Error && 'code' in error && error.code === code
}
