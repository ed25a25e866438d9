/** The logs of an answer's runs, one behind the other, as the stream of UI chunks that the SDK reads. */
import type { LogReader } from '@aetherkit/client'
import { isRecord } from './chat-wire.js'
import type { UiChunk } from './ui-chunk.js'

const ENDS = ['finish', 'abort', 'error']

/** `over`: nobody reads any more. */
export function chunkStream(logs: readonly LogReader[], over: () => void): ReadableStream<UiChunk> {
  const chunks = chunksOf(logs)
  return new ReadableStream<UiChunk>({
    async pull(controller) {
      const { done, value } = await chunks.next()
      if (done !== true) return controller.enqueue(value)
      controller.close()
      over()
    },
    async cancel() {
      over()
      await chunks.return(undefined).catch(() => {})
    },
  })
}

async function* chunksOf(logs: readonly LogReader[]): AsyncGenerator<UiChunk, undefined> {
  let last = ''
  for (const log of logs) {
    for await (const entry of log) {
      if (!isRecord(entry) || typeof entry.type !== 'string') continue
      last = entry.type
      // As the agent's SDK made it: a later one may have chunks that are not named here.
      yield JSON.parse(JSON.stringify(entry))
    }
    if (log.outcome === 'quiet') break
  }
  if (!ENDS.includes(last))
    yield { type: 'error', errorText: 'The agent broke off before the end of its answer.' }
  return undefined
}

export function onAbort(signal: AbortSignal | undefined, act: () => void): void {
  if (signal?.aborted === true) act()
  else signal?.addEventListener('abort', act, { once: true })
}

/** Settles as `work` does, or rejects with the signal's reason, whichever is first. */
export function orAbort<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    onAbort(signal, () => reject(signal?.reason))
    work.then(resolve, reject)
  })
}
