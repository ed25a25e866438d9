/** The binary on a real terminal: a pseudo terminal of python3, which every machine that runs these tests has. */
import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { later, MAIN } from './world.js'

const SCRIPT = fileURLToPath(new URL('./terminal.py', import.meta.url))

/** Why there is no terminal to test on; undefined where there is one. */
export const NO_TERMINAL: string | undefined =
  spawnSync('python3', ['-c', 'import pty, termios']).status === 0
    ? undefined
    : 'skipped: python3 is not here, so there is no pseudo terminal'

export interface OnTerminal {
  readonly code: number
  /** What came on the terminal, and in pipes. */
  readonly tty: string
  readonly out: string
  readonly err: string
}

export interface TerminalOptions {
  /** Which streams are the terminal; the others are pipes, or nothing for `in`. Default all. */
  readonly tty?: readonly ('in' | 'out' | 'err')[]
  /** Typed when the first of each is there. */
  readonly keys?: readonly (readonly [seen: string, typed: string])[]
  readonly relay?: string
  readonly env?: Record<string, string>
}

export function onTerminal(
  args: readonly string[],
  { tty = ['in', 'out', 'err'], keys = [], relay, env = {} }: TerminalOptions = {},
): Promise<OnTerminal> {
  const {
    AETHER_SECRET_KEY: _,
    AETHER_RELAY: __,
    NO_COLOR: ___,
    FORCE_COLOR: ____,
    ...inherited
  } = process.env
  const own = { TERM: 'xterm-256color', ...(relay !== undefined && { AETHER_RELAY: relay }), ...env }
  const plan = JSON.stringify({ tty, keys })
  const child = spawn('python3', [SCRIPT, plan, process.execPath, MAIN, ...args], {
    env: { ...inherited, ...own },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  later(() => child.kill('SIGKILL'))
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  return new Promise((resolve, reject) => {
    child.once('close', () => {
      try {
        resolve(JSON.parse(text))
      } catch (error) {
        reject(error)
      }
    })
  })
}
