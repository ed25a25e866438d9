#!/usr/bin/env node
/** `aether-devnet`: the local chain for people (spec solana 14). Exit status: 0, 1 it cannot start, 2 wrong use, or that of `--exec`. */
import { spawn } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { parseArgs } from 'node:util'
import { encodeBase58 } from './base58.js'
import { ROLES } from './demo-keys.js'
import { type Devnet, startDevnet } from './devnet.js'
import { DevnetError } from './errors.js'

const USAGE = `aether-devnet - a local Solana test chain for demos and tests

  --port N       RPC port, 8899 by default; the port above it is used too; 0 takes free ones
  --slot-ms N    length of a slot in milliseconds, 400 by default
  --json FILE    write addresses and keys to FILE as soon as the chain is ready
  --exec CMD     run CMD with RPC_URL, BUYER_KEY, PAY_TO and FEE_PAYER_KEY set, stop with it, take its exit status
  --help         this text
`

interface Flags {
  readonly port: number
  readonly slotMs: number
  readonly json: string | undefined
  readonly exec: string | undefined
}

process.exitCode = await main()

async function main(): Promise<number> {
  let flags: Flags | undefined
  try {
    flags = readFlags()
  } catch (error) {
    return fail(2, error)
  }
  if (flags === undefined) {
    process.stdout.write(USAGE)
    return 0
  }
  let devnet: Devnet
  try {
    devnet = await startDevnet({ port: flags.port, slotMs: flags.slotMs })
  } catch (error) {
    if (error instanceof DevnetError) return fail(1, error)
    throw error
  }
  try {
    if (flags.json !== undefined) writeReport(flags.json, devnet)
    process.stdout.write(banner(devnet))
    return await (flags.exec === undefined ? untilSignal() : runCommand(flags.exec, devnet))
  } catch (error) {
    return fail(1, error)
  } finally {
    await devnet.close()
  }
}

/** Undefined when help is wanted. @throws TypeError for wrong use */
function readFlags(): Flags | undefined {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8899' },
      'slot-ms': { type: 'string', default: '400' },
      json: { type: 'string' },
      exec: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  return {
    port: integer('--port', values.port, 0, 65_534),
    slotMs: integer('--slot-ms', values['slot-ms'], 1, 60_000),
    json: values.json,
    exec: values.exec,
  }
}

function integer(flag: string, text: string, least: number, most: number): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least && value <= most)) {
    throw new TypeError(`${flag}: a number from ${least} to ${most} expected, got ${text}`)
  }
  return value
}

function banner(devnet: Devnet): string {
  const lines = [
    'local test chain, not Solana devnet',
    `  rpc          ${devnet.rpcUrl}`,
    `  websocket    ${devnet.wsUrl}`,
    `  network      ${devnet.network}`,
    `  mint         ${devnet.mint} (USDC, ${devnet.decimals} decimals)`,
    ...ROLES.map((role) => `  ${role.padEnd(12)} ${devnet.wallets[role].publicKey}`),
    `ready in ${devnet.readyMs} ms`,
  ]
  return `${lines.join('\n')}\n`
}

/** Whole or not at all: whoever waits for the file never reads half of it. */
function writeReport(file: string, devnet: Devnet): void {
  const { rpcUrl, wsUrl, network, genesisHash, mint, decimals, readyMs } = devnet
  const wallets = Object.fromEntries(
    ROLES.map((role) => {
      const { publicKey, secretKey } = devnet.wallets[role]
      return [role, { publicKey, secretKey: encodeBase58(secretKey) }]
    }),
  )
  const report = { rpcUrl, wsUrl, network, genesisHash, mint, decimals, wallets, readyMs }
  const partial = `${file}.${process.pid}.tmp`
  writeFileSync(partial, `${JSON.stringify(report, null, 2)}\n`)
  renameSync(partial, file)
}

/** The command's exit status; 128 and the signal's number when a signal ended it. */
function runCommand(command: string, { rpcUrl, wallets }: Devnet): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, {
      shell: true,
      stdio: 'inherit',
      env: {
        ...process.env,
        RPC_URL: rpcUrl,
        BUYER_KEY: encodeBase58(wallets.buyer.secretKey),
        PAY_TO: wallets.merchant.publicKey,
        FEE_PAYER_KEY: encodeBase58(wallets.facilitator.secretKey),
      },
    })
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
}

function untilSignal(): Promise<number> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(0))
  })
}

function fail(status: number, error: unknown): number {
  process.stderr.write(`aether-devnet: ${error instanceof Error ? error.message : String(error)}\n`)
  return status
}
