/**
 * Loaded into a relay under test before its own code (`--import`, `--expose-gc`). By messages from the test it tells the
 * relay's memory and handles, steps its wall clock, and makes its disk look full. Does not keep the process alive; the
 * relay ends with the process that started it.
 *
 * A step moves what `Date` says in the thread that runs the relay; its workers ask no wall clock. What is steady,
 * `performance.now()` and timers, goes on, as it does when a system's clock is set.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { isMainThread } from 'node:worker_threads'

const COMMANDS = {
  state,
  /** Bytes: the most resident memory there ever was. */
  peak: () => process.resourceUsage().maxRSS * 1024,
  /** Milliseconds, against the true time. */
  step: (ms) => {
    shift = ms
  },
  /** Whether writes through file handles are refused with ENOSPC from now on. */
  full: (full) => {
    isFull = full
  },
}
const { now } = Date
let shift = 0
let isFull = false

if (isMainThread) {
  globalThis.Date = class extends Date {
    constructor(...values) {
      if (values.length === 0) super(now() + shift)
      else super(...values)
    }

    static now() {
      return now() + shift
    }
  }
  await refuseWhenFull()
  process.on('message', async ({ id, command, argument }) => {
    process.send?.({ id, value: (await COMMANDS[command]?.(argument)) ?? null })
  })
  process.on('disconnect', () => process.exit())
  process.channel?.unref()
}

/** After garbage collection. */
async function state() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  const handles = process._getActiveHandles().length
  return { heap: heapUsed + external, resident: anonymous() ?? rss, handles, files: openFiles() }
}

function anonymous() {
  try {
    return 1024 * Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
  } catch {
    return undefined
  }
}

function openFiles() {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return undefined
  }
}

async function refuseWhenFull() {
  const file = await open(new URL(import.meta.url))
  const handle = Object.getPrototypeOf(file)
  await file.close()
  for (const name of ['write', 'writev', 'writeFile', 'appendFile']) {
    const original = handle[name]
    handle[name] = function (...args) {
      if (!isFull) return original.apply(this, args)
      return Promise.reject(
        Object.assign(new Error(`ENOSPC: no space left on device, ${name}`), { code: 'ENOSPC' }),
      )
    }
  }
}
