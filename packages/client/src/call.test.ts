import { generateSecretKey, publicKeyOf } from '@aetherkit/core'
import { describe, expect, test } from 'vitest'
import { WELCOME } from '../test/scripted-relay.js'
import { client, deadUrl, failure, proxy, relay, scripted, until } from '../test/world.js'
import { localSigner, type Signer } from './signer.js'

describe.each(['aether.v2', 'json'] as const)('request over %s', (format) => {
  test('an agent answers by its public key, and knows who asked', async () => {
    const { url } = await relay()
    const [alice, bob] = [await client(url, { formats: [format] }), await client(url, { formats: [format] })]
    bob.serve('greet', (payload, { from }) => ({ payload, from }))
    const answer = await alice.request(bob.publicKey, 'greet', { name: 'ä', list: [1, 2.5, null, true] })
    expect(answer).toEqual({ payload: { name: 'ä', list: [1, 2.5, null, true] }, from: alice.publicKey })
    expect(alice.errors).toEqual([])
    expect(bob.errors).toEqual([])
  })
})

describe('request', () => {
  test('a call to oneself works', async () => {
    const alice = await client((await relay()).url)
    alice.serve('double', async (payload) => Number(payload) * 2)
    expect(await alice.request(alice.publicKey, 'double', 21)).toBe(42)
  })

  test('nobody on the way can read it', async () => {
    const { url } = await relay()
    const [alice, bob, eve] = [await client(url), await client(url), await client(url)]
    const overheard = eve.subscribe({ kinds: [21_000] })
    await overheard.stored
    bob.serve('secret', () => 'the answer is 42')
    await alice.request(bob.publicKey, 'secret', 'what is the answer')
    const bytes: string[] = []
    for await (const event of overheard) {
      bytes.push(Buffer.from(event.content).toString('latin1'))
      if (bytes.length === 2) break
    }
    for (const each of bytes) expect(each).not.toContain('answer')
  })

  test('the calls of two agents and many at once find their answers', async () => {
    const { url } = await relay()
    const [alice, bob, carol] = [await client(url), await client(url), await client(url)]
    for (const server of [bob, carol]) server.serve('who', (payload) => [server.publicKey, payload])
    const asked = Array.from({ length: 20 }, (_, i) => ({ server: i % 2 === 0 ? bob : carol, i }))
    const answers = await Promise.all(asked.map(({ server, i }) => alice.request(server.publicKey, 'who', i)))
    expect(answers).toEqual(asked.map(({ server, i }) => [server.publicKey, i]))
  })

  test('an agent that is offline is TIMEOUT, without acknowledgement', async () => {
    const alice = await client((await relay()).url)
    const nobody = publicKeyOf(generateSecretKey())
    const error = await failure(alice.request(nobody, 'x', null, { timeoutMs: 100 }))
    expect(error).toMatchObject({ code: 'TIMEOUT', acknowledged: false })
  })

  test('an agent that works for too long is TIMEOUT with acknowledgement, and its signal is aborted', async () => {
    const { url } = await relay()
    const [alice, bob] = [await client(url), await client(url)]
    let reason: unknown
    bob.serve('slow', (_, { signal }) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason
          reject(signal.reason)
        })
      })
    })
    const error = await failure(alice.request(bob.publicKey, 'slow', null, { timeoutMs: 400 }))
    expect(error).toMatchObject({ code: 'TIMEOUT', acknowledged: true })
    await until(() => reason !== undefined)
    expect(reason).toMatchObject({ code: 'TIMEOUT' })
    expect(bob.errors).toEqual([])
  })

  test('an agent that comes up later is reached by the next attempt', async () => {
    const { url } = await relay()
    const secret = generateSecretKey()
    const alice = await client(url, { callRetryMs: 20 })
    const answer = alice.request(publicKeyOf(secret), 'late', 1)
    const bob = await client(url, { signer: secret })
    bob.serve('late', (payload) => payload)
    expect(await answer).toBe(1)
  })

  test('a lost connection on either side is survived', async () => {
    const one = await relay()
    const [wireA, wireB] = [await proxy(one.port), await proxy(one.port)]
    const [alice, bob] = [await client(wireA.url, { callRetryMs: 50 }), await client(wireB.url)]
    let runs = 0
    bob.serve('work', async () => {
      runs++
      wireA.cut()
      wireB.cut()
      return 'done'
    })
    expect(await alice.request(bob.publicKey, 'work', null)).toBe('done')
    expect(runs).toBe(1)
  })

  test('without any relay it is DISCONNECTED', async () => {
    const one = await relay()
    const wire = await proxy(one.port)
    const alice = await client(wire.url)
    wire.refusing = true
    wire.cut()
    await until(() => alice.connected.length === 0)
    const error = await failure(alice.request(alice.publicKey, 'x', null, { timeoutMs: 100 }))
    expect(error).toMatchObject({ code: 'DISCONNECTED' })
  })

  test('over two relays of which one is dead it works', async () => {
    const one = await relay()
    const [alice, bob] = [await client([one.url, await deadUrl()]), await client(one.url)]
    bob.serve('x', () => 'y')
    expect(await alice.request(bob.publicKey, 'x', null)).toBe('y')
  })

  test('an aborted request rejects with the reason of the signal', async () => {
    const alice = await client((await relay()).url)
    const stop = new AbortController()
    const aborted = failure(alice.request(alice.publicKey, 'x', null, { signal: stop.signal }))
    stop.abort('enough')
    expect(await aborted).toBe('enough')
    const before = alice.request(alice.publicKey, 'x', null, { signal: AbortSignal.abort('before') })
    expect(await failure(before)).toBe('before')
  })

  test('close rejects what waits with CLOSED', async () => {
    const alice = await client((await relay()).url)
    const waiting = failure(alice.request(alice.publicKey, 'x', null))
    await alice.close()
    expect(await waiting).toMatchObject({ code: 'CLOSED' })
  })

  test('a relay that refuses the event is REJECTED at once', async () => {
    const strict = await scripted((message, send) => {
      if (message.type === 'hello') send(WELCOME)
      if (message.type === 'subscribe') send({ type: 'eose', sub_id: message.sub_id })
      if (message.type !== 'publish') return
      const { event_id } = message.event as { event_id: string }
      send({ type: 'error', error: 'blocked', code: 'blocked', event_id })
    })
    const alice = await client(strict.url)
    const error = await failure(alice.request(alice.publicKey, 'x', null))
    expect(error).toMatchObject({ code: 'REJECTED', rejectCode: 'blocked' })
  })

  test('what makes no request is misuse', async () => {
    const alice = await client((await relay()).url)
    const key = alice.publicKey
    const bad: [() => Promise<unknown>, unknown][] = [
      [() => alice.request('zz', 'x', null), TypeError],
      [() => alice.request('00'.repeat(32), 'x', null), TypeError],
      [() => alice.request(key, '', null), RangeError],
      [() => alice.request(key, 'x', null, { id: 'x'.repeat(129) }), RangeError],
      [() => alice.request(key, 'x', null, { timeoutMs: 0 }), RangeError],
    ]
    for (const [request, kind] of bad) expect(await failure(request())).toBeInstanceOf(kind)
  })

  test('a request that fits into no event is TOO_LARGE', async () => {
    const alice = await client((await relay()).url)
    const error = await failure(alice.request(alice.publicKey, 'x', 'x'.repeat(600_000)))
    expect(error).toMatchObject({ code: 'TOO_LARGE' })
  })

  test('a signer that can only sign cannot call or serve: CANNOT_SEAL', async () => {
    const local = localSigner()
    const signer: Signer = { publicKey: local.publicKey, sign: (id) => local.sign(id) }
    const alice = await client((await relay()).url, { signer })
    expect(await failure(alice.request(alice.publicKey, 'x', null))).toMatchObject({ code: 'CANNOT_SEAL' })
    expect(() => alice.serve('x', () => null)).toThrowError(expect.objectContaining({ code: 'CANNOT_SEAL' }))
    await alice.publish({ kind: 1 })
  })
})
