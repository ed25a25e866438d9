/**
 * An action that is a program: one process a call, the payload on its standard input, its standard output the answer.
 * An exit code other than 0 is an error `EXIT_<n>` to the caller; what the program writes to standard error stays here.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type CallContext, CallError, type Json } from '@aetherkit/client'
import { usage } from './exit.js'

export interface ProgramOptions {
  readonly action: string
  /** Payload and answer are text as it is, not JSON. */
  readonly text: boolean
  /** Processes at a time, and calls that wait for one. */
  readonly concurrency: number
  /** Says what is wrong with the program, to its owner. */
  note(line: string): void
}

/** No event holds more; bytes. */
const MAX_ANSWER = 1 << 20
const MAX_WAITING = 64
/** From SIGTERM to SIGKILL, ms. */
const KILL_MS = 2_000

/** @throws CommandError usage for a program that is not there */
export function assertProgram(file: string, path = process.env.PATH ?? ''): void {
  if (process.platform === 'win32') return
  const folders = file.includes('/') ? [''] : path.split(delimiter)
  if (!folders.some((folder) => isExecutable(join(folder, file))))
    throw usage(`there is no program ${JSON.stringify(file)} to run`)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export type Handler = (payload: Json, context: CallContext) => Promise<Json>

export function programHandler(command: readonly [string, ...string[]], options: ProgramOptions): Handler {
  const { concurrency, text, note } = options
  const waiting: (() => void)[] = []
  let running = 0
  return async (payload, context) => {
    if (text && typeof payload !== 'string') throw new CallError('NOT_TEXT', 'the payload must be text')
    if (running >= concurrency) {
      if (waiting.length >= MAX_WAITING) throw new CallError('BUSY', 'too many calls')
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else running++
    try {
      context.signal.throwIfAborted()
      const answer = await run(command, `${text ? payload : JSON.stringify(payload)}`, context, options)
      return text ? answer : readAnswer(answer, note)
    } finally {
      // Whoever waits takes the place over.
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}

function readAnswer(answer: string, note: (line: string) => void): Json {
  if (answer.trim() === '') return null
  try {
    const json: Json = JSON.parse(answer)
    return json
  } catch {
    note('the command wrote what is no JSON: for text, add --text')
    throw new CallError('NOT_JSON', 'the agent failed')
  }
}

function run(
  [file, ...args]: readonly [string, ...string[]],
  input: string,
  { from, id, signal }: CallContext,
  { action, note }: ProgramOptions,
): Promise<string> {
  const { AETHER_SECRET_KEY: _, ...env } = process.env
  const own = { AETHER_CALLER: from, AETHER_CALL_ID: id, AETHER_ACTION: action }
  // A group of its own: what the program starts ends with it, and Ctrl-C on the terminal is ours to pass on.
  const child = spawn(file, args, {
    env: { ...env, ...own },
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  return new Promise<string>((resolve, reject) => {
    const parts: Buffer[] = []
    let length = 0
    const stop = () => kill(child)
    signal.addEventListener('abort', stop, { once: true })
    child.stdin.on('error', () => {}).end(input)
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= MAX_ANSWER) parts.push(chunk)
      else stop()
    })
    child.once('error', (error) => {
      signal.removeEventListener('abort', stop)
      note(`the command cannot be run: ${error.message}`)
      reject(new CallError('NOT_RUN', 'the agent failed'))
    })
    child.once('close', (code, killed) => {
      signal.removeEventListener('abort', stop)
      if (length > MAX_ANSWER) reject(new CallError('RESPONSE_TOO_LARGE', 'the answer is too large'))
      else if (code === 0) resolve(Buffer.concat(parts).toString())
      else if (code === null)
        reject(new CallError('KILLED', `the command was ended by ${killed ?? 'a signal'}`))
      else reject(new CallError(`EXIT_${code}`, `the command ended with ${code}`))
    })
  })
}

function kill(child: ChildProcess): void {
  const send = (signal: NodeJS.Signals) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    try {
      process.kill(-child.pid, signal)
    } catch {
      child.kill(signal)
    }
  }
  send('SIGTERM')
  setTimeout(() => send('SIGKILL'), KILL_MS).unref()
}
