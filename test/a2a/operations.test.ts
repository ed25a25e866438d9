/** Operations and bindings (spec a2a 2.1). */
import type { PushDelivery } from '@aetherkit/a2a'
import { describe, expect, test } from 'vitest'
import {
  CARD,
  codeOf,
  envelope,
  kindOf,
  named,
  openAgent,
  restCodeOf,
  resultOf,
  say,
  stateIn,
} from './agent.js'

const push: PushDelivery = { async check() {}, prepare: () => undefined, send() {}, async close() {} }

describe('operations', () => {
  test('[op-send] SendMessage answers {task} on both bindings, REST bare and JSON-RPC as the result', async () => {
    const agent = await openAgent()
    const rpc = await agent.rpc('SendMessage', say('hi'))
    expect(rpc.json).toMatchObject({ jsonrpc: '2.0', id: 1 })
    expect(Object.keys(rpc.json.result)).toEqual(['task'])
    expect(rpc.json.result.task.status.state).toBe('TASK_STATE_COMPLETED')
    const rest = await agent.rest('POST', '/message:send', say('hi'))
    expect(rest.status).toBe(200)
    expect(Object.keys(rest.json)).toEqual(['task'])
    expect(rest.json.task.artifacts[0].parts).toEqual([{ text: 'hi' }])
  })

  test('[op-send] a direct reply is {message} of ROLE_AGENT', async () => {
    const agent = await openAgent({ more: { directReply: true } })
    const { json } = await agent.rpc('SendMessage', say('reply'))
    expect(json.result).toEqual({
      message: {
        messageId: expect.any(String),
        role: 'ROLE_AGENT',
        parts: [{ text: 'hello' }],
        contextId: expect.any(String),
      },
    })
    expect(kindOf((await agent.rest('POST', '/message:send', say('reply'))).json)).toBe('message')
  })

  test('[op-stream] SendStreamingMessage answers server-sent StreamResponses on both bindings', async () => {
    const agent = await openAgent()
    const rpc = await agent.stream('SendStreamingMessage', say('hi'))
    expect((await rpc.rest()).map((event) => kindOf(resultOf(event)))).toEqual([
      'task',
      'statusUpdate',
      'artifactUpdate',
      'statusUpdate',
    ])
    const rest = await agent.restStream('POST', '/message:stream', say('hi'))
    expect((await rest.rest()).map(({ data }) => kindOf(data))).toEqual([
      'task',
      'statusUpdate',
      'artifactUpdate',
      'statusUpdate',
    ])
  })

  test('[op-get] GetTask answers the bare task', async () => {
    const agent = await openAgent()
    const { id, contextId } = await agent.send('hi')
    const rpc = await agent.rpc('GetTask', { id })
    const rest = await agent.rest('GET', `/tasks/${id}`)
    expect(rpc.json.result).toMatchObject({ id, contextId, status: { state: 'TASK_STATE_COMPLETED' } })
    expect(rest.json).toEqual(rpc.json.result)
  })

  test('[op-list] ListTasks answers the same page on both bindings', async () => {
    const agent = await openAgent()
    const { id } = await agent.send('hi')
    const rpc = await agent.rpc('ListTasks', {})
    expect(rpc.json.result.tasks.map((task: { id: string }) => task.id)).toEqual([id])
    expect((await agent.rest('GET', '/tasks')).json).toEqual(rpc.json.result)
    expect((await agent.post(envelope('ListTasks'))).json.result).toEqual(rpc.json.result)
  })

  test('[op-cancel] CancelTask answers the bare task, on REST also without a body', async () => {
    const agent = await openAgent()
    const one = await agent.send('ask')
    const rpc = await agent.rpc('CancelTask', { id: one.id, metadata: { why: 'enough' } })
    expect(rpc.json.result).toMatchObject({ id: one.id, status: { state: 'TASK_STATE_CANCELED' } })
    const two = await agent.send('ask')
    const rest = await agent.rest('POST', `/tasks/${two.id}:cancel`)
    expect(rest.json).toMatchObject({ id: two.id, status: { state: 'TASK_STATE_CANCELED' } })
  })

  test('[op-subscribe] SubscribeToTask streams on JSON-RPC, and on REST by GET and by POST', async () => {
    const agent = await openAgent()
    const { id } = await agent.send('gate a', {}, { returnImmediately: true })
    const streams = [
      await agent.stream('SubscribeToTask', { id }),
      await agent.restStream('GET', `/tasks/${id}:subscribe`),
      await agent.restStream('POST', `/tasks/${id}:subscribe`),
      await agent.restStream('POST', `/tasks/${id}:subscribe`, {}),
    ]
    for (const { status, headers } of streams)
      expect([status, headers['content-type']]).toEqual([200, 'text/event-stream'])
    const firsts = await Promise.all(streams.map((stream) => stream.next()))
    expect(firsts.map((event) => kindOf(event?.data.result ?? event?.data))).toEqual([
      'task',
      'task',
      'task',
      'task',
    ])
    agent.release('a')
    for (const stream of streams) {
      const last = (await stream.rest()).at(-1)
      expect(stateIn(last?.data.result ?? last?.data)).toBe('TASK_STATE_COMPLETED')
    }
  })

  test('[op-push] push configurations are created, read, listed and deleted, flat, on both bindings', async () => {
    const agent = await openAgent({ push })
    const { id: taskId } = await agent.send('ask')
    const url = 'https://hooks.example/a'
    const made = await agent.rpc('CreateTaskPushNotificationConfig', {
      taskId,
      id: 'one',
      url,
      token: 't',
      authentication: { scheme: 'Bearer', credentials: 'c' },
    })
    expect(made.json.result).toEqual({
      taskId,
      id: 'one',
      url,
      token: 't',
      authentication: { scheme: 'Bearer', credentials: 'c' },
    })
    const base = `/tasks/${taskId}/pushNotificationConfigs`
    const two = await agent.rest('POST', base, { url })
    expect(two.json).toEqual({ taskId, id: expect.any(String), url })
    expect((await agent.rest('GET', `${base}/one`)).json).toEqual(made.json.result)
    const got = await agent.rpc('GetTaskPushNotificationConfig', { taskId, id: two.json.id })
    expect(got.json.result).toEqual(two.json)
    const listed = await agent.rpc('ListTaskPushNotificationConfigs', { taskId })
    expect(listed.json.result).toMatchObject({ configs: [{ taskId }, { taskId }], nextPageToken: '' })
    expect((await agent.rest('GET', base)).json).toEqual(listed.json.result)
    expect((await agent.rest('DELETE', `${base}/one`)).text).toBe('')
    expect(restCodeOf(await agent.rest('GET', `${base}/one`))).toEqual([404, 'TASK_NOT_FOUND'])
  })

  test('[op-push-delete] deleting a configuration is result null, also a second time', async () => {
    const agent = await openAgent({ push })
    const { id: taskId } = await agent.send('ask')
    await agent.rpc('CreateTaskPushNotificationConfig', { taskId, id: 'one', url: 'https://hooks.example/' })
    for (const _ of [1, 2]) {
      const { json } = await agent.rpc('DeleteTaskPushNotificationConfig', { taskId, id: 'one' })
      expect(json).toEqual({ jsonrpc: '2.0', id: 1, result: null })
    }
  })

  test('[op-extended-card] GetExtendedAgentCard answers a caller who is somebody, with and without params', async () => {
    const extendedCard = () => ({ ...agent.agent.card(), description: 'Knows more' })
    const agent = await openAgent({ authenticate: named, extendedCard })
    const alice = agent.as('alice')
    for (const params of [undefined, {}]) {
      const { json } = await alice.rpc('GetExtendedAgentCard', params)
      expect(json.result).toMatchObject({ name: CARD.name, description: 'Knows more' })
    }
    expect((await alice.rest('GET', '/extendedAgentCard')).json.description).toBe('Knows more')
    expect((await agent.rest('GET', '/extendedAgentCard')).status).toBe(401)
  })

  test('[op-tenant] a tenant is the path prefix of REST, and in the params where that is configured', async () => {
    const tenants = { has: (name: string) => name === 'acme', fromParams: true }
    const agent = await openAgent({ tenants })
    const { json } = await agent.rest('POST', '/acme/message:send', say('hi'))
    const { id } = json.task
    expect((await agent.rest('GET', `/acme/tasks/${id}`)).json.id).toBe(id)
    expect(restCodeOf(await agent.rest('GET', `/tasks/${id}`))).toEqual([404, 'TASK_NOT_FOUND'])
    expect((await agent.rpc('GetTask', { id, tenant: 'acme' })).json.result.id).toBe(id)
    expect(codeOf(await agent.rpc('GetTask', { id }))).toEqual([-32001, 'TASK_NOT_FOUND'])
    expect((await agent.rest('POST', '/other/message:send', say('hi'))).status).toBe(404)
  })

  test('[op-slash] the endpoint answers with and without a trailing slash', async () => {
    const agent = await openAgent()
    const { id } = await agent.send('hi')
    const asking = { headers: { 'a2a-version': '1.0' }, body: envelope('GetTask', { id }) }
    expect((await agent.ask('POST', '', asking)).json.result.id).toBe(id)
    expect((await agent.ask('POST', '/', asking)).json.result.id).toBe(id)
    expect((await agent.rest('GET', `/tasks/${id}/`)).json.id).toBe(id)
    expect((await agent.rest('GET', '/tasks/')).json.totalSize).toBe(1)
  })

  test('[op-base] a path that is no operation is 404, a verb that is none 405, both as JSON', async () => {
    const agent = await openAgent()
    expect((await agent.rest('GET', '/message:sing')).json.error.code).toBe(404)
    const wrong = await agent.rest('GET', '/message:send')
    expect([wrong.status, wrong.headers.allow, wrong.json.error.code]).toEqual([405, 'POST, OPTIONS', 405])
  })
})
