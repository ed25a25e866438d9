import { createServer, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, localSigner } from '@aetherkit/client'
import { createRelay } from '@aetherkit/relay'
import { afterEach, describe, expect, test } from 'vitest'
import { CARD, parrot as executor, hear, openParrot, V1 } from '../test/http.js'
import { ADDRESS, SEED } from '../test/identity.js'
import { createAgent } from './agent.js'
import { signParams } from './dialect/profile.js'
import { writeStamp } from './dialect/stamp.js'
import { AETHER_BINDING } from './events/interface.js'
import { aetherTransport } from './events/transport.js'
import { memoryTaskStore } from './store/memory.js'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A signed call of the dialect. */
const agentRequest = (payload: object, seed = SEED) => ({
  jsonrpc: '2.0',
  method: 'agent.request',
  id: 'a',
  params: signParams(
    {
      to: ADDRESS,
      action: 'echo',
      payload: { ...payload },
      timestamp: writeStamp(Date.now()),
      nonce: crypto.randomUUID(),
    },
    seed,
  ),
})

describe('1: one address', () => {
  test('1: agent.request, 0.3 and 1.0 are answered on one URL, and the dialect needs no version', async () => {
    const parrot = await openParrot({ key: SEED })
    closing.push(() => parrot.agent.close())
    expect(parrot.agent.address).toBe(ADDRESS)
    const dialect = await parrot.ask('POST', '/', { body: agentRequest({ text: 'hi' }) })
    expect(dialect.status).toBe(200)
    expect(dialect.json).toMatchObject({ jsonrpc: '2.0', id: 'a', result: { status: 'success' } })
    expect((await parrot.rpc('ListTasks', {})).json.result.tasks).toEqual([])
    expect((await parrot.rpc('tasks/get', { id: 'x' }, {})).json.error.code).toBe(-32001)
    const uris = parrot.agent.card().capabilities.extensions?.map(({ uri }) => uri)
    expect(uris).toContain('https://aetherkit.dev/ext/aether-agent-request/v1')
  })

  test('1: without a key there is no dialect, and its method is unknown', async () => {
    const parrot = await openParrot()
    closing.push(() => parrot.agent.close())
    expect((await parrot.ask('POST', '/', { body: agentRequest({}) })).json.error.code).toBe(-32601)
  })

  test('6.2 no. 3: a signed call says itself who it is from and needs no other authentication', async () => {
    const parrot = await openParrot({ key: SEED, authenticate: () => undefined })
    closing.push(() => parrot.agent.close())
    expect((await parrot.ask('POST', '/', { body: agentRequest({ text: 'hi' }) })).json.result.status).toBe(
      'success',
    )
    expect((await parrot.rpc('ListTasks', {})).status).toBe(401)
    const forged = agentRequest({})
    const params = { ...forged.params, action: 'other' }
    const answer = await parrot.ask('POST', '/', { body: { ...forged, params } })
    expect(answer.json.error).toMatchObject({ code: -32600, data: { code: 'INVALID_SIGNATURE' } })
  })

  test('6.2 no. 3: the unsigned profile does not', async () => {
    const parrot = await openParrot({
      key: SEED,
      dialect: { profile: 'none' },
      authenticate: () => undefined,
    })
    closing.push(() => parrot.agent.close())
    expect((await parrot.ask('POST', '/', { body: agentRequest({ text: 'hi' }) })).status).toBe(401)
  })
})

test('5: an agent on a relay answers the same, and its card says where it is while it is there', async () => {
  const relay = await createRelay({ port: 0 })
  closing.push(() => relay.close())
  const parrot = await openParrot({ legacy: false })
  closing.push(() => parrot.agent.close())
  const [mine, theirs] = await Promise.all([
    connect(relay.url, { signer: localSigner() }),
    connect(relay.url, { signer: localSigner() }),
  ])
  closing.push(() => Promise.all([mine.close(), theirs.close()]))
  const served = parrot.agent.serveOn(mine, { relays: [relay.url] })
  await served.ready
  expect(parrot.agent.card().supportedInterfaces.at(-1)).toEqual({
    url: `aether:${mine.publicKey}`,
    protocolBinding: AETHER_BINDING,
    protocolVersion: '1.0',
  })
  const transport = aetherTransport(theirs, mine.publicKey)
  closing.push(() => transport.close())
  const envelope = { jsonrpc: '2.0', id: 1, method: 'SendMessage', params: hear('hi') }
  expect(await transport.call(JSON.parse(JSON.stringify(envelope)))).toMatchObject({
    result: { task: { status: { state: 'TASK_STATE_COMPLETED' } } },
  })
  await served.close()
  expect(parrot.agent.card().supportedInterfaces.map(({ protocolBinding }) => protocolBinding)).toEqual([
    'JSONRPC',
    'HTTP+JSON',
  ])
})

describe('7.9: restart', () => {
  test('7.9: what a dead process left is settled before the first call is taken', async () => {
    const store = memoryTaskStore()
    const task = {
      id: 't',
      contextId: 'c',
      status: { state: 'TASK_STATE_WORKING', timestamp: new Date().toISOString() },
    } as const
    await store.save({ task, owner: 'anonymous', tenant: '', seq: 1, updatedAt: Date.now() })
    const parrot = await openParrot({ store })
    closing.push(() => parrot.agent.close())
    const { json } = await parrot.rpc('GetTask', { id: 't' })
    expect(json.result.status.state).toBe('TASK_STATE_FAILED')
  })

  test('7.9: when that cannot be done, calls are refused', async () => {
    const store = { ...memoryTaskStore(), open: () => Promise.reject(new Error('disk')) }
    const errors: unknown[] = []
    const agent = createAgent({ card: CARD, executor, store, onError: (error) => errors.push(error) })
    await expect(agent.listen()).rejects.toThrow()
    const reply = await agent.dispatch({
      body: '{}',
      version: '1.0',
      extensions: undefined,
      caller: { owner: 'anonymous', anonymous: true },
      tenant: '',
      carrier: 'events',
    })
    expect(reply).toMatchObject({ kind: 'single', status: 503, envelope: { error: { code: -32603 } } })
    expect(errors.length).toBeGreaterThan(0)
    await agent.close()
  })
})

test('6.2 no. 11, 7.7: a paused reader of a running task has at most 1 MiB queued, is cut, and the task completes', async () => {
  const limits = { streamStallMs: 300 }
  const agent = createAgent({ card: CARD, executor, limits, anonymous: 'shared', url: 'http://localhost' })
  const responses: ServerResponse[] = []
  const server = createServer((asked, response) => {
    responses.push(response)
    agent.listener(asked, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    server.closeAllConnections()
    server.close()
    await agent.close()
  })
  const { port } = server.address() as AddressInfo
  const headers = { ...V1, 'content-type': 'application/json' }
  const ask = (path: string, body: object) =>
    new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      const asked = request({ port, host: '127.0.0.1', path, method: 'POST', headers, agent: false }, resolve)
      asked.on('error', reject).end(JSON.stringify(body))
    })
  const reader = await ask('/message:stream', hear(`chunks 100 ${128 * 1024}`))
  const first = await new Promise<string>((resolve) => reader.once('data', (chunk) => resolve(String(chunk))))
  reader.pause()
  const id = /"id":"([^"]+)"/.exec(first)?.[1]
  const state = async () => {
    const context = {
      caller: { owner: 'anonymous', anonymous: true },
      tenant: '',
      version: '1.0' as const,
      carrier: 'rest' as const,
      extensions: new Set<string>(),
      activate() {},
    }
    return (await agent.engine.get({ id: id ?? '' }, context)).status.state
  }
  reader.on('error', () => {})
  let queued = 0
  const look = async () => {
    queued = Math.max(queued, responses[0]?.writableLength ?? 0)
    return state()
  }
  await expect.poll(look, { timeout: 20_000, interval: 10 }).toBe('TASK_STATE_COMPLETED')
  expect(queued).toBeLessThanOrEqual(1024 * 1024)
  expect(responses[0]?.destroyed).toBe(true)
}, 30_000)

test('2.7: an agent that does not know where it is has no card, and is told so', async () => {
  const agent = createAgent({ card: CARD, executor })
  expect(() => agent.card()).toThrow('empty-required at supportedInterfaces')
  expect(() => agent.at('https://a.example/?x')).toThrow('url must be an http or https base')
  expect(() => createAgent({ card: CARD, executor, key: new Uint8Array(31) })).toThrow('key must be 32 bytes')
  await agent.close()
})
