/**
 * Loaded into the relay before its own code (`--import`, `--expose-gc`): tells its memory and handles over IPC. Does not
 * keep the process alive, and ends it with the run that started it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  process.on('message', async ({ id, command }) => {
    if (command === 'state') process.send?.({ id, value: await state() })
  })
  process.on('disconnect', () => process.exit())
  process.channel?.unref()
}

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
