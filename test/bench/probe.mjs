/**
 * Loaded into a measured process before its own code (`--import`): tells its memory and processor time over IPC.
 * Does not keep the process alive; the process ends with the run that started it.
 */
/** The commands answered here. */
export const PROBED = ['cpu', 'memory']

process.on('message', ({ id, command }) => {
  if (command === 'cpu') {
    const { user, system } = process.cpuUsage()
    process.send?.({ id, value: (user + system) / 1e6 })
  } else if (command === 'memory') settledMemory().then((value) => process.send?.({ id, value }))
})
process.on('disconnect', () => process.exit())
process.channel?.unref()

/** After garbage collection (with --expose-gc), bytes. */
async function settledMemory() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss, heap: heapUsed + external }
}
