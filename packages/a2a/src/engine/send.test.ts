import { expect, test } from 'vitest'
import {
  alice,
  as,
  bob,
  codeOf,
  engineOf,
  gate,
  nobody,
  now,
  say,
  stateOf,
  taskOf,
  textOf,
} from '../../test/engine.js'
import type { A2AError } from '../errors.js'
import type { Execution } from '../executor.js'

/** `ask`: asks for input, `auth`: for authorisation; anything else is echoed. */
const echo = async ({ text, artifact, resumed }: Execution) => {
  if (text === 'ask' && !resumed) return { state: 'input-required', message: 'Which?' } as const
  if (text === 'auth') return { state: 'auth-required', message: 'Log in' } as const
  if (text === 'fail') return { state: 'failed', message: 'No luck' } as const
  if (text === 'reject') return { state: 'rejected', message: 'Not that' } as const
  artifact({ parts: [{ text }] })
  return undefined
}

test('2.5: task and context ids are made by the server, and the message is in the history with them', async () => {
  const engine = engineOf(echo)
  const task = taskOf(await engine.send(say('hi', { messageId: 'x' }), alice))
  expect(task.id).toMatch(/^[0-9a-f-]{36}$/)
  expect(task.contextId).toMatch(/^[0-9a-f-]{36}$/)
  expect(task.history).toEqual([
    {
      messageId: 'x',
      role: 'ROLE_USER',
      parts: [{ text: 'hi' }],
      taskId: task.id,
      contextId: task.contextId,
    },
  ])
  expect(task.status.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  expect(await engine.get({ id: task.id }, alice)).toEqual(task)
})

test('2.5: an unknown taskId of the client is TASK_NOT_FOUND', async () => {
  const engine = engineOf(echo)
  expect(await codeOf(engine.send(say('hi', { taskId: 'mine' }), alice))).toBe('TASK_NOT_FOUND')
  expect(await codeOf(engine.get({ id: 'mine' }, alice))).toBe('TASK_NOT_FOUND')
  expect(await codeOf(engine.cancel({ id: 'mine' }, alice))).toBe('TASK_NOT_FOUND')
})

test('2.5: a contextId of the client is kept, inferred from the task, and a mismatch is INVALID_PARAMS', async () => {
  const engine = engineOf(echo)
  const asked = taskOf(await engine.send(say('ask', { contextId: 'talk' }), alice))
  expect(asked.contextId).toBe('talk')
  const wrong = engine.send(say('a', { taskId: asked.id, contextId: 'other' }), alice)
  expect(await codeOf(wrong)).toBe('INVALID_PARAMS')
  const done = taskOf(await engine.send(say('a', { taskId: asked.id }), alice))
  expect([done.contextId, done.history?.at(-1)?.contextId]).toEqual(['talk', 'talk'])
  const next = taskOf(await engine.send(say('b', { contextId: 'talk' }), alice))
  expect([next.contextId, next.id === done.id]).toEqual(['talk', false])
})

test('7.5: the context of somebody else is refused like an unknown task', async () => {
  const engine = engineOf(echo)
  await engine.send(say('hi', { contextId: 'talk' }), alice)
  expect(await codeOf(engine.send(say('hi', { contextId: 'talk' }), bob))).toBe('TASK_NOT_FOUND')
  const server = taskOf(await engine.send(say('hi'), alice)).contextId
  expect(await codeOf(engine.send(say('hi', { contextId: server }), bob))).toBe('TASK_NOT_FOUND')
})

test('7.5: of two owners who begin one context at once, one gets it', async () => {
  const engine = engineOf(echo)
  const codes = await Promise.all(
    [alice, bob].map((who) => codeOf(engine.send(say('hi', { contextId: 'c' }), who))),
  )
  expect(codes.sort()).toEqual(['TASK_NOT_FOUND', 'no error'])
})

test.each([
  ['ok', 'COMPLETED'],
  ['fail', 'FAILED'],
  ['reject', 'REJECTED'],
])('2.5: a task that ended (%s) takes nothing more', async (text, state) => {
  const engine = engineOf(echo)
  const task = taskOf(await engine.send(say(text), alice))
  expect(stateOf(task)).toBe(state)
  expect(await codeOf(engine.send(say('more', { taskId: task.id }), alice))).toBe('UNSUPPORTED_OPERATION')
  expect(await codeOf(engine.cancel({ id: task.id }, alice))).toBe('TASK_NOT_CANCELABLE')
  const subscribed = engine.subscribe({ id: task.id }, alice)[Symbol.asyncIterator]().next()
  expect(await codeOf(subscribed)).toBe('UNSUPPORTED_OPERATION')
})

test('2.5: cancelling a CANCELED task gives the task again', async () => {
  const engine = engineOf(echo)
  const { id } = taskOf(await engine.send(say('ask'), alice))
  const canceled = await engine.cancel({ id }, alice)
  expect(stateOf(canceled)).toBe('CANCELED')
  expect(await engine.cancel({ id }, alice)).toEqual(canceled)
})

test('2.5: a blocking call returns at an interrupted state, and the next message resumes the task', async () => {
  const seen: unknown[] = []
  const engine = engineOf(async (execution) => {
    const { resumed, task, message } = execution
    seen.push([
      resumed,
      task.status.state,
      task.history?.map(({ messageId, role }) => role + messageId.slice(0, 1)),
    ])
    expect(task.history?.at(-1)).toEqual(message)
    return echo(execution)
  })
  const asked = taskOf(await engine.send(say('ask'), alice))
  expect([stateOf(asked), asked.status.message?.parts]).toEqual(['INPUT_REQUIRED', [{ text: 'Which?' }]])
  const auth = taskOf(await engine.send(say('auth', { taskId: asked.id }), alice))
  expect([stateOf(auth), auth.id]).toEqual(['AUTH_REQUIRED', asked.id])
  const done = taskOf(await engine.send(say('red', { taskId: asked.id }), alice))
  expect([stateOf(done), textOf(done)]).toEqual(['COMPLETED', 'red'])
  const texts = done.history?.map(({ parts }) => parts[0]?.text)
  expect(texts).toEqual(['ask', 'Which?', 'auth', 'Log in', 'red'])
  expect(seen.map((one) => (one as unknown[]).slice(0, 2))).toEqual([
    [false, 'TASK_STATE_WORKING'],
    [true, 'TASK_STATE_WORKING'],
    [true, 'TASK_STATE_WORKING'],
  ])
})

test('2.5: returnImmediately gives the task as it is, and the work goes on', async () => {
  const door = gate()
  const engine = engineOf(async (execution) => {
    await door.opened
    return echo(execution)
  })
  const early = taskOf(await engine.send(say('hi', {}, now), alice))
  expect(stateOf(early)).toBe('WORKING')
  door.open()
  await expect.poll(async () => stateOf(await engine.get({ id: early.id }, alice))).toBe('COMPLETED')
})

test('2.5: historyLength unset is whole, 0 leaves the history out, n is the newest n, less is INVALID_PARAMS', async () => {
  const engine = engineOf(echo)
  const { id } = taskOf(await engine.send(say('ask'), alice))
  const texts = async (historyLength?: number) =>
    (await engine.get({ id, ...(historyLength !== undefined && { historyLength }) }, alice)).history?.map(
      ({ parts }) => parts[0]?.text,
    )
  await engine.send(say('auth', { taskId: id }), alice)
  expect(await texts()).toEqual(['ask', 'Which?', 'auth'])
  expect(await texts(2)).toEqual(['Which?', 'auth'])
  expect(await texts(9)).toEqual(['ask', 'Which?', 'auth'])
  expect('history' in (await engine.get({ id, historyLength: 0 }, alice))).toBe(false)
  for (const historyLength of [-1, 1.5, Number.NaN]) {
    expect(await codeOf(engine.get({ id, historyLength }, alice))).toBe('INVALID_PARAMS')
    expect(await codeOf(engine.send(say('x', {}, { historyLength }), alice))).toBe('INVALID_PARAMS')
  }
  const answered = taskOf(await engine.send(say('red', { taskId: id }, { historyLength: 0 }), alice))
  expect('history' in answered).toBe(false)
  expect(await texts()).toHaveLength(5)
})

test('2.5: accepted output modes that are not offered are CONTENT_TYPE_NOT_SUPPORTED', async () => {
  const engine = engineOf(echo, { outputModes: ['text/plain', 'application/json'] })
  const ask = (...acceptedOutputModes: string[]) =>
    codeOf(engine.send(say('x', {}, { acceptedOutputModes }), alice))
  expect(await ask('image/png', 'audio/*')).toBe('CONTENT_TYPE_NOT_SUPPORTED')
  for (const modes of [['text/plain'], ['image/png', 'text/*'], ['*/*'], ['Text/Plain; charset=utf-8'], []]) {
    expect(await ask(...modes)).toBe('no error')
  }
  expect(await codeOf(engineOf(echo).send(say('x', {}, { acceptedOutputModes: ['image/png'] }), alice))).toBe(
    'no error',
  )
})

test('2.10: a part of a media type that is not taken is CONTENT_TYPE_NOT_SUPPORTED', async () => {
  const engine = engineOf(echo, { inputModes: ['text/plain'] })
  const send = (part: object) => codeOf(engine.send(say('', { parts: [part] }), alice))
  expect(await send({ text: 'hi' })).toBe('no error')
  expect(await send({ data: { a: 1 } })).toBe('CONTENT_TYPE_NOT_SUPPORTED')
  expect(await send({ raw: 'AA==', mediaType: 'image/png' })).toBe('CONTENT_TYPE_NOT_SUPPORTED')
})

test('2.5: referenced tasks have to be the caller’s own', async () => {
  const engine = engineOf(echo)
  const mine = taskOf(await engine.send(say('hi'), alice)).id
  expect(await codeOf(engine.send(say('x', { referenceTaskIds: [mine] }), alice))).toBe('no error')
  expect(await codeOf(engine.send(say('x', { referenceTaskIds: [mine] }), bob))).toBe('TASK_NOT_FOUND')
  expect(await codeOf(engine.send(say('x', { referenceTaskIds: [mine, 'none'] }), alice))).toBe(
    'TASK_NOT_FOUND',
  )
})

test('2.4: a direct reply is a message, has no task, and is in the context', async () => {
  const engine = engineOf({
    directReply: true,
    execute: async () => ({ state: 'message', parts: [{ text: 'hello' }], metadata: { k: 1 } }),
  })
  const response = await engine.send(say('hi', { contextId: 'talk' }), alice)
  expect(response).toMatchObject({
    message: { role: 'ROLE_AGENT', parts: [{ text: 'hello' }], contextId: 'talk', metadata: { k: 1 } },
  })
  expect((await engine.list({}, alice)).totalSize).toBe(0)
  expect(await codeOf(engine.send(say('hi', { contextId: 'talk' }), bob))).toBe('TASK_NOT_FOUND')
})

test('2.4: a direct reply behind a write, or to a caller that returns immediately, is a task', async () => {
  const engine = engineOf({
    directReply: true,
    async execute({ text, write }) {
      if (text === 'write') write('something')
      return { state: 'message', parts: [{ text: 'hello' }] }
    },
  })
  const written = taskOf(await engine.send(say('write'), alice))
  expect([stateOf(written), written.status.message?.parts]).toEqual(['COMPLETED', [{ text: 'hello' }]])
  const { id } = taskOf(await engine.send(say('hi', {}, now), alice))
  await expect.poll(async () => stateOf(await engine.get({ id }, alice))).toBe('COMPLETED')
})

test('the caller that is gone waits no longer, and the task goes on', async () => {
  const door = gate()
  const engine = engineOf(async () => door.opened)
  const leaving = new AbortController()
  const call = engine.send(say('hi'), { ...alice, signal: leaving.signal })
  await expect.poll(async () => (await engine.list({}, alice)).totalSize).toBe(1)
  leaving.abort()
  const { id } = taskOf(await call)
  door.open()
  await expect.poll(async () => stateOf(await engine.get({ id }, alice))).toBe('COMPLETED')
})

test('7.5: a foreign task is exactly like an unknown one, on every operation, other tenants included', async () => {
  const engine = engineOf(echo)
  const mine = taskOf(await engine.send(say('ask'), alice)).id
  const elsewhere = as('bearer:alice', { tenant: 'other' })
  for (const who of [bob, elsewhere, nobody]) {
    const answers = (id: string) =>
      Promise.all(
        [
          engine.get({ id }, who),
          engine.cancel({ id }, who),
          engine.send(say('x', { messageId: 'same', taskId: id }), who),
          engine.send(say('x', { messageId: 'other', referenceTaskIds: [id] }), who),
          engine.subscribe({ id }, who)[Symbol.asyncIterator]().next(),
          engine
            .stream(say('x', { messageId: 'third', taskId: id }), who)
            [Symbol.asyncIterator]()
            .next(),
        ].map((call: Promise<unknown>) =>
          call.catch((error: A2AError) => [error.code, error.message, error.details]),
        ),
      )
    const foreign = await answers(mine)
    expect(foreign).toEqual(await answers('unknown'))
    expect(foreign).toEqual(foreign.map(() => ['TASK_NOT_FOUND', 'Task not found', {}]))
  }
  expect(stateOf(await engine.get({ id: mine }, alice))).toBe('INPUT_REQUIRED')
})
