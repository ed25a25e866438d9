/** Push notifications, delivered to a receiver on loopback (spec a2a 2.11, 7.1, 7.2). */
import {
  type AgentOptions,
  createGuard,
  createPushReceiver,
  type OutboxItem,
  type PushOptions,
} from '@aetherkit/a2a'
import { describe, expect, test } from 'vitest'
import { codeOf, kindOf, type Loose, later, named, openAgent, say, stateIn } from './agent.js'
import { openReceiver } from './receiver.js'

/** Delivers to loopback, and tries again soon. */
function pushOptions(more: Partial<PushOptions> = {}): PushOptions {
  const guard = createGuard({ allowPrivateNetwork: true, warn() {} })
  later(() => guard.close())
  return { guard, firstDelayMs: 5, maxDelayMs: 20, ...more }
}
const open = (more: Partial<PushOptions> = {}, options: Partial<AgentOptions> = {}) =>
  openAgent({ push: pushOptions(more), ...options })

const statesOf = (posted: readonly { json: Loose }[]) =>
  posted.map(({ json }) => stateIn(json)).filter((state) => state !== undefined)
const inline = (text: string, config: object) => ({
  ...say(text),
  configuration: { taskPushNotificationConfig: config },
})

describe('push', () => {
  test('[push-delivery, push-id] a notification is one StreamResponse as application/a2a+json, each with its id', async () => {
    const receiver = await openReceiver()
    const agent = await open()
    const { json } = await agent.rpc('SendMessage', inline('hi', { url: `${receiver.url}/hook` }))
    const { id: taskId, contextId } = json.result.task
    await expect.poll(() => statesOf(receiver.posted).at(-1)).toBe('TASK_STATE_COMPLETED')
    for (const { json: body, headers, path } of receiver.posted) {
      expect([path, headers['content-type']]).toEqual(['/hook', 'application/a2a+json'])
      expect(Object.keys(body)).toHaveLength(1)
      const inner = body[kindOf(body)]
      expect([inner.taskId ?? inner.id, inner.contextId]).toEqual([taskId, contextId])
    }
    const ids = receiver.posted.map(({ headers }) => headers['a2a-notification-id'])
    expect(ids).not.toContain(undefined)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('[push-delivery] a configuration that is made later hears of what comes, one that is deleted does not', async () => {
    const [kept, gone] = [await openReceiver(), await openReceiver()]
    const agent = await open()
    const { id: taskId } = await agent.send('ask')
    await agent.rpc('CreateTaskPushNotificationConfig', { taskId, id: 'kept', url: kept.url })
    await agent.rpc('CreateTaskPushNotificationConfig', { taskId, id: 'gone', url: gone.url })
    await agent.rpc('DeleteTaskPushNotificationConfig', { taskId, id: 'gone' })
    await agent.send('blue', { taskId })
    await expect.poll(() => statesOf(kept.posted).at(-1)).toBe('TASK_STATE_COMPLETED')
    expect(kept.posted.map(({ json }) => kindOf(json))).toContain('artifactUpdate')
    expect(gone.posted).toEqual([])
  })

  test('[push-auth] configured authentication and token are sent', async () => {
    const receiver = await openReceiver()
    const agent = await open()
    const authentication = { scheme: 'Bearer', credentials: 'let-me-in' }
    await agent.rpc('SendMessage', inline('hi', { url: receiver.url, token: 'tok', authentication }))
    await expect.poll(() => receiver.posted.length).toBeGreaterThan(0)
    expect(receiver.posted[0]?.headers).toMatchObject({
      authorization: 'Bearer let-me-in',
      'x-a2a-notification-token': 'tok',
    })
    const bare = await openReceiver()
    await agent.rpc('SendMessage', inline('hi', { url: bare.url }))
    await expect.poll(() => bare.posted.length).toBeGreaterThan(0)
    expect(bare.posted[0]?.headers.authorization).toBeUndefined()
    expect(bare.posted[0]?.headers['x-a2a-notification-token']).toBeUndefined()
  })

  test('[push-legacy] a configuration made in 0.3 gets the bare objects of 0.3, inline ones too', async () => {
    const [set, within] = [await openReceiver(), await openReceiver()]
    const agent = await open()
    const message = (text: string, more: object = {}) => ({
      message: {
        kind: 'message',
        messageId: crypto.randomUUID(),
        role: 'user',
        parts: [{ kind: 'text', text }],
        ...more,
      },
    })
    const pushNotificationConfig = {
      url: within.url,
      authentication: { schemes: ['Bearer'], credentials: 'c' },
    }
    const asked = await agent.rpc(
      'message/send',
      { ...message('ask'), configuration: { pushNotificationConfig } },
      {},
    )
    const taskId = asked.json.result.id
    await agent.rpc(
      'tasks/pushNotificationConfig/set',
      { taskId, pushNotificationConfig: { url: set.url } },
      {},
    )
    await agent.rpc('message/send', message('blue', { taskId }), {})
    for (const { posted } of [set, within]) {
      await expect.poll(() => posted.at(-1)?.json.status?.state).toBe('completed')
      for (const { json, headers } of posted) {
        expect(headers['content-type']).toBe('application/json')
        expect(['task', 'status-update', 'artifact-update']).toContain(json.kind)
      }
      expect(posted.at(-1)?.json).toMatchObject({ kind: 'status-update', taskId, final: true })
    }
    expect(within.posted[0]?.headers.authorization).toBe('Bearer c')
  })

  test('[push-retry] a failed delivery is tried again under the same id, and what is behind it waits', async () => {
    const receiver = await openReceiver((_post, nth) => (nth < 3 ? 503 : 200))
    const agent = await open()
    await agent.rpc('SendMessage', inline('hi', { url: receiver.url }))
    await expect.poll(() => statesOf(receiver.posted).at(-1)).toBe('TASK_STATE_COMPLETED')
    const ids = receiver.posted.map(({ headers }) => headers['a2a-notification-id'])
    expect(new Set(ids.slice(0, 4)).size).toBe(1)
    expect(new Set(ids.slice(3)).size).toBe(ids.length - 3)
    expect([...ids].sort()).toEqual(ids)
  })

  test('[push-attempts] after at least five attempts it is given up by name, and the next is tried', async () => {
    const dead: OutboxItem[] = []
    const receiver = await openReceiver((_post, nth) => (nth < 6 ? 500 : 200))
    const agent = await open({ onDead: (item) => dead.push(item) })
    const { json } = await agent.rpc('SendMessage', inline('hi', { url: receiver.url }))
    await expect.poll(() => statesOf(receiver.posted).at(-1)).toBe('TASK_STATE_COMPLETED')
    expect(dead.map(({ taskId }) => taskId)).toEqual([json.result.task.id])
    const [first] = receiver.posted
    const tries = receiver.posted.filter(({ text }) => text === first?.text)
    expect(tries.length).toBeGreaterThanOrEqual(5)
  })

  test.each([404, 410])('[push-gone] %i drops the configuration', async (status) => {
    const receiver = await openReceiver(() => status)
    const agent = await open()
    const { id: taskId } = await agent.send('ask', {}, { taskPushNotificationConfig: { url: receiver.url } })
    const configs = async () =>
      (await agent.rpc('ListTaskPushNotificationConfigs', { taskId })).json.result.configs.length
    await expect.poll(configs).toBe(0)
    await agent.send('blue', { taskId })
    expect(receiver.posted).toHaveLength(1)
  })

  test.each([
    'http://127.0.0.1:9/',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://10.1.2.3/',
    'https://169.254.169.254/latest/meta-data',
    'https://[::ffff:10.0.0.1]/',
    'https://localhost/',
    'https://user:password@hooks.example/',
    'https://0x7f.1/',
    'https://hooks.example:22/',
    'file:///etc/passwd',
    'gopher://hooks.example/',
    'no url',
  ])('[push-guard] the URL %s is -32602, set and inline, and nothing runs', async (url) => {
    const agent = await openAgent({ push: {} })
    const { id: taskId } = await agent.send('ask')
    const set = await agent.rpc('CreateTaskPushNotificationConfig', { taskId, url })
    expect(codeOf(set)).toEqual([-32602, 'INVALID_PARAMS'])
    expect(codeOf(await agent.rpc('SendMessage', inline('hi', { url })))).toEqual([-32602, 'INVALID_PARAMS'])
    expect(agent.runs).toEqual(['ask'])
    expect((await agent.rpc('ListTaskPushNotificationConfigs', { taskId })).json.result.configs).toEqual([])
  })

  test('[push-guard] a redirect is a failure: nothing is sent to where it points', async () => {
    const target = await openReceiver()
    const receiver = await openReceiver((_post, nth) => (nth === 0 ? { location: target.url } : 200))
    const agent = await open()
    await agent.rpc('SendMessage', inline('hi', { url: receiver.url, token: 'secret' }))
    await expect.poll(() => statesOf(receiver.posted).at(-1)).toBe('TASK_STATE_COMPLETED')
    expect(target.posted).toEqual([])
  })

  test('[push-inline] an inline configuration is in the list of its task, and is refused before anything runs', async () => {
    const receiver = await openReceiver()
    const agent = await open()
    const { id: taskId } = await agent.send(
      'ask',
      {},
      { taskPushNotificationConfig: { id: 'mine', url: receiver.url } },
    )
    const { configs } = (await agent.rpc('ListTaskPushNotificationConfigs', { taskId })).json.result
    expect(configs).toEqual([{ id: 'mine', taskId, url: receiver.url }])
    expect(codeOf(await agent.rpc('SendMessage', inline('hi', { url: '' })))).toEqual([
      -32602,
      'INVALID_PARAMS',
    ])
    expect(agent.runs).toEqual(['ask'])
  })

  test('[push-limit] at most ten configurations a task; a known id is replaced', async () => {
    const agent = await open()
    const { id: taskId } = await agent.send('ask')
    const make = (id: string, url = 'http://127.0.0.1:9/') =>
      agent.rpc('CreateTaskPushNotificationConfig', { taskId, id, url })
    for (let at = 0; at < 10; at++) expect((await make(`c${at}`)).json.error).toBeUndefined()
    expect(codeOf(await make('c10'))).toEqual([-32602, 'INVALID_PARAMS'])
    const [base, config] = [`/tasks/${taskId}/pushNotificationConfigs`, { url: 'http://127.0.0.1:8/' }]
    expect((await agent.rest('POST', base, config)).status).toBe(400)
    expect((await make('c3', config.url)).json.result.url).toBe(config.url)
    expect((await agent.rest('GET', base)).json.configs).toHaveLength(10)
    const also = { ...say('more', { taskId }), configuration: { taskPushNotificationConfig: config } }
    expect(codeOf(await agent.rpc('SendMessage', also))).toEqual([-32602, 'INVALID_PARAMS'])
  })

  test.each([
    ['token', { token: 'a\r\nX-Evil: 1' }],
    ['scheme', { authentication: { scheme: 'Bearer\nX-Evil: 1', credentials: 'c' } }],
    ['credentials', { authentication: { scheme: 'Bearer', credentials: 'c\r\nX-Evil: 1' } }],
  ])('[push-credentials] a line break in the %s is -32602', async (_name, more) => {
    const agent = await open()
    const { id: taskId } = await agent.send('ask')
    const answer = await agent.rpc('CreateTaskPushNotificationConfig', {
      taskId,
      url: 'http://127.0.0.1:9/',
      ...more,
    })
    expect(codeOf(answer)).toEqual([-32602, 'INVALID_PARAMS'])
  })

  test('[push-trim] a notification over the bound is cut down to the status', async () => {
    const receiver = await openReceiver()
    const agent = await open()
    const url = receiver.url
    await agent.rpc('SendMessage', inline('chunks 300 4096', { url }))
    await expect.poll(() => statesOf(receiver.posted).at(-1)).toBe('TASK_STATE_COMPLETED')
    expect(receiver.posted.every(({ text }) => Buffer.byteLength(text) <= 1024 * 1024)).toBe(true)
    const trimmed = receiver.posted.filter(({ json }) => json.statusUpdate?.metadata?.trimmed === true)
    expect(trimmed).toHaveLength(1)
  })

  test('[push-receiver] the receiver helper takes what the agent sends, once, with the token, for its task', async () => {
    const receiver = await openReceiver()
    const agent = await open({}, { authenticate: named })
    const alice = agent.as('alice')
    const { json } = await alice.rpc('SendMessage', inline('hi', { url: receiver.url, token: 'tok' }))
    const { id } = json.result.task
    await expect.poll(() => statesOf(receiver.posted).at(-1)).toBe('TASK_STATE_COMPLETED')
    const helper = createPushReceiver({ token: 'tok', expects: (taskId) => taskId === id })
    const foreign = createPushReceiver({ token: 'tok', expects: () => false })
    const [first] = receiver.posted
    if (first === undefined) throw new Error('nothing was posted')
    const header =
      (more: Record<string, string> = {}) =>
      (name: string) =>
        ({ ...first.headers, ...more })[name] as string | undefined
    expect(await helper.receive(header(), first.text)).toMatchObject({ ok: true, taskId: id })
    expect(await helper.receive(header(), first.text)).toMatchObject({
      ok: false,
      code: 'DUPLICATE',
      status: 200,
    })
    const wrong = header({ 'x-a2a-notification-token': 'other' })
    expect(await helper.receive(wrong, first.text)).toMatchObject({ code: 'WRONG_TOKEN', status: 401 })
    expect(await foreign.receive(header(), first.text)).toMatchObject({ code: 'UNKNOWN_TASK', status: 404 })
    expect(await helper.receive(header(), '{')).toMatchObject({ code: 'MALFORMED', status: 400 })
  })
})
