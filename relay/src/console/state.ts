/** The state of a relay as its console shows it: who is connected, what they want, what is refused. */
import { writeFilter, writeJson } from '@aetherkit/core'
import type { GatewayHost } from '../gateway/gateway.js'
import type { Peer } from '../policy.js'
import { sumOf } from '../store/usage.js'
import type { OpenPeer } from '../surface.js'
import type { ConnectionRow, ConsoleState, Listed, SubscriptionRow } from './console-data.js'
import { shownText } from './shown.js'
import type { Tally } from './tally.js'

/** A reader of an event stream. */
export interface Stream extends OpenPeer {
  readonly peer: Peer
  /** When it was opened; milliseconds of `performance.now()`. */
  readonly since: number
}

export interface StateOptions {
  readonly host: GatewayHost
  readonly tally: Tally
  /** Readers of `/v1/stream`. */
  readonly streams: Iterable<Stream>
  /** Those of the console itself. */
  readonly consoles: Iterable<Stream>
}

/** Rows that a page is shown, of lists that may be long. */
const MAX_ROWS = 100
const MAX_FILTERS = 300

export function stateOf(options: StateOptions): ConsoleState {
  const { host, tally } = options
  const { history, info } = host.bus
  const { publishes, verifying, judging, outboxBytes, surfaces } = host.stats()
  const { name } = info()
  return {
    name: shownText(String(name ?? ''), 100),
    epoch: history.store.epoch,
    uptime_seconds: tally.age,
    seq: history.ring.last.toString(),
    stored: sumOf(history.store.usage()),
    ...{ publishes, verifying, judging, outbox_bytes: outboxBytes },
    connections: connectionsOf(options),
    surfaces,
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
  const ageOf = (since: number) => Math.floor((now - since) / 1000)
  const rows: ConnectionRow[] = []
  for (const { facts, surface, protocol, backlog } of host.sockets)
    rows.push({
      ...{ id: facts.id, address: facts.address, surface, port: facts.local.port, protocol },
      ...{ age_seconds: ageOf(facts.now), pending_bytes: backlog },
      subscriptions: counts.get(facts.id) ?? 0,
    })
  const add = ({ peer: { id, address }, surface, backlog, since }: Stream) =>
    rows.push({
      ...{ id, address, surface, age_seconds: ageOf(since), pending_bytes: backlog },
      subscriptions: counts.get(id) ?? 0,
    })
  for (const stream of streams) add(stream)
  for (const stream of consoles) add(stream)
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
