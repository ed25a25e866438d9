import { expect, test } from 'vitest'
import {
  alice,
  as,
  brief,
  collect,
  engineOf,
  gate,
  now,
  say,
  stateOf,
  taskOf,
  textOf,
} from '../../test/engine.js'
import type { Execution } from '../executor.js'
import { memoryTaskStore } from '../store/memory.js'

test('6.2 no. 5: what an executor throws is told to onError under an id, the caller gets a generic text', async () => {
  const told: unknown[] = []
  const engine = engineOf(
    async ({ write }) => {
      write('so far')
      throw new Error('password is hunter2')
    },
    { onError: (error, errorId) => told.push([error instanceof Error && error.message, errorId]) },
  )
  const task = taskOf(await engine.send(say('hi'), alice))
  expect(stateOf(task)).toBe('FAILED')
  expect(textOf(task)).toBe('so far')
  const { parts, metadata } = task.status.message ?? {}
  expect(parts).toEqual([{ text: 'The agent failed to complete this task' }])
  expect(told).toEqual([['password is hunter2', metadata?.errorId]])
  expect(JSON.stringify(task)).not.toContain('hunter2')
})

test.each([
  ['an unknown state', { state: 'perhaps' }],
  ['no parts', { state: 'completed', message: [] }],
  ['a part with two contents', { state: 'completed', message: [{ text: 'a', url: 'b' }] }],
  ['a member of Object', { state: 'constructor' }],
])('6.2 no. 5: an ending with %s fails the task', async (_, ending) => {
  const engine = engineOf(async () => ending as never)
  expect(stateOf(taskOf(await engine.send(say('hi'), alice)))).toBe('FAILED')
  expect(engine.errors[0]).toBeInstanceOf(TypeError)
})

test('an artifact without parts, or a write of what is no text, is a TypeError', async () => {
  const thrown: unknown[] = []
  const engine = engineOf(async ({ artifact, write }) => {
    for (const call of [
      () => artifact({ parts: [] }),
      () => artifact({ parts: [{}] }),
      () => write(1 as never),
    ]) {
      try {
        call()
      } catch (error) {
        thrown.push(error instanceof TypeError)
      }
    }
  })
  expect(stateOf(taskOf(await engine.send(say('hi'), alice)))).toBe('COMPLETED')
  expect(thrown).toEqual([true, true, true])
})

test('an execution has the text, the data, the caller and the request of its message', async () => {
  const seen: Partial<Execution>[] = []
  const engine = engineOf(async ({ text, data, context, request, message, resumed }) => {
    seen.push({ text, data, context, request, message, resumed })
  })
  const parts = [
    { text: 'a' },
    { data: [1] },
    { data: { action: 'go' } },
    { text: 'b' },
    { data: { action: 'no' } },
  ]
  const extensions = new Set(['urn:x'])
  await engine.send(
    { ...say('', { parts }), metadata: { k: 1 } },
    as('solana:A', { tenant: 't', extensions, peer: '::1' }),
  )
  expect(seen[0]).toMatchObject({
    text: 'a\nb',
    data: { action: 'go' },
    resumed: false,
    request: { metadata: { k: 1 }, message: { parts } },
    context: {
      caller: { owner: 'solana:A', anonymous: false },
      tenant: 't',
      carrier: 'jsonrpc',
      peer: '::1',
    },
  })
  expect(seen[0]?.message).toEqual(seen[0]?.request?.message)
})

test('6.2 no. 10: text is sent when 8 KiB are collected, order kept, and appended text is one part of the task', async () => {
  const engine = engineOf(async ({ write, artifact }) => {
    for (let n = 0; n < 20; n++) write('x'.repeat(1024))
    write('second', { id: 'other', name: 'Other', mediaType: 'text/markdown' })
    artifact({ name: 'Data', parts: [{ data: { a: 1 } }] })
    artifact({ parts: [{ url: 'https://a.example' }] })
    write('!')
  })
  const items = await collect(engine.stream(say('hi'), alice))
  const sizes = items.map(brief).map((word) => (word.length > 12 ? `${word[0]}${word.length - 1}` : word))
  expect(sizes).toEqual(
    ['task SUBMITTED', 'WORKING', '=8192', '+8192', '+4096', '=second', '=?', '=?', '+!', 'COMPLETED'].map(
      (word) => (word.length > 12 ? `${word[0]}${word.length - 1}` : word),
    ),
  )
  const id = items.flatMap(({ event }) => ('task' in event ? [event.task.id] : []))[0] ?? ''
  const task = await engine.get({ id }, alice)
  expect(task.artifacts).toEqual([
    { artifactId: 'result', parts: [{ text: `${'x'.repeat(20 * 1024)}!` }] },
    { artifactId: 'other', name: 'Other', parts: [{ text: 'second', mediaType: 'text/markdown' }] },
    { artifactId: 'artifact-1', name: 'Data', parts: [{ data: { a: 1 } }] },
    { artifactId: 'artifact-2', parts: [{ url: 'https://a.example' }] },
  ])
})

test('6.2 no. 10: text that waits for more is sent after a moment', async () => {
  const door = gate()
  const engine = engineOf(async ({ write }) => {
    write('a')
    await door.opened
  })
  const { id } = taskOf(await engine.send(say('hi', {}, now), alice))
  await expect.poll(async () => textOf(await engine.get({ id }, alice))).toBe('a')
  door.open()
})

test('a long text is sent in updates of at most 64 KiB that cut no character', async () => {
  const text = `a${'😀'.repeat(60_000)}`
  const engine = engineOf(async ({ write }) => write(text))
  const items = await collect(engine.stream(say('hi'), alice))
  const texts = items.flatMap(({ event }) =>
    'artifactUpdate' in event ? event.artifactUpdate.artifact.parts.map((part) => part.text ?? '') : [],
  )
  expect(texts.join('')).toBe(text)
  expect(Math.max(...texts.map((piece) => piece.length))).toBeLessThanOrEqual(65_536)
  expect(texts.every((piece) => piece.isWellFormed())).toBe(true)
})

test('a producer that does not wait cuts no reader that keeps up', async () => {
  const engine = engineOf(async ({ write }) => {
    for (let n = 0; n < 4000; n++) write('x'.repeat(1024))
  })
  const items = await collect(engine.stream(say('hi'), alice))
  expect(items.map(brief).at(-1)).toBe('COMPLETED')
  const length = items.flatMap(({ event }) =>
    'artifactUpdate' in event ? event.artifactUpdate.artifact.parts : [],
  )
  expect(length.reduce((sum, { text = '' }) => sum + text.length, 0)).toBe(4000 * 1024)
})

test('6.2 no. 9: many chunks cost a bounded number of writes to the store, and the end is stored before it is seen', async () => {
  const memory = memoryTaskStore()
  const saves: string[] = []
  const store = {
    ...memory,
    save: (...call: Parameters<typeof memory.save>) => {
      saves.push(stateOf(call[0].task))
      return memory.save(...call)
    },
  }
  const engine = engineOf(
    async ({ write, drained }) => {
      for (let n = 0; n < 4000; n++) {
        write('x'.repeat(256))
        await drained()
      }
    },
    { store, limits: { snapshotMs: 100_000 } },
  )
  for await (const { event } of engine.stream(say('hi'), alice)) {
    if (!('statusUpdate' in event)) continue
    const { taskId, status } = event.statusUpdate
    expect((await memory.load(taskId, alice.caller.owner, ''))?.task.status).toEqual(status)
  }
  expect(saves).toEqual(['WORKING', 'COMPLETED'])
})

test('6.2 no. 9: a task that grows is written at intervals', async () => {
  const door = gate()
  const memory = memoryTaskStore()
  const engine = engineOf(
    async ({ write }) => {
      write('x'.repeat(9000))
      await door.opened
    },
    { store: memory, limits: { snapshotMs: 5 } },
  )
  const { id } = taskOf(await engine.send(say('hi', {}, now), alice))
  await expect
    .poll(async () => (await memory.load(id, alice.caller.owner, ''))?.task.artifacts?.length)
    .toBe(1)
  door.open()
})

test('a store that fails is tried again, and nobody sees an end that is not stored', async () => {
  const memory = memoryTaskStore()
  let broken = false
  const store = {
    ...memory,
    save: async (...call: Parameters<typeof memory.save>) => {
      if (broken && stateOf(call[0].task) === 'COMPLETED') throw new Error('disk full')
      return memory.save(...call)
    },
  }
  const engine = engineOf(
    async () => {
      broken = true
    },
    { store },
  )
  const failed = await engine
    .send(say('hi', { contextId: 'c' }), alice)
    .catch((error: { code: string }) => error.code)
  expect(failed).toBe('INTERNAL')
  const states = async () => (await engine.list({}, alice)).tasks.map(stateOf)
  expect(await states()).toEqual(['WORKING'])
  broken = false
  await expect.poll(states, { timeout: 5000 }).toEqual(['COMPLETED'])
  expect(engine.errors.length).toBeGreaterThan(2)
})

test('progress is WORKING with a message, and not part of the history', async () => {
  const engine = engineOf(async ({ progress }) => progress('half way', { percent: 50 }))
  const items = await collect(engine.stream(say('hi'), alice))
  expect(items[2]?.event).toMatchObject({
    statusUpdate: {
      status: {
        state: 'TASK_STATE_WORKING',
        message: { parts: [{ text: 'half way' }], metadata: { percent: 50 } },
      },
    },
  })
  const [task] = (await engine.list({ historyLength: 10 }, alice)).tasks
  expect(task?.history).toHaveLength(1)
})

test('an executor that resumes goes on with its streamed artifact', async () => {
  const engine = engineOf(async ({ write, resumed }) => {
    write(resumed ? 'world' : 'hello ')
    return resumed ? undefined : { state: 'input-required', message: '?' }
  })
  const { id } = taskOf(await engine.send(say('a'), alice))
  expect(textOf(taskOf(await engine.send(say('b', { taskId: id }), alice)))).toBe('hello world')
})
