/** An interface that cannot be connected to, and the next one of the card (spec a2a 2.12). */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { base58 } from '@scure/base'
import { expect, test } from 'vitest'
import { type Asked, atEnd, cardAt, json, local, serve, taskOf } from '../../test/faulty.js'
import { AGENT_REQUEST_EXTENSION } from '../dialect/card.js'
import type { AgentCard } from '../model.js'
import type { Binding } from './binding.js'
import type { Choice } from './choose-interface.js'
import { type ConnectOptions, connectAgent } from './connect.js'
import { AgentError } from './errors.js'
import { openSession, type Stay } from './session.js'

/** A URL at which nobody listens any more. */
async function deadUrl(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}

const good = (): ReturnType<typeof serve> =>
  serve(({ method, path, body }, response) => {
    if (method === 'GET' && path.startsWith('/tasks/')) return json(response, taskOf())
    if (body?.method === undefined) return json(response, { task: taskOf() })
    const result = body.method === 'GetTask' ? taskOf() : { task: taskOf() }
    if (body.method !== 'SendStreamingMessage') return json(response, { jsonrpc: '2.0', id: body.id, result })
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: body.id, result })}\n\n`)
  })

async function connect(urls: readonly string[], options: ConnectOptions = {}) {
  const supportedInterfaces = urls.map((url) => ({
    url,
    protocolBinding: 'JSONRPC',
    protocolVersion: '1.0',
  }))
  const card: unknown = cardAt('', { supportedInterfaces })
  const agent = await connectAgent(card as AgentCard, local({ ...options }))
  atEnd(() => agent.close())
  return agent
}

const messageIds = (asked: readonly Asked[]): string[] =>
  asked.map(({ body }) => body.params?.message?.messageId)

test('[client-failover] what cannot be connected to is left for the next interface, message and stream alike', async () => {
  const { url, asked } = await good()
  const dead = await deadUrl()
  const agent = await connect([dead, url])
  expect(await agent.send('hello')).toMatchObject({ task: { id: 'task-1' } })
  expect(agent.interface.url).toBe(url)
  const streaming = await connect([dead, url])
  const events = []
  for await (const event of streaming.stream('hello')) events.push(event)
  expect(events).toMatchObject([{ task: { id: 'task-1' } }])
  expect(asked.map(({ body }) => body.method)).toEqual(['SendMessage', 'SendStreamingMessage'])
})

test('[client-failover] an interface that goes down later is left too, and with none left the error says so', async () => {
  const [first, second] = [await good(), await good()]
  const agent = await connect([first.url, second.url], { retry: { attempts: 0 } })
  await agent.send('hello')
  await first.close()
  expect(await agent.get('task-1')).toMatchObject({ id: 'task-1' })
  expect(agent.interface.url).toBe(second.url)
  await second.close()
  await expect(agent.get('task-1')).rejects.toMatchObject({ code: 'UNREACHABLE', facts: { isUnsent: true } })
})

test('[client-failover] a message that may have arrived is not sent to another interface', async () => {
  const breaking = await serve((_asked, response) => response.destroy())
  const { url, asked } = await good()
  const agent = await connect([breaking.url, url])
  await expect(agent.send('hello')).rejects.toMatchObject({ code: 'UNREACHABLE' })
  await expect(
    (async () => {
      for await (const _event of agent.stream('hello'));
    })(),
  ).rejects.toMatchObject({ code: 'UNREACHABLE' })
  expect(breaking.asked).toHaveLength(2)
  expect(asked).toEqual([])
})

test('[client-failover] unless the agent answers a message id once: then it is repeated under its id', async () => {
  const { url, asked } = await good()
  const breaking = await serve(async (_asked, response) => {
    // Down from here on.
    void breaking.close()
    response.destroy()
  })
  const agent = await connect([breaking.url, url], { idempotent: true })
  expect(await agent.send('hello')).toMatchObject({ task: { id: 'task-1' } })
  expect(messageIds(asked)).toEqual(messageIds(breaking.asked))
})

test('[client-failover] a refusal of the guard is no connection either, an answer is', async () => {
  const { url, asked } = await good()
  const refusing = await serve((_asked, response) => json(response, {}, 500))
  const agent = await connect(['http://user:secret@127.0.0.1/', url])
  expect(await agent.send('hello')).toMatchObject({ task: { id: 'task-1' } })
  const stays = await connect([refusing.url, url])
  await expect(stays.send('hello')).rejects.toMatchObject({ code: 'INTERNAL' })
  expect(asked).toHaveLength(1)
})

test('[client-failover] a signed agent.request goes on with the same bytes', async () => {
  const { url, asked } = await serve(({ body }, response) =>
    json(response, { jsonrpc: '2.0', id: body.id, result: { status: 'success', data: { n: 1 } } }),
  )
  const key = new Uint8Array(32).fill(3)
  const address = base58.encode(new Uint8Array(32).fill(4))
  const declared = { uri: AGENT_REQUEST_EXTENSION, params: { address } }
  const supportedInterfaces = [await deadUrl(), url].map((each) => ({
    url: each,
    protocolBinding: 'JSONRPC',
    protocolVersion: '1.0',
  }))
  const card: unknown = cardAt('', { supportedInterfaces, capabilities: { extensions: [declared] } })
  const agent = await connectAgent(card as AgentCard, local({ key }))
  atEnd(() => agent.close())
  expect(await agent.request('count', {})).toEqual({ n: 1 })
  expect(asked.map(({ body }) => body.method)).toEqual(['agent.request'])
})

const CHOICES: readonly Choice[] = [
  { binding: 'JSONRPC', version: '1.0', url: 'https://a/', tenant: undefined },
  { binding: 'HTTP+JSON', version: '1.0', url: 'https://b/', tenant: undefined },
  { binding: 'JSONRPC', version: '1.0', url: 'https://c/', tenant: 't' },
  { binding: 'aether', version: '1.0', url: 'aether:00', tenant: undefined },
]

/** Who was asked, in order; all but those that are `up` cannot be connected to. */
async function askedOf(params: object, stay: Stay | undefined, up: () => readonly string[] = () => []) {
  const asked: string[] = []
  const open = ({ url, version }: Choice): Binding => ({
    url,
    name: '',
    version,
    async call() {
      asked.push(url)
      if (up().includes(url)) return {}
      throw new AgentError('UNREACHABLE', 'down', { isUnsent: true })
    },
    async *stream() {},
    close() {},
  })
  const session = openSession(CHOICES, open)
  const options = { signal: new AbortController().signal, timeoutMs: 1000, stay }
  const operation = 'message' in params ? 'SendMessage' : 'GetTask'
  return { asked, ask: () => session.call(operation, { ...params }, options).catch(() => {}) }
}

test.each([
  ['a first message goes to all', { message: {} }, undefined, 4],
  ['one of a task to those that know the caller', { message: { taskId: 'x' } }, undefined, 2],
  ['one in a context too', { message: { contextId: 'x' } }, undefined, 2],
  ['a question about a task too', { id: 'x' }, undefined, 2],
  ['a message that may have arrived too', { message: {} }, 'caller', 2],
  ['a paid message stays where it is', { message: {} }, 'interface', 1],
] as const)('[client-failover] %s', async (_name, params, stay, count) => {
  const { asked, ask } = await askedOf(params, stay)
  await ask()
  expect(asked).toEqual(CHOICES.slice(0, count).map(({ url }) => url))
})

test('[client-failover] once something was understood, nobody who knows the caller under another name is asked', async () => {
  let up = ['https://a/']
  const { asked, ask } = await askedOf({ message: {} }, undefined, () => up)
  await ask()
  up = ['aether:00']
  await ask()
  expect(asked).toEqual(['https://a/', 'https://a/', 'https://b/'])
})
