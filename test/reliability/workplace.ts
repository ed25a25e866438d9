/**
 * Where a case works: the relay's real binary in processes of its own, and folders. Nothing of it stays: not after the
 * case, not after an error, not when the run is ended from outside.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isJsonObject, type JsonObject, parseJson } from '@aetherkit/core'

const MAIN = fileURLToPath(new URL('../../relay/dist/main.js', import.meta.url))
const PROBE = new URL('./relay-probe.mjs', import.meta.url).href
/** A relay on a busy machine may take its time. */
const START_MS = 60_000

export interface StartOptions {
  readonly storage?: 'lmdb' | 'sqlite' | 'memory'
  /** Default: a new folder. */
  readonly path?: string
  /** What the configuration file holds. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly args?: readonly string[]
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  /** What it wrote, both streams. */
  readonly output: string
}

/** Its commands are those of `relay-probe.mjs`. */
export interface StartedRelay {
  readonly path: string
  readonly port: number
  readonly nostrPort: number
  readonly httpPort: number
  /** From the start of the process until it listened. */
  readonly startMs: number
  readonly ended: Promise<Ended>
  /** Resolves with the process's memory in bytes: now, and the most there ever was. */
  memory(): Promise<{ readonly now: number; readonly peak: number }>
  /** Sets its wall clock off by so many milliseconds. */
  step(ms: number): Promise<void>
  /** Makes its disk look full, or not any more. */
  full(isFull: boolean): Promise<void>
  /** Log lines of this message until now. */
  lines(message: string): readonly JsonObject[]
  /** Ends it; resolves when it is gone. */
  end(signal?: NodeJS.Signals): Promise<Ended>
}

export class Workplace {
  readonly #children = new Set<ChildProcess>()
  readonly #folders: string[] = []
  readonly #leaving: (() => void)[] = []

  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'aether-reliability-'))
    this.#folders.push(folder)
    return folder
  }

  /** Called when the case is over, last come first served, after the processes ended and before folders go. */
  onLeave(act: () => void): void {
    this.#leaving.unshift(act)
  }

  /** All surfaces, each on a free port of loopback. Rejects with its output when it ends before it listens. */
  async relay({ storage = 'lmdb', path, config, args = [] }: StartOptions = {}): Promise<StartedRelay> {
    const at = path ?? join(this.folder(), 'data')
    const flags = ['--storage', storage, '--storage-path', at, '--gateway', 'nostr,http']
    for (const port of ['ws', 'nostr', 'http', 'http-ws']) flags.push(`--${port}-port`, '0')
    if (config !== undefined) {
      const file = join(this.folder(), 'relay.json')
      writeFileSync(file, JSON.stringify(config))
      flags.push('--config', file)
    }
    const begun = performance.now()
    const running = this.#start([...flags, ...args], ['--import', PROBE])
    const listening = await running.line('listening')
    const startMs = performance.now() - begun
    const { url, nostr, http } = listening
    return {
      ...{ path: at, port: portOf(url), nostrPort: portOf(nostr), httpPort: portOf(http), startMs },
      ...{ ended: running.ended, lines: running.lines, end: running.end },
      memory: async () => {
        const value = await running.ask('memory')
        return value as { now: number; peak: number }
      },
      step: async (ms) => void (await running.ask('step', ms)),
      full: async (isFull) => void (await running.ask('full', isFull)),
    }
  }

  /** A command of the binary, to its end. */
  run(...args: string[]): Promise<Ended> {
    return this.#start(args, []).ended
  }

  /** Ends everything at once. */
  leave(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    for (const act of this.#leaving.splice(0)) act()
    for (const folder of this.#folders.splice(0))
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }

  /** Waits for the processes too. */
  async close(): Promise<void> {
    const gone = [...this.#children].map((child) => new Promise((resolve) => child.once('close', resolve)))
    for (const child of this.#children) child.kill('SIGKILL')
    await Promise.all(gone)
    this.leave()
  }

  #start(args: readonly string[], execArgv: readonly string[]) {
    const child = fork(MAIN, args, { execArgv: [...execArgv], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    this.#children.add(child)
    let [output, log] = ['', '']
    const waiting = new Set<() => void>()
    const wake = () => {
      for (const look of waiting) look()
    }
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      log += text
      wake()
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    let over: Ended | undefined
    const ended = new Promise<Ended>((resolve) => {
      child.once('close', (code, signal) => {
        this.#children.delete(child)
        over = { code, signal, output }
        resolve(over)
        wake()
      })
    })
    const lines = (message: string) =>
      log.split('\n').flatMap((line) => {
        const parsed = line.includes(message) ? parseJson(line) : undefined
        return parsed?.ok && isJsonObject(parsed.value) && parsed.value.msg === message ? [parsed.value] : []
      })
    const line = (message: string) =>
      new Promise<JsonObject>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`no ${message} in time: ${output}`)), START_MS)
        const look = () => {
          const [found] = lines(message)
          if (found === undefined && over === undefined) return
          clearTimeout(late)
          waiting.delete(look)
          if (found !== undefined) resolve(found)
          else if (over !== undefined) reject(new RelayEnded(over))
        }
        waiting.add(look)
        look()
      })
    let serial = 0
    const ask = (command: string, argument?: unknown) =>
      new Promise<unknown>((resolve, reject) => {
        const id = ++serial
        const settle = (act: () => void) => {
          child.off('message', take)
          child.off('exit', gone)
          act()
        }
        const take = (message: unknown) => {
          if (isAnswer(message) && message.id === id) settle(() => resolve(message.value))
        }
        const gone = () => settle(() => void ended.then((how) => reject(new RelayEnded(how))))
        child.on('message', take).once('exit', gone)
        child.send({ id, command, argument })
      })
    const end = (signal: NodeJS.Signals = 'SIGTERM') => {
      child.kill(signal)
      return ended
    }
    return { ended, lines, line, ask, end }
  }
}

/** Has `run` work in a place of its own. */
export async function inWorkplace<Result>(run: (place: Workplace) => Promise<Result>): Promise<Result> {
  const place = new Workplace()
  const leave = () => place.leave()
  process.on('exit', leave)
  const end = (code: number) => () => process.exit(code)
  const [interrupted, terminated] = [end(130), end(143)]
  process.on('SIGINT', interrupted).on('SIGTERM', terminated)
  try {
    return await run(place)
  } finally {
    await place.close()
    process.off('exit', leave).off('SIGINT', interrupted).off('SIGTERM', terminated)
  }
}

/** The relay ended although nobody asked it to. */
export class RelayEnded extends Error {
  override readonly name = 'RelayEnded'
  readonly how: Ended

  constructor(how: Ended) {
    super(`${how.signal ?? how.code}: ${how.output.trim()}`)
    this.how = how
  }
}

function isAnswer(message: unknown): message is { readonly id: number; readonly value: unknown } {
  return typeof message === 'object' && message !== null && 'id' in message && 'value' in message
}

function portOf(url: unknown): number {
  return Number(new URL(String(url)).port)
}
