/** One run of a command: where it writes, what ends it, and how its end is told. */
import { setMaxListeners } from 'node:events'
import type { Writable } from 'node:stream'
import { CommandError, EXIT, type ExitName, explain, hasCode } from './exit.js'

export interface Session {
  /** Records on standard output are lines of JSON. */
  readonly json: boolean
  /** Aborted by SIGINT, SIGTERM, and when nobody reads the output any more. */
  readonly signal: AbortSignal
  /** Colours, where standard output is a terminal that wants them. */
  readonly paint: Paint
  /** Writes a record to standard output: one line either way. Resolves when it is out. */
  print(json: () => unknown, text: () => string): Promise<void>
  /** Writes to standard output as it is. Resolves when it is out. */
  write(chunk: string | Uint8Array): Promise<void>
  /** Says something to whoever watches: standard error. */
  note(line: string): void
}

type Paint = (style: keyof typeof STYLES, text: string) => string

const STYLES = { dim: '2', bold: '1', red: '31', green: '32', cyan: '36' } as const
/** What was asked to end and does not, is ended; ms. */
const FORCE_MS = 5_000

/**
 * Runs a command and ends the process with its exit code: what `body` returns, or that of what it throws.
 * From SIGINT on, `body` has some seconds to finish; a second SIGINT ends it at once.
 */
export async function runCommand(
  { json = false }: { readonly json?: boolean | undefined },
  body: (session: Session) => Promise<ExitName>,
): Promise<never> {
  const end = new AbortController()
  // Whatever is under way listens to it.
  setMaxListeners(0, end.signal)
  const stop = (code: ExitName, message: string = code) => {
    if (end.signal.aborted) process.exit(EXIT[code])
    end.abort(new CommandError(code, message))
    setTimeout(() => process.exit(EXIT[code]), FORCE_MS).unref()
  }
  const fail = (error: unknown) => {
    note(explain(error).line ?? 'internal error')
    process.exit(EXIT.internal)
  }
  process.on('SIGINT', () => stop('interrupted')).on('SIGTERM', () => stop('terminated'))
  process.on('uncaughtException', fail)
  process.stdout.on('error', (error) => {
    if (end.signal.aborted) return
    if (hasCode(error, 'EPIPE')) stop('pipe')
    else stop('file', `the output cannot be written: ${error.message}`)
  })
  process.stderr.on('error', () => {})
  const write = (chunk: string | Uint8Array) => writeTo(process.stdout, chunk)
  const session: Session = {
    json,
    signal: end.signal,
    paint: painter(process.stdout),
    print: (record, text) => write(`${json ? JSON.stringify(record(), bigintAsText) : text()}\n`),
    write,
    note,
  }
  try {
    const exit = await body(session)
    // What was stopped did not end by itself, however well it ended.
    end.signal.throwIfAborted()
    process.exit(EXIT[exit])
  } catch (error) {
    const { exit, line } = explain(end.signal.aborted ? end.signal.reason : error)
    if (line !== undefined) note(line)
    process.exit(EXIT[exit])
  }
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}

let clear: (() => void) | undefined

/** What is drawn on standard error, where notes go: it is cleared before each of them. */
export function makeRoom(how: (() => void) | undefined): void {
  clear = how
}

function note(line: string): void {
  clear?.()
  process.stderr.write(`aether: ${line}\n`)
}

function writeTo(stream: Writable, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()))
  })
}

function painter(stream: NodeJS.WriteStream): Paint {
  const { NO_COLOR, TERM } = process.env
  const coloured = stream.isTTY && TERM !== 'dumb' && (NO_COLOR === undefined || NO_COLOR === '')
  return (style, text) => (coloured ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text)
}
