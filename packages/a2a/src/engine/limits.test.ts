import { expect, test } from 'vitest'
import {
  alice,
  as,
  begun,
  bob,
  codeOf,
  collect,
  engineOf,
  gate,
  nobody,
  now,
  say,
  stateOf,
  taskOf,
  untilAborted,
} from '../../test/engine.js'
import { A2AError } from '../errors.js'
import { memoryTaskStore } from '../store/memory.js'

const code = (message: object, more: object = {}) =>
  codeOf(engineOf(async () => {}).send({ ...say('x', message), ...more }, alice))
const nested = (depth: number): object => (depth === 0 ? {} : { n: nested(depth - 1) })

test('7.6: a message beyond a limit is INVALID_PARAMS, one at the limit is taken', async () => {
  const parts = (count: number, text = 'x') => ({ parts: Array.from({ length: count }, () => ({ text })) })
  expect([await code(parts(64)), await code(parts(65))]).toEqual(['no error', 'INVALID_PARAMS'])
  const long = 'é'.repeat(128 * 1024)
  expect([await code(parts(1, long)), await code(parts(1, `${long}x`))]).toEqual([
    'no error',
    'INVALID_PARAMS',
  ])
  expect(await code({ metadata: nested(15) })).toBe('no error')
  expect(await code({ metadata: nested(17) })).toBe('INVALID_PARAMS')
  expect(await code({ metadata: { text: 'x'.repeat(64 * 1024) } })).toBe('INVALID_PARAMS')
  expect(await code({ parts: [{ text: 'x', metadata: nested(17) }] })).toBe('INVALID_PARAMS')
  expect(await code({}, { metadata: nested(17) })).toBe('INVALID_PARAMS')
  expect(await code({ extensions: Array.from({ length: 33 }, (_, n) => `urn:${n}`) })).toBe('INVALID_PARAMS')
  expect(await code({ messageId: 'x'.repeat(257) })).toBe('INVALID_PARAMS')
  expect(await code({ contextId: '' })).toBe('INVALID_PARAMS')
})

test('7.6: what is wrong is named by its field', async () => {
  const call = engineOf(async () => {}).send(say('x', { parts: [{ text: 'x'.repeat(262_145) }] }), alice)
  const error: unknown = await call.catch((thrown: unknown) => thrown)
  if (!A2AError.is(error)) throw new Error('not refused')
  expect(error.details.violations).toEqual([
    { field: 'message.parts[0].text', description: 'At most 262144 bytes' },
  ])
})

test('7.6: more executions than there may be are RATE_LIMITED with a time to wait, by owner and in all', async () => {
  const door = gate()
  const engine = engineOf(async () => door.opened, { limits: { executionsPerOwner: 2, executions: 3 } })
  const send = (who = alice) => engine.send(say('hi', {}, now), who)
  await Promise.all([send(), send()])
  const refused: unknown = await send().catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfterSeconds: 1 } })
  await send(bob)
  expect(await codeOf(send(as('bearer:carol')))).toBe('RATE_LIMITED')
  door.open()
  await expect.poll(() => codeOf(send())).toBe('no error')
})

test('7.6: anonymous callers are limited by their peer', async () => {
  const door = gate()
  const engine = engineOf(async () => door.opened, { limits: { executionsPerOwner: 1 } })
  const send = (peer: string) => codeOf(engine.send(say('hi', {}, now), { ...nobody, peer }))
  expect([await send('1'), await send('1'), await send('2')]).toEqual([
    'no error',
    'RATE_LIMITED',
    'no error',
  ])
  door.open()
})

test('7.6: an execution that is cancelled and goes on keeps its place until it ends', async () => {
  const door = gate()
  const engine = engineOf(async () => door.opened, { limits: { executionsPerOwner: 1, cancelMs: 5 } })
  const { id } = taskOf(await engine.send(say('hi', {}, now), alice))
  await engine.cancel({ id }, alice)
  expect(await codeOf(engine.send(say('hi', {}, now), alice))).toBe('RATE_LIMITED')
  door.open()
  await expect.poll(() => codeOf(engine.send(say('hi', {}, now), alice))).toBe('no error')
})

test('7.6: more tasks than an owner may keep are RATE_LIMITED', async () => {
  const engine = engineOf(async () => {}, { limits: { tasksPerOwner: 1, tasksAnonymous: 2 } })
  const send = (who = alice) => codeOf(engine.send(say('hi'), who))
  expect([await send(), await send(), await send(bob)]).toEqual(['no error', 'RATE_LIMITED', 'no error'])
  expect([await send(nobody), await send(nobody), await send(nobody)]).toEqual([
    'no error',
    'no error',
    'RATE_LIMITED',
  ])
})

test('7.6: an execution over its deadline is told to stop, and its task FAILED', async () => {
  const stopped = gate()
  const engine = engineOf(
    async ({ signal }) => {
      await untilAborted(signal).catch(stopped.open)
    },
    { deadlineMs: 20 },
  )
  const task = taskOf(await engine.send(say('hi'), alice))
  expect([stateOf(task), task.status.message?.metadata]).toEqual(['FAILED', { reason: 'deadline' }])
  await stopped.opened
})

test('7.6: artifacts beyond the cap fail the task cleanly: what fitted is kept', async () => {
  const engine = engineOf(
    async ({ write, artifact, signal }) => {
      artifact({ id: 'small', parts: [{ text: 'fits' }] })
      write('x'.repeat(20_000))
      artifact({ id: 'small', parts: [{ text: 'again' }] })
      await untilAborted(signal)
    },
    { limits: { artifactBytes: 10_000 } },
  )
  const task = taskOf(await engine.send(say('hi'), alice))
  expect([stateOf(task), task.status.message?.metadata]).toEqual(['FAILED', { reason: 'artifact-limit' }])
  expect(task.artifacts).toEqual([{ artifactId: 'small', parts: [{ text: 'fits' }] }])
  expect(engine.errors).toEqual([])
})

test('7.6: replacing an artifact frees what it held', async () => {
  const engine = engineOf(
    async ({ artifact }) => {
      for (let n = 0; n < 50; n++) artifact({ id: 'one', parts: [{ text: 'x'.repeat(900) }] })
    },
    { limits: { artifactBytes: 1000 } },
  )
  expect(stateOf(taskOf(await engine.send(say('hi'), alice)))).toBe('COMPLETED')
})

test('7.6: a history keeps its newest messages within its caps', async () => {
  const engine = engineOf(async () => ({ state: 'input-required', message: '?' }), {
    limits: { historyMessages: 3, historyBytes: 2000 },
  })
  const { id } = taskOf(await engine.send(say('0'), alice))
  const texts = async () =>
    (await engine.get({ id }, alice)).history?.map(({ parts }) => parts[0]?.text?.slice(0, 1))
  for (const text of ['1', '2']) await engine.send(say(text, { taskId: id }), alice)
  expect(await texts()).toEqual(['1', '?', '2'])
  await engine.send(say('3'.repeat(1700), { taskId: id }), alice)
  expect(await texts()).toEqual(['3'])
})

test('7.6: more streams on a task than there may be are RATE_LIMITED', async () => {
  const engine = engineOf(async () => ({ state: 'input-required', message: '?' }), {
    limits: { streamsPerTask: 1 },
  })
  const { id } = taskOf(await engine.send(say('hi'), alice))
  const one = engine.subscribe({ id }, alice)[Symbol.asyncIterator]()
  await one.next()
  const two = () => engine.subscribe({ id }, alice)[Symbol.asyncIterator]()
  expect(await codeOf(two().next())).toBe('RATE_LIMITED')
  await one.return?.()
  expect(await codeOf(two().next())).toBe('no error')
})

test('7.6: ended and waiting tasks are evicted when they are old, working ones are not', async () => {
  let time = 0
  const store = memoryTaskStore({ now: () => time })
  const door = gate()
  const engine = engineOf(
    async ({ text }) => {
      if (text === 'work') await door.opened
      return text === 'ask' ? { state: 'input-required', message: '?' } : undefined
    },
    { store, now: () => time, limits: { taskTtlMs: 1000, evictionMs: 5 } },
  )
  for (const text of ['done', 'ask', 'work']) await engine.send(say(text, {}, now), alice)
  await expect
    .poll(async () => (await engine.list({ status: 'TASK_STATE_COMPLETED' }, alice)).totalSize)
    .toBe(1)
  time = 1000
  await engine.send(say('done'), alice)
  time = 1001
  await expect
    .poll(async () => (await engine.list({}, alice)).tasks.map(stateOf).sort())
    .toEqual(['COMPLETED', 'WORKING'])
  door.open()
})

test('7.4: what went wrong inside is told to onError only', async () => {
  const store = { ...memoryTaskStore(), count: () => Promise.reject(new Error('disk at /secret')) }
  const engine = engineOf(async () => {}, { store })
  const errors = await Promise.all([
    engine.send(say('hi'), alice).catch((error: Error) => [error.name, error.message]),
    collect(engine.stream(say('hi'), alice)).catch((error: Error) => [error.name, error.message]),
  ])
  expect(errors).toEqual([
    ['A2AError', 'Internal error'],
    ['A2AError', 'Internal error'],
  ])
  expect(engine.errors).toHaveLength(2)
})

test('a closed engine ends its streams, and takes nothing', async () => {
  const engine = engineOf(async ({ signal }) => untilAborted(signal))
  const { rest } = await begun(engine.stream(say('hi'), alice))
  const waiting = codeOf(engine.send(say('hi'), alice))
  await expect.poll(async () => (await engine.list({}, alice)).totalSize).toBe(2)
  await engine.close()
  await rest
  expect(await waiting).toBe('INTERNAL')
  expect(await codeOf(engine.send(say('hi'), alice))).toBe('INTERNAL')
  expect(engine.errors).toEqual([])
})
