/** The binary `aether-relay` in a process of its own, for tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isJsonObject, type JsonObject, parseJson } from '@aetherkit/core'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

export class RelayProcess {
  readonly child: ChildProcess
  out = ''
  err = ''
  readonly exit: Promise<number | null>

  constructor(folder: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [MAIN, ...args], {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout?.on('data', (chunk) => {
      this.out += chunk
    })
    this.child.stderr?.on('data', (chunk) => {
      this.err += chunk
    })
    this.exit = new Promise((resolve) => this.child.on('close', resolve))
  }

  /** Log lines of this message until now. */
  lines(message: string): readonly JsonObject[] {
    return this.out.split('\n').flatMap((line) => {
      const parsed = parseJson(line)
      return parsed.ok && isJsonObject(parsed.value) && parsed.value.msg === message ? [parsed.value] : []
    })
  }

  /** The `count`-th log line of this message, as soon as it is there; throws when the process ends before. */
  async line(message: string, count = 1): Promise<JsonObject> {
    for (;;) {
      const line = this.lines(message)[count - 1]
      if (line !== undefined) return line
      const ended = await Promise.race([
        this.exit.then(() => true),
        new Promise((resolve) => this.child.stdout?.once('data', () => resolve(false))),
      ])
      if (ended === true) throw new Error(`ended: ${this.err}${this.out}`)
    }
  }

  /** The native port, once it listens. */
  async port(): Promise<number> {
    return portOf((await this.line('listening')).url)
  }

  async httpPort(): Promise<number> {
    return portOf((await this.line('listening')).http)
  }
}

function portOf(url: unknown): number {
  return Number(new URL(String(url)).port)
}
