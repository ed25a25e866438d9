/** The contract on tasks: compare-and-set, ownership, contexts, recovery, eviction (spec a2a 6.2 no. 20, 7.5, 7.9). */
import assert from 'node:assert/strict'
import type { TaskState } from '../model.js'
import type { TaskRecord } from '../task-store.js'
import type { Bench, Case } from './contract-suite.js'

/** A record of owner `a` unless said otherwise, as of now. */
export function record(
  bench: Pick<Bench, 'now'>,
  id: string,
  state: TaskState = 'TASK_STATE_WORKING',
  more: Partial<TaskRecord> & { readonly contextId?: string } = {},
): TaskRecord {
  const { contextId = `context of ${id}`, ...rest } = more
  const timestamp = new Date(bench.now()).toISOString()
  return {
    task: {
      id,
      contextId,
      status: { state, timestamp },
      artifacts: [{ artifactId: 'result', parts: [{ text: 'é ok' }, { data: { deep: [1, null, 'x'] } }] }],
      history: [{ messageId: 'm', role: 'ROLE_USER', parts: [{ text: id }], metadata: { note: 1 } }],
    },
    owner: 'a',
    tenant: '',
    seq: 3,
    updatedAt: bench.now(),
    ...rest,
  }
}

const TERMINAL: readonly TaskState[] = [
  'TASK_STATE_COMPLETED',
  'TASK_STATE_FAILED',
  'TASK_STATE_CANCELED',
  'TASK_STATE_REJECTED',
]

export const TASK_CASES: Readonly<Record<string, Case>> = {
  'what was saved is loaded whole, after a restart too': async (bench) => {
    const saved = record(bench, 'one', 'TASK_STATE_INPUT_REQUIRED', {
      held: { messageId: 'm', resumed: false },
    })
    assert.equal(await bench.store.save(saved), true)
    assert.deepEqual(await bench.store.load('one', 'a', ''), saved)
    const again = await bench.reopened()
    assert.deepEqual(await again.load('one', 'a', ''), saved)
  },
  '7.5: a task of another owner or tenant is absent': async (bench) => {
    await bench.store.save(record(bench, 'one'))
    assert.equal(await bench.store.load('one', 'b', ''), undefined)
    assert.equal(await bench.store.load('one', 'a', 'other'), undefined)
    assert.equal(await bench.store.load('two', 'a', ''), undefined)
  },
  'an owner and a tenant are not confused by how they are written': async (bench) => {
    await bench.store.save(record(bench, 'one', 'TASK_STATE_WORKING', { owner: 'a', tenant: 'b:c' }))
    await bench.store.save(record(bench, 'two', 'TASK_STATE_WORKING', { owner: 'a:b', tenant: 'c' }))
    assert.equal(await bench.store.count('a', 'b:c'), 1)
    assert.equal(await bench.store.count('a:b', 'c'), 1)
    assert.equal(await bench.store.load('one', 'a:b', 'c'), undefined)
  },
  '6.2 no. 20: of many terminal writes with `open` exactly one wins, and stays': async (bench) => {
    await bench.store.save(record(bench, 'one'), 'absent')
    const saved = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        bench.store.save(
          record(bench, 'one', TERMINAL[n % TERMINAL.length] as TaskState, { seq: n }),
          'open',
        ),
      ),
    )
    assert.equal(saved.filter((won) => won).length, 1)
    const kept = await bench.store.load('one', 'a', '')
    assert.equal(kept?.seq, saved.indexOf(true))
  },
  'with `open`, an interrupted task is written, an unknown one is not': async (bench) => {
    await bench.store.save(record(bench, 'one', 'TASK_STATE_AUTH_REQUIRED'))
    assert.equal(await bench.store.save(record(bench, 'one'), 'open'), true)
    assert.equal(await bench.store.save(record(bench, 'two'), 'open'), false)
    assert.equal(await bench.store.load('two', 'a', ''), undefined)
  },
  'with `absent`, a task is written once': async (bench) => {
    const saved = await Promise.all(
      [1, 2, 3].map((seq) => bench.store.save(record(bench, 'one', undefined, { seq }), 'absent')),
    )
    assert.equal(saved.filter((won) => won).length, 1)
  },
  '7.5: a context belongs to the owner of its tasks': async (bench) => {
    assert.equal(await bench.store.contextOwner('c'), undefined)
    await bench.store.save(record(bench, 'one', undefined, { owner: 'b', tenant: 't', contextId: 'c' }))
    assert.deepEqual(await bench.store.contextOwner('c'), { owner: 'b', tenant: 't' })
  },
  'a task is counted for its owner and tenant once, however often it is saved': async (bench) => {
    await bench.store.save(record(bench, 'one'))
    await bench.store.save(record(bench, 'one', 'TASK_STATE_COMPLETED'))
    await bench.store.save(record(bench, 'two'))
    await bench.store.save(record(bench, 'three', undefined, { owner: 'b' }))
    assert.deepEqual(await Promise.all([bench.store.count('a', ''), bench.store.count('b', '')]), [2, 1])
    assert.equal(await bench.store.count('a', 'other'), 0)
  },
  '7.9: open records are those that neither ended nor wait for the caller': async (bench) => {
    await bench.store.save(record(bench, 'submitted', 'TASK_STATE_SUBMITTED'))
    await bench.store.save(record(bench, 'working'))
    await bench.store.save(record(bench, 'asking', 'TASK_STATE_INPUT_REQUIRED'))
    await bench.store.save(record(bench, 'done'))
    await bench.store.save(record(bench, 'done', 'TASK_STATE_COMPLETED'), 'open')
    const open = await (await bench.reopened()).open()
    assert.deepEqual(open.map(({ task }) => task.id).sort(), ['submitted', 'working'])
  },
  '7.6: eviction takes what ended or waits, once it is old, and only that': async (bench) => {
    const { store } = bench
    for (const state of [...TERMINAL, 'TASK_STATE_INPUT_REQUIRED', 'TASK_STATE_WORKING'] as const) {
      await store.save(record(bench, state, state, { contextId: 'old' }))
    }
    bench.pass(1000)
    await store.save(record(bench, 'young', 'TASK_STATE_COMPLETED'))
    assert.equal(await store.evict(bench.now()), 5)
    assert.equal(await store.evict(bench.now()), 0)
    assert.equal(await store.count('a', ''), 2)
    assert.equal((await store.list({ owner: 'a', tenant: '' })).totalSize, 2)
    assert.notEqual(await store.load('young', 'a', ''), undefined)
    assert.deepEqual(await store.contextOwner('old'), { owner: 'a', tenant: '' })
    bench.pass(1000)
    await store.save(record(bench, 'TASK_STATE_WORKING', 'TASK_STATE_FAILED', { contextId: 'old' }), 'open')
    bench.pass(1)
    assert.equal(await store.evict(bench.now()), 2)
    assert.equal(await store.contextOwner('old'), undefined)
    assert.equal(await store.count('a', ''), 0)
  },
}
