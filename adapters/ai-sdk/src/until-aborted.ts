/** A stream whose producer may be deaf to its signal: it ends all the same, with the SDK's own word for that. */
import type { UiChunk } from './ui-chunk.js'

/** For the SDK to say so itself, ms. */
const GRACE_MS = 500

export async function* untilAborted(
  chunks: AsyncIterable<UiChunk>,
  signal: AbortSignal,
): AsyncGenerator<UiChunk> {
  const iterator = chunks[Symbol.asyncIterator]()
  const cut = cutAfter(signal)
  try {
    for (;;) {
      const next = iterator.next()
      const item = await Promise.race([next, cut.promise]).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
      if (item === undefined) {
        next.catch(() => {})
        yield { type: 'abort' }
        return
      }
      if (item.done === true) return
      yield item.value
    }
  } finally {
    cut.end()
    // Not awaited: what is deaf to its signal is deaf to this.
    iterator.return?.().catch(() => {})
  }
}

function cutAfter(signal: AbortSignal) {
  let timer: NodeJS.Timeout | undefined
  let cut = () => {}
  const promise = new Promise<undefined>((resolve) => {
    cut = () => {
      timer = setTimeout(() => resolve(undefined), GRACE_MS)
    }
  })
  if (signal.aborted) cut()
  else signal.addEventListener('abort', cut, { once: true })
  return {
    promise,
    end() {
      clearTimeout(timer)
      signal.removeEventListener('abort', cut)
    },
  }
}
