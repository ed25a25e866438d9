import { describe, expect, test } from 'vitest'
import { request } from '../../test/dialect.js'
import { hear } from '../../test/http.js'
import { all, fixed, type Loose, newAgent, rpc, world } from '../../test/world.js'
import type { Executor } from '../executor.js'
import type { JsonRecord } from '../model.js'

describe('5: the same dispatch as over HTTP', () => {
  test('one scenario over events and by direct dispatch: deep-equal', async () => {
    const { transport, caller } = await world({ agent: fixed() })
    const twin = newAgent(fixed())
    const direct = async (envelope: JsonRecord, version = '1.0') => {
      const reply = await twin.dispatch({
        body: JSON.stringify(envelope),
        version,
        extensions: undefined,
        caller: { owner: `aether:${caller.publicKey}`, anonymous: false },
        tenant: '',
        carrier: 'events',
      })
      if (reply.kind === 'single') return [reply.envelope]
      const envelopes: JsonRecord[] = []
      for await (const { envelope: each } of reply.events) envelopes.push(each)
      return envelopes
    }
    const message = (text: string, more: object = {}) => ({
      message: { messageId: text, role: 'ROLE_USER', parts: [{ text }], ...more },
    })
    const scenario: readonly JsonRecord[] = [
      rpc('SendMessage', message('hello'), 'text-id'),
      rpc('GetTask', { id: 'id-0' }),
      rpc('GetTask', { id: 'nothing' }),
      rpc('SendMessage', message('ask')),
      rpc('ListTasks'),
      rpc('CancelTask', { id: 'id-0' }),
      rpc('SendMessage', { message: { parts: [] } }),
      rpc('NoSuchMethod'),
      rpc('GetExtendedAgentCard'),
      { jsonrpc: '1.0', method: 'GetTask' },
      rpc('SubscribeToTask', { id: 'id-0' }),
    ]
    const strip = (value: unknown): unknown =>
      JSON.parse(JSON.stringify(value), (name, item) =>
        name === 'timestamp' || name === 'nextPageToken' ? '' : item,
      )
    for (const envelope of scenario) {
      const [answer] = await direct(envelope)
      expect(strip(await transport.call(envelope))).toEqual(strip(answer))
    }
    const old = {
      message: { kind: 'message', messageId: 'old', role: 'user', parts: [{ kind: 'text', text: 'hi' }] },
    }
    const [legacy] = await direct(rpc('message/send', old), '0.3')
    expect(strip(await transport.call(rpc('message/send', old), { version: '0.3' }))).toEqual(strip(legacy))
    const stream = rpc('SendStreamingMessage', message('streamed'), 's')
    expect(strip(await all(transport.stream(stream)))).toEqual(strip(await direct(stream)))
    const early = rpc('SendStreamingMessage', { message: { parts: [] } })
    expect(strip(await all(transport.stream(early)))).toEqual(strip(await direct(early)))
  })

  test('the verified author is the caller, and no header exists', async () => {
    const { transport, served, caller } = await world()
    await transport.call(rpc('SendMessage', hear('hello')), { extensions: ['https://a.example'], after: 7 })
    expect(served[0]).toMatchObject({
      caller: { owner: `aether:${caller.publicKey}`, anonymous: false },
      version: '1.0',
      extensions: 'https://a.example',
      after: 7,
      carrier: 'events',
    })
    expect(served[0]?.header).toBeUndefined()
  })

  test('agent.request goes through, with its own signature by the author', async () => {
    const { transport } = await world()
    const signed = rpc('agent.request', request({ action: 'echo', payload: { text: 'hi' } }))
    expect(((await transport.call(signed)) as Loose).result.status).toBe('success')
    const foreign = rpc('agent.request', request({}, new Uint8Array(32).fill(5)))
    expect(((await transport.call(foreign)) as Loose).error.code).toBe(-32600)
  })

  test('a frame longer than an event is cut and put together, both ways', async () => {
    const echo: Executor = {
      async execute({ data, artifact }) {
        artifact({ parts: [{ data: { long: data?.long ?? null } }] })
      },
    }
    const { transport } = await world({ agent: { executor: echo, limits: { bodyBytes: 8 * 1024 * 1024 } } })
    const long = Array.from({ length: 900_000 }, (_, at) => String.fromCharCode(97 + (at % 26))).join('')
    const message = { messageId: 'm', role: 'ROLE_USER', parts: [{ data: { long } }] }
    const { result } = (await transport.call(rpc('SendMessage', { message }))) as Loose
    expect(result.task.artifacts[0].parts[0].data.long).toBe(long)
  })

  test('a request beyond what is put together is TOO_LARGE and is not sent', async () => {
    const { transport } = await world({ transport: { pieces: { maxBytes: 400_000 } } })
    const calling = transport.call(rpc('SendMessage', hear('x'.repeat(500_000))))
    await expect(calling).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  test('an answer beyond it is a clear error', async () => {
    const { transport } = await world({ serve: { pieces: { maxBytes: 2_000 } } })
    const { error } = (await transport.call(rpc('SendMessage', hear('x'.repeat(5_000))))) as Loose
    expect(error.message).toContain('longer than this carrier takes')
  })
})
