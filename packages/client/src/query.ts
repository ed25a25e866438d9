/** Stored events, once: newest first, each once, over all connected relays (spec 2.7, 6.3). */
import {
  compileFilter,
  type Filter,
  isEphemeral,
  replaceKey,
  supersedes,
  type VerifiedEvent,
  wantsReplay,
} from '@aetherkit/core'
import { checkTimeout, deferred, within } from './deadline.js'
import { ClientError } from './errors.js'
import { checkFilters } from './filters.js'
import type { Receiver } from './receive.js'

export interface QueryOptions {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds, default 10 000. */
  readonly timeoutMs?: number | undefined
}

/**
 * Asks every connected relay and merges: of a replaceable event only the winner stays, and `limit` counts after the
 * merge. A relay that does not answer in time is left out as long as another did.
 * @throws ClientError DISCONNECTED, TIMEOUT or REJECTED; the signal's reason; TypeError or RangeError for a bad filter.
 */
export async function query(
  receiver: Receiver,
  asked: Filter | readonly Filter[],
  { signal, timeoutMs = 10_000 }: QueryOptions = {},
): Promise<VerifiedEvent[]> {
  checkTimeout(timeoutMs)
  signal?.throwIfAborted()
  const filters = checkFilters(asked).map((f) => (wantsReplay(f) ? f : { ...f, replay: true }))
  const found = new Map<string, VerifiedEvent>()
  const done = deferred<void>()
  const feed = receiver.open({
    filters,
    outdated: true,
    sink: {
      event: (event) => {
        if (!isEphemeral(event.kind)) found.set(event.id, event)
      },
      stored: () => done.resolve(),
      failed: (error) => done.reject(error),
      closed: () => done.reject(new ClientError('CLOSED')),
    },
  })
  try {
    await within(done.promise, { signal, timeoutMs }, () => {
      if (feed.answered) return
      throw new ClientError(receiver.connected ? 'TIMEOUT' : 'DISCONNECTED')
    })
  } finally {
    receiver.closeFeed(feed)
  }
  return limitEach(filters, winners([...found.values()]).sort(newestFirst))
}

/** Newest first, on a tie the lower id (spec 2.7). */
export function newestFirst(a: VerifiedEvent, b: VerifiedEvent): number {
  return a.id === b.id ? 0 : supersedes(a, b) ? -1 : 1
}

/** Relays may hold different versions of a replaceable event: the winner of its key stays (spec 2.3). */
function winners(events: readonly VerifiedEvent[]): VerifiedEvent[] {
  const best = new Map<string, VerifiedEvent>()
  for (const event of events) {
    const key = replaceKey(event) ?? event.id
    const known = best.get(key)
    if (known === undefined || supersedes(event, known)) best.set(key, event)
  }
  return [...best.values()]
}

function limitEach(filters: readonly Filter[], events: readonly VerifiedEvent[]): VerifiedEvent[] {
  const left = filters.map((filter) => ({ matches: compileFilter(filter), count: filter.limit ?? Infinity }))
  return events.filter((event) => {
    const takers = left.filter(({ matches, count }) => count > 0 && matches(event))
    for (const taker of takers) taker.count--
    return takers.length > 0
  })
}
