/** The contract on ListTasks (spec a2a 2.9): order, filters, totals, pages. */
import assert from 'node:assert/strict'
import { A2AError } from '../errors.js'
import type { TaskState } from '../model.js'
import type { TaskStore } from '../task-store.js'
import type { Bench, Case } from './contract-suite.js'
import { record } from './contract-task.js'
import type { TaskQuery } from './page.js'

const mine = { owner: 'a', tenant: '' }
const ids = ({ tasks }: { readonly tasks: readonly { readonly id: string }[] }): string[] =>
  tasks.map(({ id }) => id)

/** `t0`, `t1`, ... a second apart. */
async function fill(bench: Bench, count: number, state?: TaskState): Promise<void> {
  for (let n = 0; n < count; n++) {
    await bench.store.save(record(bench, `t${n}`, state, { contextId: n % 2 === 0 ? 'even' : `odd${n}` }))
    bench.pass(1000)
  }
}

async function allPages(store: TaskStore, query: TaskQuery): Promise<string[][]> {
  const pages: string[][] = []
  for (let pageToken = ''; ; ) {
    const page = await store.list({ ...query, pageToken })
    pages.push(ids(page))
    pageToken = page.nextPageToken
    if (pageToken === '' || pages.length > 100) return pages
  }
}

const refused = (error: unknown): boolean => A2AError.is(error) && error.code === 'INVALID_PARAMS'

export const LIST_CASES: Readonly<Record<string, Case>> = {
  '2.9: the newest status is first, after a restart too': async (bench) => {
    await fill(bench, 3)
    await bench.store.save(record(bench, 't0', 'TASK_STATE_COMPLETED'))
    assert.deepEqual(ids(await bench.store.list(mine)), ['t0', 't2', 't1'])
    assert.deepEqual(ids(await (await bench.reopened()).list(mine)), ['t0', 't2', 't1'])
  },
  '2.9: the total counts before paging, and the token is empty at the end': async (bench) => {
    await fill(bench, 5)
    const first = await bench.store.list({ ...mine, pageSize: 2 })
    assert.equal(first.totalSize, 5)
    assert.notEqual(first.nextPageToken, '')
    const whole = await bench.store.list({ ...mine, pageSize: 5 })
    assert.equal(whole.nextPageToken, '')
    assert.deepEqual(await bench.store.list({ owner: 'b', tenant: '' }), {
      tasks: [],
      nextPageToken: '',
      totalSize: 0,
    })
  },
  '2.9: a page has 50 tasks unless asked otherwise': async (bench) => {
    await fill(bench, 51)
    const page = await bench.store.list(mine)
    assert.equal(page.tasks.length, 50)
    assert.notEqual(page.nextPageToken, '')
  },
  '2.9: pages give every task once, equal times too': async (bench) => {
    for (const id of ['c', 'a', 'e', 'b', 'd']) await bench.store.save(record(bench, id))
    assert.deepEqual(await allPages(bench.store, { ...mine, pageSize: 2 }), [['e', 'd'], ['c', 'b'], ['a']])
  },
  '2.9: a page stays right when tasks come before it': async (bench) => {
    await fill(bench, 4)
    const { nextPageToken } = await bench.store.list({ ...mine, pageSize: 2 })
    await bench.store.save(record(bench, 'new'))
    const rest = await bench.store.list({ ...mine, pageSize: 2, pageToken: nextPageToken })
    assert.deepEqual(ids(rest), ['t1', 't0'])
  },
  '2.9: filters by context and by state hold together, with totals of their own': async (bench) => {
    await fill(bench, 4)
    await bench.store.save(record(bench, 't2', 'TASK_STATE_COMPLETED', { contextId: 'even' }))
    const even = await bench.store.list({ ...mine, contextId: 'even' })
    assert.deepEqual(ids(even), ['t2', 't0'])
    assert.equal(even.totalSize, 2)
    const done = await bench.store.list({ ...mine, contextId: 'even', status: 'TASK_STATE_COMPLETED' })
    assert.deepEqual(ids(done), ['t2'])
    assert.deepEqual(ids(await bench.store.list({ ...mine, status: 'TASK_STATE_FAILED' })), [])
  },
  '2.9: statusTimestampAfter includes its own instant, in any offset': async (bench) => {
    await fill(bench, 3)
    const second = new Date(bench.now() - 2000).toISOString()
    assert.deepEqual(ids(await bench.store.list({ ...mine, statusTimestampAfter: second })), ['t2', 't1'])
    const later = new Date(bench.now() - 1999).toISOString()
    assert.deepEqual(ids(await bench.store.list({ ...mine, statusTimestampAfter: later })), ['t2'])
    const shifted = second.replace('2026-01-01T00', '2026-01-01T02').replace('Z', '+02:00')
    assert.deepEqual(ids(await bench.store.list({ ...mine, statusTimestampAfter: shifted })), ['t2', 't1'])
  },
  '2.9: a page token of another query, owner or of nobody is INVALID_PARAMS': async (bench) => {
    await fill(bench, 3)
    const { nextPageToken: pageToken } = await bench.store.list({ ...mine, pageSize: 1 })
    await assert.rejects(bench.store.list({ ...mine, pageToken, contextId: 'even' }), refused)
    await assert.rejects(bench.store.list({ owner: 'b', tenant: '', pageToken }), refused)
    for (const token of ['x', `${pageToken}x`, 'bnVsbA', Buffer.from('[1,2,3]').toString('base64url')]) {
      await assert.rejects(bench.store.list({ ...mine, pageToken: token }), refused)
    }
  },
  '7.5: only tasks of the owner and tenant are listed and counted': async (bench) => {
    await fill(bench, 2)
    await bench.store.save(record(bench, 'foreign', undefined, { owner: 'b' }))
    await bench.store.save(record(bench, 'elsewhere', undefined, { tenant: 't' }))
    const page = await bench.store.list(mine)
    assert.deepEqual(ids(page), ['t1', 't0'])
    assert.equal(page.totalSize, 2)
  },
}
