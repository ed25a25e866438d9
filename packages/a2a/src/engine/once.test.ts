import { expect, test } from 'vitest'
import {
  alice,
  as,
  begun,
  bob,
  brief,
  codeOf,
  collect,
  engineOf,
  gate,
  nobody,
  now,
  say,
  stateOf,
  taskOf,
} from '../../test/engine.js'
import { A2AError } from '../errors.js'
import { memoryTaskStore } from '../store/memory.js'

function counting() {
  const door = gate()
  const runs = { count: 0 }
  const execute = async ({ write }: { write(text: string): void }) => {
    runs.count++
    write('a')
    await door.opened
    write('b')
  }
  return { door, runs, execute }
}

test('7.4: the same message twice at once is one task and one execution, and both wait for its result', async () => {
  const { door, runs, execute } = counting()
  const engine = engineOf(execute)
  const request = say('hi')
  const calls = [engine.send(request, alice), engine.send(structuredClone(request), alice)]
  door.open()
  const [one, two] = await Promise.all(calls)
  expect(one).toEqual(two)
  expect(runs.count).toBe(1)
  expect(await engine.send(request, alice)).toEqual(one)
  expect(runs.count).toBe(1)
})

test('7.4: a repeat in another form of the same JSON joins', async () => {
  const { door, runs, execute } = counting()
  door.open()
  const engine = engineOf(execute)
  const message = { messageId: 'same', role: 'ROLE_USER' as const, parts: [{ data: { a: 1, b: [2] } }] }
  const one = await engine.send({ message }, alice)
  const turned = { parts: [{ data: { b: [2], a: 1 } }], role: 'ROLE_USER' as const, messageId: 'same' }
  expect(await engine.send({ message: turned }, alice)).toEqual(one)
  expect(runs.count).toBe(1)
})

test('7.4: a streaming repeat gets a snapshot and what follows, a non-blocking one the current task', async () => {
  const { door, runs, execute } = counting()
  const engine = engineOf(execute)
  const request = say('hi')
  const first = await begun(engine.stream(request, alice))
  const again = await begun(engine.stream(request, alice))
  const current = taskOf(await engine.send({ ...request, configuration: now }, alice))
  expect(stateOf(current)).toBe('WORKING')
  expect(again.first.event).toMatchObject({ task: { id: current.id } })
  door.open()
  const [all, joined] = await Promise.all([first.rest, again.rest])
  expect(joined).toEqual(all.filter(({ seq }) => seq > again.first.seq))
  expect(all.map(brief).at(-1)).toBe('COMPLETED')
  expect((await collect(engine.stream(request, alice))).map(brief)).toEqual(['task COMPLETED'])
  expect(runs.count).toBe(1)
})

test('7.4: the same id with another message is INVALID_PARAMS, while it runs and after', async () => {
  const { door, execute } = counting()
  const engine = engineOf(execute)
  const running = engine.send(say('hi', { messageId: 'same' }), alice)
  expect(await codeOf(engine.send(say('other', { messageId: 'same' }), alice))).toBe('INVALID_PARAMS')
  const metadata = { ...say('hi', { messageId: 'same' }), metadata: { more: true } }
  expect(await codeOf(engine.send(metadata, alice))).toBe('INVALID_PARAMS')
  door.open()
  await running
  expect(await codeOf(engine.send(say('other', { messageId: 'same' }), alice))).toBe('INVALID_PARAMS')
  expect((await engine.list({}, alice)).totalSize).toBe(1)
})

test('[idem-owner] 7.4: message ids belong to an owner and a tenant, and anonymous callers have none', async () => {
  const { door, runs, execute } = counting()
  door.open()
  const engine = engineOf(execute)
  const request = say('hi')
  const callers = [alice, bob, as('bearer:alice', { tenant: 't' }), nobody, nobody]
  const tasks = await Promise.all(
    callers.map(async (caller) => taskOf(await engine.send(request, caller)).id),
  )
  expect(new Set(tasks).size).toBe(5)
  expect(runs.count).toBe(5)
})

test('7.4: a message that was refused is not remembered', async () => {
  let full = true
  const engine = engineOf(async () => {}, {
    admit: async () => {
      if (full) throw new A2AError('RATE_LIMITED')
      return { kind: 'run' }
    },
  })
  const request = say('hi')
  const codes = await Promise.all([codeOf(engine.send(request, alice)), codeOf(engine.send(request, alice))])
  expect(codes).toEqual(['RATE_LIMITED', 'RATE_LIMITED'])
  expect((await engine.list({}, alice)).totalSize).toBe(0)
  full = false
  expect(stateOf(taskOf(await engine.send(request, alice)))).toBe('COMPLETED')
})

test('7.4: a repeated follow-up is executed once, and gives the task as it is now', async () => {
  let runs = 0
  const engine = engineOf(async () => {
    runs++
    return runs < 3 ? { state: 'input-required', message: '?' } : undefined
  })
  const { id } = taskOf(await engine.send(say('one'), alice))
  const follow = say('two', { taskId: id })
  await engine.send(follow, alice)
  expect(stateOf(taskOf(await engine.send(follow, alice)))).toBe('INPUT_REQUIRED')
  expect(runs).toBe(2)
  await engine.send(say('three', { taskId: id }), alice)
  expect(stateOf(taskOf(await engine.send(follow, alice)))).toBe('COMPLETED')
  expect(runs).toBe(3)
})

test('7.4: a direct reply is repeated word for word', async () => {
  let runs = 0
  const engine = engineOf({
    directReply: true,
    execute: async () => ({ state: 'message', parts: [{ text: `run ${++runs}` }] }),
  })
  const request = say('hi')
  const one = await engine.send(request, alice)
  expect(await engine.send(request, alice)).toEqual(one)
  expect((await collect(engine.stream(request, alice)))[0]?.event).toEqual(one)
  expect(runs).toBe(1)
})

test('7.4: ids are forgotten after their time', async () => {
  let time = 0
  const engine = engineOf(async () => {}, { now: () => time, limits: { onceMs: 1000 } })
  const request = say('hi')
  const { id } = taskOf(await engine.send(request, alice))
  time = 999
  expect(taskOf(await engine.send(request, alice)).id).toBe(id)
  time = 1000
  expect(taskOf(await engine.send(request, alice)).id).not.toBe(id)
})

test('[idem-before] 7.4: the id is set before admission, and after a crash there the message is taken up under the same task', async () => {
  const store = memoryTaskStore()
  const seen: string[] = []
  const dying = engineOf(async () => {}, {
    store: { ...store, close: async () => {} },
    admit: async (_, __, task) => {
      seen.push(task.id)
      return new Promise(() => {})
    },
    limits: { cancelMs: 10 },
  })
  const request = say('hi')
  void dying.send(request, alice).catch(() => {})
  await expect.poll(() => seen.length).toBe(1)
  await dying.close()
  const engine = engineOf(async () => {}, { store })
  const task = taskOf(await engine.send(request, alice))
  expect([task.id, stateOf(task)]).toEqual([seen[0], 'COMPLETED'])
})
