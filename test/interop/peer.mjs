/** Starts the peer programs, each a process of its own, and speaks their line protocol (see line.mjs). */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** How long a peer may take to say ready; kit and Express load slowly on a busy machine. */
const START_MS = 60_000

/**
 * @param {string} program path under test/interop
 * @param {object} settings what it reads from `PEER`
 * @returns a peer: what it said when ready, `ask(request)`, `close()`, and its stderr so far
 */
export async function startPeer(program, settings) {
  const child = spawn(process.execPath, [fileURLToPath(new URL(program, import.meta.url))], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PEER: JSON.stringify(settings) },
  })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors = (errors + chunk).slice(-4_000)
  })
  // Writing to a peer that has ended is reported by its exit.
  child.stdin.on('error', () => {})
  const waiting = new Map()
  const ended = new Promise((_resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      const error = new Error(`${program} ended (${code ?? signal})\n${errors}`)
      for (const { reject: fail } of waiting.values()) fail(error)
      waiting.clear()
      reject(error)
    })
  })
  ended.catch(() => {})
  const ready = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = readLine(text)
      if (line?.ready) resolve(line)
      const request = waiting.get(line?.id)
      waiting.delete(line?.id)
      request?.resolve(line)
    })
  })
  const timeout = AbortSignal.timeout(START_MS)
  const late = new Promise((_resolve, reject) => {
    timeout.addEventListener('abort', () => reject(new Error(`${program} was not ready in time\n${errors}`)))
  })
  let said
  try {
    said = await Promise.race([ready, ended, late])
  } catch (error) {
    child.kill()
    throw error
  }
  let last = 0
  return {
    ...said,
    pid: child.pid,
    errors: () => errors,
    ask(request = {}) {
      const id = ++last
      const answered = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
      child.stdin.write(`${JSON.stringify({ id, ...request })}\n`)
      return answered
    },
    async close() {
      child.stdin.end()
      child.kill()
      await ended.catch(() => {})
    },
  }
}

/** Libraries print to stdout too: what is no JSON object is not for us. */
function readLine(text) {
  try {
    const line = JSON.parse(text)
    return typeof line === 'object' && line !== null ? line : undefined
  } catch {
    return undefined
  }
}
