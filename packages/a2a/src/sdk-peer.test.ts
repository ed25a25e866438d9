/** The SDK's own clients against our endpoint, in both versions and bindings (spec a2a 10). */
import { Role, SendMessageRequest, TaskState } from '@a2a-js/sdk'
import {
  type Client,
  ClientFactory,
  ClientFactoryOptions,
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
  RestTransportFactory,
} from '@a2a-js/sdk/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openParrot, type Parrot } from '../test/http.js'
import type { PushDelivery } from './push.js'

const push: PushDelivery = { async check() {}, prepare: () => undefined, send() {}, async close() {} }

const request = (text: string, more: object = {}): SendMessageRequest =>
  SendMessageRequest.fromJSON({
    message: { messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: [{ text }], ...more },
  })

const taskRequest = (id: string) => ({ tenant: '', id, metadata: undefined })

describe.each([
  ['1.0', 'JSONRPC', 'the hybrid switch on', true],
  ['1.0', 'HTTP+JSON', 'the hybrid switch off', false],
  ['0.3', 'JSONRPC', 'the hybrid switch on', true],
  ['0.3', 'HTTP+JSON', 'the hybrid switch on', true],
])('10: the SDK client of %s over %s, %s', (version, binding, _switch, hybridCard) => {
  let parrot: Parrot
  let client: Client
  beforeAll(async () => {
    parrot = await openParrot({ push, hybridCard })
    const legacyCompat = { enabled: version === '0.3' }
    // A client of 0.3 sends no version: that is how it gets the card it reads.
    const headerless: typeof fetch = (input, init) => {
      const headers = new Headers(init?.headers)
      if (version === '0.3') headers.delete('a2a-version')
      return fetch(input, { ...init, headers })
    }
    const cardResolver = new DefaultAgentCardResolver({ legacyCompat, fetchImpl: headerless })
    const card = await cardResolver.resolve(`${parrot.url}/`)
    const chosen = card.supportedInterfaces.filter(
      (item) => item.protocolVersion.startsWith(version) && item.protocolBinding === binding,
    )
    expect(chosen).toHaveLength(1)
    const factory = new ClientFactory(
      ClientFactoryOptions.createFrom(ClientFactoryOptions.default, {
        transports: [
          new JsonRpcTransportFactory({ legacyCompat }),
          new RestTransportFactory({ legacyCompat }),
        ],
        preferredTransports: [binding],
      }),
    )
    client = await factory.createFromAgentCard({ ...card, supportedInterfaces: chosen })
    expect(client.protocolVersion).toMatch(version)
  })
  afterAll(() => parrot.agent.close())

  const send = async (text: string, more: object = {}) => {
    const result = await client.sendMessage({ ...request(text), ...more })
    if (!('status' in result)) throw new Error('a message')
    return result
  }

  test('10: send, and get what was sent', async () => {
    const task = await send('hi')
    expect(task.status?.state).toBe(TaskState.TASK_STATE_COMPLETED)
    expect(task.artifacts[0]?.parts[0]?.content).toEqual({ $case: 'text', value: 'hi' })
    const got = await client.getTask({ tenant: '', id: task.id, historyLength: 1 })
    expect(got.id).toBe(task.id)
    expect(got.history[0]?.role).toBe(Role.ROLE_USER)
  })

  test('10: a direct reply', async () => {
    expect(await client.sendMessage(request('reply'))).toMatchObject({ role: Role.ROLE_AGENT })
  })

  test('10: stream', async () => {
    const cases: (string | undefined)[] = []
    let last: unknown
    for await (const event of client.sendMessageStream(request('hi'))) {
      cases.push(event.payload?.$case)
      last = event.payload?.value
    }
    expect(cases[0]).toBe('task')
    expect(cases).toContain('artifactUpdate')
    expect(last).toMatchObject({ status: { state: TaskState.TASK_STATE_COMPLETED } })
  })

  test('10: a turn more, on the same task', async () => {
    const asked = await send('ask')
    expect(asked.status?.state).toBe(TaskState.TASK_STATE_INPUT_REQUIRED)
    const answered = await client.sendMessage(
      request('this one', { taskId: asked.id, contextId: asked.contextId }),
    )
    expect(answered).toMatchObject({ id: asked.id, status: { state: TaskState.TASK_STATE_COMPLETED } })
  })

  test('10: subscribe while another cancels', async () => {
    const { id } = await send('wait', { configuration: { ...configuration, returnImmediately: true } })
    const states: unknown[] = []
    let canceled: Promise<unknown> | undefined
    for await (const { payload } of client.resubscribeTask({ tenant: '', id })) {
      canceled ??= client.cancelTask(taskRequest(id))
      if (payload?.$case === 'task' || payload?.$case === 'statusUpdate')
        states.push(payload.value.status?.state)
    }
    expect(states.at(-1)).toBe(TaskState.TASK_STATE_CANCELED)
    expect(await canceled).toMatchObject({ id, status: { state: TaskState.TASK_STATE_CANCELED } })
  })

  test('10: an unknown task is TaskNotFoundError, a done one cannot be cancelled', async () => {
    await expect(client.getTask({ tenant: '', id: 'nope', historyLength: undefined })).rejects.toMatchObject({
      reason: 'TASK_NOT_FOUND',
    })
    const { id } = await send('hi')
    await expect(client.cancelTask(taskRequest(id))).rejects.toMatchObject({ reason: 'TASK_NOT_CANCELABLE' })
  })

  test('10: push configurations', async () => {
    const { id: taskId } = await send('ask')
    const config = {
      tenant: '',
      taskId,
      id: 'one',
      url: 'https://a.example/hook',
      token: 'secret',
      authentication: { scheme: 'Bearer', credentials: 'x' },
    }
    expect(await client.createTaskPushNotificationConfig(config)).toMatchObject(config)
    const one = { tenant: '', taskId, id: 'one' }
    expect(await client.getTaskPushNotificationConfig(one)).toMatchObject(config)
    const list = { tenant: '', taskId, pageSize: 0, pageToken: '' }
    expect((await client.listTaskPushNotificationConfig(list)).configs).toHaveLength(1)
    await client.deleteTaskPushNotificationConfig(one)
    expect((await client.listTaskPushNotificationConfig(list)).configs).toHaveLength(0)
  })

  test.runIf(version === '1.0')('10: list', async () => {
    const { id, contextId } = await send('hi')
    const page = await client.listTasks({
      tenant: '',
      contextId,
      status: TaskState.TASK_STATE_UNSPECIFIED,
      pageToken: '',
      statusTimestampAfter: undefined,
      includeArtifacts: true,
    })
    expect(page).toMatchObject({ totalSize: 1, nextPageToken: '' })
    expect(page.tasks[0]?.id).toBe(id)
    expect(page.tasks[0]?.artifacts).toHaveLength(1)
  })
})

const configuration = {
  acceptedOutputModes: [],
  taskPushNotificationConfig: undefined,
  historyLength: undefined,
  returnImmediately: false,
}
