#!/usr/bin/env node
/** The binary `aether-relay`: flags, keys and signals around `createRelay`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex, generateSecretKey, parseHex, toHex } from '@aetherkit/core'
import { pino } from 'pino'
import { SOFTWARE_VERSION } from './info.js'
import { LIMITS } from './limits.js'
import { logObserver } from './log.js'
import { type CommandLine, FlagError, HELP, readCommandLine } from './options.js'
import { type Policy, proofOfWork, rateLimit, saneDefaults } from './policy.js'
import { createRelay, type Relay } from './relay.js'
import { openLmdbStore } from './store/lmdb.js'
import { openMemoryStore } from './store/memory.js'
import { openSqliteStore } from './store/sqlite.js'
import { type Store, StoreError } from './store/store.js'

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
  const command = readCommandLine(process.argv.slice(2))
  if (command === 'help') process.stdout.write(HELP)
  else if (command === 'version') process.stdout.write(`${SOFTWARE_VERSION}\n`)
  else await serve(command)
}

async function serve(command: CommandLine): Promise<void> {
  const logger = pino({ base: null })
  const relay = await createRelay({
    host: command.host,
    port: command.port,
    store: openStore(command),
    policies: policiesOf(command),
    limits: { event: { ...LIMITS.event, maxSize: command.maxSize } },
    secretKey: command.storage === 'memory' ? generateSecretKey() : relayKey(command.keyDirectory),
    ...(command.retentionNs !== undefined && { retentionNs: command.retentionNs }),
    ...(command.verifyWorkers !== undefined && { verifyWorkers: command.verifyWorkers }),
    onEvent: logObserver(logger),
  })
  const drain = (signal: string) => {
    logger.info({ signal }, 'draining')
    setTimeout(() => process.exit(EXIT.internal), DRAIN_MS).unref()
    void end(relay).then((code) => process.exit(code))
  }
  process.once('SIGTERM', drain).once('SIGINT', drain)
  const { storage, storagePath } = command
  logger.info({ url: relay.url, storage, ...(storage !== 'memory' && { path: storagePath }) }, 'listening')
}

async function end(relay: Relay): Promise<number> {
  try {
    await relay.close()
    return EXIT.ok
  } catch {
    return EXIT.internal
  }
}

function openStore({ storage, storagePath }: CommandLine): Store {
  if (storage === 'memory') return openMemoryStore()
  return storage === 'lmdb' ? openLmdbStore(storagePath) : openSqliteStore(storagePath)
}

function policiesOf({ powDifficulty, rate }: CommandLine): Policy[] {
  return [
    ...saneDefaults(),
    ...(powDifficulty > 0 ? [proofOfWork(powDifficulty)] : []),
    ...(rate === undefined ? [] : [rateLimit('pubkey', rate)]),
  ]
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
  if (hasCode(error, 'EADDRINUSE')) return [EXIT.listen, `${error.message}: choose another --ws-port`]
  if (error instanceof Error && 'syscall' in error) return [EXIT.listen, `cannot listen: ${error.message}`]
  return [EXIT.internal, `internal error: ${String(error)}`]
}

function hasCode(error: unknown, code: string): error is Error {
  return error instanceof Error && 'code' in error && error.code === code
}
