/** Who may see what, repeats, and order (spec a2a 7.4, 7.5, 6.2 no. 3, 6, 7, 15). */
import type { PushDelivery } from '@aetherkit/a2a'
import { describe, expect, test } from 'vitest'
import { codeOf, kindOf, named, openAgent, restCodeOf, resultOf, say, stateIn } from './agent.js'

const push: PushDelivery = { async check() {}, prepare: () => undefined, send() {}, async close() {} }

describe('ownership', () => {
  test('[sec-owner] a foreign task looks exactly like one that does not exist, on every operation', async () => {
    const agent = await openAgent({ authenticate: named, push })
    const [alice, bob] = [agent.as('alice'), agent.as('bob')]
    const { id } = await alice.send('ask')
    const url = 'https://hooks.example/'
    await alice.rpc('CreateTaskPushNotificationConfig', { taskId: id, id: 'c', url })
    const calls = (task: string) =>
      [
        bob.rpc('GetTask', { id: task }),
        bob.rpc('CancelTask', { id: task }),
        bob.rpc('SubscribeToTask', { id: task }),
        bob.rpc('SendMessage', say('mine now', { taskId: task })),
        bob.rpc('SendStreamingMessage', say('mine now', { taskId: task })),
        bob.rpc('SendMessage', say('look', { referenceTaskIds: [task] })),
        bob.rpc('CreateTaskPushNotificationConfig', { taskId: task, url }),
        bob.rpc('GetTaskPushNotificationConfig', { taskId: task, id: 'c' }),
        bob.rpc('ListTaskPushNotificationConfigs', { taskId: task }),
        bob.rpc('DeleteTaskPushNotificationConfig', { taskId: task, id: 'c' }),
        bob.rest('GET', `/tasks/${task}`),
        bob.rest('POST', `/tasks/${task}:cancel`),
        bob.rest('GET', `/tasks/${task}:subscribe`),
        bob.rest('POST', '/message:send', say('mine now', { taskId: task })),
        bob.rest('GET', `/tasks/${task}/pushNotificationConfigs/c`),
        bob.rest('DELETE', `/tasks/${task}/pushNotificationConfigs/c`),
      ] as const
    const foreign = await Promise.all(calls(id))
    const unknown = await Promise.all(calls('no-such-task'))
    for (const [at, answer] of foreign.entries()) {
      expect([answer.status, answer.text]).toEqual([unknown[at]?.status, unknown[at]?.text])
      const code = answer.json.jsonrpc === undefined ? restCodeOf(answer) : codeOf(answer)
      expect(code[1]).toBe('TASK_NOT_FOUND')
      expect(answer.text).not.toContain(id)
    }
    expect((await alice.rpc('GetTask', { id })).json.result.status.state).toBe('TASK_STATE_INPUT_REQUIRED')
    expect(
      (await alice.rpc('ListTaskPushNotificationConfigs', { taskId: id })).json.result.configs,
    ).toHaveLength(1)
    expect(agent.runs).toEqual(['ask'])
  })

  test('[sec-owner] 0.3 does not see it either', async () => {
    const agent = await openAgent({ authenticate: named })
    const { id } = await agent.as('alice').send('ask')
    for (const method of ['tasks/get', 'tasks/cancel', 'tasks/resubscribe'])
      expect((await agent.as('bob').rpc(method, { id }, {})).json.error.code).toBe(-32001)
    expect((await agent.as('bob').ask('GET', `/v1/tasks/${id}`)).status).toBe(404)
  })

  test('[sec-context-owner] a foreign context is refused, and nothing runs', async () => {
    const agent = await openAgent({ authenticate: named })
    const { contextId } = await agent.as('alice').send('hi')
    const answer = await agent.as('bob').rpc('SendMessage', say('ho', { contextId }))
    expect(codeOf(answer)).toEqual([-32001, 'TASK_NOT_FOUND'])
    expect((await agent.as('alice').send('ho', { contextId })).contextId).toBe(contextId)
    expect(agent.runs).toEqual(['hi', 'ho'])
  })

  test('[sec-reference-owner] a foreign reference task is refused, an own one is taken', async () => {
    const agent = await openAgent({ authenticate: named })
    const { id } = await agent.as('alice').send('hi')
    const referring = say('more', { referenceTaskIds: [id] })
    expect(codeOf(await agent.as('bob').rpc('SendMessage', referring))).toEqual([-32001, 'TASK_NOT_FOUND'])
    const { json } = await agent.as('alice').rpc('SendMessage', referring)
    expect(json.result.task.history[0].referenceTaskIds).toEqual([id])
  })

  test('[sec-anonymous] anonymous callers reach a task by its id only, and list nothing', async () => {
    const agent = await openAgent({ anonymous: 'isolated' })
    const { id } = await agent.send('hi')
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect((await agent.rpc('GetTask', { id })).json.result.id).toBe(id)
    expect(codeOf(await agent.rpc('ListTasks', {}))).toEqual([-32004, 'UNSUPPORTED_OPERATION'])
    expect(restCodeOf(await agent.rest('GET', '/tasks'))).toEqual([400, 'UNSUPPORTED_OPERATION'])
    const plain = await openAgent({ anonymous: undefined })
    expect(codeOf(await plain.rpc('ListTasks', {}))).toEqual([-32004, 'UNSUPPORTED_OPERATION'])
  })

  test('[sec-shared] with the option all anonymous callers are one who sees everything', async () => {
    const agent = await openAgent({ anonymous: 'shared' })
    await agent.send('hi')
    expect((await agent.rpc('ListTasks', {})).json.result.totalSize).toBe(1)
  })

  test('[sec-auth] nobody is 401 with WWW-Authenticate on every binding, whatever the application throws', async () => {
    const agent = await openAgent({ authenticate: named, challenge: 'Bearer realm="agents"' })
    const thrower = await openAgent({
      authenticate() {
        throw new Error('secret of the user table')
      },
    })
    for (const caller of [agent, thrower]) {
      const answers = [
        await caller.rpc('SendMessage', say('hi')),
        await caller.rpc('message/send', {}, {}),
        await caller.rest('POST', '/message:send', say('hi')),
        await caller.rest('GET', '/tasks'),
        await caller.ask('GET', '/v1/tasks/x'),
      ]
      for (const { status, headers, text } of answers) {
        expect(status).toBe(401)
        expect(headers['www-authenticate']).toMatch(/^Bearer/)
        expect(text).not.toContain('secret')
      }
      expect(caller.runs).toEqual([])
    }
    expect((await agent.rest('GET', '/tasks')).headers['www-authenticate']).toBe('Bearer realm="agents"')
  })

  test('[sec-tenant] the tenant comes from the route: another in the params is -32602', async () => {
    const has = (name: string) => name === 'acme'
    const agent = await openAgent({ tenants: { has } })
    const { json } = await agent.rest('POST', '/acme/message:send', say('hi'))
    expect(codeOf(await agent.rpc('GetTask', { id: json.task.id, tenant: 'acme' }))).toEqual([
      -32602,
      'INVALID_PARAMS',
    ])
    const other = await agent.rest('POST', '/acme/message:send', { ...say('hi'), tenant: 'other' })
    expect(restCodeOf(other)).toEqual([400, 'INVALID_PARAMS'])
    expect((await agent.rest('GET', '/acme/tasks')).json.totalSize).toBe(1)
    expect((await agent.rest('GET', '/tasks')).json.totalSize).toBe(0)
  })
})

describe('idempotency', () => {
  test('[idem-blocking] the same message twice runs once and gets the same task', async () => {
    const agent = await openAgent({ authenticate: named })
    const alice = agent.as('alice')
    const message = say('hi')
    const one = await alice.rpc('SendMessage', message)
    const two = await alice.rpc('SendMessage', message)
    const rest = await alice.rest('POST', '/message:send', message)
    expect(two.json).toEqual(one.json)
    expect(rest.json).toEqual(one.json.result)
    expect(agent.runs).toEqual(['hi'])
  })

  test('[idem-concurrent] copies at once run once, over all bindings', async () => {
    const agent = await openAgent({ authenticate: named })
    const alice = agent.as('alice')
    const message = say('gate a')
    const answers = [1, 2, 3].flatMap(() => [
      alice.rpc('SendMessage', message).then(({ json }) => json.result.task.id),
      alice.rest('POST', '/message:send', message).then(({ json }) => json.task.id),
    ])
    await expect.poll(() => agent.runs.length).toBe(1)
    agent.release('a')
    expect(new Set(await Promise.all(answers)).size).toBe(1)
    expect(agent.runs).toEqual(['gate a'])
  })

  test('[idem-immediate] a repeat that does not wait gets the current task', async () => {
    const agent = await openAgent({ authenticate: named })
    const alice = agent.as('alice')
    const message = { ...say('gate a'), configuration: { returnImmediately: true } }
    const { json } = await alice.rpc('SendMessage', message)
    await expect.poll(() => agent.runs.length).toBe(1)
    const again = await alice.rpc('SendMessage', message)
    expect(again.json.result.task).toMatchObject({
      id: json.result.task.id,
      status: { state: 'TASK_STATE_WORKING' },
    })
    agent.release('a')
    expect(agent.runs).toEqual(['gate a'])
  })

  test('[idem-stream] a repeated streaming message gets a snapshot and goes on live', async () => {
    const agent = await openAgent({ authenticate: named })
    const alice = agent.as('alice')
    const message = say('gate a')
    const first = await alice.stream('SendStreamingMessage', message)
    const { id } = resultOf(await first.next()).task
    const again = await alice.stream('SendStreamingMessage', message)
    const snapshot = resultOf(await again.next())
    expect([kindOf(snapshot), snapshot.task.id]).toEqual(['task', id])
    agent.release('a')
    for (const stream of [first, again])
      expect((await stream.rest()).map(resultOf).map(stateIn).at(-1)).toBe('TASK_STATE_COMPLETED')
    const late = await (await alice.stream('SendStreamingMessage', message)).rest()
    expect(late.map(resultOf).map(stateIn)).toEqual(['TASK_STATE_COMPLETED'])
    expect(agent.runs).toEqual(['gate a'])
  })

  test('[idem-hash] the same message id with another content is -32602', async () => {
    const agent = await openAgent({ authenticate: named })
    const alice = agent.as('alice')
    const message = { messageId: 'm-1', role: 'ROLE_USER', parts: [{ text: 'hi' }] }
    await alice.rpc('SendMessage', { message })
    const other = { ...message, parts: [{ text: 'ho' }] }
    const answer = await alice.rpc('SendMessage', { message: other })
    expect(codeOf(answer)).toEqual([-32602, 'INVALID_PARAMS'])
    const reordered = { parts: [{ text: 'hi' }], role: 'ROLE_USER', message_id: 'm-1' }
    expect((await alice.rpc('SendMessage', { message: reordered })).json.result.task.history).toHaveLength(1)
    expect(agent.runs).toEqual(['hi'])
  })

  test('[idem-owner] message ids of two owners, and of two tenants, do not meet', async () => {
    const tenants = { has: (name: string) => name === 'acme' }
    const agent = await openAgent({ authenticate: named, tenants })
    const message = say('hi')
    const tasks = [
      (await agent.as('alice').rest('POST', '/message:send', message)).json.task,
      (await agent.as('bob').rest('POST', '/message:send', message)).json.task,
      (await agent.as('alice').rest('POST', '/acme/message:send', message)).json.task,
    ]
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(3)
    expect(agent.runs).toEqual(['hi', 'hi', 'hi'])
  })
})

describe('order', () => {
  test('[order-task] messages to one task run one after the other, each in its place', async () => {
    let open = 0
    let most = 0
    const seen: string[] = []
    const agent = await openAgent({
      executor: {
        async execute({ text }) {
          open += 1
          most = Math.max(most, open)
          seen.push(text)
          await new Promise((resolve) => setTimeout(resolve, 5))
          open -= 1
          return text === 'end' ? undefined : { state: 'input-required', message: `after ${text}` }
        },
      },
    })
    const { id: taskId } = await agent.send('start')
    const texts = ['1', '2', '3', '4']
    const tasks = await Promise.all(texts.map((text) => agent.send(text, { taskId })))
    expect(tasks.map(({ status }) => status.message.parts[0].text).sort()).toEqual(
      texts.map((text) => `after ${text}`),
    )
    expect([most, seen.length]).toEqual([1, 5])
    const { history } = await agent.send('end', { taskId })
    expect(history).toHaveLength(11)
  })
})
