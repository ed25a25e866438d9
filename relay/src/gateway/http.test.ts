/** The routes of the HTTP gateway that are about itself, and what holds for all of them (spec 10.1, 10.2, 10.6). */
import { Agent } from 'node:http'
import { createRelay, openMemoryStore, StoreError } from '@aetherkit/relay'
import { describe, expect, test } from 'vitest'
import { ask, relay, start } from '../../test/http-relay.js'

describe('the gateway', () => {
  test('/healthz keeps the shape of the reference', async () => {
    await start()
    const { status, json } = await ask('GET /healthz')
    expect(status).toBe(200)
    expect(json).toMatchObject({ status: 'ok', dropped_messages: 0, connections: 0, subscriptions: 0 })
  })

  test('/readyz says 503 when the store does not write, and recovers', async () => {
    const store = openMemoryStore()
    let full = true
    await start({
      store: {
        ...store,
        put: (batch) => (full ? Promise.reject(new StoreError('storage_full', 'full')) : store.put(batch)),
      },
    })
    const bad = await ask('GET /readyz')
    expect([bad.status, bad.json.status, bad.json.code]).toEqual([503, 'unavailable', 'storage_full'])
    expect((await ask('GET /healthz')).json.status).toBe('ok')
    full = false
    await expect.poll(async () => (await ask('GET /readyz')).status).toBe(200)
  })

  test('/readyz says 503 when the disk of the data is nearly full, or its folder cannot be written', async () => {
    await start({ http: { dataPath: '.', minFreeBytes: Number.MAX_SAFE_INTEGER } })
    expect((await ask('GET /readyz')).json.code).toBe('storage_full')
    await relay.close()
    await start({ http: { dataPath: './no-such-folder' } })
    expect((await ask('GET /readyz')).json.code).toBe('unavailable')
  })

  test('/v1/info is the info document', async () => {
    await start()
    expect((await ask('GET /v1/info')).json).toEqual({ ...relay.info })
  })

  test('an unknown route is 404, a known one with another method 405 with Allow', async () => {
    await start()
    for (const path of ['/nope', '/v1/events/', '/V1/events', '/v1/events/a/b'])
      expect((await ask(`GET ${path}`)).json).toEqual({
        error: 'not_found',
        message: 'not_found',
        code: 'not_found',
      })
    const { status, headers, json } = await ask('PUT /v1/events')
    expect([status, headers.allow, json.code]).toEqual([405, 'POST, OPTIONS', 'method_not_allowed'])
    expect((await ask('DELETE /v1/query')).headers.allow).toBe('GET, POST, HEAD, OPTIONS')
    expect((await ask('GET /v1/subscriptions')).status).toBe(405)
  })

  test('HEAD is where GET is, and OPTIONS everywhere', async () => {
    await start()
    const head = await ask('HEAD /healthz')
    expect([head.status, head.text]).toEqual([200, ''])
    expect((await ask('HEAD /v1/query')).status).toBe(200)
    expect((await ask('HEAD /v1/events')).status).toBe(405)
    for (const { path } of relay.http?.routes ?? []) {
      const { status, headers } = await ask(`OPTIONS ${path.replace(':id', 'x')}`)
      expect([status, headers.allow]).toEqual([204, expect.stringContaining('OPTIONS')])
    }
    expect((await ask('OPTIONS *')).status).toBe(204)
  })

  test('CORS: pages of listed origins may read answers, preflights say what is allowed, others get nothing', async () => {
    await start({ http: { origins: ['https://good.example'] } })
    const from = (origin: string, more = {}) => ({ headers: { origin, ...more } })
    const good = await ask('GET /healthz', from('https://good.example'))
    expect(good.headers['access-control-allow-origin']).toBe('https://good.example')
    expect(good.headers.vary).toBe('origin')
    const preflight = await ask(
      'OPTIONS /v1/events',
      from('https://good.example', { 'access-control-request-method': 'POST' }),
    )
    expect(preflight.status).toBe(204)
    expect(preflight.headers['access-control-allow-methods']).toBe('POST, OPTIONS')
    expect(preflight.headers['access-control-allow-headers']).toContain('content-type')
    const evil = await ask('GET /healthz', from('https://evil.example'))
    expect(evil.headers['access-control-allow-origin']).toBeUndefined()
  })

  test('keeps connections alive, and answers pipelined requests in their order', async () => {
    await start()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const { headers } = await ask('GET /healthz', { agent })
    expect(headers.connection).toBe('keep-alive')
    expect(headers['keep-alive']).toContain('timeout=15')
    const answers = await Promise.all(
      ['/healthz', '/nope', '/v1/info'].map((path) => ask(`GET ${path}`, { agent })),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 200])
    agent.destroy()
  })

  test('routes of others are served with the same rules', async () => {
    await start({
      http: {
        routes: [{ path: '/metrics', methods: { GET: ({ response }) => void response.end('x 1\n') } }],
      },
    })
    expect((await ask('GET /metrics')).text).toBe('x 1\n')
    expect((await ask('POST /metrics')).headers.allow).toBe('GET, HEAD, OPTIONS')
  })

  test('an exception is 500 internal, and its text stays inside', async () => {
    const faults: unknown[] = []
    const explode = () => {
      throw new Error('secret path /etc')
    }
    await start({
      http: { routes: [{ path: '/x', methods: { GET: explode, POST: async () => explode() } }] },
      onEvent: (event) => void (event.type === 'fault' && faults.push(event)),
    })
    for (const method of ['GET', 'POST']) {
      const { status, text } = await ask(`${method} /x`)
      expect([status, text]).toEqual([
        500,
        '{"error":"internal","message":"internal error","code":"internal"}',
      ])
    }
    expect(faults).toHaveLength(2)
  })

  test('a store that cannot be read is 503, not 500', async () => {
    const store = openMemoryStore()
    const query = () => {
      throw new StoreError('unavailable', 'disk on fire')
    }
    await start({ store: { ...store, query } })
    const { status, json, headers } = await ask('GET /v1/query')
    expect([status, json.code, json.message]).toEqual([503, 'unavailable', 'temporarily unavailable'])
    expect(headers['retry-after']).toBe('1')
  })

  test('a port that cannot be had rejects, and nothing stays open', async () => {
    await start()
    const taken = relay.http?.port ?? 0
    await expect(createRelay({ verifyWorkers: 1, http: { port: taken } })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
    await expect(createRelay({ verifyWorkers: 1, http: { wsPort: taken } })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
  })

  test('requests per address are limited with Retry-After; loopback is exempt unless it is not', async () => {
    await start({
      limits: { exemptLoopback: false, requestsPerSecondPerIp: 0.25, acceptsPerSecondPerIp: 100 },
    })
    // One every four seconds, so that of many at once most are one too many however slow the machine is.
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask('GET /healthz')))
    const refused = answers.find(({ status }) => status !== 200)
    if (refused === undefined) throw new Error('none was refused')
    const { status, headers, json } = refused
    expect([status, json.error, json.code, json.message]).toEqual([
      429,
      'rate_limited',
      'rate_limited',
      'rate limit exceeded',
    ])
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
  })
})
