import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Agent, createAgent } from '@aetherkit/a2a'
import { afterEach, describe, expect, test } from 'vitest'
import { VERSIONS } from '../test/shop.js'
import { type MountOptions, mountAgent } from './mount-agent.js'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const CARD = {
  name: 'Parrot',
  description: 'Repeats what it hears',
  skills: [{ id: 'echo', name: 'Echo', description: 'Says it again' }],
}
const HEADERS = { 'a2a-version': '1.0', 'content-type': 'application/json' }

const call = (method: string, params: object) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
const hear = (text: string) => ({
  message: { messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: [{ text }] },
})

describe.each(VERSIONS)('Express %s', (_major, express) => {
  type App = ReturnType<typeof express>

  /** @param before what the application does before the agent is mounted */
  async function open(options: MountOptions = {}, before: (app: App) => void = () => {}) {
    const app = express()
    const agent: Agent = createAgent({
      card: CARD,
      anonymous: 'shared',
      executor: {
        async execute({ text, artifact }) {
          artifact({ parts: [{ text }] })
        },
      },
    })
    before(app)
    mountAgent(app, agent, options)
    app.get('/', (_request, response) => void response.send('home'))
    app.get('/tasks', (_request, response) => void response.send('the application has tasks as well'))
    const server = await new Promise<Server>((resolve) => {
      const listening = app.listen(0, '127.0.0.1', () => resolve(listening))
    })
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const base = `${origin}${options.path ?? '/a2a'}`
    agent.at(base)
    closing.push(async () => {
      await agent.close()
      server.closeAllConnections()
      server.close()
    })
    const post = (url: string, body: string) => fetch(url, { method: 'POST', headers: HEADERS, body })
    return { origin, base, post }
  }

  test('2.1: JSON-RPC answers at the path, with and without a trailing slash', async () => {
    const { base, post } = await open()
    for (const url of [base, `${base}/`]) {
      const answer = await (await post(url, call('SendMessage', hear('hi')))).json()
      expect(answer.result.task.status.state).toBe('TASK_STATE_COMPLETED')
    }
  })

  test('2.1: REST answers below the path', async () => {
    const { base, post } = await open()
    const { task } = await (await post(`${base}/message:send`, JSON.stringify(hear('hi')))).json()
    const got = await fetch(`${base}/tasks/${task.id}`, { headers: HEADERS })
    expect(got.headers.get('content-type')).toBe('application/a2a+json')
    expect(await got.json()).toMatchObject({ id: task.id })
    const stream = await post(`${base}/message:stream`, JSON.stringify(hear('hi')))
    expect(stream.headers.get('content-type')).toBe('text/event-stream')
    expect(await stream.text()).toContain('TASK_STATE_COMPLETED')
  })

  test('2.7: the card is at the root of the origin and below the path, and names the path', async () => {
    const { origin, base } = await open({ path: '/agents/parrot' })
    for (const at of [origin, base]) {
      const response = await fetch(`${at}/.well-known/agent-card.json?A2A-Version=1.0`)
      expect((await response.json()).supportedInterfaces[0].url).toBe(base)
    }
    expect((await fetch(`${origin}/.well-known/agent.json`)).status).toBe(200)
  })

  test('2.7: wellKnown off leaves the root to the application', async () => {
    const { origin, base } = await open({ wellKnown: false })
    expect((await fetch(`${origin}/.well-known/agent-card.json`)).status).toBe(404)
    expect((await fetch(`${base}/.well-known/agent-card.json`)).status).toBe(200)
  })

  test('1: a parser that was there before does no harm', async () => {
    const { base, post } = await open({}, (app) => app.use(express.json()))
    const answer = await (await post(base, call('SendMessage', hear('hi')))).json()
    expect(answer.result.task.artifacts[0].parts).toEqual([{ text: 'hi' }])
    const rest = await fetch(`${base}/message:send`, {
      method: 'POST',
      headers: { ...HEADERS, 'content-type': 'application/a2a+json' },
      body: JSON.stringify(hear('ho')),
    })
    expect((await rest.json()).task.artifacts[0].parts).toEqual([{ text: 'ho' }])
  })

  test('1: text and raw bodies of other parsers are taken', async () => {
    for (const parser of [express.text({ type: '*/*' }), express.raw({ type: '*/*' })]) {
      const { base, post } = await open({}, (app) => app.use(parser))
      expect((await (await post(base, call('ListTasks', {}))).json()).result.tasks).toEqual([])
      expect((await (await post(base, '{')).json()).error.code).toBe(-32700)
    }
  })

  test('1: a body that somebody read and did not keep is INVALID_REQUEST', async () => {
    const { base, post } = await open({}, (app) =>
      app.use((request, _response, next) => void request.resume().once('end', () => next())),
    )
    expect((await (await post(base, call('ListTasks', {}))).json()).error.code).toBe(-32600)
  })

  test('6.2 no. 2: more than 1 MiB is 413 in JSON', async () => {
    const { base, post } = await open()
    const response = await post(base, call('SendMessage', hear('x'.repeat(1024 * 1024))))
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: { code: -32600 } })
  })

  test('1: another method at the path is 405 with Allow', async () => {
    const { base } = await open()
    const response = await fetch(base)
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('POST, OPTIONS')
  })

  test('1: what is none of the agent goes on to the application', async () => {
    const { origin, base } = await open()
    expect(await (await fetch(`${origin}/tasks`)).text()).toBe('the application has tasks as well')
    expect((await fetch(`${base}/nope`)).headers.get('content-type')).toContain('text/html')
  })

  test('1: at the root, the home page stays with the application', async () => {
    const { origin, post } = await open({ path: '/' })
    expect(await (await fetch(origin)).text()).toBe('home')
    expect((await (await post(origin, call('ListTasks', {}))).json()).result.tasks).toEqual([])
  })
})
