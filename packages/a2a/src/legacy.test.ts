import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataOf, openParrot, type Parrot } from '../test/http.js'
import { toLegacyEvent, toLegacyResult } from './legacy-shape.js'
import type { PushDelivery } from './push.js'

const push: PushDelivery = { async check() {}, prepare: () => undefined, send() {}, async close() {} }
let parrot: Parrot
beforeAll(async () => {
  parrot = await openParrot({ push })
})
afterAll(() => parrot.agent.close())

const say = (text: string, more: object = {}) => ({
  message: {
    kind: 'message',
    messageId: crypto.randomUUID(),
    role: 'user',
    parts: [{ kind: 'text', text }],
    ...more,
  },
})
/** Without a header: that is 0.3. */
const rpc = (method: string, params: unknown, headers: Record<string, string> = {}) =>
  parrot.rpc(method, params, headers)

describe('2.12: 0.3 over JSON-RPC', () => {
  test('2.12: message/send blocks and answers with a bare task', async () => {
    const { status, json } = await rpc('message/send', say('hi'))
    expect(status).toBe(200)
    expect(json.result).toMatchObject({
      kind: 'task',
      status: { state: 'completed' },
      artifacts: [{ artifactId: 'result', parts: [{ kind: 'text', text: 'hi' }] }],
      history: [{ kind: 'message', role: 'user' }],
    })
  })

  test('2.12: blocking false returns at once', async () => {
    const { json } = await rpc('message/send', { ...say('wait'), configuration: { blocking: false } })
    expect(['submitted', 'working']).toContain(json.result.status.state)
    const canceled = await rpc('tasks/cancel', { id: json.result.id })
    expect(canceled.json.result.status.state).toBe('canceled')
  })

  test('2.12: a configuration without blocking blocks', async () => {
    const { json } = await rpc('message/send', { ...say('hi'), configuration: { historyLength: 0 } })
    expect(json.result.status.state).toBe('completed')
  })

  test('2.12: a direct reply is a bare message', async () => {
    const { json } = await rpc('message/send', say('reply'))
    expect(json.result).toMatchObject({
      kind: 'message',
      role: 'agent',
      parts: [{ kind: 'text', text: 'hello' }],
    })
  })

  test('2.12: input-required, and the answer goes to the same task', async () => {
    const { id } = (await rpc('message/send', say('ask'))).json.result
    const got = await rpc('tasks/get', { id })
    expect(got.json.result.status).toMatchObject({ state: 'input-required', message: { kind: 'message' } })
    const { json } = await rpc('message/send', say('this', { taskId: id }))
    expect(json.result).toMatchObject({ id, status: { state: 'completed' } })
  })

  test('2.12: a stream has kinds and a final event', async () => {
    const { headers, text } = await rpc('message/stream', say('hi'))
    expect(headers['content-type']).toBe('text/event-stream')
    const events = dataOf(text).map(({ result }) => result)
    expect(events[0].kind).toBe('task')
    expect(events.map(({ kind }) => kind)).toContain('artifact-update')
    expect(events.at(-1)).toMatchObject({
      kind: 'status-update',
      final: true,
      status: { state: 'completed' },
    })
    expect(events.filter(({ final }) => final)).toHaveLength(1)
  })

  test('2.12: tasks/resubscribe of an unknown task is an error in JSON, with data as no array', async () => {
    const { status, json } = await rpc('tasks/resubscribe', { id: 'nope' })
    expect(status).toBe(200)
    expect(json.error).toEqual({ code: -32001, message: 'Task not found' })
  })

  test('2.12: file and data parts go both ways', async () => {
    const parts = [
      { kind: 'file', file: { bytes: 'aGk=', name: 'a.txt', mimeType: 'text/plain' } },
      { kind: 'file', file: { uri: 'https://a.example/b' }, metadata: { a: 1 } },
      { kind: 'data', data: { a: [1, null] } },
      { kind: 'data', data: { value: 7 }, metadata: { data_part_compat: true } },
    ]
    const { json } = await rpc('message/send', say('', { parts }))
    expect(json.result.history[0].parts).toEqual(parts)
  })

  test('2.12: push configurations are nested, set, got, listed and deleted', async () => {
    const { id: taskId } = (await rpc('message/send', say('ask'))).json.result
    const config = {
      id: 'c',
      url: 'https://a.example/hook',
      token: 't',
      authentication: { schemes: ['Bearer', 'Basic'], credentials: 'x' },
    }
    const kept = { ...config, authentication: { schemes: ['Bearer'], credentials: 'x' } }
    const set = await rpc('tasks/pushNotificationConfig/set', { taskId, pushNotificationConfig: config })
    expect(set.json.result).toEqual({ taskId, pushNotificationConfig: kept })
    const params = { id: taskId, pushNotificationConfigId: 'c' }
    expect((await rpc('tasks/pushNotificationConfig/get', params)).json.result).toEqual(set.json.result)
    expect((await rpc('tasks/pushNotificationConfig/list', { id: taskId })).json.result).toEqual([
      set.json.result,
    ])
    expect((await rpc('tasks/pushNotificationConfig/delete', params)).json.result).toBeNull()
    expect((await rpc('tasks/pushNotificationConfig/list', { id: taskId })).json.result).toEqual([])
  })

  test.each([
    ['no params', undefined, 'message'],
    ['no messageId', say('x', { messageId: undefined }), 'message.messageId'],
    ['a role of 1.0', say('x', { role: 'ROLE_USER' }), 'message.role'],
    ['an unknown kind of part', say('x', { parts: [{ kind: 'video' }] }), 'message.parts[0].kind'],
    ['a part of 1.0', say('x', { parts: [{ text: 'x' }] }), 'message.parts[0].kind'],
    ['a file of nothing', say('x', { parts: [{ kind: 'file' }] }), 'message.parts[0].file'],
    ['no parts', say('x', { parts: [] }), 'message.parts'],
    ['a text as blocking', { ...say('x'), configuration: { blocking: 'yes' } }, 'configuration.blocking'],
  ])('2.12: %s is -32602 with the field in an object', async (_name, params, field) => {
    const { status, json } = await rpc('message/send', params)
    expect(status).toBe(200)
    expect(json.error.code).toBe(-32602)
    expect(json.error.data.fieldViolations.map((item: { field: string }) => item.field)).toContain(field)
  })

  test('2.12: a header of 0.3 with patch digits is 0.3', async () => {
    expect((await rpc('message/send', say('hi'), { 'a2a-version': '0.3.0' })).json.result.kind).toBe('task')
  })

  test('2.12: every state has its name of 0.3', () => {
    const of = (state: 'TASK_STATE_AUTH_REQUIRED' | 'TASK_STATE_REJECTED') => ({
      task: { id: 'a', contextId: 'b', status: { state } },
    })
    expect(toLegacyResult(of('TASK_STATE_AUTH_REQUIRED'))).toMatchObject({
      status: { state: 'auth-required' },
    })
    expect(toLegacyEvent(of('TASK_STATE_REJECTED'))).toMatchObject({ status: { state: 'rejected' } })
  })
})

describe('2.12: 0.3 over REST', () => {
  const ask = (verb: string, path: string, body?: unknown) => parrot.ask(verb, `/v1${path}`, { body })
  const hear = (text: string) => ({
    message: { messageId: crypto.randomUUID(), role: 'ROLE_USER', content: [{ text }] },
  })

  test('2.12: message:send takes content and answers in application/json', async () => {
    const { status, headers, json } = await ask('POST', '/message:send', {
      ...hear('hi'),
      configuration: { blocking: true },
    })
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/json')
    expect(json.task.status.state).toBe('TASK_STATE_COMPLETED')
    expect(json.task.history[0].content).toEqual([{ text: 'hi' }])
    expect((await ask('GET', `/tasks/${json.task.id}`)).json.id).toBe(json.task.id)
  })

  test('2.12: message:stream marks the final event', async () => {
    const { text } = await ask('POST', '/message:stream', hear('hi'))
    expect(dataOf(text).at(-1)).toMatchObject({ statusUpdate: { final: true } })
  })

  test('2.12: cancel says CANCELLED', async () => {
    const { task } = (
      await ask('POST', '/message:send', { ...hear('wait'), configuration: { blocking: false } })
    ).json
    const { json } = await ask('POST', `/tasks/${task.id}:cancel`)
    expect(json.status.state).toBe('TASK_STATE_CANCELLED')
  })

  test('2.12: an error is bare', async () => {
    const { status, json } = await ask('GET', '/tasks/nope')
    expect(status).toBe(404)
    expect(json).toEqual({ code: -32001, message: 'Task not found' })
  })

  test('2.12: there is no list in 0.3, and no path of 0.3 in 1.0', async () => {
    expect((await ask('GET', '/tasks')).status).toBe(404)
    const modern = await parrot.ask('GET', '/v1/tasks/x', { headers: { 'a2a-version': '1.0' } })
    expect(modern.status).toBe(400)
    expect(modern.json.message).toContain('A2A-Version: 0.3')
  })
})
