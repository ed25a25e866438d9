import { fromHex, tagValue, toHex } from '@aetherkit/core'
import { describe, expect, test } from 'vitest'
import { bytes, paths, stateWorld, stored, text } from '../test/state-world.js'
import { client, failure, proxy, relay } from '../test/world.js'
import type { Client } from './client.js'
import { localSigner, type Signer } from './signer.js'
import { openState } from './state.js'
import { STATE_KIND } from './state-names.js'

describe('large values', () => {
  test.each(['aether.v2', 'json'] as const)(
    'come back byte by byte over %s, and go whole',
    async (format) => {
      const { url } = await relay()
      const signer = localSigner()
      const alice = await client(url, { signer, formats: [format] })
      const state = openState(alice, { signer })
      const value = random(1_048_576)
      await state.put(['big'], value)
      expect(Buffer.from((await (await state.get(['big']))!.read())!).equals(Buffer.from(value))).toBe(true)
      await state.put(['big'], bytes('small'))
      const full = (await stored(alice)).filter(({ content }) => content.length > 0)
      expect(full).toHaveLength(1)
    },
  )

  test('more than a client takes at once is written all the same', { timeout: 60_000 }, async () => {
    const { state } = await stateWorld()
    const value = random(1_500_000)
    await Promise.all(
      Array.from({ length: 50 }, (_, n) => state.put(['x', String(n)], value, { once: true })),
    )
    expect(await paths(state)).toHaveLength(50)
  })

  test('an entry that is replaced or deleted before it is read gives what is there now', async () => {
    const { state } = await stateWorld({ chunkBytes: 10 })
    await state.put(['a'], bytes('the first long value'))
    const first = await state.get(['a'])
    await state.put(['a'], bytes('the second long value'))
    expect(await text(first)).toBe('the second long value')
    const second = await state.get(['a'])
    await state.delete(['a'])
    expect(await second?.read()).toBeUndefined()
  })

  test('a value without one of its parts is STATE_UNREADABLE', async () => {
    const { state, client: alice } = await stateWorld({ chunkBytes: 10 })
    await state.put(['a'], bytes('a value of three parts'))
    const chunk = (await stored(alice)).find(({ tags }) => tags.some(([key]) => key === 'x'))
    const entry = await state.get(['a'])
    await alice.publish({ kind: STATE_KIND, tags: [['d', tagValue(chunk!, 'd') ?? '']] })
    expect(await failure(entry!.read())).toMatchObject({ code: 'STATE_UNREADABLE' })
    // It can be deleted all the same.
    expect(await state.delete(['a'])).toBe(true)
  })

  test('clear removes what a broken write left over', async () => {
    const { client: alice, signer } = await stateWorld()
    let left = 2
    const failing: Client = Object.assign(Object.create(alice), {
      publicKey: alice.publicKey,
      publish: (...args: Parameters<Client['publish']>) =>
        left-- > 0 ? alice.publish(...args) : Promise.reject(new Error('process died')),
      query: alice.query.bind(alice),
      subscribe: alice.subscribe.bind(alice),
    })
    const broken = openState(failing, { signer, chunkBytes: 10 })
    expect(await failure(broken.put(['t', 'a'], bytes('a value of three parts')))).toBeInstanceOf(Error)
    const state = openState(alice, { signer })
    expect(await state.get(['t', 'a'])).toBeUndefined()
    expect((await stored(alice)).filter(({ content }) => content.length > 0)).not.toEqual([])
    expect(await state.clear(['t'])).toBe(0)
    expect((await stored(alice)).filter(({ content }) => content.length > 0)).toEqual([])
  })
})

describe('what a relay sees', () => {
  test('neither path nor content, and only the owner opens it', async () => {
    const { state, client: alice } = await stateWorld()
    await state.put(['thread-secret', 'key-secret'], bytes('content-secret'))
    const [event] = await stored(alice)
    const raw = Buffer.concat([Buffer.from(JSON.stringify(event!.tags)), event!.content])
    for (const secret of ['thread-secret', 'key-secret', 'content-secret'])
      expect(raw.includes(secret) || raw.includes(toHex(bytes(secret)))).toBe(false)
    expect(await localSigner().open?.(event!.content, alice.publicKey)).toBeUndefined()
    expect(event!.tags.map(([key]) => key)).toEqual(['d', 's'])
  })

  test('a deleted entry is a tombstone that expires', async () => {
    const { state, client: alice } = await stateWorld()
    await state.put(['a'], bytes('x'))
    await state.delete(['a'])
    const [event] = await stored(alice)
    expect(event!.content).toHaveLength(0)
    const expires = Number(tagValue(event!, 'expiration'))
    expect(expires).toBeGreaterThan(Date.now() + 6 * 24 * 3_600_000)
  })

  test('an entry that does not open, or claims another path, is STATE_UNREADABLE', async () => {
    const { state, client: alice } = await stateWorld()
    await state.put(['a'], bytes('x'))
    await state.put(['b'], bytes('y'))
    const [b, a] = await stored(alice)
    await alice.publish({ kind: STATE_KIND, content: b!.content, tags: a!.tags })
    expect(await failure(state.get(['a']))).toMatchObject({ code: 'STATE_UNREADABLE' })
    await alice.publish({ kind: STATE_KIND, content: 'junk', tags: b!.tags })
    expect(await failure(paths(state))).toMatchObject({ code: 'STATE_UNREADABLE' })
  })
})

describe('relays that come and go', () => {
  test('a write that is under way when the connection breaks comes through', async () => {
    const one = await relay()
    const wire = await proxy(one.port)
    const signer = localSigner()
    const alice = await client(wire.url, { signer })
    const state = openState(alice, { signer })
    await state.put(['a'], bytes('before'))
    wire.muted = true
    const put = state.put(['a'], bytes('after'))
    wire.cut()
    wire.muted = false
    await put
    expect(await text(await state.get(['a']))).toBe('after')
  })

  test('what was deleted while a relay was away stays deleted', async () => {
    const [one, two] = [await relay(), await relay()]
    const wire = await proxy(two.port)
    const signer = localSigner()
    const both = await client([one.url, wire.url], { signer })
    const state = openState(both, { signer, quorum: 2 })
    await state.put(['a'], bytes('x'))
    const alone = openState(await client(one.url, { signer }), { signer })
    expect(await alone.delete(['a'])).toBe(true)
    expect(await state.get(['a'])).toBeUndefined()
    expect(await paths(state)).toEqual([])
  })

  test('without a relay it rejects with the code of the client', async () => {
    const one = await relay()
    const signer = localSigner()
    const alice = await client(one.url, { signer })
    const state = openState(alice, { signer, timeoutMs: 100 })
    await one.close()
    expect(await failure(state.put(['a'], bytes('x'), { once: true }))).toMatchObject({
      code: 'DISCONNECTED',
    })
    expect(await failure(state.get(['a']))).toMatchObject({ code: 'DISCONNECTED' })
  })
})

describe('misuse', () => {
  test('a path is 1 to 32 well-formed texts', async () => {
    const { state } = await stateWorld()
    expect(await failure(state.get([]))).toBeInstanceOf(RangeError)
    expect(await failure(state.put(Array(33).fill('a'), bytes('')))).toBeInstanceOf(RangeError)
    expect(await failure(state.put(['\ud800'], bytes('')))).toBeInstanceOf(TypeError)
  })

  test('the signer has the key of the client and can seal', async () => {
    const { client: alice, signer } = await stateWorld()
    expect(() => openState(alice, { signer: localSigner() })).toThrow(TypeError)
    const { publicKey, sign } = signer
    expect(() => openState(alice, { signer: { publicKey, sign } })).toThrow(
      expect.objectContaining({ code: 'CANNOT_SEAL' }),
    )
    expect(() => openState(alice, { signer, tombstoneMs: 1 })).toThrow(RangeError)
    expect(() => openState(alice, { signer, chunkBytes: 0 })).toThrow(RangeError)
    expect(() => openState(alice, { signer, nameKey: new Uint8Array(5) })).toThrow(TypeError)
  })

  test('a signer that never signs alike needs a nameKey', async () => {
    const { client: alice, signer } = await stateWorld()
    let count = 0
    const hedged: Signer = { ...signer, sign: (id) => Uint8Array.from([count++, ...fromHex(toHex(id))]) }
    expect(await failure(openState(alice, { signer: hedged }).get(['a']))).toBeInstanceOf(TypeError)
    const state = openState(alice, { signer: hedged, nameKey: new Uint8Array(32) })
    await state.put(['a'], bytes('x'))
    expect(await text(await state.get(['a']))).toBe('x')
  })
})

function random(length: number): Uint8Array {
  const value = new Uint8Array(length)
  for (let at = 0; at < length; at += 65_536)
    crypto.getRandomValues(value.subarray(at, Math.min(length, at + 65_536)))
  return value
}
