/** Calls under way: each has its deadline, and all end when the agent is closed. */
import { type Deadline, orAborted, startDeadline } from './deadline.js'
import { AgentError } from './errors.js'

export interface Calls {
  /** Also when what is waited for is deaf to the signal. @throws the signal's reason, or what `work` rejects with */
  run<T>(
    ms: number,
    outer: AbortSignal | undefined,
    what: string,
    work: (call: Deadline) => Promise<T>,
  ): Promise<T>
  /** For what ends by itself: the caller stops it. */
  open(ms: number, outer: AbortSignal | undefined, what: string): Deadline
  close(): void
}

export function openCalls(): Calls {
  const running = new Set<Deadline>()
  let isClosed = false
  const open = (ms: number, outer: AbortSignal | undefined, what: string): Deadline => {
    if (isClosed) throw new AgentError('CLOSED', 'this agent client was closed', { isUnsent: true })
    const call = startDeadline(ms, outer, what)
    const forget = (end: () => void) => () => {
      running.delete(made)
      end()
    }
    const made: Deadline = { ...call, end: forget(call.end), stop: forget(call.stop) }
    running.add(made)
    return made
  }
  return {
    open,
    async run(ms, outer, what, work) {
      const call = open(ms, outer, what)
      try {
        call.signal.throwIfAborted()
        return await orAborted(call.signal, work(call))
      } catch (error) {
        throw call.signal.aborted ? call.signal.reason : error
      } finally {
        call.end()
      }
    },
    close() {
      isClosed = true
      for (const call of [...running]) call.stop()
    },
  }
}
