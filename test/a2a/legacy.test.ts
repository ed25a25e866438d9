/** A2A 0.3 as it is spoken (spec a2a 2.1, 2.12), in literal JSON. */
import type { PushDelivery } from '@aetherkit/a2a'
import { describe, expect, test } from 'vitest'
import { type Loose, named, openAgent } from './agent.js'

const push: PushDelivery = { async check() {}, prepare: () => undefined, send() {}, async close() {} }
const OLD: Record<string, string> = {}

const text = (words: string, more: object = {}) => ({
  message: {
    kind: 'message',
    messageId: crypto.randomUUID(),
    role: 'user',
    parts: [{ kind: 'text', text: words }],
    ...more,
  },
})

describe('0.3', () => {
  test('[v03-send] message/send answers the bare task with its kind, in kebab-case', async () => {
    const agent = await openAgent()
    const { json } = await agent.rpc('message/send', text('hi'), OLD)
    expect(json.result).toMatchObject({
      kind: 'task',
      id: expect.any(String),
      contextId: expect.any(String),
      status: { state: 'completed', timestamp: expect.stringMatching(/Z$/) },
      artifacts: [{ artifactId: 'result', parts: [{ kind: 'text', text: 'hi' }] }],
      history: [{ kind: 'message', role: 'user', parts: [{ kind: 'text', text: 'hi' }] }],
    })
    const direct = await openAgent({ more: { directReply: true } })
    const reply = await direct.rpc('message/send', text('reply'), OLD)
    expect(reply.json.result).toMatchObject({
      kind: 'message',
      role: 'agent',
      parts: [{ kind: 'text', text: 'hello' }],
    })
  })

  test('[v03-send] blocking is the default, and false returns at once', async () => {
    const agent = await openAgent()
    const params = { ...text('gate a'), configuration: { blocking: false } }
    const { json } = await agent.rpc('message/send', params, OLD)
    expect(['submitted', 'working']).toContain(json.result.status.state)
    agent.release('a')
    const state = async () =>
      (await agent.rpc('tasks/get', { id: json.result.id }, OLD)).json.result.status.state
    await expect.poll(state).toBe('completed')
  })

  test('[v03-stream] message/stream has kinds, and final on the last event alone', async () => {
    const agent = await openAgent()
    for (const words of ['hi', 'ask']) {
      const events = await (await agent.stream('message/stream', text(words), OLD)).rest()
      const results = events.map(({ data }) => data.result)
      expect(results[0].kind).toBe('task')
      const updates = results.filter(({ kind }) => kind === 'status-update')
      expect(updates.map(({ final }) => final)).toEqual(updates.map((_, at) => at === updates.length - 1))
      expect(results.at(-1).status.state).toBe(words === 'hi' ? 'completed' : 'input-required')
      for (const { data } of events) expect([data.jsonrpc, data.id]).toEqual(['2.0', 1])
    }
  })

  test('[v03-get] tasks/get and tasks/cancel answer with the states of 0.3', async () => {
    const agent = await openAgent()
    const { result } = (await agent.rpc('message/send', text('ask'), OLD)).json
    const got = (await agent.rpc('tasks/get', { id: result.id, historyLength: 1 }, OLD)).json.result
    expect(got).toMatchObject({
      kind: 'task',
      status: { state: 'input-required', message: { role: 'agent' } },
    })
    expect(got.history).toHaveLength(1)
    const canceled = (await agent.rpc('tasks/cancel', { id: result.id }, OLD)).json.result
    expect([canceled.kind, canceled.status.state]).toEqual(['task', 'canceled'])
    const login = (await agent.rpc('message/send', text('login'), OLD)).json.result
    expect(login.status.state).toBe('auth-required')
  })

  test('[v03-resubscribe] tasks/resubscribe streams, with the task first', async () => {
    const agent = await openAgent()
    const params = { ...text('gate a'), configuration: { blocking: false } }
    const { id } = (await agent.rpc('message/send', params, OLD)).json.result
    const stream = await agent.stream('tasks/resubscribe', { id }, OLD)
    expect(stream.headers['content-type']).toBe('text/event-stream')
    expect((await stream.next())?.data.result).toMatchObject({ kind: 'task', id })
    agent.release('a')
    expect((await stream.rest()).at(-1)?.data.result).toMatchObject({ kind: 'status-update', final: true })
  })

  test('[v03-push] tasks/pushNotificationConfig takes, gives and lists the nested configuration', async () => {
    const agent = await openAgent({ push })
    const { id: taskId } = (await agent.rpc('message/send', text('ask'), OLD)).json.result
    const pushNotificationConfig = {
      id: 'one',
      url: 'https://hooks.example/',
      token: 't',
      authentication: { schemes: ['Bearer', 'Basic'], credentials: 'c' },
    }
    const name = (verb: string) => `tasks/pushNotificationConfig/${verb}`
    const { result } = (await agent.rpc(name('set'), { taskId, pushNotificationConfig }, OLD)).json
    const authentication = { schemes: ['Bearer'], credentials: 'c' }
    expect(result).toEqual({ taskId, pushNotificationConfig: { ...pushNotificationConfig, authentication } })
    const id = { id: taskId, pushNotificationConfigId: 'one' }
    expect((await agent.rpc(name('get'), id, OLD)).json.result).toEqual(result)
    expect((await agent.rpc(name('list'), { id: taskId }, OLD)).json.result).toEqual([result])
    expect((await agent.rpc(name('delete'), id, OLD)).json.result).toBe(null)
    expect((await agent.rpc(name('list'), { id: taskId }, OLD)).json.result).toEqual([])
  })

  test('[v03-rest] REST of 0.3 is under /v1, in the proto form of 0.3', async () => {
    const agent = await openAgent()
    const request = { message: { message_id: 'm', role: 'ROLE_USER', content: [{ text: 'hi' }] } }
    const sent = await agent.ask('POST', '/v1/message:send', { body: request })
    expect(sent.headers['content-type']).toBe('application/json')
    const { id } = sent.json.task
    expect(sent.json.task.status.state).toBe('TASK_STATE_COMPLETED')
    expect((await agent.ask('GET', `/v1/tasks/${id}`)).json).toMatchObject({ id })
    expect((await agent.ask('GET', '/v1/tasks/nope')).status).toBe(404)
    const stream = await agent.restStream(
      'POST',
      '/v1/message:stream',
      { message: { ...request.message, message_id: 'n' } },
      OLD,
    )
    expect((await stream.rest()).at(-1)?.data.statusUpdate).toMatchObject({ final: true })
  })

  test('[v03-card] a caller of 0.3, or of no version, gets the fields of 0.3', async () => {
    const schemes = { bearer: { httpAuthSecurityScheme: { scheme: 'Bearer' } } }
    const agent = await openAgent({
      card: {
        name: 'Parrot',
        description: 'Repeats',
        skills: [{ id: 'echo', name: 'Echo', description: 'Echo' }],
        securitySchemes: schemes,
        securityRequirements: [{ schemes: { bearer: { list: [] } } }],
      },
    })
    for (const headers of [OLD, { 'a2a-version': '0.3' }]) {
      const { json } = await agent.ask('GET', '/.well-known/agent-card.json', { headers })
      expect(json).toMatchObject({
        url: agent.url,
        preferredTransport: 'JSONRPC',
        protocolVersion: expect.stringMatching(/^0\.3/),
        additionalInterfaces: [{ url: agent.url, transport: 'HTTP+JSON' }],
        capabilities: { streaming: true, pushNotifications: false },
        securitySchemes: { bearer: { type: 'http', scheme: 'Bearer' } },
        security: [{ bearer: [] }],
      })
      const rest = json.additionalInterfaces.find(({ transport }: Loose) => transport === 'HTTP+JSON')
      expect((await fetch(`${rest.url}/v1/tasks/nope`)).status).toBe(404)
    }
  })

  test('[v03-parts] text, file and data parts are translated both ways', async () => {
    const agent = await openAgent()
    const parts = [
      { kind: 'text', text: 'parts' },
      { kind: 'file', file: { bytes: 'AAECAw==', name: 'four.bin', mimeType: 'application/octet-stream' } },
      { kind: 'file', file: { uri: 'https://files.example/a', mimeType: 'image/png' } },
      { kind: 'data', data: { a: [1, null] } },
    ]
    const { result } = (await agent.rpc('message/send', text('', { parts }), OLD)).json
    expect(result.artifacts[0].parts).toEqual(parts)
    expect(result.history[0].parts).toEqual(parts)
    const modern = (await agent.rpc('GetTask', { id: result.id })).json.result
    expect(modern.artifacts[0].parts).toEqual([
      { text: 'parts' },
      { raw: 'AAECAw==', filename: 'four.bin', mediaType: 'application/octet-stream' },
      { url: 'https://files.example/a', mediaType: 'image/png' },
      { data: { a: [1, null] } },
    ])
  })

  test.each([
    ['tasks/get', { id: 'nope' }, -32001],
    ['message/send', {}, -32602],
    ['tasks/nope', {}, -32601],
    ['tasks/pushNotificationConfig/list', { id: 'nope' }, -32003],
  ])('[v03-errors] %s of %o travels on 200, with data that is no array', async (method, params, code) => {
    const agent = await openAgent()
    const { status, json } = await agent.rpc(method, params, OLD)
    expect([status, json.error.code, Array.isArray(json.error.data)]).toEqual([200, code, false])
  })

  test('[v03-no-list] there is no list: -32601 and 404', async () => {
    const agent = await openAgent()
    expect((await agent.rpc('tasks/list', {}, OLD)).json.error.code).toBe(-32601)
    expect((await agent.ask('GET', '/v1/tasks')).status).toBe(404)
  })

  test('[v03-extended-card] agent/getAuthenticatedExtendedCard answers a card of 0.3', async () => {
    const agent = await openAgent({ authenticate: named, extendedCard: () => agent.agent.card() })
    const { json } = await agent.as('alice').rpc('agent/getAuthenticatedExtendedCard', undefined, OLD)
    expect(json.result).toMatchObject({
      name: 'Parrot',
      url: agent.url,
      supportsAuthenticatedExtendedCard: true,
    })
  })
})
