/** The console over HTTP: who is let in, what is shown, and that nothing hostile gets through as anything but text. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Event, type JsonObject, seal } from '@aetherkit/core'
import { createRelay, type Relay, type RelayOptions } from '@aetherkit/relay'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ADMIN_TOKEN, headers, next } from '../../test/console-client.js'
import { ask, EventStream } from '../../test/http-client.js'
import { createAuthor } from '../../test/signing.js'
import type { ConsoleState, EventsMessage, ShownEvent } from './console-data.js'

const ROUTES = ['/v1/console', '/v1/console/stream'] as const

const relays: Relay[] = []
const streams: EventStream[] = []
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.close()
  await Promise.all(relays.splice(0).map((relay) => relay.close()))
})

async function open(options: RelayOptions = {}): Promise<{ relay: Relay; port: number }> {
  const relay = await createRelay({ verifyWorkers: 1, http: { adminToken: ADMIN_TOKEN }, ...options })
  relays.push(relay)
  return { relay, port: relay.http?.port ?? 0 }
}

async function listen(port: number, query = ''): Promise<EventStream> {
  const stream = await EventStream.open(port, `/v1/console/stream${query}`, headers)
  streams.push(stream)
  expect(stream.status).toBe(200)
  return stream
}

async function shown(stream: EventStream, count: number): Promise<readonly ShownEvent[]> {
  const events: ShownEvent[] = []
  while (events.length < count) events.push(...(await next<EventsMessage>(stream, 'events')).events)
  return events
}

const publish = async (relay: Relay, ...events: readonly Event[]) => {
  for (const event of events) expect(await relay.publish(event)).toMatchObject({ ok: true })
}
const snapshot = async (port: number): Promise<ConsoleState & { agents: readonly JsonObject[] }> =>
  JSON.parse((await ask(port, 'GET /v1/console', { headers })).text)

test('without the admin token, or with another, there is no data: auth_required', async () => {
  const { port } = await open()
  const wrong = ['correct-horse-batterz', 'x', '', `${ADMIN_TOKEN}x`, ADMIN_TOKEN.toUpperCase()]
  const attempts = [
    {},
    ...wrong.map((token) => ({ authorization: `Bearer ${token}` })),
    { authorization: ADMIN_TOKEN },
    { authorization: `Basic ${ADMIN_TOKEN}` },
    { cookie: `token=${ADMIN_TOKEN}` },
  ]
  for (const path of ROUTES)
    for (const shown of attempts) {
      const answer = await ask(port, `GET ${path}?token=${ADMIN_TOKEN}`, { headers: shown })
      expect([answer.status, answer.json.code]).toEqual([401, 'auth_required'])
      expect(answer.headers['www-authenticate']).toBe('Bearer')
      expect(answer.headers['cache-control']).toBe('no-store')
    }
  expect((await ask(port, 'GET /v1/console', { headers })).status).toBe(200)
})

test('a relay without an admin token says at / that it has no console: not_found', async () => {
  const { port } = await open({ http: {} })
  for (const path of ['/', ...ROUTES]) {
    const answer = await ask(port, `GET ${path}`, { headers })
    expect([answer.status, answer.json.code]).toEqual([404, 'not_found'])
    expect(answer.json.detail).toContain('admin token')
  }
})

test('a token that can be guessed or fits no header is a RangeError', async () => {
  for (const adminToken of ['', 'short', 'with a blank in it', 'é'.repeat(20), 'x'.repeat(257)])
    await expect(createRelay({ http: { adminToken } })).rejects.toBeInstanceOf(RangeError)
})

test('the page holds no data, admits its own script and style alone, and loads nothing', async () => {
  const { relay, port } = await open({ name: 'a relay of mine' })
  await publish(relay, createAuthor().sign({ content: 'secret of the operator' }))
  const { status, headers, text } = await ask(port, 'GET /')
  expect(status).toBe(200)
  expect(text).not.toMatch(/a relay of mine|secret of the operator|correct-horse/)
  const foreign = [/\ssrc=/, /href="(?!data:,")/, /@import/, /url\(/, /innerHTML/, /\beval\(/, /https?:/]
  expect(foreign.filter((pattern) => pattern.test(text))).toEqual([])
  expect(Buffer.byteLength(text)).toBeLessThan(60_000)
  const policy = String(headers['content-security-policy'])
  expect(policy).not.toContain('unsafe')
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("frame-ancestors 'none'")
  for (const [, content = ''] of text.matchAll(
    /<(?:script type="module"|style)>([\s\S]*?)<\/(?:script|style)>/g,
  ))
    expect(policy).toContain(`'sha256-${createHash('sha256').update(content).digest('base64')}'`)
  expect(headers['x-content-type-options']).toBe('nosniff')
})

test('the script in the package is that of the sources', async () => {
  const bundle = fileURLToPath(new URL('./bundle.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [bundle, '--check'])
  expect(stdout).toContain('matches')
})

test('a live event is shown after those that are stored, with its tags, and only as the filter has it', async () => {
  const { relay, port } = await open()
  const [ann, bob] = [createAuthor(), createAuthor()]
  const old = ann.sign({ content: 'old', tags: [['t', 'x']] })
  await publish(relay, old, bob.sign({ kind: 7 }))
  const all = await listen(port)
  expect(await shown(all, 2)).toMatchObject([
    { kind: 7, stored: true },
    { id: old.id, stored: true },
  ])
  const byTag = await listen(port, '?%23t=x&kinds=1')
  const byAuthor = await listen(port, `?authors=${bob.sign().pubkey.slice(0, 9)}`)
  const fresh = [ann.sign({ content: 'a' }), bob.sign({ content: 'b' }), bob.sign({ tags: [['t', 'x']] })]
  await shown(byAuthor, 1)
  await publish(relay, ...fresh)
  const ids = async (stream: EventStream, count: number) =>
    (await shown(stream, count)).filter(({ stored }) => !stored).map(({ id }) => id)
  expect(await ids(all, 3)).toEqual(fresh.map(({ id }) => id))
  expect(await ids(byTag, 2)).toEqual([fresh[2]?.id])
  expect(await ids(byAuthor, 2)).toEqual([fresh[1]?.id, fresh[2]?.id])
})

test('hostile events are cut and shown as one line of text, in JSON that no browser takes for a page', async () => {
  const { relay, port } = await open()
  const stream = await listen(port)
  const author = createAuthor()
  const markup = '<script>alert(1)</script>\n\nevent: state\ndata: {}\r\n\u202eevil\u0000'
  await publish(
    relay,
    author.sign({
      content: markup,
      tags: [['t', markup], ...Array.from({ length: 50 }, () => ['x'] as const)],
    }),
    author.sign({ content: '😀'.repeat(1000) }),
    author.sign({ content: Uint8Array.of(0xff, 0xfe) }),
    author.sign({ kind: 0, content: JSON.stringify({ name: markup, description: ['x'] }) }),
  )
  const [first, long, bytes] = await shown(stream, 4)
  expect(first?.content).toBe('<script>alert(1)</script>  event: state data: {}   evil')
  expect(first?.tags).toHaveLength(12)
  expect(first?.more_tags).toBe(39)
  expect(long?.content.length).toBeLessThan(410)
  expect(long?.content.isWellFormed()).toBe(true)
  expect(bytes).toMatchObject({ form: 'bytes', content: '', content_bytes: 2 })
  const answer = await ask(port, 'GET /v1/console', { headers })
  expect(answer.headers).toMatchObject({
    'content-type': 'application/json',
    'x-content-type-options': 'nosniff',
  })
  const [agent] = (await snapshot(port)).agents
  expect(agent).toMatchObject({ name: first?.content, description: '', capabilities: [] })
})

test('sealed content stays sealed, and events that are gated are not shown', async () => {
  const auth = { read: [{ kinds: [[4, 4] as const], allow: 'author' as const }] }
  const { relay, port } = await open({ auth })
  const author = createAuthor()
  const stream = await listen(port)
  const sealed = seal(Buffer.from('{"private":"words"}'), {
    senderSecret: new Uint8Array(32).fill(7),
    recipient: author.sign().pubkey,
  })
  await publish(
    relay,
    author.sign({ kind: 4, content: 'for me alone' }),
    author.sign({ kind: 21_000, content: sealed }),
  )
  expect(await shown(stream, 1)).toMatchObject([
    { kind: 21_000, form: 'sealed', content: '', content_bytes: sealed.length },
  ])
  const gated = await listen(port, '?kinds=4')
  expect(await next(gated, 'closed')).toMatchObject({ code: 'auth_required' })
  await gated.closed
})

test('the state has connections with their pending bytes, subscriptions with their filters, and verdicts', async () => {
  const { relay, port } = await open()
  const author = createAuthor()
  const ws = new WebSocket(relay.url)
  await new Promise((resolve) => ws.addEventListener('open', resolve))
  const subscribed = new Promise((resolve) => ws.addEventListener('message', resolve))
  ws.send('{"type":"subscribe","sub_id":"<b>","filters":[{"kinds":[5],"#t":["x"]}]}')
  await subscribed
  const event = author.sign()
  await publish(relay, event)
  expect(await relay.publish({ ...event, id: '0'.repeat(64) })).toMatchObject({ code: 'id_mismatch' })
  const state = await snapshot(port)
  const [row] = state.connections.rows
  expect(row).toMatchObject({ surface: 'native', port: relay.port, pending_bytes: 0, subscriptions: 1 })
  expect(state.subscriptions).toMatchObject({
    total: 1,
    rows: [{ peer: row?.id, id: '<b>', live: true, filters: '[{"kinds":[5],"tags":{"t":["x"]}}]' }],
  })
  expect(state.counts).toMatchObject({ accepted: { stored: 1 }, rejected: { id_mismatch: 1 } })
  expect(state.stored.events).toBe(1)
  ws.close()
})

test('agents are those of kind 0 and 10002, with what they offer', async () => {
  const { relay, port } = await open()
  const [ann, bob] = [createAuthor(), createAuthor()]
  const capabilities = [{ name: 'translate', description: 'any language' }]
  await publish(
    relay,
    ann.sign({ kind: 0, content: '{"name":"Old"}' }),
    ann.sign({ kind: 0, content: JSON.stringify({ name: 'Ann', capabilities }) }),
    ann.sign({
      kind: 10_002,
      content: '{"invoice":"x","amount_msat":18446744073709551615}',
      tags: [['c', 'translate']],
    }),
    bob.sign({ kind: 10_002, content: 'no invoice', tags: [['c', 'steal']] }),
  )
  expect((await snapshot(port)).agents).toMatchObject([
    { name: '', capabilities: [] },
    { name: 'Ann', capabilities, amount_msat: '18446744073709551615' },
  ])
})

test('a burst is cut to what a page can show, and what was left out is counted', async () => {
  const { relay, port } = await open({ policies: [] })
  const stream = await listen(port)
  await next(stream, 'state')
  const author = createAuthor()
  await Promise.all(Array.from({ length: 500 }, () => relay.publish(author.sign({ kind: 20_000 }))))
  let [seen, skipped] = [0, 0]
  while (seen + skipped < 500) {
    const message = await next<EventsMessage>(stream, 'events')
    expect(message.events.length).toBeLessThanOrEqual(60)
    seen += message.events.length
    skipped += message.skipped
  }
  expect(seen + skipped).toBe(500)
})

test('at most eight consoles are open at once: unavailable; one that leaves makes room, a drain ends all', async () => {
  const { relay, port } = await open()
  const eight = await Promise.all(Array.from({ length: 8 }, () => listen(port)))
  expect((await ask(port, 'GET /v1/console/stream', { headers })).json.code).toBe('unavailable')
  eight[0]?.close()
  await expect.poll(async () => (await snapshot(port)).connections.total).toBe(7)
  const last = await listen(port)
  const closing = relay.close()
  expect(await next(last, 'closed')).toMatchObject({ code: 'going_away' })
  await Promise.all([closing, last.closed])
})
