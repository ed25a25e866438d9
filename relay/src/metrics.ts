/** What a running relay counts, for Prometheus. Labels are closed lists, so peers cannot make series. */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { kindClass } from '@aetherkit/core'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { RelayEvent } from './bus.js'
import type { RelayStats } from './gateway/gateway.js'
import type { HttpRoute } from './gateway/http-routes.js'
import { SOFTWARE_VERSION } from './info.js'
import type { KindUsage } from './store/store.js'
import { SURFACES } from './surface.js'

export interface MetricsSource {
  stats(): RelayStats
  /** Of the store; see `Store.usage`. */
  usage(): readonly KindUsage[]
}

const NS = 1e9
/** Seconds. A sync of a good disk takes a millisecond, one of a bad day many. */
const COMMIT_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const GROUP_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
const QUANTILES = [50, 99] as const

export class Metrics {
  readonly #registry = new Registry()
  readonly #lag: IntervalHistogram
  readonly #events: Counter<'kinds' | 'verdict'>
  readonly #commit: Histogram
  readonly #group: Histogram
  readonly #counters: Readonly<
    Record<'slow_consumer' | 'undeliverable' | 'fault' | 'store_failed' | 'mailbox_redelivered', Counter>
  >
  readonly #connected: Counter<'surface'>
  readonly #swept: Counter
  readonly #acked: Counter
  /** Of label pairs: looking one up by its labels costs more than counting. */
  readonly #pairs = new Map<string, { inc(): void }>()

  constructor(source: MetricsSource) {
    const registers = [this.#registry]
    const counter = (name: string, help: string) => new Counter({ name, help, registers })
    this.#events = new Counter({
      name: 'aether_events_total',
      help: 'Events offered, by class of kind and by verdict: a status, or the code of a refusal.',
      labelNames: ['kinds', 'verdict'],
      registers,
    })
    this.#commit = new Histogram({
      name: 'aether_commit_seconds',
      help: 'From the start of a group commit until it is durable.',
      buckets: COMMIT_BUCKETS,
      registers,
    })
    this.#group = new Histogram({
      name: 'aether_commit_events',
      help: 'Events of one group commit.',
      buckets: GROUP_BUCKETS,
      registers,
    })
    this.#counters = {
      slow_consumer: counter(
        'aether_slow_consumers_total',
        'Peers that were cut because they read too slowly.',
      ),
      undeliverable: counter(
        'aether_undeliverable_total',
        'Events that the format of a subscriber cannot hold.',
      ),
      fault: counter('aether_faults_total', 'Bugs, policies that threw, stores that could not be read.'),
      store_failed: counter('aether_store_failures_total', 'Groups that could not be written.'),
      mailbox_redelivered: counter(
        'aether_mailbox_redelivered_total',
        'Deliveries of events of mailboxes beyond the first.',
      ),
    }
    this.#connected = new Counter({
      name: 'aether_connections_total',
      help: 'Those that came.',
      labelNames: ['surface'],
      registers,
    })
    for (const surface of SURFACES) this.#connected.inc({ surface }, 0)
    this.#swept = counter(
      'aether_swept_events_total',
      'Events that were over or past retention and taken out.',
    )
    this.#acked = counter('aether_mailbox_acked_total', 'Events of mailboxes that were acked.')
    this.#lag = monitorEventLoopDelay({ resolution: 10 })
    this.#lag.enable()
    this.#gauges(source)
    collectDefaultMetrics({ register: this.#registry })
  }

  /** For `onEvent` of a relay. */
  observe(event: RelayEvent): void {
    if (event.type === 'accepted') this.#count(kindClass(event.kind) ?? 'other', event.status)
    else if (event.type === 'rejected')
      this.#count(event.kind === undefined ? 'none' : (kindClass(event.kind) ?? 'other'), event.code)
    else if (event.type === 'committed') {
      this.#commit.observe(event.ms / 1000)
      this.#group.observe(event.events)
    } else if (event.type === 'swept') this.#swept.inc(event.events)
    else if (event.type === 'mailbox_acked') this.#acked.inc(event.events)
    else if (event.type === 'connected') this.#connected.inc({ surface: event.surface })
    else if (event.type !== 'disconnected') this.#counters[event.type].inc()
  }

  /** In the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  close(): void {
    this.#lag.disable()
    this.#registry.clear()
  }

  #count(kinds: string, verdict: string): void {
    const key = `${kinds} ${verdict}`
    let pair = this.#pairs.get(key)
    if (pair === undefined) {
      pair = this.#events.labels({ kinds, verdict })
      this.#pairs.set(key, pair)
    }
    pair.inc()
  }

  #gauges({ stats, usage }: MetricsSource): void {
    const registers = [this.#registry]
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        ...{ name, help, registers },
        collect() {
          this.set(read())
        },
      })
    new Gauge({
      name: 'aether_connections',
      help: 'Open ones: WebSockets, and readers of streams.',
      labelNames: ['surface'],
      registers,
      collect() {
        const { surfaces } = stats()
        for (const surface of SURFACES) this.set({ surface }, surfaces[surface])
      },
    })
    gauge('aether_subscriptions', 'Live subscriptions of all surfaces.', () => stats().subscriptions)
    gauge('aether_publishes_pending', 'Publishes without a verdict.', () => stats().publishes)
    gauge('aether_verify_pending', 'Of them, those in the verify pool.', () => stats().verifying)
    gauge(
      'aether_policy_pending',
      'Of them, those that a policy in another process judges.',
      () => stats().judging,
    )
    gauge('aether_outbox_bytes', 'Bytes that open connections have not taken yet.', () => stats().outboxBytes)
    gauge('aether_mailboxes', 'Mailboxes that somebody has open.', () => stats().mailboxes)
    gauge('aether_mailbox_unacked', 'Their deliveries without an ack.', () => stats().unacked)
    this.#storeGauge('aether_store_events', 'Stored events, by class of kind.', usage, 'events')
    this.#storeGauge('aether_store_bytes', 'Their canonical sizes.', usage, 'bytes')
    const lag = this.#lag
    new Gauge({
      name: 'aether_event_loop_lag_seconds',
      help: 'How late the event loop was since the last scrape.',
      labelNames: ['quantile'],
      registers,
      collect() {
        for (const quantile of QUANTILES)
          this.set({ quantile: quantile / 100 }, lag.percentile(quantile) / NS)
        this.set({ quantile: 1 }, lag.max / NS)
        lag.reset()
      },
    })
    new Gauge({ name: 'aether_build_info', help: 'Always 1.', labelNames: ['version'], registers }).set(
      { version: SOFTWARE_VERSION },
      1,
    )
  }

  #storeGauge(name: string, help: string, usage: () => readonly KindUsage[], what: 'events' | 'bytes'): void {
    new Gauge({
      ...{ name, help, labelNames: ['kinds'], registers: [this.#registry] },
      collect() {
        const sums = new Map<string, number>()
        for (const each of usage()) {
          const kinds = kindClass(each.kind) ?? 'other'
          sums.set(kinds, (sums.get(kinds) ?? 0) + each[what])
        }
        this.reset()
        for (const [kinds, sum] of sums) this.set({ kinds }, sum)
      },
    })
  }
}

/** `GET /metrics`, for `routes` of the HTTP gateway, and for the operator alone. */
export function metricsRoute(metrics: Metrics): HttpRoute {
  return {
    path: '/metrics',
    operatorOnly: true,
    methods: {
      async GET({ response }) {
        const text = await metrics.text()
        response.setHeader('content-type', metrics.contentType)
        response.end(text)
      },
    },
  }
}
