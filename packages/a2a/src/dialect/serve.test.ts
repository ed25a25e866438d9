import { describe, expect, test } from 'vitest'
import { AGENT, addressOf, CALLER, CALLER_SEED, openDesk, request } from '../../test/dialect.js'
import type { PayloadSchema } from './action.js'
import { signParams } from './profile.js'
import { createDialect } from './serve.js'

const STRANGER = new Uint8Array(32).fill(9)
const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) })

describe('3.1: agent.request', () => {
  test('1: it is an ordinary blocking SendMessage inside: one data part, the wallet as the owner', async () => {
    const desk = openDesk()
    const { status, body } = await desk.ask({ payload: { text: 'hi' } })
    expect(status).toBe(200)
    expect(body).toEqual({
      jsonrpc: '2.0',
      id: 'call-1',
      result: { status: 'success', data: { echo: { text: 'hi' }, nth: 1 } },
    })
    const [execution] = desk.clerk.executions
    expect(execution?.message.parts).toEqual([{ data: { action: 'echo', payload: { text: 'hi' } } }])
    expect(execution?.context).toMatchObject({
      carrier: 'dialect',
      caller: { owner: `solana:${CALLER}`, anonymous: false },
    })
  })

  test.each(['from', 'to', 'action', 'payload', 'timestamp', 'signature'])(
    '3.4: a missing %s is named exactly as documented',
    async (name) => {
      const { [name]: _gone, ...params } = request()
      const { status, body } = await openDesk().raw({
        jsonrpc: '2.0',
        method: 'agent.request',
        id: 'x',
        params,
      })
      expect(status).toBe(200)
      expect(body).toEqual({
        jsonrpc: '2.0',
        id: 'x',
        error: {
          code: -32600,
          message: 'Invalid request',
          data: { reason: `Missing required parameter: ${name}` },
        },
      })
    },
  )

  test.each([
    ['another jsonrpc', { jsonrpc: '1.0' }],
    ['an object as id', { id: {} }],
    ['params that are a list', { params: [] }],
    ['no params', { params: undefined }],
  ])('3.4: a bad envelope is -32600: %s', async (_name, change) => {
    const envelope = { jsonrpc: '2.0', method: 'agent.request', id: 'x', params: request(), ...change }
    const { body } = await openDesk().raw(envelope)
    expect(body.error.code).toBe(-32600)
  })

  test.each([
    ['action', 7],
    ['payload', []],
    ['payload', 'text'],
    ['nonce', 1],
    ['from', 'no base58: 0OIl'],
    ['timestamp', 1705314600],
    ['to', 'z'.repeat(5000)],
  ])('3.4: an ill-typed %s is -32600 without a code', async (name, value) => {
    const { body } = await openDesk().ask({ ...request(), [name]: value })
    expect(body.error).toMatchObject({ code: -32600, data: { reason: `Invalid parameter: ${name}` } })
  })

  test('3.2: a payload nested beyond what can be signed is refused and not executed', async () => {
    const desk = openDesk()
    const { body } = await desk.ask({ ...request(), payload: deep(100) as never })
    expect(body.error.code).toBe(-32600)
    expect(desk.clerk.executions).toEqual([])
  })

  test('2.10: a call without an id is answered with a null id', async () => {
    const { body } = await openDesk().raw({ jsonrpc: '2.0', method: 'agent.request', params: request() })
    expect(body).toMatchObject({ id: null, result: { status: 'success' } })
  })

  test('3.4: what a handler throws stays here: -32603 without a word', async () => {
    const desk = openDesk()
    const { body } = await desk.ask({ payload: { fail: true } })
    expect(body.error).toEqual({ code: -32603, message: 'Internal error' })
    expect(String(desk.errors[0])).toContain('secret')
  })
})

describe('3.3: order of the checks', () => {
  const now = Date.now()
  const wrong = {
    to: addressOf(STRANGER),
    timestamp: '2020-01-01T00:00:00Z',
  }
  test('the recipient comes before the stamp, the stamp before the signature', async () => {
    const desk = openDesk({ now: () => now })
    const signature = request().signature as string
    const code = async (change: object) =>
      (await desk.ask({ ...request(), signature, ...change })).body.error.data.code
    expect(await code(wrong)).toBe('WRONG_RECIPIENT')
    expect(await code({ timestamp: wrong.timestamp })).toBe('TIMESTAMP_OUT_OF_WINDOW')
    expect(await code({})).toBe('INVALID_SIGNATURE')
  })

  test('the window is configurable', async () => {
    const old = openDesk({ now: () => now + 500_000, window: { pastMs: 600_000 } })
    expect((await old.ask(request())).body.result.status).toBe('success')
    const narrow = openDesk({ now: () => now + 1_000_000, window: { pastMs: 1 } })
    expect((await narrow.ask(request())).body.error.data.code).toBe('TIMESTAMP_OUT_OF_WINDOW')
  })
})

/** `{n?: number}`, with 3 as the default. */
const COUNT: PayloadSchema = {
  '~standard': {
    validate(value) {
      const { n = 3 } = value as { n?: unknown }
      return typeof n === 'number'
        ? { value: { n } }
        : { issues: [{ message: 'no number', path: [{ key: 'n' }] }] }
    },
  },
}

describe('3.4: actions', () => {
  const actions = {
    echo: { inputSchema: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } } },
    count: { input: COUNT },
  }
  test('an unknown action is -32601 and says which', async () => {
    const { body } = await openDesk({ actions }).ask({ action: 'x' })
    expect(body.error).toEqual({
      code: -32601,
      message: 'Method not found',
      data: { reason: 'Unknown action: x' },
    })
  })

  test('names of Object.prototype are no actions', async () => {
    const { body } = await openDesk({ actions }).ask({ action: 'constructor' })
    expect(body.error.code).toBe(-32601)
  })

  test('a payload that its JSON Schema refuses is -32602 with issues', async () => {
    const desk = openDesk({ actions })
    const { body } = await desk.ask({ payload: { text: 7 } })
    expect(body.error).toMatchObject({
      code: -32602,
      data: { reason: expect.any(String), issues: [{ path: ['text'], message: 'must be string' }] },
    })
    expect((await desk.ask({})).body.error.data.issues).toEqual([{ path: ['text'], message: 'is required' }])
    expect(desk.clerk.executions).toEqual([])
  })

  test('a Standard Schema checks and completes the payload', async () => {
    const desk = openDesk({ actions })
    expect((await desk.ask({ action: 'count', payload: { n: 'x' } })).body.error).toMatchObject({
      code: -32602,
      data: { issues: [{ path: ['n'] }] },
    })
    expect((await desk.ask({ action: 'count' })).body.result.data.echo).toEqual({ n: 3 })
  })

  test('a keyword that is not understood is refused when the agent is made', async () => {
    const { clerk: _clerk } = openDesk()
    expect(() => openDesk({ actions: { a: { inputSchema: { patternProperties: {} } } } })).toThrow(TypeError)
  })
})

describe('3.2: one profile an agent', () => {
  test('json-order verifies what JSON.stringify gives in the received order', async () => {
    const desk = openDesk({ profile: 'json-order' })
    const { body } = await desk.ask(request())
    expect(body.error.data.code).toBe('INVALID_SIGNATURE')
    const timestamp = new Date().toISOString()
    const sorted = signParams(
      { action: 'echo', from: CALLER, payload: {}, timestamp, to: AGENT },
      CALLER_SEED,
    )
    expect((await desk.ask(sorted)).body.result.status).toBe('success')
  })

  test('none takes calls without a signature, and does not authenticate', async () => {
    const { signature: _signature, ...unsigned } = request()
    const desk = openDesk({ profile: 'none' })
    const reply = await desk.raw({ jsonrpc: '2.0', method: 'agent.request', id: 'x', params: unsigned })
    expect(reply.body.result.status).toBe('success')
    const engine = {} as Parameters<typeof createDialect>[0]
    expect(createDialect(engine, { addresses: [AGENT], profile: 'none' }).authenticates).toBeUndefined()
    expect(createDialect(engine, { addresses: [AGENT] }).authenticates).toBe(true)
  })
})

describe('5: over events', () => {
  const carried = (seed: Uint8Array) => ({
    carrier: 'events' as const,
    caller: { owner: `aether:${Buffer.from(signerKey(seed)).toString('hex')}`, anonymous: false },
  })
  const signerKey = (seed: Uint8Array) => base58Bytes(addressOf(seed))
  test('from must be the author of the event, unless delegation is configured', async () => {
    const desk = openDesk()
    expect((await desk.ask(request(), carried(CALLER_SEED))).body.result.status).toBe('success')
    expect((await desk.ask(request(), carried(STRANGER))).body.error.code).toBe(-32600)
    const open = openDesk({ delegation: true })
    expect((await open.ask(request(), carried(STRANGER))).body.result.status).toBe('success')
  })
})

function base58Bytes(address: string): Uint8Array {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  const value = [...address].reduce((sum, digit) => sum * 58n + BigInt(alphabet.indexOf(digit)), 0n)
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
}
