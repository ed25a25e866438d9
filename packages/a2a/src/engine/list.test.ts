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
} from '../../test/engine.js'

async function filled(count: number) {
  let time = Date.UTC(2026, 0, 1)
  const engine = engineOf(
    async ({ text, write }) => {
      write(text)
      return text === 'ask' ? { state: 'input-required', message: '?' } : undefined
    },
    { now: () => time },
  )
  for (let n = 0; n < count; n++) {
    time += 1000
    await engine.send(say(n === 1 ? 'ask' : `t${n}`, { contextId: n < 2 ? 'low' : 'high' }), alice)
  }
  return { engine, time }
}

test('2.9: all four members are there, newest first, without artifacts and without history', async () => {
  const { engine } = await filled(3)
  const page = await engine.list({}, alice)
  expect(Object.keys(page).sort()).toEqual(['nextPageToken', 'pageSize', 'tasks', 'totalSize'])
  expect([page.nextPageToken, page.pageSize, page.totalSize]).toEqual(['', 50, 3])
  expect(page.tasks.map(stateOf)).toEqual(['COMPLETED', 'INPUT_REQUIRED', 'COMPLETED'])
  for (const task of page.tasks) expect([task.artifacts, task.history]).toEqual([undefined, undefined])
  expect(Object.keys(page.tasks[0] ?? {})).not.toContain('artifacts')
  expect(await engine.list({}, bob)).toEqual({ tasks: [], nextPageToken: '', pageSize: 50, totalSize: 0 })
  expect((await engine.list({}, as('bearer:alice', { tenant: 't' }))).totalSize).toBe(0)
})

test('2.9: includeArtifacts and historyLength give what they name', async () => {
  const { engine } = await filled(2)
  const [asked] = (await engine.list({ includeArtifacts: true, historyLength: 1 }, alice)).tasks
  expect(asked?.artifacts?.[0]?.parts).toEqual([{ text: 'ask' }])
  expect(asked?.history).toHaveLength(1)
})

test('2.9: pages by an opaque token that belongs to its query', async () => {
  const { engine } = await filled(5)
  const first = await engine.list({ pageSize: 2 }, alice)
  expect([first.tasks.length, first.totalSize, first.pageSize]).toEqual([2, 5, 2])
  const second = await engine.list({ pageSize: 2, pageToken: first.nextPageToken }, alice)
  const third = await engine.list({ pageSize: 2, pageToken: second.nextPageToken }, alice)
  expect(third.nextPageToken).toBe('')
  const ids = [first, second, third].flatMap(({ tasks }) => tasks.map(({ id }) => id))
  expect(new Set(ids).size).toBe(5)
  const { nextPageToken: pageToken } = first
  expect(await codeOf(engine.list({ pageToken, contextId: 'low' }, alice))).toBe('INVALID_PARAMS')
  expect(await codeOf(engine.list({ pageToken }, bob))).toBe('INVALID_PARAMS')
  expect(await codeOf(engine.list({ pageToken: 'junk' }, alice))).toBe('INVALID_PARAMS')
})

test('2.9: filters by context, state and instant, its own included', async () => {
  const { engine, time } = await filled(4)
  const count = async (query: object) => (await engine.list(query, alice)).totalSize
  expect(await count({ contextId: 'low' })).toBe(2)
  expect(await count({ contextId: 'low', status: 'TASK_STATE_COMPLETED' })).toBe(1)
  expect(await count({ statusTimestampAfter: new Date(time).toISOString() })).toBe(1)
  expect(await count({ statusTimestampAfter: new Date(time + 1).toISOString() })).toBe(0)
})

test.each([
  { pageSize: 0 },
  { pageSize: 101 },
  { pageSize: -1 },
  { pageSize: 1.5 },
  { historyLength: -1 },
  { statusTimestampAfter: 'yesterday' },
  { statusTimestampAfter: '2026-13-45T00:00:00Z' },
])('2.9: %j is INVALID_PARAMS', async (query) => {
  expect(await codeOf(engineOf(async () => {}).list(query, alice))).toBe('INVALID_PARAMS')
})

test('2.9: a task at work is listed as it is now', async () => {
  const door = gate()
  const engine = engineOf(async ({ progress, write, drained }) => {
    write('x'.repeat(9000))
    progress('half way')
    await drained()
    await door.opened
  })
  const { id } = taskOf(await engine.send(say('hi', {}, now), alice))
  await expect.poll(async () => (await engine.get({ id }, alice)).status.message).toBeDefined()
  const { tasks } = await engine.list({ includeArtifacts: true, historyLength: 100 }, alice)
  expect(tasks).toEqual([await engine.get({ id }, alice)])
  door.open()
})

test('6.2 no. 15: anonymous callers reach a task by its id, and list nothing unless they share', async () => {
  const engine = engineOf(async () => {})
  const { id } = taskOf(await engine.send(say('hi'), nobody))
  expect((await engine.get({ id }, nobody)).id).toBe(id)
  expect(await codeOf(engine.get({ id }, alice))).toBe('TASK_NOT_FOUND')
  expect(await codeOf(engine.list({}, nobody))).toBe('UNSUPPORTED_OPERATION')
  const shared = engineOf(async () => {}, { anonymous: 'shared' })
  await shared.send(say('hi'), nobody)
  expect((await shared.list({}, nobody)).totalSize).toBe(1)
})
