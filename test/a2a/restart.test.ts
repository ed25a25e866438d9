/** What is left after kill -9 (spec a2a 7.9). */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { callerOf, codeOf, type Loose, later, say } from './agent.js'

vi.setConfig({ testTimeout: 60_000 })

const CHILD = fileURLToPath(new URL('restart-child.mjs', import.meta.url))

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'aether-a2a-'))
  later(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A process with an agent on the folder; `kill` is kill -9. */
async function start(path: string, mode: 'fail' | 'recover') {
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
  return { ...callerOf(url, {}), kill }
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
    const taken: { id: string; body: Loose }[] = []
    let isOpen = false
    const server = createServer((request, response) => {
      let text = ''
      request.on('data', (chunk) => {
        text += chunk
      })
      request.on('end', () => {
        if (isOpen) taken.push({ id: String(request.headers['a2a-notification-id']), body: JSON.parse(text) })
        response.writeHead(isOpen ? 200 : 503).end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    later(() => {
      server.closeAllConnections()
      server.close()
    })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
    const path = folder()
    const before = await start(path, 'fail')
    const task = await before.send('hi', {}, { taskPushNotificationConfig: { url } })
    await before.kill()
    isOpen = true
    await start(path, 'fail')
    const last = () => taken.at(-1)?.body.statusUpdate?.status.state
    await expect.poll(last, { timeout: 15_000 }).toBe('TASK_STATE_COMPLETED')
    expect(JSON.stringify(taken)).toContain(task.id)
    expect(new Set(taken.map(({ id }) => id)).size).toBe(taken.length)
  })
})
