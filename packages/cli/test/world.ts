/** The binary as a stranger meets it: processes, relays and folders of one test, taken down after it. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClock, type Event, generateSecretKey, signEvent } from '@aetherkit/core'
import { createRelay, type Relay, type RelayOptions } from '@aetherkit/relay'
import { afterEach } from 'vitest'

export const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

export function later(end: () => unknown): void {
  ends.push(end)
}

export async function relay(options: RelayOptions = {}): Promise<Relay> {
  const started = await createRelay({ verifyWorkers: 1, ...options })
  ends.push(() => started.close())
  return started
}

/** A way to a relay on which everything that the relay says is heard. */
export async function listenedLine(relayUrl: string): Promise<{ url: string; heard(): string }> {
  const heard: Buffer[] = []
  const sockets = new Set<Socket>()
  const line = createServer((client) => {
    const behind = createConnection(Number(new URL(relayUrl).port), '127.0.0.1')
    for (const socket of [client, behind]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    behind.on('data', (chunk) => heard.push(chunk))
    client.pipe(behind)
    behind.pipe(client)
  })
  await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => line.close(resolve))
  })
  const { port } = line.address() as AddressInfo
  return { url: `ws://127.0.0.1:${port}`, heard: () => Buffer.concat(heard).toString('latin1') }
}

export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'aether-cli-'))
  ends.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export interface Result {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export class Run {
  readonly child: ChildProcessWithoutNullStreams
  out = ''
  err = ''
  readonly done: Promise<Result>

  constructor(args: readonly string[], { relay, env = {} }: RunOptions = {}) {
    const { AETHER_SECRET_KEY: _, AETHER_RELAY: __, ...inherited } = process.env
    const own = { ...(relay !== undefined && { AETHER_RELAY: relay }), ...env }
    this.child = spawn(process.execPath, [MAIN, ...args], { env: { ...inherited, ...own } })
    ends.push(() => this.child.kill('SIGKILL'))
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      this.out += text
    })
    this.child.stderr.setEncoding('utf8').on('data', (text) => {
      this.err += text
    })
    this.child.stdin.on('error', () => {})
    this.done = new Promise((resolve) => {
      this.child.once('close', (code) => resolve({ code, out: this.out, err: this.err }))
    })
  }

  /** Resolves when standard output has so many lines, or rejects when it ends before. */
  async lines(count: number): Promise<string[]> {
    let over = false
    this.child.once('close', () => {
      over = true
    })
    while (this.out.split('\n').length <= count) {
      if (over) throw new Error(`ended with ${JSON.stringify(this.out)}, ${JSON.stringify(this.err)}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return this.out.split('\n').slice(0, count)
  }
}

interface RunOptions {
  readonly relay?: string
  readonly env?: Record<string, string>
}

/** Runs to the end, with this on standard input. */
export function aether(
  args: readonly string[],
  options: RunOptions & { readonly input?: string } = {},
): Promise<Result> {
  const run = new Run(args, options)
  run.child.stdin.end(options.input ?? '')
  return run.done
}

/** What a shell makes of it, with `aether` as a command. */
export function shell(script: string, { relay, env = {} }: RunOptions = {}): Promise<Result> {
  const text = `aether() { "${process.execPath}" "${MAIN}" "$@"; }\n${script}`
  const child = spawn('bash', ['-c', text], {
    env: { ...process.env, ...(relay !== undefined && { AETHER_RELAY: relay }), ...env },
  })
  ends.push(() => child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stdout.on('data', (data) => {
    out += data
  })
  child.stderr.on('data', (data) => {
    err += data
  })
  child.stdin.end()
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })))
}

export const secretKey = generateSecretKey()
const clock = createClock()

export function event(content: string, kind = 1, createdAt = clock()): Event {
  return signEvent({ kind, content, createdAt }, secretKey)
}
