/** The `agent.request` dialect (spec a2a 3), signed by node:crypto and posted as literal JSON. */
import { agentRequest } from '@aetherkit/a2a'
import { describe, expect, test } from 'vitest'
import { type Loose, named, V1 } from './agent.js'
import { openDesk, problem, STRANGER } from './desk.js'
import { AGENT, CALLER, jcs } from './wallet.js'

describe('agent.request', () => {
  test('[ar-result] a signed request is answered with status success and the data of the last artifact', async () => {
    const agent = await openDesk()
    const { status, json } = await agent.call({ payload: { text: 'hi' } }, 'my-id')
    expect(status).toBe(200)
    expect(json).toEqual({
      jsonrpc: '2.0',
      id: 'my-id',
      result: { status: 'success', data: { echo: { text: 'hi' }, nth: 1 } },
    })
  })

  test('[ar-task] inside it is a task of the owner solana:<from>, one data part {action, payload}', async () => {
    const agent = await openDesk(
      {},
      { authenticate: ({ header }) => ({ owner: header('authorization') ?? '', anonymous: false }) },
    )
    await agent.call({ payload: { text: 'hi' } })
    const mine = await agent.as(`solana:${CALLER.address}`).rpc('ListTasks', { historyLength: 5 })
    expect(mine.json.result.tasks).toMatchObject([
      {
        status: { state: 'TASK_STATE_COMPLETED' },
        history: [{ parts: [{ data: { action: 'echo', payload: { text: 'hi' } } }] }],
      },
    ])
    expect((await agent.as('solana:somebody').rpc('ListTasks', {})).json.result.totalSize).toBe(0)
  })

  test.each(['from', 'to', 'action', 'payload', 'timestamp', 'signature'])(
    '[ar-missing] without %s it is -32600 "Invalid request" with exactly the documented reason',
    async (name) => {
      const agent = await openDesk()
      const { [name]: _missing, ...params } = CALLER.signed({ to: AGENT.address, action: 'echo' })
      const { status, json } = await agent.sign(params)
      expect(status).toBe(200)
      expect(json.error).toEqual({
        code: -32600,
        message: 'Invalid request',
        data: { reason: `Missing required parameter: ${name}` },
      })
      expect(agent.ran).toEqual([])
    },
  )

  test.each([
    ['from', 7],
    ['action', {}],
    ['payload', 'text'],
    ['payload', null],
    ['timestamp', 1705314600],
    ['timestamp', '2024-01-15 10:30:00'],
    ['timestamp', '2024-01-15T10:30:00+00:00'],
    ['timestamp', '2024-13-45T10:30:00Z'],
  ])('[ar-missing] %s as %o is -32600 and runs nothing', async (name, value) => {
    const agent = await openDesk()
    const answer = await agent.call({ [name]: value })
    expect([answer.status, answer.json.error.code]).toEqual([200, -32600])
    expect(agent.ran).toEqual([])
  })

  test.each([
    [-61_000, 'TIMESTAMP_OUT_OF_WINDOW'],
    [31_000, 'TIMESTAMP_OUT_OF_WINDOW'],
    [-59_000, undefined],
    [29_000, undefined],
  ])('[ar-window] a stamp %i ms from now gives %o', async (ms, code) => {
    const now = Date.now()
    const agent = await openDesk({}, { now: () => now })
    const answer = await agent.call({ timestamp: new Date(now + ms).toISOString() })
    if (code === undefined) expect(answer.json.result.status).toBe('success')
    else expect(problem(answer)).toEqual([200, -32600, code])
    expect(agent.ran.length).toBe(code === undefined ? 1 : 0)
  })

  test('[ar-recipient] a request for another agent is WRONG_RECIPIENT', async () => {
    const agent = await openDesk()
    expect(problem(await agent.call({ to: STRANGER.address }))).toEqual([200, -32600, 'WRONG_RECIPIENT'])
    expect(agent.ran).toEqual([])
  })

  test('[ar-retry] an exact repeat gets the first result under its own id, at once or later, and runs nothing', async () => {
    const agent = await openDesk()
    const params = CALLER.signed({ to: AGENT.address, action: 'echo', payload: { gate: true } })
    const both = [agent.sign(params, 'one'), agent.sign(params, 2)]
    await expect.poll(() => agent.ran.length).toBe(1)
    agent.open()
    const [one, two] = await Promise.all(both)
    const later = await agent.sign({ ...Object.fromEntries(Object.entries(params).reverse()) }, 'three')
    expect([one?.json.id, two?.json.id, later.json.id]).toEqual(['one', 2, 'three'])
    expect([two?.json.result, later.json.result]).toEqual([one?.json.result, one?.json.result])
    expect(agent.ran.length).toBe(1)
    const other = await agent.call({ payload: {} })
    expect(other.json.result.data.nth).toBe(2)
  })

  test('[ar-retry] in strict mode it is REPLAYED', async () => {
    const agent = await openDesk({ strict: true })
    const params = CALLER.signed({ to: AGENT.address, action: 'echo' })
    expect((await agent.sign(params)).json.result.status).toBe('success')
    expect(problem(await agent.sign(params))).toEqual([200, -32600, 'REPLAYED'])
  })

  test('[ar-cache-guard] a copy with another signature gets no cached result, before and after it is there', async () => {
    const agent = await openDesk()
    const params = CALLER.signed({ to: AGENT.address, action: 'echo', payload: { private: 42 } })
    const forged = { ...params, signature: STRANGER.sign('x') }
    expect(problem(await agent.sign(forged))).toEqual([200, -32600, 'INVALID_SIGNATURE'])
    expect((await agent.sign(params)).json.result.data.echo.private).toBe(42)
    const again = await agent.sign(forged)
    expect(problem(again)).toEqual([200, -32600, 'INVALID_SIGNATURE'])
    expect(again.text).not.toContain('42')
    expect(agent.ran.length).toBe(1)
  })

  test('[ar-cache-guard] copies that do not verify take no room from their alleged sender', async () => {
    const agent = await openDesk({ replay: { maxPerSender: 2 } })
    for (let at = 0; at < 6; at++) {
      const params = CALLER.signed({ to: AGENT.address, action: 'echo', nonce: `${at}` })
      const forged = await agent.sign({ ...params, signature: STRANGER.sign('x') })
      expect(problem(forged)).toEqual([200, -32600, 'INVALID_SIGNATURE'])
    }
    for (const _ of [1, 2]) expect((await agent.call()).json.result.status).toBe('success')
  })

  test('[ar-action] an unknown action is -32601 with its reason', async () => {
    const agent = await openDesk({ actions: { echo: {} } })
    const { status, json } = await agent.call({ action: 'x' })
    expect(status).toBe(200)
    expect([json.error.code, json.error.data]).toEqual([-32601, { reason: 'Unknown action: x' }])
    expect((await agent.call({ action: 'constructor' })).json.error.code).toBe(-32601)
    expect(agent.ran).toEqual([])
  })

  test('[ar-payload] a payload against the schema is -32602 with issues', async () => {
    const inputSchema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
    const agent = await openDesk({ actions: { echo: { inputSchema } } })
    const { json } = await agent.call({ payload: { n: 'seven' } })
    expect(json.error).toMatchObject({
      code: -32602,
      data: { reason: expect.any(String), issues: [{ path: ['n'] }] },
    })
    expect(agent.ran).toEqual([])
    expect((await agent.call({ payload: { n: 7 } })).json.result.status).toBe('success')
  })

  test('[ar-internal] a handler that throws is -32603 "Internal error" without its text', async () => {
    const agent = await openDesk()
    const { status, text, json } = await agent.call({ payload: { fail: true } })
    expect([status, json.error.code, json.error.message]).toEqual([200, -32603, 'Internal error'])
    expect(text).not.toMatch(/secret|passwd/)
  })

  test('[ar-version-free] it is recognised whatever the version header says, and needs no other credentials', async () => {
    const agent = await openDesk({}, { authenticate: named })
    for (const headers of [{}, V1, { 'a2a-version': '0.3' }, { 'a2a-version': '9.9' }]) {
      const params = CALLER.signed({ to: AGENT.address, action: 'echo', nonce: crypto.randomUUID() })
      expect((await agent.sign(params, 'a', headers)).json.result.status).toBe('success')
    }
  })

  test('[ar-client-nonce] our client sends millisecond stamps and a nonce, so that intended repeats differ', async () => {
    const agent = await openDesk()
    const bodies: Loose[] = []
    const spying = (url: string, init: RequestInit) => {
      bodies.push(JSON.parse(String(init.body)).params)
      return fetch(url, init)
    }
    const call = { key: CALLER.seed, to: AGENT.address, action: 'echo', payload: {}, fetch: spying }
    for (const _ of [1, 2]) expect((await agentRequest(agent.url, call)).status).toBe('success')
    for (const { signature, ...params } of bodies) {
      expect(params.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      expect(Buffer.from(params.nonce, 'hex').length).toBeGreaterThanOrEqual(16)
      expect(CALLER.sign(jcs(params))).toBe(signature)
    }
    expect(bodies[0].nonce).not.toBe(bodies[1].nonce)
    expect(agent.ran.length).toBe(2)
  })

  test('[ar-card] the card declares the extension with its profile, address, window and actions', async () => {
    const inputSchema = { type: 'object' }
    const agent = await openDesk({ actions: { echo: { inputSchema } } })
    const { json } = await agent.rest('GET', '/.well-known/agent-card.json')
    const declared = json.capabilities.extensions.find(({ uri }: Loose) =>
      uri.endsWith('/ext/aether-agent-request/v1'),
    )
    expect(declared.params).toEqual({
      method: 'agent.request',
      signature: 'aether-jcs-v1',
      address: AGENT.address,
      windowSeconds: 60,
      actions: [{ id: 'echo', inputSchema }],
    })
  })

  test('[ar-room] a key inside its window is not evicted to make room: 429, and the first is still remembered', async () => {
    const agent = await openDesk({ replay: { maxPerSender: 2 } })
    const first = CALLER.signed({ to: AGENT.address, action: 'echo', nonce: 'first' })
    const { json } = await agent.sign(first)
    await agent.call()
    const full = await agent.call()
    expect([full.status, full.headers['retry-after'] !== undefined]).toEqual([429, true])
    expect((await agent.sign(first)).json.result).toEqual(json.result)
    expect((await agent.call({}, 'a', STRANGER)).json.result.status).toBe('success')
    expect(agent.ran.length).toBe(3)
  })

  test('[ar-size] an oversize body is 413', async () => {
    const agent = await openDesk({}, { limits: { bodyBytes: 4000 } })
    expect((await agent.call({ payload: { long: 'x'.repeat(5000) } })).status).toBe(413)
    expect(agent.ran).toEqual([])
  })
})
