/** A process of a case: told commands over IPC, its output kept, its log lines waited for. */
import { type ChildProcess, fork } from 'node:child_process'
import { isJsonObject, type JsonObject, parseJson } from '@aetherkit/core'
import { within } from './patience.js'

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  /** What it wrote, both streams. */
  readonly output: string
}

export interface ChildOptions {
  readonly args?: readonly string[]
  readonly execArgv?: readonly string[]
  /** Whether what it writes is shown as it comes. */
  readonly isShown?: boolean
}

/** It ended although nobody asked it to. */
export class ChildEnded extends Error {
  override readonly name = 'ChildEnded'
  readonly how: Ended

  constructor(child: string, how: Ended) {
    super(`${child} ended (${how.signal ?? how.code}): ${how.output.trim()}`)
    this.how = how
  }
}

interface Answer {
  readonly id?: number
  readonly value?: unknown
  readonly error?: string
}

export class Child {
  /** Never rejects. */
  readonly ended: Promise<Ended>
  readonly #name: string
  readonly #process: ChildProcess
  readonly #asked = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  readonly #watching = new Set<() => void>()
  #output = ''
  #log = ''
  #isReady = false
  #end: Ended | undefined
  #serial = 0

  constructor(script: string, { args = [], execArgv = [], isShown = false }: ChildOptions = {}) {
    this.#name = [script.replace(/.*\//, ''), ...args].join(' ')
    const child = fork(script, args, { execArgv: [...execArgv], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    this.#process = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text
      this.#output += text
      this.#wake()
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text
    })
    if (isShown) {
      child.stdout?.on('data', (text) => process.stdout.write(text))
      child.stderr?.on('data', (text) => process.stderr.write(text))
    }
    child.on('message', (answer: Answer) => this.#take(answer))
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#end = { code, signal, output: this.#output }
        for (const { reject } of this.#asked.values()) reject(new ChildEnded(this.#name, this.#end))
        this.#asked.clear()
        this.#wake()
        resolve(this.#end)
      })
    })
  }

  get hasEnded(): boolean {
    return this.#end !== undefined
  }

  /** Sends a command; resolves to its answer, whenever it comes. */
  ask<T>(command: string, argument?: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) throw new ChildEnded(this.#name, this.#end)
      const id = ++this.#serial
      this.#asked.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#process.send({ id, command, argument })
    })
  }

  /** Log lines of this message until now. */
  lines(message: string): readonly JsonObject[] {
    return this.#log.split('\n').flatMap((line) => {
      const parsed = line.includes(message) ? parseJson(line) : undefined
      return parsed?.ok && isJsonObject(parsed.value) && parsed.value.msg === message ? [parsed.value] : []
    })
  }

  /** The first log line of this message, as soon as it is there. */
  line(message: string): Promise<JsonObject> {
    return this.#until(() => this.lines(message)[0], `log line ${message}`)
  }

  /** What a load generator says first. */
  ready(): Promise<true> {
    return this.#until(() => this.#isReady || undefined, 'word')
  }

  /** Ends it; resolves when it is gone. */
  end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.#process.kill(signal)
    return this.ended
  }

  #take({ id, value, error }: Answer): void {
    if (id === undefined) {
      this.#isReady = true
      this.#wake()
      return
    }
    const asked = this.#asked.get(id)
    this.#asked.delete(id)
    if (error === undefined) asked?.resolve(value)
    else asked?.reject(new Error(`${this.#name}: ${error}`))
  }

  #until<T>(find: () => T | undefined, what: string): Promise<T> {
    const found = new Promise<T>((resolve, reject) => {
      const look = () => {
        const result = find()
        if (result === undefined && this.#end === undefined) return
        this.#watching.delete(look)
        if (result !== undefined) resolve(result)
        else if (this.#end !== undefined) reject(new ChildEnded(this.#name, this.#end))
      }
      this.#watching.add(look)
      look()
    })
    return within(found, `${what} of ${this.#name}`)
  }

  #wake(): void {
    for (const look of [...this.#watching]) look()
  }
}
