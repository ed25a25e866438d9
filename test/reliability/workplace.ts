/**
 * Where a case works: the relay's real binary and load generators, each a process of its own, and folders. Nothing of it
 * stays: not after the case, not after an error, not when the run is ended from outside.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JsonObject } from '@aetherkit/core'
import { Child, type ChildOptions, type Ended } from './child.js'

const MAIN = fileURLToPath(new URL('../../relay/dist/main.js', import.meta.url))
const PROBE = new URL('./relay-probe.mjs', import.meta.url).href

export interface StartOptions {
  readonly storage?: 'lmdb' | 'sqlite' | 'memory'
  /** Default: in a new folder. */
  readonly path?: string
  /** What the configuration file holds. */
  readonly config?: object
}

export interface Ports {
  readonly native: number
  readonly nostr: number
  readonly http: number
}

/** Of a relay, after garbage collection. Bytes, but for the counts. */
export interface State {
  /** JavaScript heap and what hangs on it. */
  readonly heap: number
  /** Resident memory that is no file: what the store maps is left out where the system tells it apart. */
  readonly resident: number
  readonly handles: number
  /** Open files and sockets; undefined where the system has no /proc. */
  readonly files: number | undefined
}

/** Its commands are those of `relay-probe.mjs`. */
export interface StartedRelay {
  /** Of its store. */
  readonly path: string
  readonly ports: Ports
  /** From the start of the process until it listened. */
  readonly startMs: number
  readonly ended: Promise<Ended>
  state(): Promise<State>
  /** The most resident memory there ever was, bytes. */
  peak(): Promise<number>
  /** Sets its wall clock off by so many milliseconds. */
  step(ms: number): Promise<void>
  /** Makes its disk look full, or not any more. */
  full(isFull: boolean): Promise<void>
  /** Log lines of this message until now. */
  lines(message: string): readonly JsonObject[]
  /** What must be 0: 1 when the process ended, and each fault that its log names. */
  crashes(): number
  /** Ends it; resolves when it is gone. */
  end(signal?: NodeJS.Signals): Promise<Ended>
}

/** A load generator. */
export interface Load {
  /** Sends a command; resolves to its answer. */
  ask<T>(command: string, argument?: unknown): Promise<T>
}

export class Workplace {
  readonly #children = new Set<Child>()
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

  /** All surfaces, each on a free port of loopback. Rejects with {@link ChildEnded} when it ends before it listens. */
  async relay({ storage = 'lmdb', path, config }: StartOptions = {}): Promise<StartedRelay> {
    const at = path ?? join(this.folder(), 'data')
    const args = ['--storage', storage, '--storage-path', at, '--gateway', 'nostr,http']
    for (const port of ['ws', 'nostr', 'http', 'http-ws']) args.push(`--${port}-port`, '0')
    if (config !== undefined) {
      const file = join(this.folder(), 'relay.json')
      writeFileSync(file, JSON.stringify(config))
      args.push('--config', file)
    }
    const begun = performance.now()
    const child = this.#start(MAIN, { args, execArgv: ['--expose-gc', '--import', PROBE] })
    const { url, nostr, http } = await child.line('listening')
    return {
      path: at,
      ports: { native: portOf(url), nostr: portOf(nostr), http: portOf(http) },
      startMs: performance.now() - begun,
      ended: child.ended,
      state: () => child.ask('state'),
      peak: () => child.ask('peak'),
      step: (ms) => child.ask('step', ms),
      full: (isFull) => child.ask('full', isFull),
      lines: (message) => child.lines(message),
      crashes() {
        const faults = [...child.lines('fault'), ...child.lines('store_failed')]
        for (const fault of faults) console.error(fault)
        return faults.length + (child.hasEnded ? 1 : 0)
      },
      end: (signal) => child.end(signal),
    }
  }

  /** `script`: a file beside this one that answers commands. */
  async load(script: string): Promise<Load> {
    const child = this.#start(fileURLToPath(new URL(script, import.meta.url)), { isShown: true })
    await child.ready()
    return child
  }

  /** A command of the relay's binary, to its end. */
  run(...args: string[]): Promise<Ended> {
    return this.#start(MAIN, { args }).ended
  }

  /** Ends everything at once. */
  leave(): void {
    for (const child of this.#children) void child.end('SIGKILL')
    for (const act of this.#leaving.splice(0)) act()
    for (const folder of this.#folders.splice(0))
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }

  /** Waits for the processes too. */
  async close(): Promise<void> {
    await Promise.all([...this.#children].map((child) => child.end('SIGKILL')))
    this.leave()
  }

  #start(script: string, options: ChildOptions): Child {
    const child = new Child(script, options)
    this.#children.add(child)
    void child.ended.then(() => this.#children.delete(child))
    return child
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

function portOf(url: unknown): number {
  return Number(new URL(String(url)).port)
}
