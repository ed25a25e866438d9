/** ListTasks (spec a2a 2.9). */
import { describe, expect, test } from 'vitest'
import { codeOf, type Loose, named, openAgent, restCodeOf } from './agent.js'

const ids = (page: Loose): string[] => page.tasks.map(({ id }: Loose) => id)

/** Tasks a millisecond apart, the oldest first. */
async function withTasks(texts: readonly string[]) {
  let time = Date.parse('2026-01-02T03:04:05.000Z')
  const agent = await openAgent({ now: () => time })
  const tasks: Loose[] = []
  for (const text of texts) {
    time += 1000
    tasks.push(await agent.send(text))
  }
  const list = async (params: object) => (await agent.rpc('ListTasks', params)).json.result
  return { agent, tasks, list }
}

describe('list', () => {
  test('[list-fields] an empty page has all four fields', async () => {
    const { agent, list } = await withTasks([])
    const empty = { tasks: [], nextPageToken: '', pageSize: 50, totalSize: 0 }
    expect(await list({})).toEqual(empty)
    expect((await agent.rest('GET', '/tasks')).json).toEqual(empty)
  })

  test('[list-page-size] 50 is the default, 1 and 100 are taken, what is outside is -32602', async () => {
    const { agent, list } = await withTasks(['hi'])
    for (const [asked, given] of [
      [undefined, 50],
      [1, 1],
      [100, 100],
    ] as const)
      expect((await list({ pageSize: asked })).pageSize).toBe(given)
    for (const pageSize of [101, -1, 1.5, 'x'])
      expect(codeOf(await agent.rpc('ListTasks', { pageSize }))).toEqual([-32602, 'INVALID_PARAMS'])
    expect(restCodeOf(await agent.rest('GET', '/tasks?pageSize=101'))).toEqual([400, 'INVALID_PARAMS'])
  })

  test('[list-order] the newest status comes first, also after a later turn', async () => {
    const { agent, tasks, list } = await withTasks(['ask', 'hi', 'ho'])
    const [a, b, c] = tasks.map(({ id }) => id)
    expect(ids(await list({}))).toEqual([c, b, a])
    await agent.send('blue', { taskId: a })
    const times = (await list({})).tasks.map(({ status }: Loose) => status.timestamp)
    expect(times).toEqual([...times].sort().reverse())
  })

  test('[list-pages] pages hold every task once, and totalSize counts before paging', async () => {
    const { agent, tasks, list } = await withTasks(['1', '2', '3', '4', '5'])
    const seen: string[] = []
    let pageToken = ''
    do {
      const page = await list({ pageSize: 2, pageToken })
      expect([page.totalSize, page.pageSize]).toEqual([5, 2])
      seen.push(...ids(page))
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    expect(seen).toEqual(tasks.map(({ id }) => id).reverse())
    expect(codeOf(await agent.rpc('ListTasks', { pageToken: 'forged' }))).toEqual([-32602, 'INVALID_PARAMS'])
  })

  test('[list-after] statusTimestampAfter includes the instant itself, in any offset', async () => {
    const { agent, tasks, list } = await withTasks(['1', '2', '3'])
    const [, second, third] = tasks
    const { timestamp } = second.status
    expect(ids(await list({ statusTimestampAfter: timestamp }))).toEqual([third.id, second.id])
    const later = new Date(Date.parse(timestamp) + 1).toISOString()
    expect(ids(await list({ statusTimestampAfter: later }))).toEqual([third.id])
    const offset = new Date(Date.parse(timestamp) + 3_600_000).toISOString().replace('Z', '+01:00')
    expect(ids(await list({ statusTimestampAfter: offset }))).toEqual([third.id, second.id])
    const path = `/tasks?statusTimestampAfter=${encodeURIComponent(timestamp)}`
    expect(ids((await agent.rest('GET', path)).json)).toEqual([third.id, second.id])
    const bad = await agent.rpc('ListTasks', { statusTimestampAfter: 'yesterday' })
    expect(codeOf(bad)).toEqual([-32602, 'INVALID_PARAMS'])
  })

  test('[list-artifacts] the key artifacts is absent unless it is asked for', async () => {
    const { agent, list } = await withTasks(['hi'])
    expect('artifacts' in (await list({})).tasks[0]).toBe(false)
    expect((await list({ includeArtifacts: true })).tasks[0].artifacts[0].parts).toEqual([{ text: 'hi' }])
    expect('artifacts' in (await agent.rest('GET', '/tasks?includeArtifacts=false')).json.tasks[0]).toBe(
      false,
    )
    const rest = await agent.rest('GET', '/tasks?includeArtifacts=true')
    expect(rest.json.tasks[0].artifacts).toHaveLength(1)
  })

  test('[list-owner] only tasks of the caller, and totalSize tells of no others', async () => {
    const agent = await openAgent({ authenticate: named })
    const [alice, bob] = [agent.as('alice'), agent.as('bob')]
    const { id } = await alice.send('hi')
    const { json } = await bob.rpc('ListTasks', {})
    expect(json.result).toMatchObject({ tasks: [], totalSize: 0 })
    expect(ids((await alice.rest('GET', '/tasks')).json)).toEqual([id])
    const { contextId } = await alice.send('ho')
    expect((await bob.rpc('ListTasks', { contextId })).json.result.totalSize).toBe(0)
  })

  test('[list-filter] by context and by status', async () => {
    const { agent, tasks, list } = await withTasks(['hi', 'ask', 'boom'])
    const [done, asking, failed] = tasks
    expect(ids(await list({ contextId: done.contextId }))).toEqual([done.id])
    expect(ids(await list({ status: 'TASK_STATE_INPUT_REQUIRED' }))).toEqual([asking.id])
    expect(ids((await agent.rest('GET', '/tasks?status=TASK_STATE_FAILED')).json)).toEqual([failed.id])
    expect(await list({ status: 'TASK_STATE_COMPLETED', contextId: failed.contextId })).toMatchObject({
      tasks: [],
      totalSize: 0,
    })
  })
})
