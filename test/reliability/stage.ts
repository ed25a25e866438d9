/**
 * What the hostile cases are played on: the relay's real binary and load generators, each a process of its own, and one
 * temporary folder. Nothing of it stays, however a case ends; all of them end with this process too.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inWorkplace } from './workplace.js'

/** Of the relay, after garbage collection. Bytes, but for the counts. */
export interface State {
  /** JavaScript heap and what hangs on it. */
  readonly heap: number
  /** Resident memory that is no file: what the store maps is left out where the system tells it apart. */
  readonly resident: number
  readonly handles: number
  /** Open files and sockets; undefined where the system has no /proc. */
  readonly files: number | undefined
}

export interface Ports {
  readonly native: number
  readonly nostr: number
  readonly http: number
}

export interface Load {
  /** Sends a command to the generator; resolves to its answer. */
  ask<T>(command: string, argument?: unknown): Promise<T>
}

export interface Victim extends Load {
  readonly ports: Ports
  state(): Promise<State>
  /** What must be 0: 1 when the process ended, and each fault that its log names. */
  crashes(): number
}

export interface VictimOptions {
  /** Sections of the configuration file, `limits` for one. */
  readonly config?: object
}

export interface Stage {
  relay(options?: VictimOptions): Promise<Victim>
  /** `script`: a file beside this one that answers commands. */
  load(script: string): Promise<Load>
}

const RELAY = fileURLToPath(new URL('../../relay/dist/main.js', import.meta.url))
const PROBE = new URL('./probe.mjs', import.meta.url).href
/** Longest a start or an answer may take on a slow machine. */
const START_MS = 120_000
const ANSWER_MS = 40 * 60_000

export function onStage<T>(play: (stage: Stage) => Promise<T>): Promise<T> {
  return inWorkplace(async (place) => {
    const folder = place.folder()
    const children: ChildProcess[] = []
    place.onLeave(() => {
      for (const child of children) child.kill('SIGKILL')
    })
    const start = (
      script: string,
      args: readonly string[],
      execArgv: readonly string[],
      isRelay: boolean,
    ) => {
      const output = isRelay ? 'pipe' : 'inherit'
      const stdio = ['ignore', output, output, 'ipc'] as const
      const child = fork(script, args, { cwd: folder, execArgv: [...execArgv], stdio: [...stdio] })
      children.push(child)
      return child
    }
    const stage: Stage = {
      async relay({ config = {} } = {}) {
        const file = join(folder, `relay-${children.length}.json`)
        writeFileSync(file, JSON.stringify(config))
        const ports = ['ws', 'http', 'http-ws', 'nostr'].flatMap((port) => [`--${port}-port`, '0'])
        const store = ['--storage-path', join(folder, `data-${children.length}`)]
        const args = ['--config', file, '--gateway', 'nostr,http', ...ports, ...store]
        return openVictim(start(RELAY, args, ['--expose-gc', '--import', PROBE], true))
      },
      async load(script) {
        const child = start(fileURLToPath(new URL(script, import.meta.url)), [], [], false)
        await within(ready(child, script), `start of ${script}`)
        return commander(child, script)
      },
    }
    try {
      return await play(stage)
    } finally {
      await Promise.all(children.map(end))
    }
  })
}

function ready(child: ChildProcess, script: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve())
    child.once('exit', (code, signal) => reject(new Error(`${script} ended (${signal ?? code})`)))
  })
}

async function openVictim(child: ChildProcess): Promise<Victim> {
  let faults = 0
  let text = ''
  const ports = await within(
    new Promise<Ports>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        const lines = `${text}${chunk}`.split('\n')
        text = lines.pop()?.slice(-4096) ?? ''
        for (const line of lines) {
          if (/"msg":"(fault|store_failed)"/.test(line)) {
            faults++
            console.error(line)
          }
          const said = /"url":"ws:[^"]*:(\d+)","nostr":"ws:[^"]*:(\d+)","http":"http:[^"]*:(\d+)"/.exec(line)
          if (said !== null)
            resolve({ native: Number(said[1]), nostr: Number(said[2]), http: Number(said[3]) })
        }
      }
      child.stdout?.on('data', read)
      child.stderr?.on('data', (chunk: Buffer) => console.error(String(chunk)))
      child.once('exit', (code, signal) => reject(new Error(`the relay ended (${signal ?? code})`)))
    }),
    'start of the relay',
  )
  const { ask } = commander(child, 'the relay')
  return {
    ports,
    ask,
    state: () => ask<State>('state'),
    crashes: () => faults + (child.exitCode === null && child.signalCode === null ? 0 : 1),
  }
}

function commander(child: ChildProcess, name: string): Load {
  let serial = 0
  const open = new Map<number, { resolve(value: never): void; reject(error: Error): void }>()
  child.on('message', ({ id, value, error }: { id: number; value: never; error?: string }) => {
    if (error === undefined) open.get(id)?.resolve(value)
    else open.get(id)?.reject(new Error(`${name}: ${error}`))
    open.delete(id)
  })
  child.once('exit', (code, signal) => {
    for (const { reject } of open.values()) reject(new Error(`${name} ended (${signal ?? code})`))
  })
  return {
    ask: (command, argument) =>
      within(
        new Promise((resolve, reject) => {
          const id = ++serial
          open.set(id, { resolve, reject })
          child.send({ id, command, argument }, (error) => error !== null && reject(error))
        }),
        `answer of ${name} to ${command}`,
        ANSWER_MS,
      ),
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

async function within<T>(promise: Promise<T>, what: string, milliseconds = START_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} in ${milliseconds / 1000} s`)), milliseconds)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
