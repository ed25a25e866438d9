/** The client against our own endpoint, over real HTTP (spec a2a 6.2 no. 18, 7.7, 10). */
import { afterEach, expect, test } from 'vitest'
import { openParrot, type Parrot, SKILL } from '../../test/http.js'
import type { AgentOptions } from '../agent.js'
import type { StreamResponse } from '../model.js'
import { type ConnectOptions, connectAgent } from './connect.js'
import type { RemoteAgent } from './remote-agent.js'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function open(
  serving: Partial<AgentOptions> = {},
  options: ConnectOptions = {},
): Promise<{ parrot: Parrot; agent: RemoteAgent }> {
  const parrot = await openParrot(serving)
  ends.push(() => parrot.agent.close())
  const agent = await connectAgent(parrot.url, local(options))
  ends.push(() => agent.close())
  return { parrot, agent }
}

const local = (options: ConnectOptions = {}): ConnectOptions => ({
  allowPrivateNetwork: true,
  guard: { warn: () => {} },
  ...options,
})

const textOf = (events: readonly StreamResponse[]): string =>
  events
    .flatMap((event) => ('artifactUpdate' in event ? event.artifactUpdate.artifact.parts : []))
    .map(({ text = '' }) => text)
    .join('')

async function all(stream: AsyncIterable<StreamResponse>): Promise<StreamResponse[]> {
  const events: StreamResponse[] = []
  for await (const event of stream) events.push(event)
  return events
}

test.each([
  ['1.0', 'JSONRPC'],
  ['1.0', 'HTTP+JSON'],
  ['0.3', 'JSONRPC'],
  ['0.3', 'HTTP+JSON'],
] as const)('[client-version] every operation works in %s over %s', async (version, binding) => {
  const push = { async check() {}, prepare: () => undefined, send() {}, async close() {} }
  const { agent } = await open({ push }, { versions: [version], bindings: [binding] })
  expect(agent.interface).toMatchObject({ version, binding })
  expect(agent.card.skills[0]).toMatchObject(SKILL)

  const sent = await agent.send('hello')
  if (!('task' in sent)) throw new Error('a message')
  expect(sent.task).toMatchObject({
    status: { state: 'TASK_STATE_COMPLETED' },
    artifacts: [{ artifactId: 'result', parts: [{ text: 'hello' }] }],
  })
  const { id, contextId } = sent.task
  expect(await agent.send('reply')).toMatchObject({
    message: { role: 'ROLE_AGENT', parts: [{ text: 'hello' }] },
  })
  expect(await agent.get(id, { historyLength: 1 })).toMatchObject({ id, history: [{ role: 'ROLE_USER' }] })

  const events = await all(agent.stream('chunks 3 5', { contextId }))
  expect(Object.keys(events[0] ?? {})).toEqual(['task'])
  expect(textOf(events)).toBe('x'.repeat(15))
  expect(events.at(-1)).toMatchObject({ statusUpdate: { status: { state: 'TASK_STATE_COMPLETED' } } })

  const waiting = await agent.send('wait', { configuration: { returnImmediately: true } })
  if (!('task' in waiting)) throw new Error('a message')
  const seen = all(agent.subscribe(waiting.task.id))
  expect(await agent.cancel(waiting.task.id)).toMatchObject({ status: { state: 'TASK_STATE_CANCELED' } })
  const last = (await seen).at(-1)
  expect(JSON.stringify(last)).toContain('TASK_STATE_CANCELED')

  const asked = await agent.send('ask')
  if (!('task' in asked)) throw new Error('a message')
  expect(asked.task.status.state).toBe('TASK_STATE_INPUT_REQUIRED')
  const config = await agent.push.create({
    taskId: asked.task.id,
    url: 'https://a.example/hook',
    token: 't',
    authentication: { scheme: 'Bearer', credentials: 'c' },
  })
  const pushId = config.id ?? ''
  expect(await agent.push.get(asked.task.id, pushId)).toMatchObject({
    url: 'https://a.example/hook',
    token: 't',
  })
  expect((await agent.push.list(asked.task.id)).configs).toHaveLength(1)
  await agent.push.delete(asked.task.id, pushId)
  expect((await agent.push.list(asked.task.id)).configs).toHaveLength(0)
  expect(await agent.send('that one', { taskId: asked.task.id })).toMatchObject({
    task: { id: asked.task.id, status: { state: 'TASK_STATE_COMPLETED' } },
  })

  if (version === '1.0') expect((await agent.list({ contextId, pageSize: 1 })).totalSize).toBe(2)
  else await expect(agent.list()).rejects.toMatchObject({ code: 'UNSUPPORTED_OPERATION' })
})
