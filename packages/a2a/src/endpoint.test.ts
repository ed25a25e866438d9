import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CARD, hear, openParrot, type Parrot, V1 } from '../test/http.js'
import { A2AError } from './errors.js'
import type { RequestLine } from './request-log.js'

const REQUIRED = 'https://example.org/ext/needed'
let parrot: Parrot
beforeAll(async () => {
  parrot = await openParrot()
})
afterAll(() => parrot.agent.close())

describe('7.6: the body', () => {
  const big = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'x', params: { a: 'x'.repeat(1024 * 1024) } })

  test('6.2 no. 2: more than 1 MiB is 413 in the shape of JSON-RPC, without a stack', async () => {
    const { status, headers, json, text } = await parrot.ask('POST', '/', { headers: V1, body: big })
    expect(status).toBe(413)
    expect(headers['content-type']).toBe('application/json')
    expect(json).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32600 } })
    expect(text).not.toMatch(/\bat .+:\d+:\d+/)
  })

  test('6.2 no. 2: more than 1 MiB is 413 in the shape of REST', async () => {
    const { status, json } = await parrot.ask('POST', '/message:send', { headers: V1, body: big })
    expect(status).toBe(413)
    expect(json.error).toMatchObject({ code: 413, details: [{ reason: 'TOO_LARGE' }] })
  })

  test('6.2 no. 2: more than 1 MiB in chunks, without a length, is 413', async () => {
    const status = await new Promise((resolve, reject) => {
      const asked = httpRequest(parrot.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      })
      asked.on('response', (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      asked.on('error', reject)
      for (let index = 0; index < 17; index += 1) asked.write('x'.repeat(65_536))
      asked.end()
    })
    expect(status).toBe(413)
  })

  test('7.6: the limit is configurable', async () => {
    const small = await openParrot({ limits: { bodyBytes: 100 } })
    expect((await small.ask('POST', '/', { headers: V1, body: 'x'.repeat(101) })).status).toBe(413)
    expect((await small.ask('POST', '/', { headers: V1, body: '{}' })).status).toBe(200)
    await small.agent.close()
  })

  test.each([
    ['text/plain', {}],
    ['multipart/form-data; boundary=x', {}],
    ['application/json; charset=latin1', {}],
    ['application/json', { 'content-encoding': 'gzip' }],
  ])('2.2: %s %o is CONTENT_TYPE_NOT_SUPPORTED', async (type, more) => {
    const headers = { ...V1, ...more, 'content-type': type }
    const { json } = await parrot.ask('POST', '/', { headers, body: '{}' })
    expect(json.error.code).toBe(-32005)
  })
})

describe('6.2 no. 3: authentication', () => {
  const open = () =>
    openParrot({
      challenge: 'Bearer realm="parrots"',
      authenticate({ header }) {
        const [, token] = /^Bearer (\w+)$/.exec(header('authorization') ?? '') ?? []
        if (token === 'broken') throw new Error('database password is 1234')
        return token === undefined ? undefined : { owner: `bearer:${token}`, anonymous: false }
      },
    })

  test('6.2 no. 3: nobody gets 401 with WWW-Authenticate on both bindings, and the card is free', async () => {
    const guarded = await open()
    const rpc = await guarded.rpc('ListTasks', {})
    expect(rpc.status).toBe(401)
    expect(rpc.headers['www-authenticate']).toBe('Bearer realm="parrots"')
    expect(rpc.json).toMatchObject({ jsonrpc: '2.0', error: { data: [{ reason: 'UNAUTHENTICATED' }] } })
    const rest = await guarded.ask('GET', '/tasks', { headers: V1 })
    expect(rest.status).toBe(401)
    expect(rest.headers['www-authenticate']).toBe('Bearer realm="parrots"')
    expect((await guarded.ask('GET', '/.well-known/agent-card.json')).status).toBe(200)
    await guarded.agent.close()
  })

  test('6.2 no. 3: an exception is 401 and its text stays here', async () => {
    const guarded = await open()
    const { status, text } = await guarded.rpc('ListTasks', {}, { ...V1, authorization: 'Bearer broken' })
    expect(status).toBe(401)
    expect(text).not.toContain('1234')
    expect(String(guarded.errors[0])).toContain('1234')
    await guarded.agent.close()
  })

  test('7.5: the owner is who was authenticated', async () => {
    const guarded = await open()
    const as = (name: string) => ({ ...V1, authorization: `Bearer ${name}` })
    const { id } = (await guarded.rpc('SendMessage', hear('hi'), as('alice'))).json.result.task
    expect((await guarded.rpc('GetTask', { id }, as('alice'))).json.result.id).toBe(id)
    const foreign = await guarded.rpc('GetTask', { id }, as('bob'))
    const unknown = await guarded.rpc('GetTask', { id: 'nope' }, as('bob'))
    expect(foreign.json.error.code).toBe(-32001)
    expect(foreign.text).toBe(unknown.text)
    await guarded.agent.close()
  })
})

describe('2.3: extensions', () => {
  test('2.3: an extension that is required and not asked for is EXTENSION_SUPPORT_REQUIRED', async () => {
    const strict = await openParrot({ card: { ...CARD, extensions: [{ uri: REQUIRED, required: true }] } })
    expect((await strict.rpc('ListTasks', {})).json.error.code).toBe(-32008)
    expect((await strict.ask('GET', '/tasks', { headers: V1 })).status).toBe(400)
    const headers = { ...V1, 'a2a-extensions': `https://example.org/other, ${REQUIRED}` }
    expect((await strict.rpc('ListTasks', {}, headers)).json.error).toBeUndefined()
    const legacy = { 'x-a2a-extensions': REQUIRED }
    expect((await strict.rpc('tasks/get', { id: 'x' }, legacy)).json.error.code).toBe(-32001)
    await strict.agent.close()
  })

  test('7.7: what was used is echoed, what is unknown is not', async () => {
    const resume = 'https://aetherkit.dev/ext/stream-resume/v1'
    const headers = { ...V1, 'a2a-extensions': `https://example.org/other,${resume}` }
    const answer = await parrot.rpc('SendStreamingMessage', hear('hi'), headers)
    expect(answer.headers['a2a-extensions']).toBe(resume)
    expect((await parrot.rpc('ListTasks', {}, headers)).headers).not.toHaveProperty('a2a-extensions')
  })

  test('7.6: 33 extensions are INVALID_PARAMS', async () => {
    const many = Array.from({ length: 33 }, (_, index) => `https://example.org/${index}`).join()
    expect((await parrot.rpc('ListTasks', {}, { ...V1, 'a2a-extensions': many })).json.error.code).toBe(
      -32602,
    )
  })
})

describe('2.10, 7.6: refusals that are no 200', () => {
  test('7.6: a limit is 429 with Retry-After and the reason RATE_LIMITED', async () => {
    const busy = await openParrot({ limits: { executionsPerOwner: 1, executions: 1 } })
    const wait = { ...hear('wait'), configuration: { returnImmediately: true } }
    await busy.rpc('SendMessage', wait)
    const rpc = await busy.rpc('SendMessage', hear('hi'))
    expect(rpc.status).toBe(429)
    expect(Number(rpc.headers['retry-after'])).toBeGreaterThan(0)
    expect(rpc.json.error).toMatchObject({ code: -32000, data: [{ reason: 'RATE_LIMITED' }] })
    const rest = await busy.ask('POST', '/message:send', { headers: V1, body: hear('hi') })
    expect(rest.status).toBe(429)
    expect(rest.headers).toHaveProperty('retry-after')
    await busy.agent.close()
  })

  test('7.11: an exception inside is -32603, and its text stays here', async () => {
    const broken = await openParrot({
      authenticate: () => ({ owner: 'bearer:alice', anonymous: false }),
      extendedCard() {
        throw new Error('secret')
      },
    })
    const { status, text, json } = await broken.rpc('GetExtendedAgentCard', {})
    expect(status).toBe(200)
    expect(json.error.code).toBe(-32603)
    expect(broken.errors.map(String)).toEqual(['Error: secret'])
    expect(text).not.toContain('secret')
    await broken.agent.close()
  })

  test('2.10: an A2AError of the application travels as it is', async () => {
    const refusing = await openParrot({
      authenticate: () => ({ owner: 'bearer:alice', anonymous: false }),
      extendedCard() {
        throw new A2AError('UNSUPPORTED_OPERATION', 'not for you')
      },
    })
    const { json } = await refusing.rpc('GetExtendedAgentCard', {})
    expect(json.error).toMatchObject({ code: -32004, message: 'not for you' })
    await refusing.agent.close()
  })
})

test('7.11: one line a request, without payload and credentials', async () => {
  const lines: RequestLine[] = []
  const watched = await openParrot({ onRequest: (line) => lines.push(line) })
  const { json } = await watched.rpc('SendMessage', hear('top secret'), {
    ...V1,
    authorization: 'Bearer abc',
  })
  await watched.ask('GET', '/tasks/nope', { headers: V1 })
  await expect.poll(() => lines.length).toBe(2)
  expect(lines[0]).toMatchObject({
    method: 'SendMessage',
    version: '1.0',
    task: json.result.task.id,
    outcome: 'ok',
    httpMethod: 'POST',
    httpStatus: 200,
    owner: expect.stringMatching(/^[0-9a-f]{16}$/),
  })
  expect(lines[0]?.bytes).toBeGreaterThan(100)
  expect(lines[1]).toMatchObject({ method: 'GetTask', outcome: 'TASK_NOT_FOUND', httpStatus: 404 })
  expect(JSON.stringify(lines)).not.toMatch(/secret|abc/)
  await watched.agent.close()
})

describe('7.6: hostile bytes', () => {
  /** What comes back for raw bytes on a socket, to its end. */
  const raw = (bytes: string) =>
    new Promise<string>((resolve, reject) => {
      let got = ''
      const socket = connect(Number(new URL(parrot.url).port), '127.0.0.1', () => socket.end(bytes))
      socket.setEncoding('utf8').on('data', (text) => {
        got += text
      })
      socket.on('close', () => resolve(got)).on('error', reject)
    })

  test('7.6: a line break in a header value makes no header of ours', async () => {
    const resume = 'https://aetherkit.dev/ext/stream-resume/v1'
    const got = await raw(
      `GET /tasks/x HTTP/1.1\r\nHost: a\r\nA2A-Version: 1.0\r\nA2A-Extensions: ${resume}%0d%0aX-Evil: 1\r\nConnection: close\r\n\r\n`,
    )
    expect(got).toMatch(/^HTTP\/1.1 404/)
    expect(got).not.toMatch(/^x-evil/im)
  })

  test('7.6: two slashes at the start of the path are no host', async () => {
    expect(await raw('GET //evil.example/tasks HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1.1 404/,
    )
  })

  test('7.6: a caller who leaves in the middle of a body costs nothing', async () => {
    await raw(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a"',
    )
    expect((await parrot.rpc('ListTasks', {})).status).toBe(200)
    expect(parrot.errors).toEqual([])
  })
})
