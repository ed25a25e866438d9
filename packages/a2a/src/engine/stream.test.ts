import { expect, test } from 'vitest'
import {
  alice,
  begun,
  bob,
  brief,
  codeOf,
  collect,
  engineOf,
  gate,
  now,
  say,
  stateOf,
  taskOf,
} from '../../test/engine.js'
import { applyUpdate } from './apply.js'

test('2.6: the task is first, then its updates, and the stream ends at a terminal state', async () => {
  const engine = engineOf(async ({ write, artifact, progress }) => {
    progress('looking')
    write('a')
    artifact({ id: 'file', parts: [{ text: 'f' }] })
    write('b')
  })
  const items = await collect(engine.stream(say('hi'), alice))
  expect(items.map(brief)).toEqual(['task SUBMITTED', 'WORKING', 'WORKING', '=a', '=f', '+b', 'COMPLETED'])
  expect(items.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5, 6])
})

test('2.6: or exactly one message', async () => {
  const execute = async () => ({ state: 'message', parts: [{ text: 'hello' }] }) as const
  const items = await collect(engineOf({ directReply: true, execute }).stream(say('hi'), alice))
  expect(items.map(brief)).toEqual(['message'])
})

test('2.6: an executor that may reply directly and does not streams as any other', async () => {
  const engine = engineOf({
    directReply: true,
    async execute({ write }) {
      write('a')
    },
  })
  const items = await collect(engine.stream(say('hi'), alice))
  expect(items.map(brief)).toEqual(['task SUBMITTED', 'WORKING', '=a', 'COMPLETED'])
})

test('2.6: the stream ends at an interrupted state', async () => {
  const engine = engineOf(async () => ({ state: 'input-required', message: 'Which?' }))
  const items = await collect(engine.stream(say('hi'), alice))
  expect(items.map(brief)).toEqual(['task SUBMITTED', 'WORKING', 'INPUT_REQUIRED'])
})

test('2.6: a call that is refused throws before its first event', async () => {
  const engine = engineOf(async () => {})
  const first = (message: object) => engine.stream(say('hi', message), alice)[Symbol.asyncIterator]().next()
  expect(await codeOf(first({ taskId: 'none' }))).toBe('TASK_NOT_FOUND')
  const deaf = engineOf(async () => {}, { capabilities: { streaming: false } })
  const refused = deaf.stream(say('hi'), alice)[Symbol.asyncIterator]().next()
  expect(await codeOf(refused)).toBe('UNSUPPORTED_OPERATION')
})

test('2.6: all streams see the same events in the same order, and closing one affects nobody', async () => {
  const door = gate()
  const engine = engineOf(async ({ write, drained }) => {
    write('before')
    await drained()
    await door.opened
    for (let n = 0; n < 20; n++) {
      write(`${n} `.repeat(3000))
      await drained()
    }
  })
  const sender = await begun(engine.stream(say('hi'), alice))
  const id = 'task' in sender.first.event ? sender.first.event.task.id : ''
  const readers = [engine.subscribe({ id }, alice), engine.subscribe({ id }, alice)]
  const [one, two] = await Promise.all(readers.map((reader) => begun(reader)))
  const leaver = engine.subscribe({ id }, alice)[Symbol.asyncIterator]()
  await leaver.next()
  await leaver.return?.()
  door.open()
  const [all, first, second] = await Promise.all([sender.rest, one?.rest, two?.rest])
  expect(one?.first.event).toHaveProperty('task')
  const tail = all.filter(({ seq }) => seq > (one?.first.seq ?? 0))
  expect(first).toEqual(tail)
  expect(second).toEqual(all.filter(({ seq }) => seq > (two?.first.seq ?? 0)))
  expect(tail.map(brief).at(-1)).toBe('COMPLETED')
})

test('2.6: subscribe begins with a snapshot, and what follows leads to the final task', async () => {
  const door = gate()
  const engine = engineOf(async ({ write, drained }) => {
    write('x'.repeat(9000))
    await drained()
    await door.opened
    write('y')
  })
  const { id } = taskOf(await engine.send(say('hi', {}, now), alice))
  await expect.poll(async () => (await engine.get({ id }, alice)).artifacts?.length).toBe(1)
  const { first, rest } = await begun(engine.subscribe({ id }, alice))
  door.open()
  if (!('task' in first.event)) throw new Error('no snapshot')
  expect(first.event.task.artifacts).toHaveLength(1)
  const followed = (await rest).reduce((task, { event }) => applyUpdate(task, event), first.event.task)
  expect(followed).toEqual(await engine.get({ id }, alice))
})

test('2.6: subscribing to a foreign or unknown task is TASK_NOT_FOUND', async () => {
  const engine = engineOf(async () => ({ state: 'input-required', message: '?' }))
  const { id } = taskOf(await engine.send(say('hi'), alice))
  for (const [task, who] of [
    [id, bob],
    ['none', alice],
  ] as const) {
    const first = engine.subscribe({ id: task }, who)[Symbol.asyncIterator]().next()
    expect(await codeOf(first)).toBe('TASK_NOT_FOUND')
  }
})

test('2.6: a subscription to a task that asks sees the next turn, and ends with it', async () => {
  const engine = engineOf(async ({ resumed }) =>
    resumed ? undefined : { state: 'input-required', message: '?' },
  )
  const { id } = taskOf(await engine.send(say('hi'), alice))
  const { first, rest } = await begun(engine.subscribe({ id }, alice))
  expect(brief(first)).toBe('task INPUT_REQUIRED')
  await engine.send(say('this', { taskId: id }), alice)
  expect((await rest).map(brief)).toEqual(['WORKING', 'COMPLETED'])
})

test('6.2 no. 12: a reader that leaves at once does not stop the task', async () => {
  const engine = engineOf(async ({ write }) => write('done'))
  const stream = engine.stream(say('hi'), alice)[Symbol.asyncIterator]()
  const { value } = await stream.next()
  await stream.return?.()
  const id = 'task' in value.event ? value.event.task.id : ''
  await expect.poll(async () => stateOf(await engine.get({ id }, alice))).toBe('COMPLETED')
})

test('the signal of a caller that is gone ends its stream only', async () => {
  const door = gate()
  const engine = engineOf(async () => door.opened)
  const leaving = new AbortController()
  const { first, rest } = await begun(engine.stream(say('hi'), { ...alice, signal: leaving.signal }))
  const id = 'task' in first.event ? first.event.task.id : ''
  leaving.abort()
  expect((await rest).map(brief).every((word) => word === 'WORKING')).toBe(true)
  door.open()
  await expect.poll(async () => stateOf(await engine.get({ id }, alice))).toBe('COMPLETED')
})
