/** Errors (spec a2a 2.10, 6.2 no. 1, 5). */
import type { PushDelivery } from '@aetherkit/a2a'
import { describe, expect, test } from 'vitest'
import {
  BAD_REQUEST,
  codeOf,
  ERROR_INFO,
  envelope,
  type Loose,
  named,
  openAgent,
  restCodeOf,
  say,
} from './agent.js'

const push: PushDelivery = { async check() {}, prepare: () => undefined, send() {}, async close() {} }

describe('errors', () => {
  test.each(['{', '', '{"jsonrpc":"2.0",}', '\u0000', '{"a":1} {"b":2}'])(
    '[err-parse] %o is -32700 on 200, with a null id',
    async (body) => {
      const agent = await openAgent()
      const answer = await agent.post(body)
      expect([answer.status, answer.json.id, ...codeOf(answer)]).toEqual([200, null, -32700, 'PARSE_ERROR'])
      const rest = await agent.rest('POST', '/message:send', body === '' ? '{' : body)
      expect(restCodeOf(rest)).toEqual([400, 'PARSE_ERROR'])
    },
  )

  test('[err-batch] a batch is -32600, an empty one too, and nothing of it runs', async () => {
    const agent = await openAgent()
    for (const batch of [[], [envelope('SendMessage', say('hi'))]]) {
      const answer = await agent.post(batch)
      expect([answer.json.id, ...codeOf(answer)]).toEqual([null, -32600, 'INVALID_REQUEST'])
    }
    expect(agent.runs).toEqual([])
  })

  test.each([
    ['no jsonrpc', { id: 1, method: 'ListTasks' }],
    ['jsonrpc 1.0', { jsonrpc: '1.0', id: 1, method: 'ListTasks' }],
    ['jsonrpc as a number', { jsonrpc: 2, id: 1, method: 'ListTasks' }],
    ['no method', { jsonrpc: '2.0', id: 1 }],
    ['a method that is no text', { jsonrpc: '2.0', id: 1, method: 7 }],
    ['an id that is an object', { jsonrpc: '2.0', id: {}, method: 'ListTasks' }],
    ['an id that is a fraction', { jsonrpc: '2.0', id: 1.5, method: 'ListTasks' }],
    ['an id that is a flag', { jsonrpc: '2.0', id: true, method: 'ListTasks' }],
    ['a text', 'ListTasks'],
    ['null', 'null'],
  ])('[err-envelope] %s is -32600', async (_name, body) => {
    const agent = await openAgent()
    const answer = await agent.post(typeof body === 'string' && body !== 'null' ? JSON.stringify(body) : body)
    expect([answer.status, answer.json.id, ...codeOf(answer)]).toEqual([200, null, -32600, 'INVALID_REQUEST'])
  })

  test.each(['Nope', 'sendMessage', 'tasks/list', '__proto__', 'constructor'])(
    '[err-method] the method %s is -32601',
    async (method) => {
      const agent = await openAgent()
      const answer = await agent.rpc(method, {})
      expect([answer.status, answer.json.error.code]).toEqual([200, -32601])
    },
  )

  test('[err-params] bad params are -32602 with a BadRequest that names the field', async () => {
    const agent = await openAgent()
    for (const params of [[], 'x', 7]) expect(codeOf(await agent.rpc('GetTask', params))[0]).toBe(-32602)
    const { json } = await agent.rpc('GetTask', { id: 7 })
    expect(json.error.code).toBe(-32602)
    const bad = json.error.data.find((item: Loose) => item['@type'] === BAD_REQUEST)
    expect(bad.fieldViolations).toEqual([{ field: 'id', description: expect.any(String) }])
  })

  test('[err-info] data is an array with one ErrorInfo of the domain a2a-protocol.org', async () => {
    const agent = await openAgent()
    const { json } = await agent.rpc('GetTask', { id: 'nope' })
    expect(json).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: {
        code: -32001,
        message: expect.any(String),
        data: [{ '@type': ERROR_INFO, reason: 'TASK_NOT_FOUND', domain: 'a2a-protocol.org', metadata: {} }],
      },
    })
  })

  test('[err-rest] a REST error is {error:{code,status,message,details}} with ErrorInfo', async () => {
    const agent = await openAgent()
    const { json } = await agent.rest('GET', '/tasks/nope')
    expect(json).toEqual({
      error: {
        code: 404,
        status: 'NOT_FOUND',
        message: expect.any(String),
        details: [
          { '@type': ERROR_INFO, reason: 'TASK_NOT_FOUND', domain: 'a2a-protocol.org', metadata: {} },
        ],
      },
    })
  })

  test('[err-http-status] JSON-RPC errors travel on 200, except 401, 413 and 429', async () => {
    const agent = await openAgent({ authenticate: named, limits: { bodyBytes: 2000, executionsPerOwner: 1 } })
    const alice = agent.as('alice')
    expect((await alice.rpc('GetTask', { id: 'nope' })).status).toBe(200)
    expect((await alice.rpc('Nope', {})).status).toBe(200)
    expect((await agent.rpc('GetTask', { id: 'nope' })).status).toBe(401)
    expect((await alice.rpc('GetTask', { id: 'x'.repeat(3000) })).status).toBe(413)
    await alice.send('wait', {}, { returnImmediately: true })
    expect((await alice.rpc('SendMessage', say('hi'))).status).toBe(429)
  })

  test('[err-id-null] a call without an id is answered with id null', async () => {
    const agent = await openAgent()
    const { json } = await agent.post({ jsonrpc: '2.0', method: 'SendMessage', params: say('hi') })
    expect(json).toMatchObject({ jsonrpc: '2.0', id: null, result: { task: {} } })
    expect((await agent.post({ jsonrpc: '2.0', method: 'Nope' })).json).toMatchObject({
      id: null,
      error: { code: -32601 },
    })
  })

  test('[err-not-found-codes] TaskNotFound is -32001 on JSON-RPC and 404 NOT_FOUND on REST', async () => {
    const agent = await openAgent({ push })
    const calls = [
      ['GetTask', { id: 'nope' }, 'GET', '/tasks/nope'],
      ['CancelTask', { id: 'nope' }, 'POST', '/tasks/nope:cancel'],
      ['SubscribeToTask', { id: 'nope' }, 'GET', '/tasks/nope:subscribe'],
      ['ListTaskPushNotificationConfigs', { taskId: 'nope' }, 'GET', '/tasks/nope/pushNotificationConfigs'],
    ] as const
    for (const [method, params, verb, path] of calls) {
      expect(codeOf(await agent.rpc(method, params))).toEqual([-32001, 'TASK_NOT_FOUND'])
      const rest = await agent.rest(verb, path)
      expect([rest.json.error.status, ...restCodeOf(rest)]).toEqual(['NOT_FOUND', 404, 'TASK_NOT_FOUND'])
    }
  })

  /** As 1.0.1 has them: the call, the code, the status name and the HTTP status. */
  const TABLE = [
    ['TASK_NOT_FOUND', 'GetTask', { id: 'nope' }, 'GET /tasks/nope', -32001, 'NOT_FOUND', 404],
    [
      'TASK_NOT_CANCELABLE',
      'CancelTask',
      { id: '<done>' },
      'POST /tasks/<done>:cancel',
      -32002,
      'FAILED_PRECONDITION',
      400,
    ],
    [
      'PUSH_NOTIFICATION_NOT_SUPPORTED',
      'ListTaskPushNotificationConfigs',
      { taskId: '<done>' },
      'GET /tasks/<done>/pushNotificationConfigs',
      -32003,
      'FAILED_PRECONDITION',
      400,
    ],
    [
      'UNSUPPORTED_OPERATION',
      'SubscribeToTask',
      { id: '<done>' },
      'GET /tasks/<done>:subscribe',
      -32004,
      'FAILED_PRECONDITION',
      400,
    ],
    [
      'EXTENDED_AGENT_CARD_NOT_CONFIGURED',
      'GetExtendedAgentCard',
      {},
      'GET /extendedAgentCard',
      -32007,
      'FAILED_PRECONDITION',
      400,
    ],
    [
      'INVALID_PARAMS',
      'ListTasks',
      { pageSize: -1 },
      'GET /tasks?pageSize=-1',
      -32602,
      'INVALID_ARGUMENT',
      400,
    ],
  ] as const
  test.each(TABLE)('[err-codes] %s', async (reason, method, params, route, code, status, http) => {
    const agent = await openAgent()
    const { id } = await agent.send('hi')
    const here = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll('<done>', id))
    expect(codeOf(await agent.rpc(method, here(params)))).toEqual([code, reason])
    const [verb = '', path = ''] = here(route).split(' ')
    const rest = await agent.rest(verb, path)
    expect([rest.status, rest.json.error.code, rest.json.error.status]).toEqual([http, http, status])
    expect(restCodeOf(rest)[1]).toBe(reason)
  })

  test('[err-push-unsupported] push without push support is -32003, inline configurations too', async () => {
    const agent = await openAgent()
    const { id: taskId } = await agent.send('ask')
    const config = { taskId, url: 'https://hooks.example/' }
    for (const [method, params] of [
      ['CreateTaskPushNotificationConfig', config],
      ['GetTaskPushNotificationConfig', { taskId, id: 'x' }],
      ['ListTaskPushNotificationConfigs', { taskId }],
      ['DeleteTaskPushNotificationConfig', { taskId, id: 'x' }],
      ['SendMessage', { ...say('hi'), configuration: { taskPushNotificationConfig: { url: config.url } } }],
    ] as const)
      expect(codeOf(await agent.rpc(method, params))).toEqual([-32003, 'PUSH_NOTIFICATION_NOT_SUPPORTED'])
    expect(agent.runs).toEqual(['ask'])
  })

  test('[err-content-type] an input mode that the agent does not take is -32005', async () => {
    const agent = await openAgent({ inputModes: ['text/plain'], outputModes: ['text/plain'] })
    const image = say('', { parts: [{ url: 'https://a.example/x.png', mediaType: 'image/png' }] })
    expect(codeOf(await agent.rpc('SendMessage', image))).toEqual([-32005, 'CONTENT_TYPE_NOT_SUPPORTED'])
    const rest = await agent.rest('POST', '/message:send', image)
    expect([rest.json.error.status, ...restCodeOf(rest)]).toEqual([
      'INVALID_ARGUMENT',
      400,
      'CONTENT_TYPE_NOT_SUPPORTED',
    ])
    const wants = { ...say('hi'), configuration: { acceptedOutputModes: ['audio/wav'] } }
    expect(codeOf(await agent.rpc('SendMessage', wants))).toEqual([-32005, 'CONTENT_TYPE_NOT_SUPPORTED'])
    expect(agent.runs).toEqual([])
  })

  test('[err-no-extended-card] no extended card is -32007, with and without params', async () => {
    const agent = await openAgent({ authenticate: named })
    for (const params of [undefined, {}])
      expect(codeOf(await agent.as('alice').rpc('GetExtendedAgentCard', params))).toEqual([
        -32007,
        'EXTENDED_AGENT_CARD_NOT_CONFIGURED',
      ])
  })

  test('[err-scrubbed] the text of an exception reaches no peer, its id does', async () => {
    const agent = await openAgent()
    const { text, json } = await agent.rpc('SendMessage', say('boom'))
    expect(json.result.task.status).toMatchObject({
      state: 'TASK_STATE_FAILED',
      message: { metadata: { errorId: expect.any(String) } },
    })
    const stream = await agent.stream('SendStreamingMessage', say('boom'))
    await stream.rest()
    for (const answer of [text, stream.text()]) expect(answer).not.toMatch(/secret|passwd|at .*\.ts/)
    expect(String(agent.errors[0])).toContain('secret')
  })

  test('[err-scrubbed] neither does what a store throws: -32603 with an id', async () => {
    const extendedCard = () => {
      throw new Error('secret at /etc/passwd')
    }
    const agent = await openAgent({ authenticate: named, extendedCard })
    const alice = agent.as('alice')
    const rpc = await alice.rpc('GetExtendedAgentCard', {})
    expect(codeOf(rpc)).toEqual([-32603, 'INTERNAL_ERROR'])
    const rest = await alice.rest('GET', '/extendedAgentCard')
    expect([rest.status, rest.json.error.status]).toEqual([500, 'INTERNAL'])
    for (const { text } of [rpc, rest]) expect(text).not.toContain('secret')
  })
})
