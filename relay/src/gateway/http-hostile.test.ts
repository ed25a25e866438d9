/** The HTTP gateway against bad neighbours (spec 10.2, 13.1, 13.2): nobody else is hurt, and nothing is believed. */
import { connect } from 'node:net'
import { isJsonObject, parseJson, writeEvent } from '@aetherkit/core'
import { createRelay, type Relay, type RelayOptions } from '@aetherkit/relay'
import { afterEach, describe, expect, test } from 'vitest'
import { ask as askPort, EventStream, raw as rawPort } from '../../test/http-client.js'
import { upgrade } from '../../test/raw-peer.js'
import { createAuthor } from '../../test/signing.js'

const author = createAuthor()
let relay: Relay
async function start(options: RelayOptions = {}): Promise<void> {
  relay = await createRelay({ verifyWorkers: 1, http: { wsPort: 0 }, ...options })
}
afterEach(() => relay.close())
const port = () => relay.http?.port ?? 0
const raw = (...parts: (string | Buffer)[]) => rawPort(port(), ...parts)
const lives = async () => expect((await askPort(port(), 'GET /healthz')).status).toBe(200)
const head = (line: string, ...headers: string[]) =>
  `${[`${line} HTTP/1.1`, 'Host: x', ...headers].join('\r\n')}\r\n\r\n`
const close = 'Connection: close'

/** Status of the first answer, and the code in its body. */
function read(answer: string): [number, unknown] {
  const [top = '', body = ''] = answer.split('\r\n\r\n')
  const parsed = parseJson(body.slice(0, Number(/content-length: (\d+)/i.exec(top)?.[1] ?? 0)))
  return [Number(top.split(' ')[1]), parsed.ok && isJsonObject(parsed.value) ? parsed.value.code : undefined]
}

describe('bodies', () => {
  test('over the cap are 413 at once, before a byte of them came', async () => {
    await start()
    const answer = await raw(head('POST /v1/events', 'Content-Length: 1073741824'))
    expect(read(answer)).toEqual([413, 'too_large'])
    expect(answer.toLowerCase()).toContain('connection: close')
    expect(read(await raw(head('POST /v1/query', 'Content-Length: 1073741824')))).toEqual([413, 'too_large'])
    await lives()
  })

  test('over the cap are not asked for by 100 Continue, others are', async () => {
    await start()
    const expecting = (length: number) =>
      head('POST /v1/events', 'Expect: 100-continue', `Content-Length: ${length}`, close)
    expect(read(await raw(expecting(2_000_000)))).toEqual([413, 'too_large'])
    expect(await raw(expecting(2), '{}')).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 400/)
  })

  test('in chunks are under the same cap', async () => {
    await start()
    const chunk = Buffer.from(`10000\r\n${' '.repeat(0x10000)}\r\n`)
    const answer = await raw(
      head('POST /v1/events', 'Transfer-Encoding: chunked'),
      ...Array.from({ length: 64 }, () => chunk),
    )
    expect(read(answer)).toEqual([413, 'too_large'])
    const text = author.text()
    const small = `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`
    expect(read(await raw(head('POST /v1/events', 'Transfer-Encoding: chunked', close), small))[0]).toBe(200)
  })

  test('that the client never ends are given up with 408', async () => {
    await start({ limits: { bodyMs: 3000, headersMs: 3000 } })
    expect(read(await raw(head('POST /v1/events', 'Content-Length: 100'), '{"event":'))).toEqual([
      408,
      'timeout',
    ])
    expect(read(await raw('GET /healthz HTTP/1.1\r\nHost: x\r\n'))).toEqual([408, 'timeout'])
    await lives()
  })

  test('in drips are given up too, and a hundred of them hurt nobody', async () => {
    await start({ limits: { bodyMs: 3000, headersMs: 3000 } })
    const drips = Array.from({ length: 100 }, () => {
      const socket = connect(port(), '127.0.0.1')
      socket.on('error', () => {}).resume()
      socket.write(head('POST /v1/events', 'Content-Length: 100000'))
      const timer = setInterval(() => socket.write(' '), 50)
      return new Promise<void>((resolve) => {
        socket.on('close', () => {
          clearInterval(timer)
          resolve()
        })
      })
    })
    await lives()
    await Promise.all(drips)
  })

  test('that are compressed, or no JSON by their type, are 415; no type at all is taken for JSON', async () => {
    await start()
    const status = async (headers: Record<string, string>) =>
      read(
        await raw(
          head(
            'POST /v1/events',
            'Content-Length: 2',
            close,
            ...Object.entries(headers).map(([k, v]) => `${k}: ${v}`),
          ),
          '{}',
        ),
      )
    const refused = [415, 'unsupported_media_type']
    expect(await status({ 'Content-Encoding': 'gzip' })).toEqual(refused)
    expect(await status({ 'Content-Encoding': 'deflate', 'Content-Type': 'application/json' })).toEqual(
      refused,
    )
    expect(await status({ 'Content-Type': 'text/plain' })).toEqual(refused)
    expect(await status({ 'Content-Type': 'application/json; charset=utf-16' })).toEqual(refused)
    expect(await status({ 'Content-Type': 'application/json; charset=UTF-8' })).toEqual([
      400,
      'invalid_event',
    ])
    expect(await status({})).toEqual([400, 'invalid_event'])
  })

  test('that are no UTF-8, begin with a BOM, nest deeply, or name a member twice are refused', async () => {
    await start()
    const send = (body: Buffer | string) =>
      raw(head('POST /v1/events', `Content-Length: ${Buffer.byteLength(body)}`, close), body).then(read)
    expect(await send(Buffer.from([0x22, 0xff, 0x22]))).toEqual([400, 'invalid_message'])
    expect(await send(`\ufeff${author.text()}`)).toEqual([400, 'invalid_message'])
    expect(await send('['.repeat(100_000))).toEqual([400, 'invalid_message'])
    expect(await send(`{"event":${author.text()},"event":${author.text()}}`)).toEqual([
      400,
      'invalid_message',
    ])
    expect(await send(author.text().replace('"kind":1', '"kind":1,"kind":1'))).toEqual([400, 'invalid_event'])
    expect(await send(JSON.stringify({ filters: {} }))).toEqual([400, 'invalid_event'])
  })

  test('with __proto__ leave the prototype alone and are no filter', async () => {
    await start()
    for (const path of ['/v1/query', '/v1/subscriptions']) {
      const body = '{"filters":{"__proto__":{"kinds":[1]},"constructor":{"prototype":{"x":1}}}}'
      const { status, json } = await askPort(port(), `POST ${path}`, { body })
      expect([status, json.code]).toEqual([400, 'unsupported'])
    }
    const { status } = await askPort(port(), 'GET /v1/query?__proto__=1')
    expect(status).toBe(400)
    expect(({} as Record<string, unknown>).kinds).toBeUndefined()
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  test('with duplicate members of a filter, or of the payload, are refused', async () => {
    await start()
    const code = async (body: string) => (await askPort(port(), 'POST /v1/query', { body })).json.code
    expect(await code('{"filters":{"kinds":[1],"kinds":[2]}}')).toBe('invalid_filter')
    expect(await code('{"filters":{"kinds":[1]},"filters":{}}')).toBe('invalid_message')
  })

  test('on routes that take none are not read, and end the connection', async () => {
    await start()
    const answer = await raw(head('GET /healthz', 'Content-Length: 1073741824'), 'x'.repeat(1000))
    expect(read(answer)[0]).toBe(200)
    expect(answer.toLowerCase()).toContain('connection: close')
  })
})

describe('request heads', () => {
  test('with a Content-Length that is none, negative, or twice are 400', async () => {
    await start()
    for (const length of ['-1', 'abc', '1e3', '1 2', '0x10', '99999999999999999999999'])
      expect(read(await raw(head('POST /v1/events', `Content-Length: ${length}`)))).toEqual([
        400,
        'invalid_message',
      ])
    expect(read(await raw(head('POST /v1/events', 'Content-Length: 2', 'Content-Length: 3')))[0]).toBe(400)
  })

  test('that smuggle a second request are 400, and the second is never run', async () => {
    await start()
    const smuggled = head('DELETE /v1/subscriptions/s')
    await askPort(port(), 'POST /v1/subscriptions', { body: { filters: {}, subscription_id: 's' } })
    for (const headers of [
      ['Transfer-Encoding: chunked', `Content-Length: ${smuggled.length + 5}`],
      ['Transfer-Encoding: chunked, identity'],
      ['Transfer-Encoding: xchunked'],
      ['Transfer-Encoding : chunked'],
      ['Transfer-Encoding:\x0bchunked'],
      ['X: 1\nTransfer-Encoding: chunked'],
    ]) {
      const answer = await raw(head('POST /v1/events', ...headers), `0\r\n\r\n${smuggled}`)
      expect(read(answer)[0], headers.join()).toBe(400)
      expect(answer).not.toContain('deleted')
    }
    expect((await askPort(port(), 'GET /healthz')).json.http_subscriptions).toBe(1)
  })

  test('that are no HTTP are 400 bad request line', async () => {
    await start()
    const lines = [
      'hello',
      'GET /healthz',
      'GET /healthz HTTP/9.9',
      '\x16\x03\x01\x02',
      'GET /healthz HTTP/1.1',
    ]
    for (const line of lines) {
      const answer = await raw(`${line}\r\n\r\n`)
      expect(read(answer)).toEqual([400, 'invalid_message'])
      expect(answer).toContain('"message":"bad request line"')
    }
    expect(read(await raw('GET /healthz HTTP/1.0\r\n\r\n'))[0]).toBe(200)
    expect(read(await rawPort(relay.port, 'GET / HTTP/1.1\r\n\r\n'))).toEqual([400, 'invalid_message'])
    await lives()
  })

  test('of 2000 headers, or more than 16 KiB of them, are 431', async () => {
    await start()
    const many = (count: number) => Array.from({ length: count }, (_, i) => `x${i}: 1`)
    expect(read(await raw(head('GET /healthz', ...many(2000))))).toEqual([431, 'too_large'])
    expect(read(await raw(head('GET /healthz', ...many(101))))).toEqual([431, 'too_large'])
    expect(read(await raw(head('GET /healthz', `x: ${'y'.repeat(17_000)}`)))).toEqual([431, 'too_large'])
    expect(read(await raw(head('GET /healthz', ...many(90), close)))[0]).toBe(200)
  })

  test('with a path that cannot be decoded, or that climbs, find nothing', async () => {
    await start()
    expect(read(await raw(head('GET /v1/events/%zz', close)))).toEqual([400, 'invalid_message'])
    for (const path of ['/../healthz', '//healthz', '/v1/events/..%2f..', '/v1//info', '/%2e%2e/etc/passwd'])
      expect(read(await raw(head(`GET ${path}`, close)))[0], path).toBe(404)
    expect(read(await raw(head('GET http://other.example/healthz', close)))[0]).toBe(200)
  })

  test('that ask for h2c are answered as if they had not', async () => {
    await start()
    const upgrade = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk']
    expect(await raw(head('GET /healthz', ...upgrade), head('GET /nope', close))).toMatch(
      /^HTTP\/1.1 200 OK[\s\S]*HTTP\/1.1 404/,
    )
    const text = author.text()
    const answer = await raw(
      head('POST /v1/events', ...upgrade, `Content-Length: ${text.length}`),
      text,
      head('GET /nope', close),
    )
    expect(answer).toMatch(/^HTTP\/1.1 200 OK[\s\S]*"accepted":true/)
    expect(read(await raw(head('POST /v1/events', ...upgrade, 'Content-Length: 1073741824')))).toEqual([
      413,
      'too_large',
    ])
  })

  test('of upgrades to other paths are 404, on both ports', async () => {
    await start()
    const wsPort = relay.http?.wsPort ?? 0
    for (const each of [port(), wsPort]) {
      const { response, socket } = await upgrade(each)
      expect(response).toMatch(/^HTTP\/1.1 404/)
      socket.destroy()
    }
    await lives()
  })
})

describe('event streams', () => {
  test('keep a subscription id with line breaks inside one line of JSON', async () => {
    await start()
    const subscription_id = '\n\ndata: x\r\nid: 7\r\revent: gap'
    await askPort(port(), 'POST /v1/subscriptions', { body: { filters: { limit: 1 }, subscription_id } })
    const reader = await EventStream.open(
      port(),
      `/v1/stream?subscription_id=${encodeURIComponent(subscription_id)}`,
    )
    const eose = await reader.next()
    expect(eose?.event).toBe('eose')
    const event = author.sign({ content: '\n\ndata: y\r', tags: [['t', '\rid: 9\n\n']] })
    await relay.publish(event)
    const block = await reader.next()
    expect(Object.keys(block ?? {})).toEqual(['id', 'event', 'data'])
    expect(block?.data).toContain(writeEvent(event) ?? 'none')
    expect(JSON.parse(block?.data ?? '').sub_id).toBe(subscription_id)
  })

  test('with a Last-Event-ID of 10 KB are resumed with a gap, not with an error', async () => {
    await start()
    await askPort(port(), 'POST /v1/subscriptions', { body: { filters: {}, subscription_id: 's' } })
    const reader = await EventStream.open(port(), '/v1/stream?subscription_id=s', {
      'last-event-id': '9'.repeat(10_000),
    })
    expect((await reader.next())?.event).toBe('gap')
  })
})

test('10,000 malformed requests later the relay answers as before', async () => {
  await start()
  const bad = [
    '{',
    '[]',
    '{"event":{}}',
    '"',
    '\0',
    '{"event":{"kind":1e400}}',
    `${'['.repeat(40)}${']'.repeat(40)}`,
  ]
  const bodies = Array.from({ length: 10_000 }, (_, i) => bad[i % bad.length] ?? '')
  const requests = bodies.map(
    (body) => head('POST /v1/events', `Content-Length: ${Buffer.byteLength(body)}`) + body,
  )
  const answers = await raw(requests.join(''), head('GET /healthz', close))
  expect(answers.match(/HTTP\/1.1 \d+/g)?.length).toBe(10_001)
  expect(answers.match(/HTTP\/1.1 (?!400|200)\d+/g)).toBeNull()
  await lives()
})
