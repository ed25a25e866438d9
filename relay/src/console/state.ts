/** The state of a relay as its console shows it: who is connected, what they want, what is refused. */
import { writeFilter, writeJson } from '@aetherkit/core'
import type { GatewayHost } from '../gateway/gateway.js'
import type { Peer } from '../policy.js'
import { sumOf } from '../store/usage.js'
import type { ConnectionRow, ConsoleState, Listed, SubscriptionRow } from './console-data.js'
import { shownText } from './shown.js'
import type { Tally } from './tally.js'

/** A reader of an event stream. */
export interface Stream {
  readonly peer: Peer
  /** Bytes that it has not taken yet. */
  readonly backlog: number
}

export interface StateOptions {
  readonly host: GatewayHost
  readonly tally: Tally
  /** Readers of `/v1/stream`. */
  readonly streams: Iterable<Stream>
  /** Those of the console itself. */
  readonly consoles: Iterable<Stream>
}

const MAX_ROWS = 200
const MAX_FILTERS = 300

export function stateOf(options: StateOptions): ConsoleState {
  const { host, tally } = options
  const { history, info } = host.bus
  const { publishes, verifying, judging, outboxBytes } = host.stats()
  const { name } = info()
  return {
    name: shownText(String(name ?? ''), 100),
    epoch: history.store.epoch,
    uptime_seconds: tally.age,
    seq: history.ring.last.toString(),
    stored: sumOf(history.store.usage()),
    ...{ publishes, verifying, judging, outbox_bytes: outboxBytes },
    connections: connectionsOf(options),
    subscriptions: subscriptionsOf(host),
    ...{ counts: tally.counts, rates: tally.rates },
  }
}

/** Those with the most pending bytes first, then the newest. */
function connectionsOf({ host, streams, consoles }: StateOptions): Listed<ConnectionRow> {
  const counts = new Map<number, number>()
  for (const { subscriber } of host.subscriptions) {
    const id = subscriber.peer?.id ?? 0
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  const now = performance.now()
  const rows: ConnectionRow[] = []
  for (const { facts, protocol, backlog } of host.sockets)
    rows.push({
      ...{ id: facts.id, address: facts.address, surface: 'websocket', port: facts.local.port, protocol },
      ...{ age_seconds: Math.floor((now - facts.now) / 1000), pending_bytes: backlog },
      subscriptions: counts.get(facts.id) ?? 0,
    })
  const add = (surface: 'stream' | 'console', { peer: { id, address }, backlog }: Stream) =>
    rows.push({ id, address, surface, pending_bytes: backlog, subscriptions: counts.get(id) ?? 0 })
  for (const stream of streams) add('stream', stream)
  for (const stream of consoles) add('console', stream)
  rows.sort((a, b) => b.pending_bytes - a.pending_bytes || b.id - a.id)
  return { total: rows.length, rows: rows.slice(0, MAX_ROWS) }
}

/** The oldest first. */
function subscriptionsOf({ subscriptions, stats }: GatewayHost): Listed<SubscriptionRow> {
  const rows: SubscriptionRow[] = []
  for (const subscription of subscriptions) {
    if (rows.length === MAX_ROWS) break
    const filters = subscriptions.filtersOf(subscription).map(writeFilter)
    rows.push({
      peer: subscription.subscriber.peer?.id ?? 0,
      id: shownText(String(subscription.id), 64),
      live: subscription.live,
      filters: shownText(writeJson(filters), MAX_FILTERS),
    })
  }
  return { total: stats().subscriptions, rows }
}
