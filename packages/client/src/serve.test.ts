import { generateSecretKey, publicKeyOf } from '@aetherkit/core'
import { describe, expect, test } from 'vitest'
import { client, failure, relay } from '../test/world.js'
import { CallError } from './errors.js'
import { localSigner } from './signer.js'

test('ready says that calls arrive', async () => {
  const { url } = await relay()
  const [alice, bob] = [await client(url), await client(url)]
  await bob.serve('x', () => 'y').ready
  expect(await alice.request(bob.publicKey, 'x', null)).toBe('y')
})

describe('an agent that fails', () => {
  test('a handler that throws is PEER_ERROR without a word of its error', async () => {
    const { url } = await relay()
    const [alice, bob] = [await client(url), await client(url)]
    bob.serve('sync', () => {
      throw new Error('password is hunter2')
    })
    bob.serve('async', async () => Promise.reject(new TypeError('password is hunter2')))
    for (const action of ['sync', 'async']) {
      const error = await failure(alice.request(bob.publicKey, action, null))
      expect(error).toMatchObject({ code: 'PEER_ERROR', peerCode: 'PEER_ERROR', message: 'the agent failed' })
    }
    expect(bob.errors).toMatchObject([{ code: 'HANDLER_FAILED' }, { code: 'HANDLER_FAILED' }])
    bob.serve('fine', () => 1)
    expect(await alice.request(bob.publicKey, 'fine', null)).toBe(1)
  })

  test('a CallError travels with code and message', async () => {
    const { url } = await relay()
    const [alice, bob] = [await client(url), await client(url)]
    bob.serve('buy', () => {
      throw new CallError('OUT_OF_STOCK', 'come back tomorrow')
    })
    const error = await failure(alice.request(bob.publicKey, 'buy', null))
    expect(error).toMatchObject({
      code: 'PEER_ERROR',
      peerCode: 'OUT_OF_STOCK',
      message: 'come back tomorrow',
    })
    expect(bob.errors).toEqual([])
  })

  test('an action nobody serves is UNKNOWN_ACTION, also after its handler was taken away', async () => {
    const { url } = await relay()
    const [alice, bob] = [await client(url), await client(url)]
    const served = bob.serve('a', () => 'a')
    bob.serve('b', () => 'b')
    expect(await alice.request(bob.publicKey, 'a', null)).toBe('a')
    served.close()
    const error = await failure(alice.request(bob.publicKey, 'a', null))
    expect(error).toMatchObject({ code: 'PEER_ERROR', peerCode: 'UNKNOWN_ACTION' })
    expect(() => bob.serve('b', () => null)).toThrow(TypeError)
  })

  test('an answer that fits into no event is RESPONSE_TOO_LARGE, one that is no JSON PEER_ERROR', async () => {
    const { url } = await relay()
    const [alice, bob] = [await client(url), await client(url)]
    bob.serve('huge', () => 'x'.repeat(600_000))
    const loop: { self?: typeof loop } = {}
    loop.self = loop
    bob.serve('loop', () => loop as never)
    bob.serve('nothing', () => undefined)
    const huge = await failure(alice.request(bob.publicKey, 'huge', null))
    expect(huge).toMatchObject({ code: 'PEER_ERROR', peerCode: 'RESPONSE_TOO_LARGE' })
    const bad = await failure(alice.request(bob.publicKey, 'loop', null))
    expect(bad).toMatchObject({ code: 'PEER_ERROR', peerCode: 'PEER_ERROR' })
    expect(await alice.request(bob.publicKey, 'nothing', null)).toBe(null)
    expect(bob.errors).toMatchObject([{ code: 'TOO_LARGE' }, { code: 'HANDLER_FAILED' }])
  })

  test('an onError that throws does no harm', async () => {
    const { url } = await relay()
    const onError = () => {
      throw new Error('mine')
    }
    const [alice, bob] = [await client(url), await client(url, { onError })]
    bob.serve('x', () => {
      throw new Error('theirs')
    })
    for (let i = 0; i < 2; i++)
      expect(await failure(alice.request(bob.publicKey, 'x', null))).toMatchObject({ code: 'PEER_ERROR' })
  })
})

describe('at most once', () => {
  test('a call that is repeated while it runs, and after, is executed once', async () => {
    const { url } = await relay()
    const [alice, bob] = [await client(url, { callRetryMs: 10 }), await client(url)]
    const wire = alice.subscribe({ kinds: [21_000], authors: [alice.publicKey] })
    await wire.stored
    let runs = 0
    let release = () => {}
    bob.serve('pay', async () => {
      runs++
      await new Promise<void>((resolve) => {
        release = resolve
      })
      return { runs }
    })
    const id = 'order-1'
    const first = alice.request(bob.publicKey, 'pay', 5, { id })
    const requests = wire[Symbol.asyncIterator]()
    for (let i = 0; i < 5; i++) await requests.next()
    release()
    expect(await first).toEqual({ runs: 1 })
    expect(await alice.request(bob.publicKey, 'pay', 5, { id })).toEqual({ runs: 1 })
    expect(runs).toBe(1)
  })

  test('an error is an answer too: it is not tried again', async () => {
    const { url } = await relay()
    const [alice, bob] = [await client(url), await client(url)]
    let runs = 0
    bob.serve('pay', () => {
      throw new CallError('NO', `${++runs}`)
    })
    for (let i = 0; i < 2; i++) {
      const error = await failure(alice.request(bob.publicKey, 'pay', 5, { id: 'order-2' }))
      expect(error).toMatchObject({ peerCode: 'NO', message: '1' })
    }
  })

  test('an id under which something else was asked is ID_REUSED', async () => {
    const { url } = await relay()
    const [alice, bob] = [await client(url), await client(url)]
    bob.serve('pay', (amount) => amount)
    expect(await alice.request(bob.publicKey, 'pay', 5, { id: 'order-3' })).toBe(5)
    const error = await failure(alice.request(bob.publicKey, 'pay', 6, { id: 'order-3' }))
    expect(error).toMatchObject({ code: 'PEER_ERROR', peerCode: 'ID_REUSED' })
  })

  test('two callers may use the same id', async () => {
    const { url } = await relay()
    const [alice, bob, carol] = [await client(url), await client(url), await client(url)]
    bob.serve('me', (_, { from }) => from)
    expect(await alice.request(bob.publicKey, 'me', null, { id: '1' })).toBe(alice.publicKey)
    expect(await carol.request(bob.publicKey, 'me', null, { id: '1' })).toBe(carol.publicKey)
  })
})

describe('hostile post', () => {
  test('what does not open, is no message, or is old is ignored; the agent goes on', async () => {
    const { url } = await relay()
    const secret = generateSecretKey()
    const signer = localSigner(secret)
    const [eve, bob] = [await client(url, { signer }), await client(url)]
    let runs = 0
    bob.serve('x', () => ++runs)
    expect(await eve.request(bob.publicKey, 'x', null)).toBe(1)
    const to = bob.publicKey
    const seal = async (value: unknown) => {
      const sealed = await signer.seal?.(new TextEncoder().encode(JSON.stringify(value)), to)
      return sealed ?? new Uint8Array()
    }
    const request = { v: 1, type: 'request', id: 'evil', action: 'x', payload: null, deadline: 1000 }
    const tampered = Uint8Array.from(await seal(request))
    tampered[60]! ^= 1
    const contents = [
      tampered,
      new Uint8Array(),
      await seal('text'),
      await seal({ ...request, v: 2 }),
      await seal({ ...request, id: 7 }),
      await seal({ ...request, deadline: -1 }),
      await seal({ ...request, type: 'other' }),
    ]
    for (const content of contents) await eve.publish({ kind: 21_000, tags: [['p', to]], content })
    expect(await eve.request(bob.publicKey, 'x', null)).toBe(2)
    expect(bob.errors).toEqual([])
  })

  test('an answer of somebody else is no answer', async () => {
    const { url } = await relay()
    const eveSigner = localSigner()
    const [alice, eve] = [await client(url), await client(url, { signer: eveSigner })]
    const nobody = publicKeyOf(generateSecretKey())
    const asked = failure(alice.request(nobody, 'x', null, { id: 'known', timeoutMs: 300 }))
    const forged = new TextEncoder().encode('{"v":1,"type":"response","id":"known","payload":"forged"}')
    const content = (await eveSigner.seal?.(forged, alice.publicKey)) ?? new Uint8Array()
    await eve.publish({ kind: 21_000, tags: [['p', alice.publicKey]], content })
    expect(await asked).toMatchObject({ code: 'TIMEOUT' })
  })
})
