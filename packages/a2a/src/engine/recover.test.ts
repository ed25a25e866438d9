import { expect, test } from 'vitest'
import {
  alice,
  brief,
  collect,
  engineOf,
  gate,
  now,
  say,
  stateOf,
  taskOf,
  textOf,
  untilAborted,
} from '../../test/engine.js'
import type { Executor } from '../executor.js'
import { memoryTaskStore } from '../store/memory.js'

/** A store that outlives its engine, with a task that an engine was closed on. */
async function leftBehind() {
  const store = { ...memoryTaskStore(), close: async () => {} }
  const engine = engineOf(
    async ({ write, drained, signal }) => {
      write('half'.repeat(3000))
      await drained()
      await untilAborted(signal)
    },
    { store, limits: { cancelMs: 20 } },
  )
  const request = say('work')
  const { id } = taskOf(await engine.send({ ...request, configuration: now }, alice))
  await expect.poll(async () => (await engine.get({ id }, alice)).artifacts?.length).toBe(1)
  await engine.close()
  return { store, id, request }
}

test('7.9: a task left WORKING stays in the store as it was', async () => {
  const { store, id } = await leftBehind()
  const kept = await store.load(id, alice.caller.owner, '')
  expect(kept?.task.status.state).toBe('TASK_STATE_WORKING')
  expect(kept?.task.artifacts?.[0]?.parts[0]?.text).toHaveLength(12_000)
})

test('7.9: without recover it FAILED as interrupted', async () => {
  const { store, id, request } = await leftBehind()
  const engine = engineOf(async () => {}, { store })
  expect(await engine.recover()).toEqual({ resumed: 0, failed: 1 })
  const task = await engine.get({ id }, alice)
  expect([stateOf(task), task.status.message?.metadata]).toEqual(['FAILED', { reason: 'interrupted' }])
  expect(taskOf(await engine.send(request, alice))).toEqual(task)
  expect(await engine.recover()).toEqual({ resumed: 0, failed: 0 })
})

test('7.9: an executor that recovers executes its message again, and begins its artifacts again', async () => {
  const { store, id, request } = await leftBehind()
  const door = gate()
  const asked: string[] = []
  const executor: Executor = {
    async execute({ write, text, resumed }) {
      expect([text, resumed]).toEqual(['work', false])
      write('whole')
      await door.opened
    },
    recover: (task) => asked.push(task.id) > 0,
  }
  const engine = engineOf(executor, { store })
  expect(await engine.recover()).toEqual({ resumed: 1, failed: 0 })
  expect(asked).toEqual([id])
  const subscribed = collect(engine.subscribe({ id }, alice))
  const repeated = engine.send(request, alice)
  door.open()
  const task = taskOf(await repeated)
  expect([stateOf(task), textOf(task)]).toEqual(['COMPLETED', 'whole'])
  expect((await subscribed).map(brief)).toEqual(['task WORKING', '=whole', 'COMPLETED'])
})

test('7.9: an executor whose recover throws fails the task', async () => {
  const { store, id } = await leftBehind()
  const engine = engineOf(
    { execute: async () => {}, recover: () => Promise.reject(new Error('boom')) },
    { store },
  )
  expect(await engine.recover()).toEqual({ resumed: 0, failed: 1 })
  expect(stateOf(await engine.get({ id }, alice))).toBe('FAILED')
})

test('7.9: numbers go on after a restart', async () => {
  const { store, id } = await leftBehind()
  const before = (await store.load(id, alice.caller.owner, ''))?.seq ?? 0
  await engineOf(async () => {}, { store }).recover()
  expect((await store.load(id, alice.caller.owner, ''))?.seq).toBe(before + 1)
})

test('an execution that completes while the agent shuts down is kept', async () => {
  const store = { ...memoryTaskStore(), close: async () => {} }
  const engine = engineOf(
    async ({ signal }) => {
      await untilAborted(signal).catch(() => {})
      return { state: 'completed', message: 'just in time' }
    },
    { store },
  )
  const { id } = taskOf(await engine.send(say('work', {}, now), alice))
  await engine.close()
  expect((await store.load(id, alice.caller.owner, ''))?.task.status.state).toBe('TASK_STATE_COMPLETED')
})
