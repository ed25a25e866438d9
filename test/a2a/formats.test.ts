/** Media types, JSON form and shapes (spec a2a 2.2, 2.4, 6.2 no. 4). */
import { describe, expect, test } from 'vitest'
import { BAD_REQUEST, codeOf, type Loose, openAgent, restCodeOf, say, V1 } from './agent.js'

const violationsOf = (error: Loose): string[] =>
  (error.data ?? error.details)
    .find((item: Loose) => item['@type'] === BAD_REQUEST)
    .fieldViolations.map(({ field }: Loose) => field)

describe('formats', () => {
  test('[json-rest-type] REST answers application/a2a+json, errors as well; JSON-RPC application/json', async () => {
    const agent = await openAgent()
    expect((await agent.rest('GET', '/tasks')).headers['content-type']).toBe('application/a2a+json')
    expect((await agent.rest('GET', '/tasks/nope')).headers['content-type']).toBe('application/a2a+json')
    expect((await agent.rpc('ListTasks', {})).headers['content-type']).toBe('application/json')
  })

  test.each(['application/a2a+json', 'application/json', 'application/json; charset=utf-8'])(
    '[json-rest-accept] REST takes %s',
    async (type) => {
      const agent = await openAgent()
      const { json } = await agent.rest('POST', '/message:send', say('hi'), { ...V1, 'content-type': type })
      expect(json.task.status.state).toBe('TASK_STATE_COMPLETED')
    },
  )

  test('[json-stream-type] streams are text/event-stream on both bindings', async () => {
    const agent = await openAgent()
    const streams = [
      await agent.stream('SendStreamingMessage', say('hi')),
      await agent.restStream('POST', '/message:stream', say('hi')),
    ]
    expect(streams.map(({ headers }) => headers['content-type'])).toEqual([
      'text/event-stream',
      'text/event-stream',
    ])
  })

  test('[json-proto-out] names are camelCase, enums full names, times UTC with Z and milliseconds', async () => {
    const agent = await openAgent()
    const task = await agent.send('ask')
    expect(Object.keys(task).sort()).toEqual(['contextId', 'history', 'id', 'status'])
    expect(task.status.state).toBe('TASK_STATE_INPUT_REQUIRED')
    expect(task.status.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(task.status.message.role).toBe('ROLE_AGENT')
    expect(task.history[0]).toMatchObject({ role: 'ROLE_USER', taskId: task.id, contextId: task.contextId })
  })

  test('[json-snake-in] snake_case names are read as well, at every depth and in queries', async () => {
    const agent = await openAgent()
    const { json } = await agent.rpc('SendMessage', {
      message: {
        message_id: 'm1',
        context_id: 'ctx',
        role: 'ROLE_USER',
        parts: [{ text: 'gate a', media_type: 'text/plain' }],
      },
      configuration: { return_immediately: true, history_length: 0 },
    })
    const { task } = json.result
    expect(task).toMatchObject({
      contextId: 'ctx',
      status: { state: expect.stringMatching(/SUBMITTED|WORKING/) },
    })
    expect(task.history).toBeUndefined()
    const got = await agent.rpc('GetTask', { id: task.id, history_length: 0 })
    expect(got.json.result.history).toBeUndefined()
    expect((await agent.rest('GET', '/tasks?context_id=ctx&page_size=1')).json).toMatchObject({
      totalSize: 1,
      pageSize: 1,
    })
    expect((await agent.rest('GET', '/tasks?context_id=other')).json.totalSize).toBe(0)
    agent.release('a')
  })

  test('[json-unknown-in] unknown fields are ignored at every depth', async () => {
    const agent = await openAgent()
    const { json } = await agent.post({
      jsonrpc: '2.0',
      id: 1,
      method: 'SendMessage',
      surprise: true,
      params: {
        surprise: 1,
        configuration: { surprise: [] },
        message: {
          messageId: 'm1',
          role: 'ROLE_USER',
          surprise: {},
          parts: [{ text: 'hi', surprise: 'x', kind: 'text' }],
        },
      },
    })
    expect(json.result.task.artifacts[0].parts).toEqual([{ text: 'hi' }])
    const rest = await agent.rest('GET', '/tasks?surprise=1')
    expect(rest.json.totalSize).toBe(1)
  })

  test.each([
    ['no message', {}, ['message']],
    ['an empty message', { message: {} }, ['message.messageId', 'message.parts', 'message.role']],
    ['no messageId', { message: { role: 'ROLE_USER', parts: [{ text: 'a' }] } }, ['message.messageId']],
    ['no role', { message: { messageId: 'm', parts: [{ text: 'a' }] } }, ['message.role']],
    ['no parts', { message: { messageId: 'm', role: 'ROLE_USER' } }, ['message.parts']],
    ['empty parts', { message: { messageId: 'm', role: 'ROLE_USER', parts: [] } }, ['message.parts']],
  ])('[shape-required] %s is -32602 with every missing field', async (_name, params, fields) => {
    const agent = await openAgent()
    const rpc = await agent.rpc('SendMessage', params)
    expect(codeOf(rpc)).toEqual([-32602, 'INVALID_PARAMS'])
    expect(violationsOf(rpc.json.error).sort()).toEqual(fields)
    const rest = await agent.rest('POST', '/message:send', params)
    expect(restCodeOf(rest)).toEqual([400, 'INVALID_PARAMS'])
    expect(violationsOf(rest.json.error).sort()).toEqual(fields)
    expect(agent.runs).toEqual([])
  })

  test.each([
    ['nothing', {}],
    ['metadata alone', { metadata: { a: 1 } }],
    ['two contents', { text: 'a', data: {} }],
    ['a text that is no text', { text: 7 }],
    ['raw that is no base64', { raw: '%%%' }],
    ['a url that is none', { url: 'not a url' }],
    ['a part of 0.3', { kind: 'file', file: { uri: 'https://a.example' } }],
  ])('[shape-part] a part with %s is -32602 and runs nothing', async (_name, part) => {
    const agent = await openAgent()
    const answer = await agent.rpc('SendMessage', say('', { parts: [part] }))
    expect(codeOf(answer)).toEqual([-32602, 'INVALID_PARAMS'])
    expect(violationsOf(answer.json.error)[0]).toMatch(/^message\.parts\[0\]/)
    expect(agent.runs).toEqual([])
  })

  test.each(['user', 'agent', 'UNRECOGNIZED', 'ROLE_UNSPECIFIED', 99, {}])(
    '[shape-enum] the role %o is -32602',
    async (role) => {
      const agent = await openAgent()
      expect(codeOf(await agent.rpc('SendMessage', say('hi', { role })))).toEqual([-32602, 'INVALID_PARAMS'])
      expect(agent.runs).toEqual([])
    },
  )

  test('[shape-enum] a status that is no state is -32602 in a list', async () => {
    const agent = await openAgent()
    expect(codeOf(await agent.rpc('ListTasks', { status: 'completed' }))).toEqual([-32602, 'INVALID_PARAMS'])
    expect(restCodeOf(await agent.rest('GET', '/tasks?status=DONE'))).toEqual([400, 'INVALID_PARAMS'])
  })

  test('[shape-echo] text, raw, url and data parts come back as they were sent', async () => {
    const agent = await openAgent()
    const parts = [
      { text: 'parts' },
      { raw: 'AAECAw==', mediaType: 'application/octet-stream', filename: 'four.bin' },
      { url: 'https://files.example/a?b=c#d', mediaType: 'image/png' },
      { data: { deep: [1, null, { 'snake_case kept': true }] }, metadata: { k: 'v' } },
      { data: null },
      { data: 0 },
      { text: '' },
    ]
    const task = await agent.send('', { parts })
    expect(task.history[0].parts).toEqual(parts)
    expect(task.artifacts).toEqual([{ artifactId: 'result', parts }])
  })
})
