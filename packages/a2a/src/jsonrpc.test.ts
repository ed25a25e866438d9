import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataOf, hear, openParrot, type Parrot, V1 } from '../test/http.js'
import type { Engine } from './engine.js'
import { createDispatch } from './jsonrpc.js'

let parrot: Parrot
beforeAll(async () => {
  parrot = await openParrot()
})
afterAll(() => parrot.agent.close())

const post = (body: unknown, headers: Record<string, string> = V1) =>
  parrot.ask('POST', '/', { body, headers })

describe('2.10: the envelope', () => {
  test.each([
    ['no JSON is PARSE_ERROR', '{', -32700],
    ['an empty body is PARSE_ERROR', '', -32700],
    ['bytes that are no UTF-8 are PARSE_ERROR', Buffer.from([0x22, 0xff, 0x22]), -32700],
    ['a batch is INVALID_REQUEST', [{ jsonrpc: '2.0', id: 1, method: 'GetTask' }], -32600],
    ['a string is INVALID_REQUEST', '"GetTask"', -32600],
    ['no jsonrpc is INVALID_REQUEST', { id: 1, method: 'GetTask' }, -32600],
    ['jsonrpc 1.0 is INVALID_REQUEST', { jsonrpc: '1.0', id: 1, method: 'GetTask' }, -32600],
    ['no method is INVALID_REQUEST', { jsonrpc: '2.0', id: 1 }, -32600],
    ['a number as method is INVALID_REQUEST', { jsonrpc: '2.0', id: 1, method: 7 }, -32600],
    ['an object as id is INVALID_REQUEST', { jsonrpc: '2.0', id: {}, method: 'GetTask' }, -32600],
    ['a fraction as id is INVALID_REQUEST', { jsonrpc: '2.0', id: 1.5, method: 'GetTask' }, -32600],
    ['a member named twice is INVALID_REQUEST', '{"jsonrpc":"2.0","jsonrpc":"2.0"}', -32600],
    ['an escaped member named twice is INVALID_REQUEST', '{"id":1,"\\u0069d":2}', -32600],
    ['__proto__ is INVALID_REQUEST', '{"jsonrpc":"2.0","id":1,"__proto__":{"a":1}}', -32600],
    ['65 levels are INVALID_REQUEST', `{"params":${'['.repeat(64)}${']'.repeat(64)}}`, -32600],
    ['400,000 levels are INVALID_REQUEST', '['.repeat(400_000) + ']'.repeat(400_000), -32600],
  ])('2.10: %s, with a null id on HTTP 200', async (_name, body, code) => {
    const { status, json } = await post(body)
    expect(status).toBe(200)
    expect(json).toMatchObject({ jsonrpc: '2.0', id: null, error: { code } })
    expect(json.error.data[0]['@type']).toBe('type.googleapis.com/google.rpc.ErrorInfo')
  })

  test('2.10: a call without an id is answered with a null id', async () => {
    const { json } = await post({ jsonrpc: '2.0', method: 'GetTask', params: { id: 'x' } })
    expect(json).toMatchObject({ id: null, error: { code: -32001 } })
  })

  test('2.10: string and number ids come back as they are', async () => {
    for (const id of ['a', 0, -7])
      expect((await post({ jsonrpc: '2.0', id, method: 'GetTask', params: { id: 'x' } })).json.id).toBe(id)
  })

  test('2.10: an A2A error has ErrorInfo in an array', async () => {
    const { json } = await parrot.rpc('GetTask', { id: 'nope' })
    expect(json.error).toEqual({
      code: -32001,
      message: 'Task not found',
      data: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'TASK_NOT_FOUND',
          domain: 'a2a-protocol.org',
          metadata: {},
        },
      ],
    })
  })

  test.each([[[]], ['x'], [7], [true]])('2.10: params of %o are INVALID_PARAMS', async (params) => {
    expect((await parrot.rpc('ListTasks', params)).json).toMatchObject({ id: 1, error: { code: -32602 } })
  })

  test('2.10: an unknown method is METHOD_NOT_FOUND', async () => {
    expect((await parrot.rpc('Nope', {})).json.error.code).toBe(-32601)
    expect((await parrot.rpc('constructor', {})).json.error.code).toBe(-32601)
  })
})

describe('2.3, 2.12: versions', () => {
  test('2.12: a 1.0 method without a header is METHOD_NOT_FOUND and names the header', async () => {
    const { status, json } = await parrot.rpc('SendMessage', hear('hi'), {})
    expect(status).toBe(200)
    expect(json.error.code).toBe(-32601)
    expect(json.error.message).toContain('A2A-Version: 1.0')
  })

  test('2.12: a 0.3 method with 1.0 in the header is METHOD_NOT_FOUND and names the header', async () => {
    const { json } = await parrot.rpc('message/send', hear('hi'))
    expect(json.error.code).toBe(-32601)
    expect(json.error.message).toContain('A2A-Version: 0.3')
  })

  test.each(['2.0', '1', 'x', '1.0.0.0', '0.2'])(
    '2.3: version %s is VERSION_NOT_SUPPORTED',
    async (version) => {
      const { json } = await parrot.rpc('GetTask', { id: 'x' }, { 'a2a-version': version })
      expect(json.error.code).toBe(-32009)
      expect(json.error.message).toContain('A2A-Version: 1.0')
      expect(json.error.data[0]).toMatchObject({
        reason: 'VERSION_NOT_SUPPORTED',
        metadata: { supportedVersions: '1.0, 0.3' },
      })
    },
  )

  test('2.3: patch digits are ignored', async () => {
    expect((await parrot.rpc('GetTask', { id: 'x' }, { 'a2a-version': '1.0.7' })).json.error.code).toBe(
      -32001,
    )
    expect((await parrot.rpc('tasks/get', { id: 'x' }, { 'a2a-version': '0.3.1' })).json.error.code).toBe(
      -32001,
    )
  })

  test('2.3: the query names the version, on both bindings', async () => {
    const body = { jsonrpc: '2.0', id: 1, method: 'GetTask', params: { id: 'x' } }
    expect((await parrot.ask('POST', '/?A2A-Version=1.0', { body })).json.error.code).toBe(-32001)
    expect((await parrot.ask('GET', '/tasks/x?A2A-Version=1.0')).status).toBe(404)
  })

  test('2.12: with 0.3 off, a call without a header is VERSION_NOT_SUPPORTED and says what to send', async () => {
    const modern = await openParrot({ legacy: false })
    const { json } = await modern.rpc('message/send', hear('hi'), {})
    expect(json.error.code).toBe(-32009)
    expect(json.error.message).toContain('A2A-Version: 1.0')
    await modern.agent.close()
  })
})

describe('2.4, 6.2 no. 4: validation', () => {
  const send = (message: object, more: object = {}) => parrot.rpc('SendMessage', { message, ...more })
  const good = { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'x' }] }

  test.each([
    ['no message', undefined, 'message'],
    ['a list as message', [], 'message'],
    ['no messageId', { ...good, messageId: undefined }, 'message.messageId'],
    ['an empty messageId', { ...good, messageId: '' }, 'message.messageId'],
    ['a number as messageId', { ...good, messageId: 5 }, 'message.messageId'],
    ['257 characters of messageId', { ...good, messageId: 'm'.repeat(257) }, 'message.messageId'],
    ['no role', { ...good, role: undefined }, 'message.role'],
    ['the role of 0.3', { ...good, role: 'user' }, 'message.role'],
    ['role unspecified', { ...good, role: 'ROLE_UNSPECIFIED' }, 'message.role'],
    ['no parts', { ...good, parts: undefined }, 'message.parts'],
    ['empty parts', { ...good, parts: [] }, 'message.parts'],
    ['an object as parts', { ...good, parts: {} }, 'message.parts'],
    ['65 parts', { ...good, parts: Array.from({ length: 65 }, () => ({ text: 'x' })) }, 'message.parts'],
    ['a part of nothing', { ...good, parts: [{}] }, 'message.parts[0].text'],
    ['a part of text and data', { ...good, parts: [{ text: 'x', data: {} }] }, 'message.parts[0].data'],
    ['a number as part', { ...good, parts: [7] }, 'message.parts[0]'],
    ['a number as text', { ...good, parts: [{ text: 7 }] }, 'message.parts[0].text'],
    ['raw that is no base64', { ...good, parts: [{ raw: '*' }] }, 'message.parts[0].raw'],
    ['a relative url', { ...good, parts: [{ url: 'x' }] }, 'message.parts[0].url'],
    [
      '256 KiB and a byte of text',
      { ...good, parts: [{ text: 'x'.repeat(262_145) }] },
      'message.parts[0].text',
    ],
    ['a list as metadata', { ...good, metadata: [] }, 'message.metadata'],
    ['extensions that are no strings', { ...good, extensions: [1] }, 'message.extensions'],
    ['64 KiB of metadata', { ...good, metadata: { a: 'x'.repeat(65_536) } }, 'message.metadata'],
    [
      '17 levels of metadata',
      { ...good, metadata: JSON.parse(`${'{"a":'.repeat(17)}1${'}'.repeat(17)}`) },
      'message.metadata',
    ],
  ])('6.2 no. 4: %s is INVALID_PARAMS with the field', async (_name, message, field) => {
    const { status, json } = await send(message as object)
    expect(status).toBe(200)
    expect(json.error.code).toBe(-32602)
    expect(json.error.data[1]['@type']).toBe('type.googleapis.com/google.rpc.BadRequest')
    expect(json.error.data[1].fieldViolations.map((item: { field: string }) => item.field)).toContain(field)
  })

  test('6.2 no. 4: every violation is named at once', async () => {
    const { json } = await send({ role: 'user', parts: [{}] })
    expect(json.error.data[1].fieldViolations).toHaveLength(3)
  })

  test('6.2 no. 16: a negative historyLength is INVALID_PARAMS', async () => {
    expect((await send(good, { configuration: { historyLength: -1 } })).json.error.code).toBe(-32602)
    expect((await parrot.rpc('GetTask', { id: 'x', historyLength: -1 })).json.error.code).toBe(-32602)
  })

  test('2.2: snake_case is accepted, unknown members and null are ignored', async () => {
    const { json } = await parrot.rpc('SendMessage', {
      message: {
        message_id: 's',
        role: 'ROLE_USER',
        parts: [{ text: 'hi', media_type: 'text/plain', new: 1 }],
        task_id: null,
      },
      configuration: { history_length: 0, accepted_output_modes: ['text/plain'] },
      future: true,
    })
    expect(json.result.task.status.state).toBe('TASK_STATE_COMPLETED')
    expect(json.result.task.history ?? []).toEqual([])
  })

  test('2.1: a tenant in params that is not the one of the route is INVALID_PARAMS', async () => {
    expect((await parrot.rpc('ListTasks', { tenant: 'acme' })).json.error.code).toBe(-32602)
    expect((await parrot.rpc('ListTasks', { tenant: '' })).json.error).toBeUndefined()
  })
})

describe('2.1: operations', () => {
  test('2.1: send, get, list and cancel', async () => {
    const sent = (await parrot.rpc('SendMessage', hear('hi there'))).json.result.task
    expect(sent.artifacts[0].parts).toEqual([{ text: 'hi there' }])
    const got = (await parrot.rpc('GetTask', { id: sent.id })).json.result
    expect(got.id).toBe(sent.id)
    const list = (await parrot.rpc('ListTasks', { contextId: sent.contextId })).json.result
    expect(list).toMatchObject({ nextPageToken: '', totalSize: 1, pageSize: 50 })
    expect(list.tasks[0]).not.toHaveProperty('artifacts')
    expect((await parrot.rpc('CancelTask', { id: sent.id })).json.error.code).toBe(-32002)
  })

  test('2.6: a stream wraps every event in an envelope, and numbers none unasked', async () => {
    const { headers, text } = await parrot.rpc('SendStreamingMessage', hear('hi'))
    expect(headers['content-type']).toBe('text/event-stream')
    expect(headers['x-accel-buffering']).toBe('no')
    const events = dataOf(text)
    expect(events[0]).toMatchObject({ jsonrpc: '2.0', id: 1, result: { task: {} } })
    expect(events.at(-1).result.statusUpdate.status.state).toBe('TASK_STATE_COMPLETED')
    expect(text).not.toMatch(/^id:/m)
  })

  test('2.6: an error before the first event is JSON', async () => {
    const { status, headers, json } = await parrot.rpc('SubscribeToTask', { id: 'nope' })
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/json')
    expect(json.error.code).toBe(-32001)
  })

  test('2.1: deleting a push config without push is PUSH_NOTIFICATION_NOT_SUPPORTED', async () => {
    const { json } = await parrot.rpc('DeleteTaskPushNotificationConfig', { taskId: 'a', id: 'b' })
    expect(json.error.code).toBe(-32003)
  })

  test('2.10: an extended card that is not there is EXTENDED_AGENT_CARD_NOT_CONFIGURED, without params too', async () => {
    const { json } = await post({ jsonrpc: '2.0', id: 1, method: 'GetExtendedAgentCard' })
    expect(json.error.code).toBe(-32007)
  })

  test('6.2 no. 5: what an executor throws is not told', async () => {
    const { text } = await parrot.rpc('SendMessage', hear('boom'))
    expect(text).not.toContain('secret')
    expect(parrot.errors.some((error) => String(error).includes('secret'))).toBe(true)
  })
})

describe('2.6: a stream that fails', () => {
  test.each([
    ['1.0', 'SubscribeToTask'],
    ['0.3', 'tasks/resubscribe'],
  ])(
    '2.6: in %s the error after the first event is the last envelope, without its text',
    async (version, method) => {
      const errors: unknown[] = []
      const { engine, card } = parrot.agent
      const task = { id: 't', contextId: 'c', status: { state: 'TASK_STATE_WORKING' as const } }
      const failing: Engine = {
        ...engine,
        async *subscribe() {
          yield { seq: 1, event: { task } }
          throw new Error('secret')
        },
      }
      const dispatch = createDispatch({
        engine: failing,
        card,
        versions: ['1.0', '0.3'],
        onError: (error) => errors.push(error),
      })
      const reply = await dispatch({
        body: JSON.stringify({ jsonrpc: '2.0', id: 5, method, params: { id: 't' } }),
        version,
        extensions: undefined,
        caller: { owner: 'bearer:a', anonymous: false },
        tenant: '',
        carrier: 'jsonrpc',
      })
      if (reply.kind !== 'stream') throw new Error('no stream')
      const envelopes: unknown[] = []
      for await (const { envelope } of reply.events) envelopes.push(envelope)
      expect(envelopes).toHaveLength(2)
      expect(envelopes[1]).toMatchObject({
        jsonrpc: '2.0',
        id: 5,
        error: { code: -32603, message: 'Internal error' },
      })
      expect(JSON.stringify(envelopes)).not.toContain('secret')
      expect(errors.map(String)).toEqual(['Error: secret'])
    },
  )
})
