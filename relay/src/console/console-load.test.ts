/** The console under load, and when its token changes: bounded, in nobody's way, and shut to whoever is no longer let in. */
import { createRelay, type Relay, type RelayOptions } from '@aetherkit/relay'
import { afterEach, expect, test } from 'vitest'
import { ADMIN_TOKEN, headers, next } from '../../test/console-client.js'
import { ask, EventStream } from '../../test/http-client.js'
import { RawPeer } from '../../test/raw-peer.js'
import { createAuthor } from '../../test/signing.js'
import type { ConsoleState } from './console-data.js'

/** Ways in for a WebSocket: the native port, and `/v1/ws`. */
const WS = [{}, { path: '/v1/ws' }] as const

const relays: Relay[] = []
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.close()))
})

async function open(options: RelayOptions = {}): Promise<{ relay: Relay; port: number }> {
  const relay = await createRelay({ verifyWorkers: 1, http: { adminToken: ADMIN_TOKEN }, ...options })
  relays.push(relay)
  return { relay, port: relay.http?.port ?? 0 }
}
const listen = (port: number) => EventStream.open(port, '/v1/console/stream', headers)

test('of many connections a page is told how many there are by surface, and shown a hundred', async () => {
  const { relay, port } = await open()
  const stream = await listen(port)
  for (let i = 0; i < 15; i++)
    await Promise.all(
      Array.from({ length: 20 }, () => RawPeer.connect(i < 10 ? relay.port : port, WS[i < 10 ? 0 : 1])),
    )
  for (;;) {
    const state = await next<ConsoleState>(stream, 'state')
    if (state.connections.total < 301) continue
    expect(state.surfaces).toEqual({ native: 200, nostr: 0, ws: 100, stream: 0, console: 1 })
    expect(state.connections.rows).toHaveLength(100)
    expect(JSON.stringify(state).length).toBeLessThan(32_000)
    break
  }
})

test('a console that stops reading holds a bounded part of what comes, holds up nobody, and is cut', async () => {
  const cut: string[] = []
  const { relay, port } = await open({
    limits: { heartbeatMs: 500 },
    onEvent: ({ type }) => void (type === 'slow_consumer' && cut.push(type)),
  })
  const author = createAuthor()
  const stream = await listen(port)
  await next(stream, 'state')
  stream.pause()
  const tags = Array.from({ length: 12 }, () => ['t', ...Array(4).fill('v'.repeat(100))] as const)
  const large = 'x'.repeat(400_000)
  let most = 0
  while (cut.length === 0) {
    const small = Array.from({ length: 70 }, () =>
      author.sign({ kind: 20_000, content: 'x'.repeat(400), tags }),
    )
    for (const event of [...small, author.sign({ kind: 20_000, content: large })])
      expect(await relay.publish(event)).toMatchObject({ ok: true })
    most = Math.max(most, relay.stats().outboxBytes)
  }
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThan(2 * 1024 * 1024)
  expect(relay.stats().surfaces.console).toBe(0)
})

test('a token that is replaced shows out who was let in by the old one, and lets in by the new one', async () => {
  const { relay, port } = await open()
  const stream = await listen(port)
  await relay.reload({ adminToken: ADMIN_TOKEN })
  await next(stream, 'state')
  await relay.reload({ adminToken: 'another-token-of-mine' })
  expect(await next(stream, 'closed')).toMatchObject({ code: 'auth_required' })
  expect((await ask(port, 'GET /v1/console', { headers })).status).toBe(401)
  const anew = { headers: { authorization: 'Bearer another-token-of-mine' } }
  expect((await ask(port, 'GET /v1/console', anew)).status).toBe(200)
  await expect(relay.reload({ adminToken: 'short' })).rejects.toThrow(RangeError)
  expect((await ask(port, 'GET /v1/console', anew)).status).toBe(200)
  await relay.reload({ adminToken: null })
  expect((await ask(port, 'GET /v1/console', anew)).status).toBe(404)
})
