/** A task with a push config, its delivery, and a web server that takes what is delivered. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'
import { createGuard } from '../src/guard.js'
import type { PushConfig, StreamResponse, Task } from '../src/model.js'
import { createPushDelivery, type PushOptions } from '../src/push/delivery.js'
import type { PushDelivery } from '../src/push.js'
import { memoryTaskStore } from '../src/store/memory.js'
import type { TaskStore } from '../src/task-store.js'

export interface Post {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

export const guard = createGuard({ allowPrivateNetwork: true, warn: () => {} })
export const OWNER = { owner: 'bearer:ann', tenant: '' }
export const task: Task = {
  id: 'task-1',
  contextId: 'context-1',
  status: { state: 'TASK_STATE_WORKING', timestamp: '2026-01-01T00:00:00.000Z' },
}
export const update = (text: string): StreamResponse => ({
  statusUpdate: {
    taskId: task.id,
    contextId: task.contextId,
    status: { ...task.status, message: { messageId: text, role: 'ROLE_AGENT', parts: [{ text }] } },
  },
})

/** A receiver that answers with the statuses in turn, then 200; `posts` are what it took. */
export async function receiver(...statuses: number[]): Promise<{
  url: string
  posts: Post[]
  count(n: number): Promise<void>
}> {
  const posts: Post[] = []
  const waits: { n: number; done: () => void }[] = []
  const server: Server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      posts.push({ headers: request.headers, body })
      const status = statuses.shift() ?? 200
      response.writeHead(status, status === 307 ? { location: '/elsewhere' } : {}).end('ignored')
      for (const { n, done } of waits) if (posts.length >= n) done()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    posts,
    count: (n) => new Promise((done) => (posts.length >= n ? done() : waits.push({ n, done }))),
  }
}

export async function subscribed(
  config: PushConfig & { legacy?: boolean },
  options: PushOptions = {},
): Promise<{
  store: TaskStore
  delivery: PushDelivery
  /** As the engine does. */
  notify(event: StreamResponse): Promise<void>
  emptied(): Promise<void>
}> {
  const store = memoryTaskStore()
  await store.save({ task, ...OWNER, seq: 1, updatedAt: 0 })
  await store.putPush(OWNER.owner, OWNER.tenant, { id: 'config-1', taskId: task.id, ...config })
  const delivery = createPushDelivery(store, { guard, firstDelayMs: 1, ...options })
  closers.push(() => delivery.close())
  const emptied = async (): Promise<void> => {
    while ((await store.outbox()).length > 0) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const notify = async (event: StreamResponse): Promise<void> => {
    const configs = await store.listPush(OWNER.owner, OWNER.tenant, task.id)
    const outbox = configs.flatMap((config) => delivery.prepare({ ...OWNER, task }, config, event) ?? [])
    await store.save({ task, ...OWNER, seq: 2, updatedAt: 0 }, 'open', { outbox })
    delivery.send(outbox)
  }
  return { store, delivery, notify, emptied }
}
