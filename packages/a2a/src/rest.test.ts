import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataOf, hear, openParrot, type Parrot, V1 } from '../test/http.js'

let parrot: Parrot
beforeAll(async () => {
  parrot = await openParrot({ tenants: { has: (name) => name === 'acme' } })
})
afterAll(() => parrot.agent.close())

const send = async (text: string, path = '/message:send') =>
  (await parrot.ask('POST', path, { headers: V1, body: hear(text) })).json.task

describe('2.1: routes', () => {
  test('2.1, 2.2: send answers bare, as application/a2a+json', async () => {
    const { status, headers, json } = await parrot.ask('POST', '/message:send', {
      headers: V1,
      body: hear('hi'),
    })
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/a2a+json')
    expect(json.task.status.state).toBe('TASK_STATE_COMPLETED')
  })

  test('2.2: application/a2a+json is accepted', async () => {
    const headers = { ...V1, 'content-type': 'application/a2a+json; charset=utf-8' }
    expect((await parrot.ask('POST', '/message:send', { headers, body: hear('hi') })).status).toBe(200)
  })

  test('2.1: stream sends bare events', async () => {
    const { headers, text } = await parrot.ask('POST', '/message:stream', { headers: V1, body: hear('hi') })
    expect(headers['content-type']).toBe('text/event-stream')
    expect(dataOf(text)[0]).toHaveProperty('task')
  })

  test('2.1: get with historyLength, list with a filter, with and without a trailing slash', async () => {
    const { id, contextId } = await send('hi')
    expect((await parrot.ask('GET', `/tasks/${id}?historyLength=0`, { headers: V1 })).json).toMatchObject({
      id,
    })
    expect((await parrot.ask('GET', `/tasks/${id}/`, { headers: V1 })).json.id).toBe(id)
    const list = await parrot.ask('GET', `/tasks?contextId=${contextId}&includeArtifacts=true&pageSize=5`, {
      headers: V1,
    })
    expect(list.json).toMatchObject({ totalSize: 1, pageSize: 5, nextPageToken: '' })
    expect(list.json.tasks[0].artifacts).toHaveLength(1)
  })

  test('2.1: cancel needs no body', async () => {
    const { id } = (
      await parrot.ask('POST', '/message:send', {
        headers: V1,
        body: { ...hear('wait'), configuration: { returnImmediately: true } },
      })
    ).json.task
    const { status, json } = await parrot.ask('POST', `/tasks/${id}:cancel`, { headers: V1 })
    expect(status).toBe(200)
    expect(json.status.state).toBe('TASK_STATE_CANCELED')
  })

  test.each(['GET', 'POST'])('2.1: subscribe answers to %s', async (verb) => {
    const { id } = await send('ask')
    const path = `/tasks/${id}:subscribe`
    const response = await parrot.open(verb, path, { headers: V1 })
    expect(response.headers['content-type']).toBe('text/event-stream')
    response.destroy()
  })

  test('2.1: a tenant is a path prefix, and its tasks are its own', async () => {
    const { id } = await send('hi', '/acme/message:send')
    expect((await parrot.ask('GET', `/acme/tasks/${id}`, { headers: V1 })).status).toBe(200)
    expect((await parrot.ask('GET', `/tasks/${id}`, { headers: V1 })).status).toBe(404)
    expect((await parrot.ask('GET', `/other/tasks/${id}`, { headers: V1 })).status).toBe(404)
  })

  test('2.1: a tenant has its own JSON-RPC address', async () => {
    const { id } = await send('hi', '/acme/message:send')
    const body = { jsonrpc: '2.0', id: 1, method: 'GetTask', params: { id } }
    expect((await parrot.ask('POST', '/acme', { headers: V1, body })).json.result.id).toBe(id)
  })

  test('2.3: a 1.0 path without a version is VERSION_NOT_SUPPORTED and says what to send', async () => {
    const { status, json } = await parrot.ask('GET', '/tasks/x')
    expect(status).toBe(400)
    expect(json.error.details[0].reason).toBe('VERSION_NOT_SUPPORTED')
    expect(json.error.message).toContain('A2A-Version: 1.0')
  })
})

describe('2.10: errors', () => {
  test('2.10: the body has code, status, message and ErrorInfo', async () => {
    const { status, json } = await parrot.ask('GET', '/tasks/nope', { headers: V1 })
    expect(status).toBe(404)
    expect(json.error).toMatchObject({ code: 404, status: 'NOT_FOUND', message: 'Task not found' })
    expect(json.error.details[0]).toMatchObject({ reason: 'TASK_NOT_FOUND', domain: 'a2a-protocol.org' })
  })

  test.each([
    ['a task that cannot be cancelled', 'POST', ':cancel', 400, 'TASK_NOT_CANCELABLE'],
    ['subscribing to a completed task', 'GET', ':subscribe', 400, 'UNSUPPORTED_OPERATION'],
    ['push without push', 'GET', '/pushNotificationConfigs', 400, 'PUSH_NOTIFICATION_NOT_SUPPORTED'],
    ['a historyLength that is no number', 'GET', '?historyLength=x', 400, 'INVALID_PARAMS'],
    ['a negative historyLength', 'GET', '?historyLength=-1', 400, 'INVALID_PARAMS'],
    ['a parameter given twice', 'GET', '?historyLength=1&historyLength=2', 400, 'INVALID_PARAMS'],
  ])('2.10: %s: %s …%s is %i %s', async (_name, verb, suffix, code, reason) => {
    const { id } = await send('hi')
    const { status, json } = await parrot.ask(verb, `/tasks/${id}${suffix}`, { headers: V1 })
    expect(status).toBe(code)
    expect(json.error.details[0].reason).toBe(reason)
  })

  test('2.10: an invalid message has fieldViolations', async () => {
    const { status, json } = await parrot.ask('POST', '/message:send', { headers: V1, body: {} })
    expect(status).toBe(400)
    expect(json.error.details[1].fieldViolations[0].field).toBe('message')
  })

  test('2.10: an id in the body that is not the one of the path is INVALID_PARAMS', async () => {
    const { json } = await parrot.ask('POST', '/tasks/a/pushNotificationConfigs', {
      headers: V1,
      body: { taskId: 'b', url: 'https://a.example/' },
    })
    expect(json.error.details[0].reason).toBe('INVALID_PARAMS')
  })

  test.each(['%', '/tasks/%E0%A4%A', '/tasks/%'])('2.10: the path %s is refused', async (path) => {
    expect((await parrot.ask('GET', path.startsWith('/') ? path : `/${path}`, { headers: V1 })).status).toBe(
      400,
    )
  })

  test('2.10: an unknown path is 404 in JSON', async () => {
    const { status, json } = await parrot.ask('GET', '/nope/at/all', { headers: V1 })
    expect(status).toBe(404)
    expect(json.error.status).toBe('NOT_FOUND')
  })
})

describe('1, layer 1: methods', () => {
  test.each([
    ['/', 'GET', 'POST, OPTIONS'],
    ['/', 'PUT', 'POST, OPTIONS'],
    ['/message:send', 'GET', 'POST, OPTIONS'],
    ['/tasks', 'POST', 'GET, OPTIONS'],
    ['/tasks/a', 'DELETE', 'GET, OPTIONS'],
    ['/tasks/a:cancel', 'GET', 'POST, OPTIONS'],
    ['/tasks/a:subscribe', 'HEAD', 'GET, POST, OPTIONS'],
    ['/tasks/a/pushNotificationConfigs/b', 'POST', 'GET, DELETE, OPTIONS'],
    ['/.well-known/agent-card.json', 'POST', 'GET, HEAD, OPTIONS'],
  ])('1: %s does not take %s', async (path, verb, allow) => {
    const { status, headers } = await parrot.ask(verb, path, { headers: V1 })
    expect(status).toBe(405)
    expect(headers.allow).toBe(allow)
  })

  test('1: OPTIONS is 204 with Allow', async () => {
    const { status, headers } = await parrot.ask('OPTIONS', '/tasks/a')
    expect(status).toBe(204)
    expect(headers.allow).toBe('GET, OPTIONS')
  })

  test('1: HEAD of a task has the headers and no body', async () => {
    const { id } = await send('hi')
    const { status, text } = await parrot.ask('HEAD', `/tasks/${id}`, { headers: V1 })
    expect(status).toBe(200)
    expect(text).toBe('')
  })
})

test('7.6: a caller who leaves in the middle of a cancel has cancelled nothing', async () => {
  const body = { ...hear('wait'), configuration: { returnImmediately: true } }
  const { id } = (await parrot.ask('POST', '/message:send', { headers: V1, body })).json.task
  const { port } = new URL(parrot.url)
  await new Promise<void>((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.write(
        `POST /tasks/${id}:cancel HTTP/1.1\r\nHost: a\r\nA2A-Version: 1.0\r\nContent-Length: 9\r\n\r\n{"a"`,
      )
      socket.end()
    })
    socket
      .on('error', () => {})
      .on('close', () => resolve())
      .resume()
  })
  expect((await parrot.ask('GET', `/tasks/${id}`, { headers: V1 })).json.status.state).toBe(
    'TASK_STATE_WORKING',
  )
})

test('F1: the same scenario over JSON-RPC and REST is deep-equal', async () => {
  /** Ids and times are counted, so that two agents say the same. */
  const twin = () => {
    let ids = 0
    let time = Date.UTC(2026, 0, 1)
    return openParrot({ randomId: () => `id-${ids++}`, now: () => time++ })
  }
  const message = (text: string, more: object = {}) => ({
    message: { messageId: `m-${text}`, role: 'ROLE_USER', parts: [{ text }], ...more },
  })
  const [left, right] = [await twin(), await twin()]
  const rpc = async (method: string, params: object) => (await left.rpc(method, params)).json.result
  const rest = async (verb: string, path: string, body?: object) =>
    (await right.ask(verb, path, { headers: V1, body })).json
  const asked = await rpc('SendMessage', message('ask'))
  expect(await rest('POST', '/message:send', message('ask'))).toEqual(asked)
  const { id } = asked.task
  const answer = message('this', { taskId: id })
  expect(await rest('POST', '/message:send', answer)).toEqual(await rpc('SendMessage', answer))
  expect(await rest('GET', `/tasks/${id}?historyLength=1`)).toEqual(
    await rpc('GetTask', { id, historyLength: 1 }),
  )
  expect(await rest('GET', '/tasks?includeArtifacts=true')).toEqual(
    await rpc('ListTasks', { includeArtifacts: true }),
  )
  const streamed = await left.rpc('SendStreamingMessage', message('hi'))
  const bare = await right.ask('POST', '/message:stream', { headers: V1, body: message('hi') })
  expect(dataOf(bare.text)).toEqual(dataOf(streamed.text).map(({ result }) => result))
  const refused = (await left.rpc('CancelTask', { id })).json.error
  const denied = (await right.ask('POST', `/tasks/${id}:cancel`, { headers: V1 })).json.error
  expect(denied.details).toEqual(refused.data)
  expect(denied.message).toBe(refused.message)
  await Promise.all([left.agent.close(), right.agent.close()])
})
