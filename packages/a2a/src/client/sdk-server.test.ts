/** Our client against the SDK's own server, in both versions and bindings (spec a2a 10). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { atEnd, cuttingProxy, local } from '../../test/faulty.js'
import { openSdkServer, type SdkServer } from '../../test/sdk-server.js'
import type { StreamResponse } from '../model.js'
import { connectAgent } from './connect.js'
import type { RemoteAgent } from './remote-agent.js'

let server: SdkServer
beforeAll(async () => {
  server = await openSdkServer()
})
afterAll(() => server.close())

describe.each([
  ['1.0', 'JSONRPC'],
  ['1.0', 'HTTP+JSON'],
  ['0.3', 'JSONRPC'],
  ['0.3', 'HTTP+JSON'],
] as const)('10: an SDK server of %s over %s', (version, binding) => {
  let agent: RemoteAgent
  beforeAll(async () => {
    agent = await connectAgent(server.url, local({ versions: [version], bindings: [binding] }))
  })
  afterAll(() => agent.close())

  const send = async (text: string, more: object = {}) => {
    const result = await agent.send(text, more)
    if (!('task' in result)) throw new Error('a message')
    return result.task
  }

  test('10: send, get, a direct reply, and another turn', async () => {
    expect(agent.interface).toMatchObject({ version, binding })
    const task = await send('hi')
    expect(task).toMatchObject({
      status: { state: 'TASK_STATE_COMPLETED' },
      artifacts: [{ artifactId: 'result', parts: [{ text: 'hi' }] }],
    })
    expect(await agent.get(task.id, { historyLength: 1 })).toMatchObject({
      id: task.id,
      contextId: task.contextId,
    })
    expect(await agent.send('reply')).toMatchObject({
      message: { role: 'ROLE_AGENT', parts: [{ text: 'hello' }] },
    })
    const asked = await send('ask')
    expect(asked.status).toMatchObject({
      state: 'TASK_STATE_INPUT_REQUIRED',
      message: { parts: [{ text: 'Which one?' }] },
    })
    const { id: taskId, contextId } = asked
    expect(await send('this one', { taskId, contextId })).toMatchObject({
      id: taskId,
      status: { state: 'TASK_STATE_COMPLETED' },
    })
  })

  test('10: stream, cancel, and errors with their codes', async () => {
    const events: StreamResponse[] = []
    for await (const event of agent.stream('chunks 20')) events.push(event)
    const text = events.map((event) =>
      'artifactUpdate' in event ? event.artifactUpdate.artifact.parts[0]?.text : '',
    )
    expect(text.join('')).toBe(Array.from({ length: 20 }, (_, index) => `${index},`).join(''))
    expect(events.at(-1)).toMatchObject({ statusUpdate: { status: { state: 'TASK_STATE_COMPLETED' } } })

    const { id } = await send('wait', { configuration: { returnImmediately: true } })
    expect(await agent.cancel(id)).toMatchObject({ id, status: { state: 'TASK_STATE_CANCELED' } })
    expect(server.canceled).toContain(id)
    await expect(agent.get('nope')).rejects.toMatchObject({ code: 'TASK_NOT_FOUND', source: 'agent' })
  })
})

test('10: a stream of the SDK that is cut goes on, and the whole text is there', async () => {
  const proxy = await cuttingProxy(server.url, (stream) => (stream < 2 ? 1500 : undefined))
  const found = await connectAgent(server.url, local({ versions: ['1.0'], bindings: ['JSONRPC'] }))
  const card = {
    ...found.card,
    supportedInterfaces: [{ url: `${proxy.url}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
  }
  const agent = await connectAgent(card, local())
  atEnd(() => Promise.all([agent.close(), found.close()]))
  let text = ''
  for await (const event of agent.stream('chunks 60')) {
    if (!('artifactUpdate' in event)) continue
    const { append, artifact } = event.artifactUpdate
    const said = artifact.parts.map((part) => part.text ?? '').join('')
    text = append === true ? text + said : said
  }
  expect(text).toBe(Array.from({ length: 60 }, (_, index) => `${index},`).join(''))
  expect(proxy.streams()).toBe(3)
})

test('[client-version] an SDK server that knows 0.3 alone is spoken to in 0.3', async () => {
  const old = await openSdkServer(['0.3'])
  atEnd(() => old.close())
  const agent = await connectAgent(old.url, local())
  atEnd(() => agent.close())
  expect(agent.interface.version).toBe('0.3')
  expect(await agent.send('hi')).toMatchObject({ task: { artifacts: [{ parts: [{ text: 'hi' }] }] } })
})
