/** HTTP+JSON of 0.3 in the client (spec a2a 2.1, 2.12); every operation of it is in client.test.ts and sdk-server.test.ts. */
import { expect, test } from 'vitest'
import { atEnd, cardAt, fakeAgent, json, local, taskOf } from '../../test/faulty.js'
import { openParrot } from '../../test/http.js'
import type { Execution } from '../executor.js'
import type { Part } from '../model.js'
import { connectAgent } from './connect.js'

test('[client-version] over REST a path that is not there is 1.0 not served, and 0.3 is spoken below /v1', async () => {
  const interfaces = (url: string) =>
    ['1.0', '0.3'].map((protocolVersion) => ({
      ...{ url: `${url}/a/`, protocolBinding: 'HTTP+JSON', protocolVersion, tenant: 'x y' },
    }))
  const { url, asked } = await fakeAgent(
    ({ path }, response) =>
      path.startsWith('/a/x%20y/v1/')
        ? json(response, { task: { ...taskOf(), status: { state: 'TASK_STATE_CANCELLED' } } })
        : json(response, {}, 404),
    (at) => cardAt(at, { supportedInterfaces: interfaces(at) }),
  )
  const agent = await connectAgent(url, local())
  atEnd(() => agent.close())
  expect(await agent.send('hello')).toMatchObject({ task: { status: { state: 'TASK_STATE_CANCELED' } } })
  const calls = asked.filter(({ method }) => method === 'POST')
  expect(calls.map(({ path, headers }) => [path, headers['a2a-version']])).toEqual([
    ['/a/x%20y/message:send', '1.0'],
    ['/a/x%20y/v1/message:send', '0.3'],
  ])
  const { parts: content, ...message } = calls[0]?.body.message ?? {}
  expect(calls[1]?.body).toEqual({ message: { ...message, content }, configuration: { blocking: true } })
})

test('[client-version] parts of every kind go both ways in every version and binding', async () => {
  const parts: readonly Part[] = [
    { text: 'hello', metadata: { a: 1 } },
    { raw: 'aGk=', mediaType: 'text/plain', filename: 'hi.txt' },
    { url: 'https://a.example/x.png', mediaType: 'image/png' },
    { data: { n: [1, { deep: null }] } },
  ]
  const executor = { execute: async ({ message, artifact }: Execution) => artifact({ parts: message.parts }) }
  const { agent: served, url } = await openParrot({ executor })
  atEnd(() => served.close())
  for (const version of ['1.0', '0.3'] as const)
    for (const binding of ['JSONRPC', 'HTTP+JSON'] as const) {
      const agent = await connectAgent(url, local({ versions: [version], bindings: [binding] }))
      atEnd(() => agent.close())
      expect(await agent.send({ parts })).toMatchObject({ task: { artifacts: [{ parts }] } })
      const told = []
      for await (const event of agent.stream({ parts })) told.push(event)
      const updates = told.flatMap((event) => ('artifactUpdate' in event ? event.artifactUpdate : []))
      expect(updates).toMatchObject([{ artifact: { parts } }])
    }
})

test.each([
  [{ code: -32001, message: 'gone' }, 404, 'TASK_NOT_FOUND', 'gone'],
  [{ code: -32002, message: 'no' }, 400, 'TASK_NOT_CANCELABLE', 'no'],
  [{ code: -32602, message: 'bad' }, 400, 'INVALID_PARAMS', 'bad'],
  [{}, 429, 'RATE_LIMITED', expect.any(String)],
])('[client-errors] the REST error %j of 0.3 on HTTP %i is %s', async (body, status, code, message) => {
  const { url } = await fakeAgent(
    (_asked, response) => json(response, body, status, { 'retry-after': '90' }),
    (at) =>
      cardAt(at, {
        supportedInterfaces: [{ url: at, protocolBinding: 'HTTP+JSON', protocolVersion: '0.3' }],
      }),
  )
  const agent = await connectAgent(url, local())
  atEnd(() => agent.close())
  await expect(agent.get('x')).rejects.toMatchObject({ code, message, source: 'agent' })
})
