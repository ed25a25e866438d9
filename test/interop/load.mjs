/** Load with a fixed number of workers, for the two bench programs: the same loop for both sides. No imports. */

/**
 * Runs `run(i, worker)` for i below `count`, never more than `concurrency` at once; it says what went wrong, or nothing.
 * @returns seconds of the whole, milliseconds of each, faults by number, the first fault
 */
export async function measure({ count, concurrency, pauseMs = 0 }, run) {
  const milliseconds = []
  let next = 0
  let faults = 0
  let firstFault
  const work = async (worker) => {
    while (next < count) {
      const i = next++
      // A slot is met at every phase, not always right after the one before.
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * pauseMs))
      const begun = performance.now()
      const fault = await run(i, worker)
      milliseconds.push(performance.now() - begun)
      if (fault === undefined) continue
      faults++
      firstFault ??= String(fault)
    }
  }
  const started = performance.now()
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, (_, worker) => work(worker)))
  return { seconds: (performance.now() - started) / 1000, milliseconds, faults, firstFault }
}
