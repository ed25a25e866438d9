/** Limits, and what is logged (spec a2a 7.6, 7.11, 6.2 no. 2, 20). */
import { request as httpRequest } from 'node:http'
import { memoryTaskStore, type RequestLine } from '@aetherkit/a2a'
import { describe, expect, test } from 'vitest'
import { codeOf, envelope, named, openAgent, restCodeOf, say, V1 } from './agent.js'

/** Metadata so many objects deep. */
const nested = (depth: number): object => (depth === 1 ? {} : { a: nested(depth - 1) })

describe('limits', () => {
  test('[limit-body] more than 1 MiB is 413 in the shape of its binding, without a stack', async () => {
    const agent = await openAgent()
    const large = say('x'.repeat(1024 * 1024))
    const rpc = await agent.rpc('SendMessage', large)
    expect([rpc.status, rpc.headers['content-type'], rpc.json.id, rpc.json.error.code]).toEqual([
      413,
      'application/json',
      null,
      -32600,
    ])
    const rest = await agent.rest('POST', '/message:send', large)
    expect([rest.status, rest.headers['content-type'], rest.json.error.code]).toEqual([
      413,
      'application/a2a+json',
      413,
    ])
    for (const { text } of [rpc, rest]) expect(text).not.toMatch(/<html|at .*\.[jt]s:/i)
    expect(agent.runs).toEqual([])
  })

  test('[limit-body] also without a length, and the bound is an option', async () => {
    const agent = await openAgent({ limits: { bodyBytes: 10_000 } })
    const status = await new Promise((resolve, reject) => {
      const asked = httpRequest(agent.url, { method: 'POST', headers: V1 }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      asked.on('error', reject)
      asked.write('{"a":"')
      asked.write('x'.repeat(20_000))
      asked.end('"}')
    })
    expect(status).toBe(413)
    expect((await agent.rpc('SendMessage', say('x'.repeat(5000)))).status).toBe(200)
  })

  test.each([
    ['65 parts', say('', { parts: Array.from({ length: 65 }, () => ({ text: 'x' })) }), {}],
    ['a text of 256 KiB and a byte', say('x'.repeat(256 * 1024 + 1)), {}],
    ['a text of 256 KiB in two-byte characters', say('é'.repeat(128 * 1024 + 1)), {}],
    ['metadata 17 levels deep', { ...say('hi'), metadata: nested(17) }, {}],
    ['message metadata 17 levels deep', say('hi', { metadata: nested(17) }), {}],
    ['metadata of 64 KiB', { ...say('hi'), metadata: { a: 'x'.repeat(64 * 1024) } }, {}],
    [
      '33 extensions',
      say('hi'),
      { 'a2a-extensions': Array.from({ length: 33 }, (_, at) => `urn:${at}`).join() },
    ],
    ['a message id of 257 characters', say('hi', { messageId: 'x'.repeat(257) }), {}],
    ['17 references', say('hi', { referenceTaskIds: Array.from({ length: 17 }, (_, at) => `t${at}`) }), {}],
  ])('[limit-shape] %s are -32602', async (_name, params, headers) => {
    const agent = await openAgent()
    const answer = await agent.rpc('SendMessage', params, { ...V1, ...headers })
    expect([answer.status, ...codeOf(answer)]).toEqual([200, -32602, 'INVALID_PARAMS'])
    expect(agent.runs).toEqual([])
  })

  test('[limit-shape] what is just inside is taken', async () => {
    const agent = await openAgent()
    const parts = Array.from({ length: 64 }, () => ({ text: 'x' }))
    const params = { ...say('', { parts, metadata: nested(16) }), metadata: nested(16) }
    expect((await agent.rpc('SendMessage', params)).json.result.task.status.state).toBe(
      'TASK_STATE_COMPLETED',
    )
    expect((await agent.rpc('SendMessage', say('x'.repeat(256 * 1024)))).json.error).toBeUndefined()
  })

  test('[limit-rate] a caller over its share gets 429, Retry-After and RATE_LIMITED; another does not', async () => {
    const agent = await openAgent({ authenticate: named, limits: { executionsPerOwner: 2 } })
    const alice = agent.as('alice')
    const immediately = { returnImmediately: true }
    for (const _ of [1, 2]) await alice.send('wait', {}, immediately)
    const rpc = await alice.rpc('SendMessage', say('hi'))
    expect([rpc.status, ...codeOf(rpc)]).toEqual([429, -32000, 'RATE_LIMITED'])
    expect(Number(rpc.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    const rest = await alice.rest('POST', '/message:send', say('hi'))
    expect([rest.json.error.status, ...restCodeOf(rest)]).toEqual(['RESOURCE_EXHAUSTED', 429, 'RATE_LIMITED'])
    expect(rest.headers['retry-after']).toBeDefined()
    const stream = await alice.rpc('SendStreamingMessage', say('hi'))
    expect([stream.status, codeOf(stream)[1]]).toEqual([429, 'RATE_LIMITED'])
    expect((await agent.as('bob').send('hi')).status.state).toBe('TASK_STATE_COMPLETED')
    const { tasks } = (await alice.rpc('ListTasks', {})).json.result
    for (const { id } of tasks) await alice.rpc('CancelTask', { id })
    expect((await alice.send('hi')).status.state).toBe('TASK_STATE_COMPLETED')
  })

  test('[limit-rate] all executions together are bounded too', async () => {
    const agent = await openAgent({ authenticate: named, limits: { executions: 1 } })
    await agent.as('alice').send('wait', {}, { returnImmediately: true })
    expect((await agent.as('bob').rpc('SendMessage', say('hi'))).status).toBe(429)
  })

  test('[limit-tasks] tasks that an owner keeps are bounded, those of another do not count', async () => {
    const agent = await openAgent({ authenticate: named, limits: { tasksPerOwner: 2 } })
    const alice = agent.as('alice')
    for (const _ of [1, 2]) await alice.send('hi')
    const answer = await alice.rpc('SendMessage', say('hi'))
    expect([answer.status, ...codeOf(answer)]).toEqual([429, -32000, 'RATE_LIMITED'])
    expect((await agent.as('bob').send('hi')).status.state).toBe('TASK_STATE_COMPLETED')
  })

  test('[limit-deadline] an execution over its deadline fails the task, whatever the executor does', async () => {
    const agent = await openAgent({ deadlineMs: 30 })
    for (const text of ['wait', 'deaf a']) {
      const { status } = await agent.send(text)
      expect(status).toMatchObject({
        state: 'TASK_STATE_FAILED',
        message: { metadata: { reason: 'deadline' } },
      })
    }
    agent.release('a')
  })

  test('[limit-artifacts] artifacts over the cap fail the task, which keeps what fitted', async () => {
    const agent = await openAgent({ limits: { artifactBytes: 10_000, coalesceBytes: 1000 } })
    const task = await agent.send('chunks 40 1000')
    expect(task.status).toMatchObject({
      state: 'TASK_STATE_FAILED',
      message: { metadata: { reason: 'artifact-limit' } },
    })
    expect(JSON.stringify(task.artifacts).length).toBeLessThan(12_000)
  })

  test('[limit-history] the history of a task is bounded, the oldest go first', async () => {
    const agent = await openAgent({
      limits: { historyMessages: 4 },
      executor: {
        async execute({ text }) {
          return { state: 'input-required', message: `after ${text}` }
        },
      },
    })
    const { id: taskId } = await agent.send('1')
    for (const text of ['2', '3', '4']) await agent.send(text, { taskId })
    const { history } = (await agent.rpc('GetTask', { id: taskId, historyLength: 100 })).json.result
    expect(history).toHaveLength(4)
    expect(history.at(-1).parts).toEqual([{ text: '4' }])
  })

  test('[limit-ttl] an ended task is gone after its time, and its place is free', async () => {
    let time = Date.now()
    const agent = await openAgent({
      now: () => time,
      store: memoryTaskStore({ now: () => time }),
      limits: { taskTtlMs: 1000, evictionMs: 10, tasksAnonymous: 1 },
    })
    const { id } = await agent.send('hi')
    expect((await agent.rpc('SendMessage', say('ho'))).status).toBe(429)
    time += 2000
    const gone = async () => codeOf(await agent.rpc('GetTask', { id }))[1]
    await expect.poll(gone).toBe('TASK_NOT_FOUND')
    expect((await agent.send('ho')).status.state).toBe('TASK_STATE_COMPLETED')
  })

  test.each(['__proto__', 'constructor', 'prototype'])(
    '[limit-proto] the key %s does nothing',
    async (key) => {
      const agent = await openAgent()
      const body = JSON.stringify(
        envelope(
          'SendMessage',
          say('parts', { metadata: { KEY: { polluted: 1 } }, parts: [{ data: { KEY: { polluted: 1 } } }] }),
        ),
      ).replaceAll('KEY', key)
      const { status } = await agent.post(body)
      expect([200, 400]).toContain(status)
      expect(Reflect.get({}, 'polluted')).toBeUndefined()
      const top = await agent.post(
        `{"jsonrpc":"2.0","id":1,"method":"ListTasks","${key}":{"polluted":1},"params":{"${key}":{"status":7}}}`,
      )
      expect(top.status).toBe(200)
      expect(Reflect.get({}, 'status')).toBeUndefined()
    },
  )

  test('[log-line] one line a request, without credentials, payloads, owners in clear and raw errors', async () => {
    const lines: RequestLine[] = []
    const agent = await openAgent({ authenticate: named, onRequest: (line) => lines.push(line) })
    const alice = agent.as('alice-and-her-token')
    const { id } = await alice.send('boom of my payload')
    await alice.rest('GET', `/tasks/${id}`)
    await alice.rpc('Nope', {})
    await agent.rpc('ListTasks', {})
    await expect.poll(() => lines.length).toBe(4)
    expect(lines.map(({ method, outcome }) => [method, outcome])).toEqual(
      [
        ['SendMessage', 'ok'],
        ['GetTask', 'ok'],
        ['Nope', 'METHOD_NOT_FOUND'],
        [expect.anything(), 'UNAUTHENTICATED'],
      ].map(([method, outcome]) => [outcome === 'UNAUTHENTICATED' ? lines[3]?.method : method, outcome]),
    )
    expect(lines[0]).toMatchObject({ version: '1.0', task: id, ms: expect.any(Number) })
    const all = JSON.stringify(lines)
    for (const word of ['token', 'payload', 'secret', 'passwd']) expect(all).not.toContain(word)
  })
})
