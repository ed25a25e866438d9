import { connect, localSigner } from '@aetherkit/client'
import { describe, expect, test } from 'vitest'
import { clientOf, later, openAir } from '../../test/aether.js'
import { hear } from '../../test/http.js'
import { type Loose, newAgent, rpc, world } from '../../test/world.js'
import { A2A_KIND, writeFrame } from './frame.js'
import { serveOnAether } from './serve.js'
import { aetherTransport } from './transport.js'

describe('5: who may say what', () => {
  /** Publishes a frame as the test says, and then an honest call, whose answer proves that the first was seen. */
  async function forged(
    make: (to: string, from: string) => { content: Uint8Array | string; seal?: boolean },
  ) {
    const { air, transport, served, server } = await world()
    const mallory = await clientOf(air)
    const { content, seal = true } = make(server.publicKey, mallory.publicKey)
    const sealed = seal ? await mallory.seal(content as Uint8Array, server.publicKey) : content
    await mallory.publish({ kind: A2A_KIND, tags: [['p', server.publicKey]], content: sealed })
    await transport.call(rpc('ListTasks'))
    return served.map(({ caller }) => caller.owner)
  }
  const frame = (from: string, to: string) =>
    ({
      kind: 'request',
      id: 'f',
      from,
      to,
      params: { 'a2a-version': '1.0' },
      body: rpc('ListTasks'),
    }) as const
  const victim = 'ab'.repeat(32)

  test.each([
    ['from another author', (to: string) => ({ content: writeFrame(frame(victim, to)) })],
    ['for another recipient', (_to: string, from: string) => ({ content: writeFrame(frame(from, victim)) })],
    ['in plaintext', (to: string, from: string) => ({ content: writeFrame(frame(from, to)), seal: false })],
    ['no frame', () => ({ content: new TextEncoder().encode('{"v":1}') })],
    [
      'of another version',
      (to: string, from: string) => ({
        content: new TextEncoder().encode(JSON.stringify({ ...frame(from, to), v: 2 })),
      }),
    ],
  ])('a frame %s is not heard', async (_name, make) => {
    expect((await forged(make)).length).toBe(1)
  })

  test('an honest frame of a stranger is heard', async () => {
    expect((await forged((to, from) => ({ content: writeFrame(frame(from, to)) }))).length).toBe(2)
  })

  test('a stale frame is not heard, nor one of the future', async () => {
    const { transport, served, server, caller } = await world({ serve: { now: () => Date.now() + 61_000 } })
    const call = transport.call(rpc('ListTasks'), { timeoutMs: 300 })
    await expect(call).rejects.toMatchObject({ code: 'TIMEOUT', acknowledged: false })
    expect(served).toEqual([])
    expect(caller.publicKey).not.toBe(server.publicKey)
  })

  test('one event that comes again is one call', async () => {
    const { transport, served } = await world({ in: () => 'twice' })
    await transport.call(rpc('SendMessage', hear('hello')))
    await transport.call(rpc('ListTasks'))
    expect(served.length).toBe(2)
  })

  test('an event that two relays deliver is one call', async () => {
    const airs = [await openAir(), await openAir()]
    const urls = airs.map(({ url }) => url)
    const agent = newAgent()
    const [server, caller] = [await connect(urls), await connect(urls)]
    for (const client of [server, caller]) {
      later(() => client.close())
      await expect.poll(() => client.connected.length).toBe(2)
    }
    let calls = 0
    const desk = serveOnAether((asked) => {
      calls += 1
      return agent.dispatch(asked)
    }, server)
    later(() => desk.close())
    await desk.ready
    const transport = aetherTransport(caller, server.publicKey)
    later(async () => transport.close())
    await transport.call(rpc('SendMessage', hear('hello')))
    await transport.call(rpc('ListTasks'))
    expect(calls).toBe(2)
  })

  test('a signer that cannot seal is found out at once', async () => {
    const { sign, publicKey } = localSigner()
    const client = await clientOf(await openAir(), { signer: { sign, publicKey } })
    const desk = serveOnAether(newAgent().dispatch, client)
    await expect(desk.ready).rejects.toMatchObject({ code: 'CANNOT_SEAL' })
    await desk.close()
  })

  test('nobody on the way reads a frame', async () => {
    const { air, transport } = await world()
    const eve = await clientOf(air)
    const heard = eve.subscribe({ kinds: [A2A_KIND] })
    await heard.stored
    await transport.call(rpc('SendMessage', hear('attack at dawn')))
    let count = 0
    for await (const event of heard) {
      expect(Buffer.from(event.content).toString('latin1')).not.toContain('dawn')
      if (++count === 2) break
    }
  })

  test('an author with too many calls at once is RATE_LIMITED', async () => {
    const { transport } = await world({ serve: { calls: { maxRunning: 1 } } })
    const gone = new AbortController()
    const waiting = transport.call(rpc('SendMessage', hear('wait')), { signal: gone.signal })
    await expect
      .poll(async () => ((await transport.call(rpc('ListTasks'))) as Loose).error?.code)
      .toBe(-32000)
    gone.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })
})
