/** What a relay counts, read as Prometheus reads it: names, labels, values. */
import { writeMessage } from '@aetherkit/core'
import {
  createRelay,
  Metrics,
  metricsRoute,
  openMemoryStore,
  type Relay,
  type RelayOptions,
} from '@aetherkit/relay'
import { afterEach, expect, test, vi } from 'vitest'
import { RawPeer } from '../test/raw-peer.js'
import { createAuthor } from '../test/signing.js'

vi.setConfig({ testTimeout: 30_000 })

const author = createAuthor()
const publish = (fields = {}) => writeMessage({ type: 'publish', event: author.sign(fields) })
const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
})

async function start(options: RelayOptions = {}) {
  const store = openMemoryStore()
  const metrics = new Metrics({ stats: () => relay.stats(), usage: () => store.usage() })
  const relay: Relay = await createRelay({
    ...{ verifyWorkers: 1, store, http: { routes: [metricsRoute(metrics)] } },
    onEvent: (event) => metrics.observe(event),
    ...options,
  })
  opened.push(relay, metrics)
  const scrape = async () => {
    const response = await fetch(`${relay.http?.url}/metrics`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    return readSamples(await response.text())
  }
  return { relay, metrics, scrape }
}

/** Samples by name with labels, checked line by line against the text format. */
function readSamples(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{[^}]*\})?) (\S+)$/.exec(line)
    if (sample?.[1] === undefined) throw new Error(`no sample: ${line}`)
    samples.set(sample[1], sample[2] === '+Inf' ? Number.POSITIVE_INFINITY : Number(sample[2]))
  }
  return samples
}

test('counts events by class of kind and by verdict, and what is open now', async () => {
  const { relay, scrape } = await start()
  const [peer, reader] = [await RawPeer.connect(relay.port), await RawPeer.connect(relay.port)]
  await reader.ask({ type: 'subscribe', sub_id: 'a', filters: [{ kinds: [4], limit: 0 }] })
  const kept = publish({ kind: 1 })
  for (const message of [
    kept,
    kept,
    publish({ kind: 1 }),
    publish({ kind: 10001 }),
    publish({ kind: 20001 }),
  ])
    expect((await peer.ask(message)).type).toBe('ack')
  peer.say(writeMessage({ type: 'publish', event: { ...author.sign({ kind: 5000 }), id: '0'.repeat(64) } }))
  expect((await peer.hearJson()).code).toBe('id_mismatch')
  expect((await peer.ask('garbage')).code).toBe('invalid_message')

  const samples = await scrape()
  const events = (kinds: string, verdict: string) =>
    samples.get(`aether_events_total{kinds="${kinds}",verdict="${verdict}"}`)
  expect([
    events('immutable', 'stored'),
    events('immutable', 'duplicate'),
    events('replaceable', 'stored'),
    events('ephemeral', 'forwarded'),
    events('regular', 'id_mismatch'),
    events('none', 'invalid_message'),
  ]).toEqual([2, 1, 1, 1, 1, 1])
  const value = (name: string) => samples.get(name)
  expect(value('aether_connections')).toBe(2)
  expect(value('aether_connections_total')).toBe(2)
  expect(value('aether_subscriptions')).toBe(1)
  expect(value('aether_store_events{kinds="immutable"}')).toBe(2)
  expect(value('aether_store_events{kinds="replaceable"}')).toBe(1)
  expect(value('aether_store_bytes{kinds="immutable"}')).toBeGreaterThan(200)
  expect(value('aether_commit_events_sum')).toBe(4)
  expect(value('aether_commit_seconds_count')).toBe(value('aether_commit_events_count'))
  expect(value('aether_commit_seconds_bucket{le="+Inf"}')).toBe(value('aether_commit_seconds_count'))
  for (const name of [
    'aether_publishes_pending',
    'aether_verify_pending',
    'aether_policy_pending',
    'aether_outbox_bytes',
    'aether_slow_consumers_total',
    'aether_undeliverable_total',
    'aether_faults_total',
    'aether_store_failures_total',
    'aether_swept_events_total',
  ])
    expect([name, value(name)]).toEqual([name, 0])
  for (const quantile of ['0.5', '0.99', '1'])
    expect(value(`aether_event_loop_lag_seconds{quantile="${quantile}"}`)).toBeGreaterThanOrEqual(0)
  expect(value('process_resident_memory_bytes')).toBeGreaterThan(0)
  expect([...samples.keys()].some((name) => name.startsWith('aether_build_info{version="'))).toBe(true)
})

test('a slow consumer, bytes that nobody takes, and a fault are seen', async () => {
  const outboxBytes = 256 * 1024
  const { relay, scrape } = await start({
    limits: { outboxBytes },
    policies: [
      () => {
        if (isBroken) throw new Error('broken')
        return undefined
      },
    ],
  })
  let isBroken = false
  const [writer, reader] = [await RawPeer.connect(relay.port), await RawPeer.connect(relay.port)]
  await reader.ask({ type: 'subscribe', sub_id: 'a', filters: [{}] })
  reader.socket.pause()
  const content = 'x'.repeat(100_000)
  let most = 0
  for (;;) {
    expect((await writer.ask(publish({ content }))).type).toBe('ack')
    const samples = await scrape()
    most = Math.max(most, samples.get('aether_outbox_bytes') ?? 0)
    if ((samples.get('aether_slow_consumers_total') ?? 0) > 0) break
  }
  expect(most).toBeGreaterThan(0)
  isBroken = true
  expect((await writer.ask(publish())).code).toBe('internal')
  expect((await scrape()).get('aether_faults_total')).toBe(1)
})

test('peers cannot make series: hostile kinds and codes fall into a closed list of labels', async () => {
  const { relay, scrape } = await start()
  const peer = await RawPeer.connect(relay.port)
  const before = [...(await scrape()).keys()].length
  for (let i = 0; i < 2000; i++) peer.say(`{"type":"x${i}"}`)
  for (let i = 0; i < 200; i++)
    peer.say(
      writeMessage({ type: 'publish', event: { ...author.sign({ kind: 39000 + i }), sig: 'a'.repeat(128) } }),
    )
  for (let i = 0; i < 2200; i++) await peer.hearJson()
  expect([...(await scrape()).keys()].length - before).toBeLessThan(40)
})
