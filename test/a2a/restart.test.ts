/** What is left after kill -9 (spec a2a 7.9). */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { callerOf, codeOf, kindOf, type Loose, later, say } from './agent.js'
import { openReceiver, type Posted } from './receiver.js'

const CHILD = fileURLToPath(new URL('restart-child.mjs', import.meta.url))

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'aether-a2a-'))
  later(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A process with an agent on the folder; `kill` is kill -9. */
async function start(path: string, mode: 'fail' | 'recover' | 'WORKING' | 'COMPLETED') {
  const child = fork(CHILD, [path, mode], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const kill = async () => {
    child.kill('SIGKILL')
    await gone
  }
  later(kill)
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve((message as { url: string }).url))
    child.once('exit', (code) => reject(new Error(`the agent ended with ${code}`)))
  })
  return { ...callerOf(url, {}), kill, gone }
}

describe('restart', () => {
  test('[restart-fail, restart-kept] after kill -9 what ran has failed as interrupted, the rest is as it was', async () => {
    const path = folder()
    const before = await start(path, 'fail')
    const message = say('hi', { contextId: 'kept' })
    const done = (await before.rpc('SendMessage', message)).json.result.task
    const asking = await before.send('ask')
    const running = await before.send('slow', {}, { returnImmediately: true })
    const half = async () => (await before.rpc('GetTask', { id: running.id })).json.result.artifacts?.length
    await expect.poll(half).toBe(1)
    await before.kill()

    const after = await start(path, 'fail')
    expect((await after.rpc('GetTask', { id: done.id })).json.result).toEqual(done)
    expect((await after.rpc('GetTask', { id: asking.id })).json.result).toEqual(asking)
    const failed = (await after.rpc('GetTask', { id: running.id })).json.result
    expect(failed.status).toMatchObject({
      state: 'TASK_STATE_FAILED',
      message: { metadata: { reason: 'interrupted' } },
    })
    expect(codeOf(await after.rpc('SubscribeToTask', { id: running.id }))[0]).toBe(-32004)
    // The message id is still known: nothing runs again.
    expect((await after.rpc('SendMessage', message)).json.result.task).toEqual(done)
    const answered = await after.send('blue', { taskId: asking.id })
    expect([answered.id, answered.status.state]).toEqual([asking.id, 'TASK_STATE_COMPLETED'])
    expect((await after.rpc('ListTasks', { contextId: 'kept' })).json.result.totalSize).toBe(1)
  })

  test('[restart-recover] or the executor takes it up again, and whoever subscribes sees it end', async () => {
    const path = folder()
    const before = await start(path, 'fail')
    const { id } = await before.send('slow', {}, { returnImmediately: true })
    const half = async () => (await before.rpc('GetTask', { id })).json.result.artifacts?.length
    await expect.poll(half).toBe(1)
    await before.kill()
    const after = await start(path, 'recover')
    const state = async () => (await after.rpc('GetTask', { id })).json.result.status.state
    await expect.poll(state).toBe('TASK_STATE_COMPLETED')
    const { artifacts } = (await after.rpc('GetTask', { id })).json.result
    expect(artifacts.at(-1).parts).toEqual([{ text: 'again' }])
  })

  test('[restart-kept] every answer that was given is there, killed in the middle of a burst', async () => {
    const path = folder()
    const before = await start(path, 'fail')
    const answered: Loose[] = []
    const burst = Array.from({ length: 40 }, async (_, at) => {
      const answer = await before.rpc('SendMessage', say(`${at}`)).catch(() => undefined)
      if (answer?.json?.result !== undefined) answered.push(answer.json.result.task)
      if (answered.length === 12) await before.kill()
    })
    await Promise.all(burst)
    expect(answered.length).toBeGreaterThanOrEqual(12)
    const after = await start(path, 'fail')
    for (const task of answered)
      expect((await after.rpc('GetTask', { id: task.id })).json.result).toEqual(task)
  })

  test('[push-durable] a notification that was not delivered goes out after the restart, under its id', async () => {
    let isOpen = false
    const taken: Posted[] = []
    const receiver = await openReceiver((post) => (isOpen && taken.push(post) ? 200 : 503))
    const path = folder()
    const before = await start(path, 'fail')
    const task = await before.send('hi', {}, { taskPushNotificationConfig: { url: receiver.url } })
    await before.kill()
    await start(path, 'fail')
    isOpen = true
    const last = () => taken.at(-1)?.json.statusUpdate?.status.state
    await expect.poll(last, { timeout: 30_000 }).toBe('TASK_STATE_COMPLETED')
    expect(JSON.stringify(taken.map(({ json }) => json))).toContain(task.id)
    const ids = taken.map(({ headers }) => headers['a2a-notification-id'])
    expect(new Set(ids).size).toBe(ids.length)
  })

  test.each([
    ['WORKING', 'TASK_STATE_FAILED'],
    ['COMPLETED', 'TASK_STATE_COMPLETED'],
  ] as const)(
    '[push-atomic] a process that dies the moment a task is stored as %s has lost no notification',
    async (state, end) => {
      const receiver = await openReceiver()
      const path = folder()
      const before = await start(path, state)
      const push = { taskPushNotificationConfig: { url: receiver.url } }
      await Promise.all([before.send('hi', {}, push).catch(() => {}), before.gone])
      await start(path, 'fail')
      const states = () => receiver.posted.map(({ json }) => json.statusUpdate?.status.state)
      await expect.poll(() => states().at(-1), { timeout: 30_000 }).toBe(end)
      expect(states()).toContain('TASK_STATE_WORKING')
      if (state === 'COMPLETED')
        expect(receiver.posted.map(({ json }) => kindOf(json))).toContain('artifactUpdate')
    },
  )
})
