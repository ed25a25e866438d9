/**
 * The process of a policy plugin: lines in, lines out, and a new one when it ends. Started without a shell; what it
 * writes to standard error goes to the relay's.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

export interface PluginProcessOptions {
  readonly command: readonly [file: string, ...args: string[]]
  line(text: string): void
  /** It runs: nothing that was written before has reached it. */
  up(): void
  /** It ended, or could not be started; it is started again after a while. */
  down(reason: string): void
}

type Child = ChildProcessByStdio<Writable, Readable, null>

/** An answer is a line of a few hundred bytes. UTF-16 units. */
const MAX_LINE = 64 * 1024
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 30_000
/** How long it may take to end by itself. */
const GRACE_MS = 1000

export class PluginProcess {
  readonly #options: PluginProcessOptions
  #child: Child | undefined
  #rest = ''
  #waitMs = FIRST_WAIT_MS
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: PluginProcessOptions) {
    this.#options = options
  }

  get isUp(): boolean {
    return this.#child !== undefined
  }

  start(): void {
    const [file, ...args] = this.#options.command
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child = child
    this.#rest = ''
    child.stdin.on('error', () => {})
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#read(child, text))
    child.once('error', (error) => this.#ended(child, error.message))
    child.once('close', (code, signal) => this.#ended(child, `ended with ${signal ?? code}`))
    this.#options.up()
  }

  write(line: string): void {
    this.#child?.stdin.write(`${line}\n`)
  }

  /** Whatever it says from now on is not heard. */
  kill(reason: string): void {
    const child = this.#child
    if (child === undefined) return
    child.kill('SIGKILL')
    this.#ended(child, reason)
  }

  /** It gave a right answer: if it ends now, it is started again soon. */
  praise(): void {
    this.#waitMs = FIRST_WAIT_MS
  }

  /** Ends its input, which is a plugin's sign to end; resolves when it has, after a second by force. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    const child = this.#child
    if (child === undefined) return
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
    child.stdin.end()
    const force = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
    await ended
    clearTimeout(force)
  }

  #read(child: Child, text: string): void {
    if (child !== this.#child) return
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) if (child === this.#child && line.trim() !== '') this.#options.line(line)
    if (this.#rest.length > MAX_LINE) this.kill('a line without an end')
  }

  #ended(child: Child, reason: string): void {
    if (child !== this.#child) return
    this.#child = undefined
    this.#options.down(reason)
    if (this.#closed) return
    this.#timer = setTimeout(() => this.start(), this.#waitMs)
    this.#timer.unref()
    this.#waitMs = Math.min(2 * this.#waitMs, LONGEST_WAIT_MS)
  }
}
