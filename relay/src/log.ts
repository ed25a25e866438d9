/**
 * What a running relay logs (spec 13.1): connects, refusals and faults, never content. The number of lines is bounded
 * whatever peers do; what was left out is counted.
 */
import type { Logger } from 'pino'
import type { RelayEvent } from './bus.js'
import { Buckets } from './policy.js'

/** Lines a burst may bring, and lines a second after it. */
const RATE = { capacity: 100, perSecond: 10 }

/** What is part of every day. */
const UNSAID: ReadonlySet<RelayEvent['type']> = new Set([
  'accepted',
  'committed',
  'mailbox_acked',
  'mailbox_redelivered',
])

/** An observer for `createRelay` that writes to the logger. */
export function logObserver(logger: Logger): (event: RelayEvent) => void {
  const buckets = new Buckets(RATE)
  let left = 0

  return (event) => {
    if (UNSAID.has(event.type)) return
    if (buckets.take(event.type, performance.now()) !== undefined) {
      left++
      return
    }
    const { type, ...rest } = event
    // Not what a peer has proven: that is much, and the same in every line.
    const facts = 'peer' in rest ? { ...rest, peer: { id: rest.peer.id, address: rest.peer.address } } : rest
    const line = left > 0 ? { ...facts, lines_left_out: left } : facts
    left = 0
    if (type === 'store_failed' || type === 'fault')
      logger.error({ ...line, error: String(event.error) }, type)
    else logger.info(line, type)
  }
}
