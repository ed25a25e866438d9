/** What a relay counts, read as Prometheus reads it: names, labels, values. */
import { networkInterfaces } from 'node:os'
import { writeMessage } from '@aetherkit/core'
import {
  createRelay,
  Metrics,
  metricsRoute,
  openMemoryStore,
  type Relay,
  type RelayOptions,
} from '@aetherkit/relay'
import { afterEach, describe, expect, test } from 'vitest'
import { ask, EventStream } from '../test/http-client.js'
import { RawPeer } from '../test/raw-peer.js'
import { createAuthor } from '../test/signing.js'

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
    ...{ verifyWorkers: 1, store },
    onEvent: (event) => metrics.observe(event),
    ...options,
    http: { routes: [metricsRoute(metrics)], ...options.http },
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
  expect(value('aether_connections{surface="native"}')).toBe(2)
  expect(value('aether_connections_total{surface="native"}')).toBe(2)
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

test('open connections are counted by surface, and in all', async () => {
  const { relay, scrape } = await start({ nostr: {} })
  const http = relay.http?.port ?? 0
  await RawPeer.connect(relay.port)
  await RawPeer.connect(relay.nostr?.port ?? 0)
  const ws = await RawPeer.connect(http, { path: '/v1/ws' })
  await ask(http, 'POST /v1/subscriptions', { body: { filters: {}, subscription_id: 's' } })
  const streams = [
    await EventStream.open(http, '/v1/stream?subscription_id=s'),
    await EventStream.open(http, '/v1/stream?subscription_id=s'),
  ]
  const open = (samples: ReadonlyMap<string, number>, name: string) =>
    ['native', 'nostr', 'ws', 'stream', 'console'].map((each) => samples.get(`${name}{surface="${each}"}`))
  expect(open(await scrape(), 'aether_connections')).toEqual([1, 1, 1, 2, 0])
  const surfaces = { native: 1, nostr: 1, ws: 1, stream: 2, console: 0 }
  expect(relay.stats()).toMatchObject({ connections: 5, surfaces })
  expect((await ask(http, 'GET /healthz')).json).toMatchObject({ connections: 5 })
  for (const stream of streams) stream.close()
  ws.socket.destroy()
  await expect.poll(() => relay.stats().connections).toBe(2)
  const samples = await scrape()
  expect(open(samples, 'aether_connections')).toEqual([1, 1, 0, 0, 0])
  expect(open(samples, 'aether_connections_total')).toEqual([1, 1, 1, 2, 0])
})

/** An address of this machine that is not its loopback. */
const outside = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

describe('metrics are for the operator', () => {
  /** Status and code of a scrape with these headers. */
  const serve = async (options: RelayOptions) => {
    const { relay } = await start(options)
    return async (headers: Record<string, string> = {}) => {
      const answer = await ask(relay.http?.port ?? 0, 'GET /metrics', { headers })
      return answer.status === 200 ? [200] : [answer.status, answer.json.code]
    }
  }

  test('who shows the admin token where there is one, and nobody else, not even from this machine', async () => {
    const scrape = await serve({ http: { adminToken: 'correct-horse-battery' } })
    expect(await scrape()).toEqual([401, 'auth_required'])
    expect(await scrape({ authorization: 'Bearer correct-horse-batterx' })).toEqual([401, 'auth_required'])
    expect(await scrape({ authorization: 'Bearer correct-horse-battery' })).toEqual([200])
  })

  test('without a token this machine, unless a header shows that a proxy passes others on', async () => {
    const scrape = await serve({})
    expect(await scrape()).toEqual([200])
    for (const name of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip'])
      expect(await scrape({ [name]: '127.0.0.1' })).toEqual([403, 'restricted'])
  })

  test('without a token nobody where the relay has a public URL: a proxy may be in front that adds no header', async () => {
    const scrape = await serve({ auth: { urls: ['wss://relay.example'] } })
    expect(await scrape()).toEqual([403, 'restricted'])
  })

  test.skipIf(outside === undefined)('without a token nobody from another address', async () => {
    const { relay } = await start({ host: '0.0.0.0' })
    const answer = await fetch(`http://${outside}:${relay.http?.port}/metrics`)
    expect([answer.status, (await answer.json()).code]).toEqual([403, 'restricted'])
  })
})
