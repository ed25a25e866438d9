import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { closers, guard, OWNER, receiver, subscribed, task, update } from '../../test/push.js'
import { createGuard } from '../guard.js'
import { memoryTaskStore } from '../store/memory.js'
import type { OutboxItem } from '../task-store.js'
import { createPushDelivery } from './delivery.js'
import { createPushReceiver } from './receiver.js'

describe('2.11: a notification', () => {
  test('is one StreamResponse with its token, credentials and id', async () => {
    const { url, posts, count } = await receiver()
    const { notify } = await subscribed({
      url,
      token: 'secret',
      authentication: { scheme: 'Bearer', credentials: 'abc' },
    })
    await notify(update('one'))
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
    const { notify } = await subscribed({ url, legacy: true })
    await notify(update('one'))
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
    const { notify, emptied } = await subscribed({ url })
    await notify(update('one'))
    await notify(update('two'))
    await count(5)
    await emptied()
    const ids = posts.map(({ body }) => JSON.parse(body).statusUpdate.status.message.messageId)
    expect(ids).toEqual(['one', 'one', 'one', 'two', 'two'])
    expect(new Set(posts.slice(0, 3).map(({ headers }) => headers['a2a-notification-id'])).size).toBe(1)
  })

  test('is given up by name after the last try, and the next one goes out', async () => {
    const dead: [OutboxItem, string][] = []
    const { url, posts, count } = await receiver(500, 500, 500, 500, 500)
    const { notify, emptied } = await subscribed(
      { url },
      { attempts: 5, onDead: (item, reason) => dead.push([item, reason]) },
    )
    await notify(update('one'))
    await notify(update('two'))
    await count(6)
    await emptied()
    expect(posts).toHaveLength(6)
    expect(dead.map(([{ body }, reason]) => [JSON.parse(body), reason])).toEqual([
      [update('one'), '5 tries failed'],
    ])
  })

  test.each([404, 410])('%d drops the config', async (status) => {
    const { url, posts } = await receiver(status)
    const { store, notify, emptied } = await subscribed({ url })
    await notify(update('one'))
    await emptied()
    expect(await store.listPush(OWNER.owner, OWNER.tenant, task.id)).toEqual([])
    await notify(update('two'))
    expect(posts).toHaveLength(1)
  })

  test('does not follow a redirect with the token', async () => {
    const { url, posts, count } = await receiver(307)
    const { notify, emptied } = await subscribed({ url, token: 'secret' })
    await notify(update('one'))
    await count(2)
    await emptied()
    expect(posts.map(({ headers }) => headers.host)).toEqual([new URL(url).host, new URL(url).host])
  })

  test('to an address that is refused by now drops the config', async () => {
    const strict = createGuard()
    closers.push(() => strict.close())
    const dead: string[] = []
    const { store, notify, emptied } = await subscribed(
      { url: 'https://127.0.0.1/' },
      { guard: strict, onDead: (_item, reason) => dead.push(reason) },
    )
    await notify(update('one'))
    await emptied()
    expect(dead).toEqual(['the URL is refused now'])
    expect(await store.listPush(OWNER.owner, OWNER.tenant, task.id)).toEqual([])
  })

  test('cuts a notification that is too long down to the status', async () => {
    const { url, posts, count } = await receiver()
    const { notify } = await subscribed({ url }, { maxBodyBytes: 400 })
    await notify(update('x'.repeat(1000)))
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
    const { store, delivery, notify } = await subscribed({ url: down.url }, { firstDelayMs: 100_000 })
    await notify(update('one'))
    await notify(update('two'))
    await down.count(1)
    while ((await store.outbox()).every(({ attempt }) => attempt === 0))
      await new Promise((resolve) => setTimeout(resolve, 2))
    await delivery.close()
    const later = createPushDelivery(store, { guard, now: () => Date.now() + 1_000_000 })
    closers.push(() => later.close())
    await down.count(3)
    expect(down.posts.slice(1).map(({ body }) => JSON.parse(body))).toEqual([update('one'), update('two')])
  })

  test('[push-challenge] asks a URL for a challenge, where that is wanted, before its config is kept', async () => {
    const { challenge } = createPushReceiver({ expects: () => true })
    const asked: string[] = []
    const answers: Record<string, (url: string) => [number, string]> = {
      owned: (url) => [200, challenge(url) ?? ''],
      other: () => [200, 'hello'],
      refusing: (url) => [404, challenge(url) ?? ''],
      endless: (url) => [200, `${challenge(url)}${' '.repeat(2000)}`],
    }
    const server = createServer(({ url = '', method, headers }, response) => {
      asked.push(`${method} ${headers.authorization ?? ''}${headers['x-a2a-notification-token'] ?? ''}`)
      const [status, body] = answers[url.split(/[/?]/)[1] ?? '']?.(url) ?? [500, '']
      response.writeHead(status, { 'content-type': 'text/plain' }).end(body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closers.push(() => new Promise((resolve) => server.close(resolve)))
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { delivery } = await subscribed({ url: at }, { challenge: true })
    await delivery.check({ url: `${at}/owned?my=own`, token: 'secret' })
    for (const path of ['other', 'refusing', 'endless'])
      await expect(delivery.check({ url: `${at}/${path}` })).rejects.toMatchObject({
        code: 'INVALID_PARAMS',
        details: { violations: [{ field: 'taskPushNotificationConfig.url' }] },
      })
    expect(asked).toEqual(Array(4).fill('GET '))
    for (const url of [
      '/hook',
      '/hook?validationToken=',
      '/hook?validationToken=%3Cscript%3E0123456789abcdef',
    ])
      expect(challenge(url)).toBeUndefined()
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
