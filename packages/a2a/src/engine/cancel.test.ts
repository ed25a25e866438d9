import { expect, test } from 'vitest'
import {
  alice,
  begun,
  bob,
  brief,
  codeOf,
  engineOf,
  gate,
  now,
  say,
  stateOf,
  taskOf,
  untilAborted,
} from '../../test/engine.js'
import type { Ending, Executor } from '../executor.js'
import { memoryTaskStore } from '../store/memory.js'

test('7.8: cancel tells the executor by its signal, and the task is CANCELED for everyone', async () => {
  const engine = engineOf(async ({ signal }) => untilAborted(signal))
  const { first, rest } = await begun(engine.stream(say('hi'), alice))
  const id = 'task' in first.event ? first.event.task.id : ''
  await expect.poll(async () => stateOf(await engine.get({ id }, alice))).toBe('WORKING')
  const canceled = await engine.cancel({ id }, alice)
  expect(stateOf(canceled)).toBe('CANCELED')
  expect((await rest).map(brief)).toEqual(['WORKING', 'CANCELED'])
  expect(await engine.get({ id }, alice)).toEqual(canceled)
  expect(engine.errors).toEqual([])
})

test('7.8: an executor that does not hear the signal is not waited for, and what it writes later has no effect', async () => {
  const door = gate()
  const late = gate()
  const engine = engineOf(
    async ({ write, progress, artifact }) => {
      await door.opened
      write('x'.repeat(10_000))
      progress('still here')
      artifact({ parts: [{ text: 'late' }] })
      late.open()
    },
    { limits: { cancelMs: 20 } },
  )
  const { id } = taskOf(await engine.send(say('hi', {}, now), alice))
  const canceled = await engine.cancel({ id }, alice)
  expect(stateOf(canceled)).toBe('CANCELED')
  door.open()
  await late.opened
  expect(await engine.get({ id }, alice)).toEqual(canceled)
})

test('7.8: work that cannot stop is TASK_NOT_CANCELABLE, and goes on', async () => {
  const door = gate()
  const engine = engineOf({
    cancelable: false,
    async execute({ signal }) {
      await door.opened
      expect(signal.aborted).toBe(false)
    },
  })
  const { id } = taskOf(await engine.send(say('hi', {}, now), alice))
  expect(await codeOf(engine.cancel({ id }, alice))).toBe('TASK_NOT_CANCELABLE')
  door.open()
  await expect.poll(async () => stateOf(await engine.get({ id }, alice))).toBe('COMPLETED')
})

test('7.8: many cancels at once are one', async () => {
  const engine = engineOf(async ({ signal }) => untilAborted(signal))
  const { id } = taskOf(await engine.send(say('hi', {}, now), alice))
  const tasks = await Promise.all([1, 2, 3, 4].map(() => engine.cancel({ id }, alice)))
  expect(new Set(tasks.map((task) => JSON.stringify(task))).size).toBe(1)
})

test('7.8: an executor that says it completed when it was told to stop has completed', async () => {
  const engine = engineOf(async ({ signal }) => {
    await untilAborted(signal).catch(() => {})
    return { state: 'completed', message: 'too late to stop' }
  })
  const { id } = taskOf(await engine.send(say('hi', {}, now), alice))
  expect(await codeOf(engine.cancel({ id }, alice))).toBe('TASK_NOT_CANCELABLE')
  expect(stateOf(await engine.get({ id }, alice))).toBe('COMPLETED')
})

test.each([
  ['returns nothing', async () => undefined],
  ['fails', async () => ({ state: 'failed', message: 'aborted' }) as const],
  ['asks', async () => ({ state: 'input-required', message: '?' }) as const],
] satisfies [string, () => Promise<Ending | undefined>][])(
  '7.8: an executor that %s when it was told to stop was cancelled',
  async (_, after) => {
    const engine = engineOf(async ({ signal }): Promise<Ending | undefined> => {
      await untilAborted(signal).catch(() => {})
      return after()
    })
    const { id } = taskOf(await engine.send(say('hi', {}, now), alice))
    expect(stateOf(await engine.cancel({ id }, alice))).toBe('CANCELED')
  },
)

test('7.8: against a completion the first terminal write wins, in the store as for the callers', async () => {
  for (let round = 0; round < 20; round++) {
    const door = gate()
    const store = memoryTaskStore()
    const execute = () => door.opened.then(() => ({ state: 'completed' }) as const)
    const engine = engineOf(execute, { store })
    const { first, rest } = await begun(engine.stream(say('hi'), alice))
    const id = 'task' in first.event ? first.event.task.id : ''
    if (round % 2 === 0) door.open()
    const cancel = codeOf(engine.cancel({ id }, alice))
    door.open()
    const last = (await rest).map(brief).at(-1)
    const state = stateOf(await engine.get({ id }, alice))
    expect(last).toBe(state)
    expect(await cancel).toBe(state === 'CANCELED' ? 'no error' : 'TASK_NOT_CANCELABLE')
    const kept = await store.load(id, alice.caller.owner, '')
    expect(kept?.task.status.state).toBe(`TASK_STATE_${state}`)
  }
})

test('7.8: a task of another process that ended in the store meanwhile is not overwritten', async () => {
  const store = memoryTaskStore()
  const door = gate()
  const engine = engineOf(async () => door.opened, { store })
  const running = engine.send(say('hi'), alice)
  await expect.poll(async () => (await engine.list({}, alice)).totalSize).toBe(1)
  const [task] = (await engine.list({}, alice)).tasks
  const record = await store.load(task?.id ?? '', alice.caller.owner, '')
  if (record === undefined) throw new Error('not stored')
  const status = { state: 'TASK_STATE_REJECTED' } as const
  await store.save({ ...record, task: { ...record.task, status } }, 'open')
  door.open()
  expect(stateOf(taskOf(await running))).toBe('REJECTED')
})

test('7.5: cancelling a foreign task is like an unknown one', async () => {
  const executor: Executor = { execute: async () => ({ state: 'input-required', message: '?' }) }
  const engine = engineOf(executor)
  const { id } = taskOf(await engine.send(say('hi'), alice))
  const [foreign, unknown] = await Promise.all(
    [engine.cancel({ id }, bob), engine.cancel({ id: 'none' }, bob)].map((call) =>
      call.catch((error: Error) => error),
    ),
  )
  expect(foreign).toEqual(unknown)
  expect(stateOf(await engine.get({ id }, alice))).toBe('INPUT_REQUIRED')
})

test('7.8: cancel while admission settles waits for it, and then nothing is executed', async () => {
  const door = gate()
  const asked = gate()
  const ended: string[] = []
  let runs = 0
  const engine = engineOf(
    async () => {
      runs++
      return { state: 'input-required', message: '?' }
    },
    {
      admit: async (request) => {
        if (request.message.parts[0]?.text === 'pay') {
          asked.open()
          await door.opened
        }
        return {
          kind: 'run',
          metadata: { 'x402.payment.status': 'payment-verified' },
          complete: async (how) => {
            ended.push(how)
            return { 'x402.payment.status': 'payment-completed' }
          },
        }
      },
    },
  )
  const { id } = taskOf(await engine.send(say('hi'), alice))
  const paying = engine.send(say('pay', { taskId: id }), alice)
  await asked.opened
  const canceling = engine.cancel({ id }, alice)
  door.open()
  expect((await canceling).status).toMatchObject({
    state: 'TASK_STATE_CANCELED',
    message: { metadata: { 'x402.payment.status': 'payment-completed' } },
  })
  expect(stateOf(taskOf(await paying))).toBe('CANCELED')
  expect([runs, ended]).toEqual([1, ['interrupted', 'canceled']])
})

test('7.8: cancel while admission takes long is TASK_NOT_CANCELABLE, and the task goes on', async () => {
  const door = gate()
  const asked = gate()
  const engine = engineOf(
    async ({ resumed }) => (resumed ? undefined : { state: 'input-required', message: '?' }),
    {
      limits: { cancelMs: 10 },
      admit: async (request) => {
        if (request.message.parts[0]?.text === 'pay') {
          asked.open()
          await door.opened
        }
        return { kind: 'run' }
      },
    },
  )
  const { id } = taskOf(await engine.send(say('hi'), alice))
  const paying = engine.send(say('pay', { taskId: id }), alice)
  await asked.opened
  expect(await codeOf(engine.cancel({ id }, alice))).toBe('TASK_NOT_CANCELABLE')
  door.open()
  expect(stateOf(taskOf(await paying))).toBe('COMPLETED')
})
