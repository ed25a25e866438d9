/** An executor whose last work can be waited for. */
import type { Executor } from '@aetherkit/a2a'

const SETTLE_MS = 3_000

/** `settled` resolves when nothing runs any more, or after 3 s. */
export function tracked(executor: Executor): Executor & { settled(): Promise<void> } {
  const working = new Set<Promise<unknown>>()
  return {
    execute(execution) {
      const work = executor.execute(execution)
      const over = () => void working.delete(work)
      working.add(work)
      work.then(over, over)
      return work
    },
    async settled() {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, SETTLE_MS)
      })
      await Promise.race([Promise.allSettled(working), late])
      clearTimeout(timer)
    },
  }
}
