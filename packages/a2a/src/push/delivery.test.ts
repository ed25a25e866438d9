import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { generateSecretKey, publicKeyOf } from '@aetherkit/core'
import { afterEach, describe, expect, test } from 'vitest'
import { createGuard } from '../guard.js'
import type { PushConfig, StreamResponse, Task } from '../model.js'
import { memoryTaskStore } from '../store/memory.js'
import type { OutboxItem, TaskStore } from '../task-store.js'
import { createPushDelivery, type PushOptions } from './delivery.js'
import { createPushReceiver } from './receiver.js'
import { notificationSigner } from './signature.js'

interface Post {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const guard = createGuard({ allowPrivateNetwork: true, warn: () => {} })
const OWNER = { owner: 'bearer:ann', tenant: '' }
const task: Task = {
  id: 'task-1',
  contextId: 'context-1',
  status: { state: 'TASK_STATE_WORKING', timestamp: '2026-01-01T00:00:00.000Z' },
}
const update = (text: string): StreamResponse => ({
  statusUpdate: {
    taskId: task.id,
    contextId: task.contextId,
    status: { ...task.status, message: { messageId: text, role: 'ROLE_AGENT', parts: [{ text }] } },
  },
})

/** A receiver that answers with the statuses in turn, then 200; `posts` are what it took. */
async function receiver(...statuses: number[]): Promise<{
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

async function subscribed(
  config: PushConfig & { legacy?: boolean },
  options: PushOptions = {},
): Promise<{ store: TaskStore; delivery: ReturnType<typeof createPushDelivery>; emptied(): Promise<void> }> {
  const store = memoryTaskStore()
  await store.save({ task, ...OWNER, seq: 1, updatedAt: 0 })
  await store.putPush(OWNER.owner, OWNER.tenant, { id: 'config-1', taskId: task.id, ...config })
  const delivery = createPushDelivery(store, { guard, firstDelayMs: 1, ...options })
  closers.push(() => delivery.close())
  const emptied = async (): Promise<void> => {
    while ((await store.outbox()).length > 0) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return { store, delivery, emptied }
}

describe('2.11: a notification', () => {
  test('is one StreamResponse with its token, credentials and id', async () => {
    const { url, posts, count } = await receiver()
    const { delivery } = await subscribed({
      url,
      token: 'secret',
      authentication: { scheme: 'Bearer', credentials: 'abc' },
    })
    await delivery.notify({ ...OWNER, task }, update('one'))
    await count(1)
    expect(JSON.parse(posts[0]!.body)).toEqual(update('one'))
    expect(posts[0]!.headers).toMatchObject({
      'content-type': 'application/a2a+json',
      'x-a2a-notification-token': 'secret',
      authorization: 'Bearer abc',
    })
    expect(posts[0]!.headers['a2a-notification-id']).toMatch(/^[0-9a-z]{23}$/)
  })

  test('has the shape of 0.3 where the config was made in 0.3', async () => {
    const { url, posts, count } = await receiver()
    const { delivery } = await subscribed({ url, legacy: true })
    await delivery.notify({ ...OWNER, task }, update('one'))
    await count(1)
    expect(JSON.parse(posts[0]!.body)).toMatchObject({
      kind: 'status-update',
      taskId: 'task-1',
      status: { state: 'working' },
      final: false,
    })
    expect(posts[0]!.headers['content-type']).toBe('application/json')
  })
})

describe('7.2: delivery', () => {
  test('is tried again after failures, in order', async () => {
    const { url, posts, count } = await receiver(500, 503, 200, 429)
    const { delivery, emptied } = await subscribed({ url })
    await delivery.notify({ ...OWNER, task }, update('one'))
    await delivery.notify({ ...OWNER, task }, update('two'))
    await count(5)
    await emptied()
    const ids = posts.map(({ body }) => JSON.parse(body).statusUpdate.status.message.messageId)
    expect(ids).toEqual(['one', 'one', 'one', 'two', 'two'])
    expect(new Set(posts.slice(0, 3).map(({ headers }) => headers['a2a-notification-id'])).size).toBe(1)
  })

  test('is given up by name after the last try, and the next one goes out', async () => {
    const dead: [OutboxItem, string][] = []
    const { url, posts, count } = await receiver(500, 500, 500, 500, 500)
    const { delivery, emptied } = await subscribed(
      { url },
      { attempts: 5, onDead: (item, reason) => dead.push([item, reason]) },
    )
    await delivery.notify({ ...OWNER, task }, update('one'))
    await delivery.notify({ ...OWNER, task }, update('two'))
    await count(6)
    await emptied()
    expect(posts).toHaveLength(6)
    expect(dead.map(([{ body }, reason]) => [JSON.parse(body), reason])).toEqual([
      [update('one'), '5 tries failed'],
    ])
  })

  test.each([404, 410])('%d drops the config', async (status) => {
    const { url, posts } = await receiver(status)
    const { store, delivery, emptied } = await subscribed({ url })
    await delivery.notify({ ...OWNER, task }, update('one'))
    await emptied()
    expect(await store.listPush(OWNER.owner, OWNER.tenant, task.id)).toEqual([])
    await delivery.notify({ ...OWNER, task }, update('two'))
    expect(posts).toHaveLength(1)
  })

  test('does not follow a redirect with the token', async () => {
    const { url, posts, count } = await receiver(307)
    const { delivery, emptied } = await subscribed({ url, token: 'secret' })
    await delivery.notify({ ...OWNER, task }, update('one'))
    await count(2)
    await emptied()
    expect(posts.map(({ headers }) => headers.host)).toEqual([new URL(url).host, new URL(url).host])
  })

  test('to an address that is refused by now drops the config', async () => {
    const strict = createGuard()
    closers.push(() => strict.close())
    const dead: string[] = []
    const { store, delivery, emptied } = await subscribed(
      { url: 'https://127.0.0.1/' },
      { guard: strict, onDead: (_item, reason) => dead.push(reason) },
    )
    await delivery.notify({ ...OWNER, task }, update('one'))
    await emptied()
    expect(dead).toEqual(['the URL is refused now'])
    expect(await store.listPush(OWNER.owner, OWNER.tenant, task.id)).toEqual([])
  })

  test('cuts a notification that is too long down to the status', async () => {
    const { url, posts, count } = await receiver()
    const { delivery } = await subscribed({ url }, { maxBodyBytes: 400 })
    await delivery.notify({ ...OWNER, task }, update('x'.repeat(1000)))
    await count(1)
    expect(JSON.parse(posts[0]!.body)).toEqual({
      statusUpdate: {
        taskId: 'task-1',
        contextId: 'context-1',
        status: task.status,
        metadata: { trimmed: true },
      },
    })
  })

  test('goes on after a restart with what was not delivered', async () => {
    const down = await receiver(500)
    const { store, delivery } = await subscribed({ url: down.url }, { firstDelayMs: 100_000 })
    await delivery.notify({ ...OWNER, task }, update('one'))
    await delivery.notify({ ...OWNER, task }, update('two'))
    await down.count(1)
    while ((await store.outbox()).every(({ attempt }) => attempt === 0))
      await new Promise((resolve) => setTimeout(resolve, 2))
    await delivery.close()
    const later = createPushDelivery(store, { guard, now: () => Date.now() + 1_000_000 })
    closers.push(() => later.close())
    await down.count(3)
    expect(down.posts.slice(1).map(({ body }) => JSON.parse(body))).toEqual([update('one'), update('two')])
  })

  test.each([
    [{ url: 'https://example.com/', token: 'a\r\nb' }, 'authentication'],
    [
      { url: 'https://example.com/', authentication: { scheme: 'Bearer', credentials: 'a\nb' } },
      'authentication',
    ],
    [{ url: 'file:///etc/passwd' }, 'url'],
    [{ url: 'https://10.0.0.1/' }, 'url'],
  ])('refuses the config %j by its %s', async (config, field) => {
    const delivery = createPushDelivery(memoryTaskStore())
    closers.push(() => delivery.close())
    await expect(delivery.check(config)).rejects.toMatchObject({
      code: 'INVALID_PARAMS',
      details: { violations: [{ field: `taskPushNotificationConfig.${field}` }] },
    })
  })
})

describe('7.2: the receiver', () => {
  test('takes a signed notification once, and refuses what is not ours', async () => {
    const secret = generateSecretKey()
    const { url, posts, count } = await receiver()
    const { delivery } = await subscribed({ url, token: 'secret' }, { sign: notificationSigner(secret) })
    await delivery.notify({ ...OWNER, task }, update('one'))
    await count(1)
    const [{ headers, body }] = posts as [Post]
    const header = (name: string): string | undefined => headers[name] as string | undefined
    const expects = (id: string): boolean => id === 'task-1'
    const signedBy = { publicKey: publicKeyOf(secret), url }

    const ours = createPushReceiver({ token: 'secret', expects, signedBy })
    expect(await ours.receive(header, body)).toMatchObject({
      ok: true,
      taskId: 'task-1',
      event: update('one'),
    })
    expect(await ours.receive(header, body)).toEqual({ ok: false, status: 200, code: 'DUPLICATE' })
    expect(await ours.receive(header, body.replace('one', 'two'))).toMatchObject({ code: 'WRONG_SIGNATURE' })
    expect(await ours.receive(header, '{"task":')).toMatchObject({ code: 'MALFORMED' })
    expect(await ours.receive(header, '{}')).toMatchObject({ code: 'MALFORMED' })
    expect(await ours.receive(header, 'x'.repeat(2_000_000))).toMatchObject({ code: 'TOO_LARGE' })

    const other = createPushReceiver({ token: 'another', expects })
    expect(await other.receive(header, body)).toMatchObject({ status: 401, code: 'WRONG_TOKEN' })
    const elsewhere = createPushReceiver({ expects: () => false })
    expect(await elsewhere.receive(header, body)).toMatchObject({ status: 404, code: 'UNKNOWN_TASK' })
    const wrongKey = createPushReceiver({
      expects,
      signedBy: { publicKey: publicKeyOf(generateSecretKey()), url },
    })
    expect(await wrongKey.receive(header, body)).toMatchObject({ code: 'WRONG_SIGNATURE' })
  })
})
