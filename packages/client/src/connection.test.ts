import { exchangeKeys } from '@aetherkit/core'
import { describe, expect, test } from 'vitest'
import { WELCOME } from '../test/scripted-relay.js'
import { client, deadUrl, failure, proxy, relay, scripted, until } from '../test/world.js'
import { connect } from './client.js'
import { ClientError } from './errors.js'

describe('hello and welcome', () => {
  test('the hello offers aether.v2 first, then json', async () => {
    const heard = await scripted((message, send) => {
      if (message.type === 'hello') send(WELCOME)
    })
    await client(heard.url)
    expect(heard.received[0]).toMatchObject({
      type: 'hello',
      version: 1,
      formats: ['aether.v2', 'json'],
      noise: { required: false },
      features: ['base64', 'eose', 'closed', 'notice', 'auth'],
    })
  })

  test.each([
    ['a format that was not offered', {}, { format: 'flatbuffers' }],
    ['json where only aether.v2 was offered', { formats: ['aether.v2'] as const }, {}],
    ['another version', {}, { version: 2 }],
    ['no noise where noise was asked for', { noise: 'xx' as const }, {}],
    [
      'legacy noise where noise-xx was asked for',
      { noise: 'xx' as const },
      { noise: { required: true, pubkey: '11'.repeat(32) } },
    ],
  ])('a weaker welcome is refused: %s', async (_, options, welcome) => {
    const weak = await scripted((message, send) => {
      if (message.type === 'hello') send({ ...WELCOME, ...welcome })
    })
    const error = await failure(connect(weak.url, options))
    expect(error).toMatchObject({ code: 'WEAK_WELCOME', relay: weak.url })
    expect(weak.received).toHaveLength(1)
  })

  test.each([
    ['an error', { type: 'error', error: 'unsupported' }],
    ['an event', { type: 'event', sub_id: '1', event: {} }],
    ['no JSON', 'hello'],
    ['noise that was not asked for', { ...WELCOME, noise: { required: true, pattern: 'xx' } }],
  ])('what is no welcome is HANDSHAKE_FAILED: %s', async (_, reply) => {
    const odd = await scripted((message, send) => {
      if (message.type === 'hello') send(reply)
    })
    const error = await failure(connect(odd.url, { timeoutMs: 300 }))
    expect(error).toMatchObject({ code: 'DISCONNECTED', cause: { code: 'HANDSHAKE_FAILED' } })
  })
})

describe('noise-xx', () => {
  test('a relay with the pinned key is spoken to, one with another key is not', async () => {
    const { url, info } = await relay()
    const alice = await client(url, { noise: 'xx', relayKeys: { [url]: String(info.noise_pubkey) } })
    expect((await alice.publish({ kind: 1 })).relays[url]).toMatchObject({ ok: true })
    const other = exchangeKeys().publicKey
    const error = await failure(connect(url, { noise: 'xx', relayKeys: { [url]: other } }))
    expect(error).toMatchObject({ code: 'WEAK_WELCOME', relay: url })
  })

  test('a frame of many pieces goes through in both directions', async () => {
    const { url } = await relay()
    const alice = await client(url, { noise: 'xx' })
    const content = new Uint8Array(300_000).fill(0xff)
    const { id } = await alice.publish({ kind: 1, content })
    expect((await alice.query({ ids: [id] }))[0]?.content).toEqual(content)
  })
})

describe('connect', () => {
  test('resolves with the first relay that answers', async () => {
    const { url } = await relay()
    const alice = await client([await deadUrl(), url])
    expect(alice.connected).toEqual([url])
  })

  test('without any relay it is DISCONNECTED, with the cause', async () => {
    const error = await failure(connect(await deadUrl(), { timeoutMs: 200 }))
    expect(error).toMatchObject({ code: 'DISCONNECTED', cause: { code: 'DISCONNECTED' } })
    expect(ClientError.is(error, 'DISCONNECTED')).toBe(true)
  })

  test('a relay that comes up later is found', async () => {
    const one = await relay()
    const wire = await proxy(one.port)
    wire.refusing = true
    const connecting = client(wire.url)
    wire.refusing = false
    expect((await connecting).connected).toEqual([wire.url])
  })

  test('an aborted connect rejects with the reason of the signal', async () => {
    const url = await deadUrl()
    expect(await failure(connect(url, { signal: AbortSignal.abort('before') }))).toBe('before')
    const stop = new AbortController()
    const aborted = failure(connect(url, { signal: stop.signal }))
    stop.abort('enough')
    expect(await aborted).toBe('enough')
  })

  test('bad arguments are misuse', async () => {
    expect(await failure(connect('http://127.0.0.1'))).toBeInstanceOf(TypeError)
    expect(await failure(connect([]))).toBeInstanceOf(RangeError)
    expect(await failure(connect(['ws://a', 'ws://b', 'ws://c', 'ws://d']))).toBeInstanceOf(RangeError)
    expect(await failure(connect('ws://a', { signer: new Uint8Array(31) }))).toBeInstanceOf(TypeError)
    expect(await failure(connect('ws://a', { timeoutMs: 0 }))).toBeInstanceOf(RangeError)
  })
})

describe('reconnect', () => {
  test('one attempt at a time, however it failed', async () => {
    const one = await relay()
    const wire = await proxy(one.port)
    const alice = await client(wire.url)
    for (let round = 1; round <= 5; round++) {
      wire.cut()
      await until(() => alice.connected.length === 0)
      await until(() => alice.connected.length === 1)
      expect(wire.accepted).toBe(round + 1)
    }
  })

  test('a relay that shows no sign of life is dropped and tried again', async () => {
    const one = await relay()
    const wire = await proxy(one.port)
    const alice = await client(wire.url, { heartbeatMs: 100 })
    wire.muted = true
    await until(() => alice.connected.length === 0)
    expect(alice.errors[0]).toMatchObject({ code: 'DISCONNECTED', relay: wire.url })
    wire.muted = false
    await until(() => alice.connected.length === 1)
  })

  test('a lost relay is reported, and so is a notice', async () => {
    const notices: unknown[] = []
    const talkative = await scripted((message, send, socket) => {
      if (message.type !== 'hello') return
      send(WELCOME)
      send({ type: 'notice', message: 'maintenance at noon' })
      socket.close(1001, 'going_away')
    })
    const alice = await client(talkative.url, {
      reconnect: { minMs: 60_000 },
      onNotice: (notice) => {
        notices.push(notice)
        throw new Error('mine')
      },
    })
    await until(() => alice.errors.length === 2)
    expect(notices).toEqual([{ relay: talkative.url, message: 'maintenance at noon' }])
    expect(alice.errors).toMatchObject([{ code: 'HANDLER_FAILED' }, { code: 'DISCONNECTED' }])
  })
})
