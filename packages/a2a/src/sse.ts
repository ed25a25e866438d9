/**
 * Server-sent events (spec a2a 2.6, 7.7): one `data:` line an event, a comment every 15 s, the next event only when the
 * socket has taken the last one. A reader that takes nothing for 30 s is cut; its task runs on.
 */
import type { ServerResponse } from 'node:http'

export interface SseItem {
  /** JSON, on one line. */
  readonly data: string
  /** For a caller who asked for the resume extension. */
  readonly id?: number
  /** Goes out as `event: error`. */
  readonly error?: boolean
}

export interface SseOptions {
  readonly heartbeatMs: number
  readonly stallMs: number
  /** Fires at shutdown: the stream ends, so that the reader subscribes again. */
  readonly shutdown: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
}

export type SseOutcome = 'ended' | 'left' | 'stalled' | 'shutdown'

/** `no-transform` keeps compressing middleware off, which would hold events back. */
const SSE_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const

/** Writes until the items end, the reader leaves or stalls, or the agent shuts down. The items are always released. */
export async function writeSse(
  response: ServerResponse,
  items: AsyncIterable<SseItem>,
  { heartbeatMs, stallMs, shutdown, headers }: SseOptions,
): Promise<SseOutcome> {
  const iterator = items[Symbol.asyncIterator]()
  let over: SseOutcome | undefined
  let wake: (() => void) | undefined
  const stop = (reason: SseOutcome) => {
    over ??= reason
    wake?.()
  }
  const left = () => stop('left')
  const closing = () => stop('shutdown')
  /** Undefined when it is over before. */
  const orOver = <T>(work: Promise<T>): Promise<T | undefined> =>
    new Promise((resolve, reject) => {
      wake = () => resolve(undefined)
      work.then(resolve, reject)
      if (over !== undefined) resolve(undefined)
    })
  response.once('close', left)
  shutdown.addEventListener('abort', closing)
  if (shutdown.aborted) closing()
  if (response.destroyed) left()
  else response.writeHead(200, { ...headers, ...SSE_HEADERS }).flushHeaders()
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(':\n\n')
  }, heartbeatMs)
  try {
    while (over === undefined) {
      const next = await orOver(iterator.next())
      if (next === undefined) break
      if (next.done === true) stop('ended')
      else if (!response.write(frame(next.value)) && !(await drained(response, stallMs))) stop('stalled')
    }
  } finally {
    clearInterval(heartbeat)
    response.off('close', left)
    shutdown.removeEventListener('abort', closing)
    // A reader who is behind would hold the end back for as long as it likes.
    if (over === 'stalled' || (over === 'shutdown' && response.writableNeedDrain)) response.destroy()
    else response.end()
    // Not awaited: it takes effect when the item that is being made is there.
    Promise.resolve(iterator.return?.()).catch(() => {})
  }
  return over ?? 'ended'
}

/** False when the socket has not taken everything in time. A reader who left counts as drained: `close` tells. */
function drained(response: ServerResponse, stallMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (taken: boolean) => {
      clearTimeout(timer)
      response.off('drain', taking).off('close', taking)
      resolve(taken)
    }
    const taking = () => settle(true)
    const timer = setTimeout(() => settle(false), stallMs)
    response.on('drain', taking).on('close', taking)
  })
}

function frame({ data, id, error }: SseItem): string {
  return `${id === undefined ? '' : `id: ${id}\n`}${error === true ? 'event: error\n' : ''}data: ${data}\n\n`
}
