import { expect, test } from 'vitest'
import { alice, as, bob, codeOf, engineOf, gate, now, say, stateOf, taskOf } from '../../test/engine.js'
import { A2AError } from '../errors.js'
import type { Executor } from '../executor.js'
import type { PushConfig, StreamResponse, Task } from '../model.js'
import type { PushDelivery } from '../push.js'
import { memoryTaskStore } from '../store/memory.js'
import type { TaskStore } from '../task-store.js'

const url = 'https://receiver.example/hook'

function recorder() {
  const notified: string[] = []
  let made = 0
  const delivery: PushDelivery = {
    async check(config) {
      if (!config.url.startsWith('https:')) throw new A2AError('INVALID_PARAMS')
    },
    prepare({ owner, tenant, task }, config, event: StreamResponse) {
      const what =
        'statusUpdate' in event
          ? event.statusUpdate.status.state.replace('TASK_STATE_', '')
          : 'artifactUpdate' in event
            ? event.artifactUpdate.artifact.parts.map(({ text }) => text).join('')
            : 'other'
      const body = `${owner} ${what} ${stateOf(task)}`
      const place = { owner, tenant, taskId: task.id, configId: config.id }
      return { id: `n${++made}`, ...place, body, attempt: 0, dueAt: 0 }
    },
    send(items) {
      notified.push(...items.map(({ body }) => body))
    },
    async close() {},
  }
  return { notified, delivery }
}

const execute = async ({
  write,
  artifact,
  drained,
}: {
  write(text: string): void
  artifact(a: { parts: { text: string }[] }): void
  drained(): Promise<void>
}) => {
  write('a'.repeat(9000))
  await drained()
  write('b')
  artifact({ parts: [{ text: 'whole' }] })
}

test('2.11: without push every operation is PUSH_NOTIFICATION_NOT_SUPPORTED, and nothing is executed', async () => {
  const engine = engineOf(async () => expect.unreachable())
  const config = { taskId: 'x', url }
  for (const call of [
    engine.createPush(config, alice),
    engine.getPush({ taskId: 'x', id: 'x' }, alice),
    engine.listPush({ taskId: 'x' }, alice),
    engine.deletePush({ taskId: 'x', id: 'x' }, alice),
    engine.send(say('hi', {}, { taskPushNotificationConfig: { url } }), alice),
  ]) {
    expect(await codeOf(call)).toBe('PUSH_NOTIFICATION_NOT_SUPPORTED')
  }
})

test('2.5: an inline config is notified of every status and of whole artifacts, in order', async () => {
  const { notified, delivery } = recorder()
  const engine = engineOf(execute, { push: delivery })
  const request = say('hi', {}, { taskPushNotificationConfig: { id: 'p', url, token: 't' } })
  const { id } = taskOf(await engine.send(request, alice))
  await expect.poll(() => notified.length).toBe(4)
  expect(notified).toEqual([
    'bearer:alice WORKING WORKING',
    'bearer:alice whole WORKING',
    `bearer:alice ${'a'.repeat(9000)}b COMPLETED`,
    'bearer:alice COMPLETED COMPLETED',
  ])
  expect(await engine.listPush({ taskId: id }, alice)).toEqual({
    configs: [{ id: 'p', taskId: id, url, token: 't' }],
    nextPageToken: '',
  })
})

test('2.5: an inline config that is refused refuses the call, and nothing is executed', async () => {
  const { delivery } = recorder()
  const engine = engineOf(async () => expect.unreachable(), { push: delivery })
  const request = say('hi', {}, { taskPushNotificationConfig: { url: 'http://127.0.0.1' } })
  expect(await codeOf(engine.send(request, alice))).toBe('INVALID_PARAMS')
  expect((await engine.list({}, alice)).totalSize).toBe(0)
})

test('2.1: configs are made, read, listed in pages, and deleted', async () => {
  const { notified, delivery } = recorder()
  const door = gate()
  const engine = engineOf(async () => door.opened, { push: delivery })
  const { id: taskId } = taskOf(await engine.send(say('hi', {}, now), alice))
  const made: PushConfig[] = []
  for (const id of ['a', 'b', 'c']) made.push(await engine.createPush({ taskId, id, url }, alice))
  const unnamed = await engine.createPush({ taskId, url }, as('bearer:alice', { version: '0.3' }))
  expect(Object.keys(unnamed).sort()).toEqual(['id', 'taskId', 'url'])
  expect(await engine.getPush({ taskId, id: 'b' }, alice)).toEqual(made[1])
  await engine.deletePush({ taskId, id: unnamed.id ?? '' }, alice)
  const first = await engine.listPush({ taskId, pageSize: 2 }, alice)
  const second = await engine.listPush({ taskId, pageSize: 2, pageToken: first.nextPageToken }, alice)
  expect([first.configs, second.configs, second.nextPageToken]).toEqual([made.slice(0, 2), made.slice(2), ''])
  expect(await codeOf(engine.getPush({ taskId, id: 'z' }, alice))).toBe('TASK_NOT_FOUND')
  door.open()
  // Each of the three.
  await expect.poll(() => notified).toEqual(Array(3).fill('bearer:alice COMPLETED COMPLETED'))
})

test('7.5: push operations on a foreign task are like those on an unknown one', async () => {
  const { delivery } = recorder()
  const engine = engineOf(async () => ({ state: 'input-required', message: '?' }), { push: delivery })
  const task: Task = taskOf(await engine.send(say('hi'), alice))
  await engine.createPush({ taskId: task.id, id: 'p', url }, alice)
  for (const taskId of [task.id, 'none']) {
    for (const call of [
      engine.createPush({ taskId, url }, bob),
      engine.getPush({ taskId, id: 'p' }, bob),
      engine.listPush({ taskId }, bob),
      engine.deletePush({ taskId, id: 'p' }, bob),
    ]) {
      expect(await codeOf(call)).toBe('TASK_NOT_FOUND')
    }
  }
  expect((await engine.listPush({ taskId: task.id }, alice)).configs).toHaveLength(1)
})

test('7.2: at most 10 configs a task', async () => {
  const { delivery } = recorder()
  const engine = engineOf(async () => ({ state: 'input-required', message: '?' }), { push: delivery })
  const { id: taskId } = taskOf(await engine.send(say('hi'), alice))
  for (let n = 0; n < 10; n++) await engine.createPush({ taskId, id: `p${n}`, url }, alice)
  expect(await codeOf(engine.createPush({ taskId, id: 'p10', url }, alice))).toBe('INVALID_PARAMS')
  expect(await codeOf(engine.createPush({ taskId, id: 'p9', url }, alice))).toBe('no error')
  const inline = say('more', { taskId }, { taskPushNotificationConfig: { url } })
  expect(await codeOf(engine.send(inline, alice))).toBe('INVALID_PARAMS')
})

test('7.2: a task that came back from the store is notified as before', async () => {
  const { notified, delivery } = recorder()
  const store = { ...memoryTaskStore(), close: async () => {} }
  const ask = async ({ resumed }: { readonly resumed: boolean }) =>
    resumed ? undefined : ({ state: 'input-required', message: '?' } as const)
  const before = engineOf(ask, { store, push: delivery })
  const request = say('hi', {}, { taskPushNotificationConfig: { url } })
  const { id } = taskOf(await before.send(request, alice))
  await before.close()
  const after = engineOf(ask, { store, push: delivery })
  await after.send(say('this', { taskId: id }), alice)
  await after.close()
  expect(notified.map((line) => line.split(' ')[1])).toEqual([
    'WORKING',
    'INPUT_REQUIRED',
    'WORKING',
    'COMPLETED',
  ])
})

test('7.2: a status and what it tells are one write, with the inline config in the first', async () => {
  const { delivery } = recorder()
  const memory = memoryTaskStore()
  const writes: [string, readonly string[], number][] = []
  const store: TaskStore = {
    ...memory,
    save: (record, from, extras) => {
      const told = (extras?.outbox ?? []).map(({ body }) => body.split(' ')[1] ?? '')
      writes.push([stateOf(record.task), told, extras?.push?.length ?? 0])
      return memory.save(record, from, extras)
    },
  }
  const engine = engineOf(async ({ write }) => write('chunk'), { store, push: delivery })
  await engine.send(say('hi', {}, { taskPushNotificationConfig: { url } }), alice)
  expect(writes).toEqual([
    ['WORKING', ['WORKING'], 1],
    ['COMPLETED', ['chunk', 'COMPLETED'], 0],
  ])
})

test('7.2: of a write that fails and is done again each notification is sent once', async () => {
  const { notified, delivery } = recorder()
  const memory = memoryTaskStore()
  let failures = 2
  const store: TaskStore = {
    ...memory,
    save: async (...call) => {
      if (call[0].task.status.state === 'TASK_STATE_COMPLETED' && failures-- > 0) throw new Error('full')
      return memory.save(...call)
    },
  }
  const engine = engineOf(async () => undefined, { store, push: delivery })
  await engine.send(say('hi', {}, { taskPushNotificationConfig: { url } }), alice)
  expect(notified).toEqual(['bearer:alice WORKING WORKING', 'bearer:alice COMPLETED COMPLETED'])
  expect((await store.outbox()).map(({ body }) => body)).toEqual(notified)
})

test('7.2: a task that is hidden as a possible direct reply tells what happened in it once it is shown', async () => {
  const { notified, delivery } = recorder()
  const directReply = {
    directReply: true,
    async execute({ text, progress, artifact }: Parameters<Executor['execute']>[0]) {
      if (text === 'reply') return { state: 'message', parts: [{ text: 'hello' }] } as const
      if (text === 'work') {
        progress('at it')
        artifact({ parts: [{ text: 'whole' }] })
      }
      return undefined
    },
  }
  const engine = engineOf(directReply, { push: delivery })
  const inline = { taskPushNotificationConfig: { url } }
  expect(await engine.send(say('reply', {}, inline), alice)).toHaveProperty('message')
  expect(notified).toEqual([])
  await engine.send(say('quick', {}, inline), alice)
  expect(notified.splice(0).map((line) => line.split(' ')[1])).toEqual(['WORKING', 'COMPLETED'])
  await engine.send(say('work', {}, inline), alice)
  expect(notified.map((line) => line.split(' ')[1])).toEqual(['WORKING', 'WORKING', 'whole', 'COMPLETED'])
})

test('7.2: the config of a message that waits for another is there at once, and hears of its own turn', async () => {
  const { notified, delivery } = recorder()
  const door = gate()
  const ask = async () => {
    await door.opened
    return { state: 'input-required', message: '?' } as const
  }
  const engine = engineOf(ask, { push: delivery })
  const { id: taskId } = taskOf(await engine.send(say('one', {}, now), alice))
  const inline = { ...now, taskPushNotificationConfig: { id: 'p', url } }
  const second = engine.send(say('two', { taskId }, inline), alice)
  await second
  await expect
    .poll(async () => (await engine.listPush({ taskId }, alice)).configs.map(({ id }) => id))
    .toEqual(['p'])
  door.open()
  await expect
    .poll(() => notified.map((line) => line.split(' ')[1]))
    .toEqual(['INPUT_REQUIRED', 'WORKING', 'INPUT_REQUIRED'])
})
