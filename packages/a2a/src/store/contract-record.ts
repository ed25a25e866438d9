/** The contract on what is kept beside tasks: once records, push configs, the outbox (spec a2a 7.2, 7.4). */
import assert from 'node:assert/strict'
import type { OnceRecord, OutboxItem, TaskStore } from '../task-store.js'
import type { Bench, Case } from './contract-suite.js'
import { record } from './contract-task.js'

const once = (bench: Bench, hash = 'h', more: Partial<OnceRecord> = {}): OnceRecord => ({
  hash,
  taskId: 'one',
  expiresAt: bench.now() + 1000,
  ...more,
})

const push = (id: string, taskId = 'one') => ({
  id,
  taskId,
  url: 'https://receiver.example/hook',
  token: 't',
  authentication: { scheme: 'Bearer', credentials: 'secret' },
})

const item = (bench: Bench, id: string, more: Partial<OutboxItem> = {}): OutboxItem => ({
  id,
  owner: 'a',
  tenant: '',
  taskId: 'one',
  configId: 'p',
  body: '{"task":{}}',
  attempt: 0,
  dueAt: bench.now(),
  ...more,
})

const outboxIds = async (store: TaskStore): Promise<string[]> =>
  (await store.outbox()).map(({ id }) => id).sort()

export const RECORD_CASES: Readonly<Record<string, Case>> = {
  '7.4: of many that set one key, exactly one does, and the others get what it set': async (bench) => {
    const kept = await Promise.all(
      Array.from({ length: 20 }, (_, n) => bench.store.once('key', once(bench, `h${n}`))),
    )
    const winner = kept.indexOf(undefined)
    assert.equal(kept.filter((found) => found === undefined).length, 1)
    for (const [n, found] of kept.entries()) if (n !== winner) assert.equal(found?.hash, `h${winner}`)
  },
  '7.4: a record is there until its time, after a restart too, and then it is free': async (bench) => {
    await bench.store.once('key', once(bench))
    bench.pass(999)
    const again = await bench.reopened()
    assert.deepEqual(
      await again.once('key', once(bench, 'other')),
      once(bench, 'h', { expiresAt: bench.now() + 1 }),
    )
    bench.pass(1)
    assert.equal(await again.once('key', once(bench, 'other')), undefined)
    assert.equal((await again.once('key', once(bench)))?.hash, 'other')
  },
  '7.4: a finished record has its result, a dropped one is free': async (bench) => {
    const { store } = bench
    await store.once('key', once(bench))
    await store.finishOnce('key', once(bench, 'h', { result: '{"ok":true}' }))
    assert.equal((await store.once('key', once(bench)))?.result, '{"ok":true}')
    await store.dropOnce('key')
    assert.equal(await store.once('key', once(bench)), undefined)
    await store.dropOnce('never set')
  },
  '7.4: keys of 512 characters that differ in the last are different': async (bench) => {
    const key = 'k'.repeat(511)
    assert.equal(await bench.store.once(`${key}a`, once(bench)), undefined)
    assert.equal(await bench.store.once(`${key}b`, once(bench)), undefined)
    assert.equal((await bench.store.once(`${key}a`, once(bench)))?.hash, 'h')
  },
  '7.4: eviction forgets what is past its time and nothing else': async (bench) => {
    await bench.store.once('old', once(bench))
    bench.pass(1000)
    await bench.store.once('young', once(bench))
    await bench.store.evict(0)
    assert.equal((await bench.store.once('young', once(bench)))?.hash, 'h')
    assert.equal(await bench.store.once('old', once(bench)), undefined)
  },
  '7.2: push configs are kept by task and replaced by id, after a restart too': async (bench) => {
    await bench.store.save(record(bench, 'one'))
    await bench.store.save(record(bench, 'two'))
    await bench.store.putPush('a', '', push('p'))
    await bench.store.putPush('a', '', push('q'))
    await bench.store.putPush('a', '', { ...push('p'), url: 'https://other.example' })
    await bench.store.putPush('a', '', push('p', 'two'))
    const again = await bench.reopened()
    const kept = [...(await again.listPush('a', '', 'one'))].sort((x, y) => (x.id < y.id ? -1 : 1))
    assert.deepEqual(kept, [{ ...push('p'), url: 'https://other.example' }, push('q')])
  },
  '7.5: push configs of another owner are absent and cannot be deleted': async (bench) => {
    await bench.store.save(record(bench, 'one'))
    await bench.store.putPush('a', '', push('p'))
    assert.deepEqual(await bench.store.listPush('b', '', 'one'), [])
    assert.equal(await bench.store.deletePush('b', '', 'one', 'p'), false)
    assert.equal(await bench.store.deletePush('a', 't', 'one', 'p'), false)
    assert.equal(await bench.store.deletePush('a', '', 'one', 'q'), false)
    assert.equal(await bench.store.deletePush('a', '', 'one', 'p'), true)
    assert.deepEqual(await bench.store.listPush('a', '', 'one'), [])
  },
  '7.6: eviction takes the push configs of a task with it': async (bench) => {
    await bench.store.save(record(bench, 'one', 'TASK_STATE_COMPLETED'))
    await bench.store.putPush('a', '', push('p'))
    bench.pass(1)
    assert.equal(await bench.store.evict(bench.now()), 1)
    await bench.store.save(record(bench, 'one'))
    assert.deepEqual(await bench.store.listPush('a', '', 'one'), [])
  },
  '7.2: a save brings its push configs and notifications, after a restart too': async (bench) => {
    const extras = { push: [push('p')], outbox: [item(bench, 'n1'), item(bench, 'n2')] }
    assert.equal(await bench.store.save(record(bench, 'one'), 'absent', extras), true)
    const done = record(bench, 'one', 'TASK_STATE_COMPLETED')
    assert.equal(await bench.store.save(done, 'open', { outbox: [item(bench, 'n3')] }), true)
    const again = await bench.reopened()
    assert.deepEqual(await again.listPush('a', '', 'one'), [push('p')])
    assert.deepEqual(await outboxIds(again), ['n1', 'n2', 'n3'])
  },
  '7.2: a save that is refused brings nothing': async (bench) => {
    const done = record(bench, 'one', 'TASK_STATE_COMPLETED')
    await bench.store.save(done)
    const extras = { push: [push('p')], outbox: [item(bench, 'n1')] }
    for (const from of ['open', 'absent'] as const)
      assert.equal(await bench.store.save(done, from, extras), false)
    assert.deepEqual(await bench.store.listPush('a', '', 'one'), [])
    assert.deepEqual(await outboxIds(bench.store), [])
  },
  '7.2: the outbox keeps what is not delivered, replaced by id, after a restart too': async (bench) => {
    await bench.store.putOutbox(item(bench, 'n1'))
    await bench.store.putOutbox(item(bench, 'n2', { dueAt: bench.now() - 1 }))
    await bench.store.putOutbox(item(bench, 'n1', { attempt: 2 }))
    const again = await bench.reopened()
    assert.deepEqual(await outboxIds(again), ['n1', 'n2'])
    const kept = (await again.outbox()).find(({ id }) => id === 'n1')
    assert.deepEqual(kept, item(bench, 'n1', { attempt: 2 }))
    await again.dropOutbox('n1')
    await again.dropOutbox('never put')
    assert.deepEqual(await outboxIds(again), ['n2'])
  },
}
