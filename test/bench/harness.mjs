/**
 * Child processes and temporary folders of a run, and that none of them stays: not after a section, not after an
 * error, not after Ctrl-C. Load generators answer commands over IPC (load-child.mjs); the relay is its real binary.
 */
import { fork } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const RELAY = fileURLToPath(new URL('../../relay/dist/main.js', import.meta.url))
const PROBE = new URL('./probe.mjs', import.meta.url).href
/** Longest any one command may take. */
const PATIENCE_MS = 240_000
const START_MS = 45_000

const children = new Set()
const folders = new Set()

export function temporaryFolder(name) {
  const folder = mkdtempSync(path.join(os.tmpdir(), `aether-bench-${name}-`))
  folders.add(folder)
  return folder
}

/** A load generator: `ask(command, argument)` gives its answer. */
export async function startLoad(script, { execArgv = [] } = {}) {
  const child = start(fileURLToPath(new URL(script, import.meta.url)), [], execArgv, 'inherit')
  const load = commander(child, script)
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${script} does not start`)), START_MS)
    child.once('exit', (code, signal) => reject(new Error(`${script} ended (${signal ?? code})`)))
    child.once('message', () => {
      clearTimeout(timer)
      resolve()
    })
  })
  return load
}

/**
 * The relay on a free port of loopback; resolves when it says where it listens.
 * `milliseconds` is from the start of the process until then.
 */
export async function startRelay({ storage = 'lmdb', folder, args = [], execArgv = [] } = {}) {
  if (!existsSync(RELAY)) throw new Error('relay/dist/main.js is missing: run npm run build')
  const storagePath = folder ?? temporaryFolder('relay')
  const flags = [
    '--ws-host',
    '127.0.0.1',
    '--ws-port',
    '0',
    '--storage',
    storage,
    '--storage-path',
    storagePath,
  ]
  const begun = performance.now()
  const child = start(RELAY, [...flags, ...args], [...execArgv, '--import', PROBE], 'pipe')
  const port = await portOf(child)
  const milliseconds = performance.now() - begun
  return { ...commander(child, 'relay'), port, milliseconds, folder: storagePath }
}

/** Ends what the last section left, children and folders. */
export function cleanUp() {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  folders.clear()
}

export function cleanUpOnExit() {
  process.on('exit', cleanUp)
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])
    process.on(signal, () => process.exit(code))
}

function start(script, args, execArgv, output) {
  const child = fork(script, args, {
    execArgv,
    serialization: 'advanced',
    stdio: ['ignore', output, output, 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

function commander(child, name) {
  let serial = 0
  const open = new Map()
  child.on('message', ({ id, value, error }) => {
    const promise = open.get(id)
    open.delete(id)
    if (error === undefined) promise?.resolve(value)
    else promise?.reject(new Error(`${name}: ${error}`))
  })
  const fail = (reason) => {
    for (const { reject } of open.values()) reject(new Error(`${name} ${reason}`))
    open.clear()
  }
  child.once('exit', (code, signal) => fail(`ended (${signal ?? code})${child.lastWords?.() ?? ''}`))

  return {
    pid: child.pid,
    ask(command, argument) {
      const id = ++serial
      return new Promise((resolve, reject) => {
        if (child.exitCode !== null || child.signalCode !== null)
          return reject(new Error(`${name} has ended`))
        const timer = setTimeout(() => reject(new Error(`${name}: no answer to ${command}`)), PATIENCE_MS)
        const settle = (then) => (value) => {
          clearTimeout(timer)
          then(value)
        }
        open.set(id, { resolve: settle(resolve), reject: settle(reject) })
        child.send({ id, command, argument })
      })
    },
    /** SIGTERM, and SIGKILL when that is not enough. */
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 12_000)
      await gone
      clearTimeout(timer)
    },
  }
}

/** Reads the relay's output until it names its address; keeps the end of it for error messages. */
function portOf(child) {
  let text = ''
  child.lastWords = () => `: ${text.slice(-600).trim()}`
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`relay does not listen: ${text}`)), START_MS)
    const read = (chunk) => {
      text = (text + chunk).slice(-4096)
      const port = /ws:\/\/[^\s"'/]*:(\d+)/.exec(text)?.[1]
      if (port === undefined) return
      clearTimeout(timer)
      resolve(Number(port))
    }
    child.stdout.setEncoding('utf8').on('data', read)
    child.stderr.setEncoding('utf8').on('data', read)
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      reject(new Error(`relay ended (${signal ?? code}): ${text.trim()}`))
    })
  })
}
