/**
 * Our client against the published SDK's own server, in both versions and bindings (spec a2a 10). The other direction,
 * the SDK's clients against our server, is `sdk-peer.test.ts` of the package.
 */
import { connectAgent, type RemoteAgent, type StreamResponse } from '@aetherkit/a2a'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSdkServer, type SdkServer } from './sdk-server.js'

async function all(stream: AsyncIterable<StreamResponse>): Promise<StreamResponse[]> {
  const events: StreamResponse[] = []
  for await (const event of stream) events.push(event)
  return events
}

let server: SdkServer
beforeAll(async () => {
  server = await openSdkServer()
})
afterAll(() => server.close())

describe.each([
  ['1.0', 'JSONRPC'],
  ['1.0', 'HTTP+JSON'],
  ['0.3', 'JSONRPC'],
] as const)('the SDK server, in %s over %s', (version, binding) => {
  let agent: RemoteAgent
  beforeAll(async () => {
    agent = await connectAgent(server.url, {
      versions: [version],
      bindings: [binding],
      allowPrivateNetwork: true,
      guard: { warn() {} },
    })
    expect(agent.interface).toMatchObject({ version, binding })
  })
  afterAll(() => agent.close())

  const task = async (...args: Parameters<RemoteAgent['send']>) => {
    const answer = await agent.send(...args)
    if (!('task' in answer)) throw new Error('a message')
    return answer.task
  }

  test('[client-version] a message is answered by a task, or by a message', async () => {
    const done = await task('hi')
    expect(done).toMatchObject({
      status: { state: 'TASK_STATE_COMPLETED' },
      artifacts: [{ artifactId: 'result', parts: [{ text: 'hi' }] }],
    })
    expect(await agent.get(done.id)).toMatchObject({ id: done.id, contextId: done.contextId })
    expect(await agent.send('reply')).toMatchObject({
      message: { role: 'ROLE_AGENT', parts: [{ text: 'hello' }] },
    })
  })

  test('[client-version] a stream is the task, its chunks and its end', async () => {
    const events = await all(agent.stream('chunks 5 7'))
    expect(Object.keys(events[0] ?? {})).toEqual(['task'])
    const text = events.flatMap((event) =>
      'artifactUpdate' in event ? event.artifactUpdate.artifact.parts : [],
    )
    expect(text.map((part) => part.text).join('')).toBe('x'.repeat(35))
    expect(events.at(-1)).toMatchObject({ statusUpdate: { status: { state: 'TASK_STATE_COMPLETED' } } })
  })

  test('[client-version] a question is answered on the same task', async () => {
    const asked = await task('ask')
    expect(asked.status).toMatchObject({
      state: 'TASK_STATE_INPUT_REQUIRED',
      message: { parts: [{ text: 'Which one?' }] },
    })
    const answered = await task('blue', { taskId: asked.id, contextId: asked.contextId })
    expect(answered).toMatchObject({ id: asked.id, status: { state: 'TASK_STATE_COMPLETED' } })
  })

  test('[client-version] what runs is subscribed to and cancelled', async () => {
    const { id } = await task('wait', { configuration: { returnImmediately: true } })
    const seen = all(agent.subscribe(id))
    expect(await agent.cancel(id)).toMatchObject({ id, status: { state: 'TASK_STATE_CANCELED' } })
    expect(JSON.stringify((await seen).at(-1))).toContain('TASK_STATE_CANCELED')
  })

  test('[client-errors] its errors have their names', async () => {
    await expect(agent.get('nope')).rejects.toMatchObject({
      name: 'AgentError',
      code: 'TASK_NOT_FOUND',
      source: 'agent',
    })
    const { id } = await task('hi')
    await expect(agent.cancel(id)).rejects.toMatchObject({ code: 'TASK_NOT_CANCELABLE' })
    await expect(agent.push.list(id)).rejects.toMatchObject({ code: 'PUSH_NOTIFICATION_NOT_SUPPORTED' })
  })

  test.runIf(version === '1.0')('[client-version] its tasks are listed', async () => {
    const { id, contextId } = await task('hi')
    const page = await agent.list({ contextId, includeArtifacts: true })
    expect(page).toMatchObject({ totalSize: 1, tasks: [{ id, artifacts: [{ artifactId: 'result' }] }] })
  })
})
