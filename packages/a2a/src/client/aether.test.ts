/** The same client over relays, addressed by public key (spec a2a 5). */
import { expect, test } from 'vitest'
import { later } from '../../test/aether.js'
import { AGENT_SEED, CALLER_SEED } from '../../test/dialect.js'
import { local } from '../../test/faulty.js'
import { parrot } from '../../test/http.js'
import { world } from '../../test/world.js'
import { aetherInterfaces } from '../events/interface.js'
import type { Executor } from '../executor.js'
import type { StreamResponse } from '../model.js'
import { connectAgent } from './connect.js'

test('5: an agent is called by its public key: message, stream, another turn, cancel', async () => {
  const { server, caller } = await world()
  const agent = await connectAgent(`aether:${server.publicKey}`, local({ client: caller }))
  later(() => agent.close())
  expect(agent.interface).toMatchObject({
    url: `aether:${server.publicKey}`,
    binding: 'aether',
    version: '1.0',
  })
  expect(await agent.send('hello')).toMatchObject({
    task: { status: { state: 'TASK_STATE_COMPLETED' }, artifacts: [{ parts: [{ text: 'hello' }] }] },
  })
  const events: StreamResponse[] = []
  for await (const event of agent.stream('chunks 3 5')) events.push(event)
  expect(Object.keys(events[0] ?? {})).toEqual(['task'])
  expect(events.at(-1)).toMatchObject({ statusUpdate: { status: { state: 'TASK_STATE_COMPLETED' } } })
  expect(JSON.stringify(events)).not.toContain('stream-resume')
  const waiting = await agent.send('wait', { configuration: { returnImmediately: true } })
  if (!('task' in waiting)) throw new Error('a message')
  expect(await agent.cancel(waiting.task.id)).toMatchObject({ status: { state: 'TASK_STATE_CANCELED' } })
  await expect(agent.get('nope')).rejects.toMatchObject({ code: 'TASK_NOT_FOUND', source: 'agent' })
  expect((await agent.list()).totalSize).toBeGreaterThan(1)
})

test('5: a card tells that its agent is on the relays, and agent.request goes there too', async () => {
  const {
    agent: served,
    server,
    caller,
  } = await world({
    agent: { dialect: { actions: { echo: {} } } },
  })
  const card = { ...served.card(), supportedInterfaces: aetherInterfaces(server.publicKey) }
  const agent = await connectAgent(card, local({ client: caller, key: CALLER_SEED }))
  later(() => agent.close())
  expect(await agent.request('echo', { word: 'hi' })).toMatchObject({})
  await expect(agent.request('other', {})).rejects.toMatchObject({
    code: 'METHOD_NOT_FOUND',
    source: 'agent',
  })
})

test('3: agent.request over HTTP is signed by the key of the client', async () => {
  const { createAgent } = await import('../agent.js')
  const { CARD } = await import('../../test/http.js')
  const agent = createAgent({
    card: CARD,
    executor: parrot,
    key: AGENT_SEED,
    dialect: { actions: { echo: {} } },
  })
  later(() => agent.close())
  const { url } = await agent.listen()
  const remote = await connectAgent(url, local({ key: CALLER_SEED }))
  later(() => remote.close())
  expect(await remote.request('echo', { word: 'hi' })).toMatchObject({})
  await expect(remote.request('other', {})).rejects.toMatchObject({ code: 'METHOD_NOT_FOUND' })
  const keyless = await connectAgent(url, local())
  later(() => keyless.close())
  await expect(keyless.request('echo', {})).rejects.toBeInstanceOf(TypeError)
})

test('[client-resume] over a bad line the reader of a stream gets every chunk once', async () => {
  const executor: Executor = {
    async execute({ write, drained }) {
      for (let index = 0; index < 60; index += 1) {
        write(`${index},`)
        await drained()
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
      return undefined
    },
  }
  const { server, caller } = await world({
    agent: { executor },
    out: (nth) => (nth % 4 === 3 ? 'drop' : nth % 5 === 0 ? 'twice' : 'send'),
  })
  const agent = await connectAgent(`aether:${server.publicKey}`, local({ client: caller }))
  later(() => agent.close())
  let text = ''
  let tasks = 0
  for await (const event of agent.stream('count')) {
    if ('task' in event) tasks += 1
    if (!('artifactUpdate' in event)) continue
    const { append, artifact } = event.artifactUpdate
    const said = artifact.parts.map((part) => part.text ?? '').join('')
    text = append === true ? text + said : said
  }
  expect(text).toBe(Array.from({ length: 60 }, (_, index) => `${index},`).join(''))
  expect(tasks).toBe(1)
})
