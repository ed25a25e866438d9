/**
 * `schemas/openapi.json` against the running server: every route of one is in the other, every response that the
 * document promises is provoked, and its body and headers are what the document says.
 */
import { isJsonObject, signToken, writeEvent } from '@aetherkit/core'
import {
  blockKinds,
  blockPubkeys,
  createRelay,
  Metrics,
  metricsRoute,
  openMemoryStore,
  type Relay,
  type RelayOptions,
  rateLimit,
  StoreError,
} from '@aetherkit/relay'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, type AskOptions, ask, EventStream } from '../../test/http-client.js'
import { createProver, type ProofChange } from '../../test/http-proof.js'
import { check, document, parsed, promised, resolve } from '../../test/openapi-document.js'
import { upgrade } from '../../test/raw-peer.js'
import { createAuthor } from '../../test/signing.js'

const author = createAuthor()
const ADMIN = 'the-admin-token-of-the-test'
const admin = { headers: { authorization: `Bearer ${ADMIN}` } }
const relays: Relay[] = []
const closing: (() => void)[] = []
async function serve(options: RelayOptions = {}): Promise<number> {
  const metrics = new Metrics({ stats: () => relay.stats(), usage: () => [] })
  const http = { routes: [metricsRoute(metrics)], ...options.http }
  const relay: Relay = await createRelay({ verifyWorkers: 1, ...options, http })
  relays.push(relay)
  closing.push(() => metrics.close())
  return relay.http?.port ?? 0
}
afterAll(async () => {
  await Promise.all(relays.map((relay) => relay.close()))
  for (const close of closing) close()
})

let port: number
/** Ports of relays with something the matter. */
let full: number
let broken: number
let strict: number
let capable: number
const stored = author.sign({ content: 'é', tags: [['t', 'x']] })
const json = (body: string | object): AskOptions => ({ body })
const ndjson = { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' }
const text = { 'content-type': 'text/plain' }

beforeAll(async () => {
  const store = openMemoryStore()
  const fail = (code: 'storage_full' | 'unavailable') => () => {
    throw new StoreError(code, 'no')
  }
  port = await serve({
    policies: [blockKinds([7])],
    http: { origins: ['https://good.example'], adminToken: ADMIN },
  })
  full = await serve({
    store: { ...openMemoryStore(), put: async () => fail('storage_full')() },
    limits: { maxHttpSubscriptions: 0 },
  })
  broken = await serve({
    store: { ...store, put: async () => fail('unavailable')(), query: fail('unavailable') },
  })
  strict = await serve({
    policies: [rateLimit('ip', { capacity: 4, perSecond: 0.01 }), blockPubkeys([author.sign().pubkey])],
    auth: {
      read: [{ kinds: [[4, 4]], allow: 'author' }],
      write: [{ kinds: [[9, 9]], allow: 'authenticated' }],
    },
  })
  capable = await serve({
    capabilities: { owner: author.sign().pubkey, publish: [[5, 5]], subscribe: [[5, 5]] },
  })
  await ask(port, 'POST /v1/events', json(writeEvent(stored) ?? ''))
  await ask(
    port,
    'POST /v1/subscriptions',
    json({ filters: {}, subscription_id: 'held', owner: 'a-token-of-my-own' }),
  )
})

/** What provokes each response: all of it must be as the document says. */
const provoke: Readonly<Record<string, () => Promise<readonly Answer[]>>> = {
  'GET / 200': () => all(ask(port, 'GET /')),
  'GET / 404': () => all(ask(full, 'GET /')),
  'GET /v1/console 200': () => all(ask(port, 'GET /v1/console', admin)),
  'GET /v1/console 401': () => all(ask(port, 'GET /v1/console')),
  'GET /v1/console 404': () => all(ask(full, 'GET /v1/console', admin)),
  'GET /v1/console/stream 200': () => all(consoleStream('?kinds=1')),
  'GET /v1/console/stream 400': () => all(ask(port, 'GET /v1/console/stream?x=1', admin)),
  'GET /v1/console/stream 401': () => all(ask(port, 'GET /v1/console/stream')),
  'GET /v1/console/stream 404': () => all(ask(full, 'GET /v1/console/stream', admin)),
  'GET /v1/console/stream 503': async () => {
    for (;;) {
      const answer = await consoleStream('')
      if (answer.status === 503) return [answer]
    }
  },
  'GET /healthz 200': () => all(ask(port, 'GET /healthz')),
  'GET /readyz 200': () => all(ask(port, 'GET /readyz')),
  'GET /readyz 503': () => all(ask(full, 'GET /readyz'), ask(broken, 'GET /readyz')),
  'GET /metrics 200': () => all(ask(port, 'GET /metrics', admin), ask(full, 'GET /metrics')),
  'GET /metrics 401': () => all(ask(port, 'GET /metrics')),
  'GET /metrics 403': () => all(ask(full, 'GET /metrics', { headers: { 'x-forwarded-for': '::1' } })),
  'GET /v1/info 200': () => all(ask(port, 'GET /v1/info')),
  'POST /v1/events 200': () =>
    all(
      publish(author.text()),
      publish(writeEvent(stored) ?? ''),
      publish(`{"event":${author.text({ kind: 20_000 })}}`),
      publish(`[${author.text()},{},7]`),
      ask(port, 'POST /v1/events', { body: `${author.text()}\n{}`, headers: ndjson }),
    ),
  'POST /v1/events 400': () =>
    all(publish('{'), publish('{}'), publish(author.text({ kind: 7 })), publish(forged())),
  'POST /v1/events 401': () =>
    all(ask(strict, 'POST /v1/events', json(createAuthor().text({ kind: 9 }))), bad('POST /v1/events', '{}')),
  'POST /v1/events 403': () => all(ask(strict, 'POST /v1/events', json(author.text({ kind: 8 })))),
  'POST /v1/events 413': () =>
    all(publish(author.text({ content: 'x'.repeat(530_000) })), publish(' '.repeat(2_000_000))),
  'POST /v1/events 415': () => all(ask(port, 'POST /v1/events', { body: '{}', headers: text })),
  'POST /v1/events 429': async () => {
    for (;;) {
      const answer = await ask(strict, 'POST /v1/events', json(author.text({ kind: 8 })))
      if (answer.status === 429) return [answer]
    }
  },
  'POST /v1/events 503': () => all(ask(broken, 'POST /v1/events', json(author.text()))),
  'POST /v1/events 507': () => all(ask(full, 'POST /v1/events', json(author.text()))),
  'GET /v1/events/{id} 200': () => all(ask(port, `GET /v1/events/${stored.id}`)),
  'GET /v1/events/{id} 401': () => all(bad(`GET /v1/events/${stored.id}`)),
  'GET /v1/events/{id} 403': () => all(forgedToken(`GET /v1/events/${stored.id}`)),
  'GET /v1/events/{id} 404': () =>
    all(ask(port, `GET /v1/events/${'0'.repeat(64)}`), ask(port, 'GET /v1/events/x')),
  'GET /v1/query 200': () =>
    all(
      ask(port, 'GET /v1/query?limit=1'),
      ask(port, 'GET /v1/query?kinds=1,2&%23t=x&since=0'),
      ask(port, 'GET /v1/query', { headers: ndjson }),
    ),
  'GET /v1/query 400': () => all(ask(port, 'GET /v1/query?x=1'), ask(port, 'GET /v1/query?filters=%7B')),
  'GET /v1/query 401': () => all(ask(strict, 'GET /v1/query?kinds=4'), bad('GET /v1/query')),
  'GET /v1/query 403': () => all(proven('GET /v1/query?kinds=5'), forgedToken('GET /v1/query')),
  'GET /v1/query 503': () => all(ask(broken, 'GET /v1/query')),
  'POST /v1/query 200': () =>
    all(
      query({ filters: { limit: 1 } }),
      query({ filters: [{}] }),
      query({ filters: {} }, { ...ndjson, 'content-type': 'application/json' }),
    ),
  'POST /v1/query 400': () => all(query({}), query([]), query({ filters: {}, next: 'x' })),
  'POST /v1/query 401': () => all(ask(strict, 'POST /v1/query', json({ filters: { kinds: [4] } }))),
  'POST /v1/query 403': () => all(proven('POST /v1/query', '{"filters":{"kinds":[5]}}')),
  'POST /v1/query 413': () => all(query({ x: 'x'.repeat(2_000_000) })),
  'POST /v1/query 415': () => all(query({}, text), query({}, { 'content-type': 'application/x-ndjson' })),
  'POST /v1/query 503': () => all(ask(broken, 'POST /v1/query', json({ filters: {} }))),
  'POST /v1/subscriptions 200': () =>
    all(
      subscribe({ filters: {} }),
      subscribe({ filters: [{}], subscription_id: 'held', owner: 'a-token-of-my-own' }),
    ),
  'POST /v1/subscriptions 400': () =>
    all(subscribe({}), subscribe({ filters: [] }), subscribe({ filters: { x: 1 } })),
  'POST /v1/subscriptions 401': () =>
    all(ask(strict, 'POST /v1/subscriptions', json({ filters: { kinds: [4] } }))),
  'POST /v1/subscriptions 403': () =>
    all(proven('POST /v1/subscriptions', '{"filters":{"kinds":[5]}}'), forgedToken('POST /v1/subscriptions')),
  'POST /v1/subscriptions 409': () => all(subscribe({ filters: {}, subscription_id: 'held' })),
  'POST /v1/subscriptions 413': () => all(subscribe({ x: 'x'.repeat(2_000_000) })),
  'POST /v1/subscriptions 415': () => all(ask(port, 'POST /v1/subscriptions', { body: '{}', headers: text })),
  'POST /v1/subscriptions 503': () => all(ask(full, 'POST /v1/subscriptions', json({ filters: {} }))),
  'DELETE /v1/subscriptions/{id} 200': async () => {
    await subscribe({ filters: {}, subscription_id: 'gone' })
    return all(ask(port, 'DELETE /v1/subscriptions/gone'))
  },
  'DELETE /v1/subscriptions/{id} 401': () => all(bad('DELETE /v1/subscriptions/x')),
  'DELETE /v1/subscriptions/{id} 404': () =>
    all(ask(port, 'DELETE /v1/subscriptions/x'), ask(port, 'DELETE /v1/subscriptions/held')),
  'GET /v1/stream 200': async () => {
    const { status, headers } = await EventStream.open(port, '/v1/stream?subscription_id=held')
    return [{ status, headers, text: '', json: {} }]
  },
  'GET /v1/stream 400': () => all(ask(port, 'GET /v1/stream')),
  'GET /v1/stream 401': () => all(bad('GET /v1/stream')),
  'GET /v1/stream 403': () => all(forgedToken('GET /v1/stream')),
  'GET /v1/stream 404': () => all(ask(port, 'GET /v1/stream?subscription_id=x')),
  'GET /v1/ws 101': () => all(upgraded({})),
  'GET /v1/ws 403': () => all(upgraded({ headers: ['Origin: https://evil.example'] })),
  'GET /v1/ws 426': () => all(ask(port, 'GET /v1/ws')),
}

const all = (...answers: readonly Promise<Answer>[]) => Promise.all(answers)
const publish = (body: string) => ask(port, 'POST /v1/events', json(body))
const query = (body: object, headers: AskOptions['headers'] = {}) =>
  ask(port, 'POST /v1/query', { body, headers })
const subscribe = (body: object) => ask(port, 'POST /v1/subscriptions', json(body))
const prover = createProver()
const bad = (line: string, body?: string) =>
  ask(port, line, { headers: { authorization: 'Aether e30=' }, ...(body !== undefined && { body }) })
/** With a key that is proven, at the relay that asks for capabilities. */
const proven = (line: string, body?: string, change?: ProofChange) => {
  const url = `http://127.0.0.1:${capable}`
  const headers = prover.header({ http: { url } }, line, body, change)
  return ask(capable, line, { headers, ...(body !== undefined && { body }) })
}
const forgedToken = (line: string) => {
  const token = signToken({
    issuerSecret: prover.secretKey,
    subject: prover.publicKey,
    capability: 'publish',
  })
  return proven(line, undefined, { tags: [['capability', JSON.stringify(token)]] })
}
const forged = () => author.text().replace(/"sig":"[0-9a-f]+"/, `"sig":"${'00'.repeat(64)}"`)
/** Of a stream that is left open its head. */
async function consoleStream(query: string): Promise<Answer> {
  const stream = await EventStream.open(port, `/v1/console/stream${query}`, admin.headers)
  const { status, headers } = stream
  if (status === 200) return { status, headers, text: '', json: {} }
  const refused = await ask(port, `GET /v1/console/stream${query}`, admin)
  await stream.closed
  return refused
}
async function upgraded(options: Parameters<typeof upgrade>[1]): Promise<Answer> {
  const { socket, response } = await upgrade(port, { path: '/v1/ws', ...options })
  socket.destroy()
  return { status: Number(response.split(' ')[1]), headers: {}, text: '', json: {} }
}

describe('the document', () => {
  test('has every route and method of the server, and no other', () => {
    const served = (relays[0]?.http?.routes ?? []).flatMap(({ path, methods }) =>
      Object.keys(methods).map((method) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`),
    )
    const described = promised.map(({ name }) => name.split(' ').slice(0, 2).join(' '))
    expect(served.toSorted()).toEqual([...new Set(described)].toSorted())
  })

  test('has only references that lead somewhere, and operation ids that differ', () => {
    const ids: unknown[] = []
    const walk = (value: unknown) => {
      if (typeof value !== 'object' || value === null) return
      for (const [name, each] of Object.entries(value)) {
        if (name === '$ref') expect(resolve(String(each), document).schema).toBeDefined()
        if (name === 'operationId') ids.push(each)
        walk(each)
      }
    }
    walk(document)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('promises nothing that is not provoked here', () => {
    expect(Object.keys(provoke).toSorted()).toEqual(promised.map(({ name }) => name).toSorted())
  })
})

test.each(promised)('$name is as the document says', async (promise) => {
  const answers = (await provoke[promise.name]?.()) ?? []
  expect(answers.length).toBeGreaterThan(0)
  for (const answer of answers) {
    expect(answer.status, answer.text.slice(0, 500)).toBe(Number(promise.name.split(' ')[2]))
    expect(check(promise, answer), answer.text.slice(0, 500)).toEqual([])
  }
})

test('a body that breaks the schema is noticed', () => {
  const health = promised.find(({ name }) => name === 'GET /healthz 200')
  if (health === undefined) throw new Error('no /healthz')
  const answer = (text: string) => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    text,
    json: {},
  })
  expect(check(health, answer('{"status":"ok"}'))).toContain('$: required dropped_messages')
  expect(check(health, answer('{"status":"bad"}'))).toContain('$.status: const')
  expect(isJsonObject(parsed('{}'))).toBe(true)
})
