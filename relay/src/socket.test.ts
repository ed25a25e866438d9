/** The WebSocket port against bad neighbours (spec 7.5, 13.2, 13.3). */
import { connect } from 'node:net'
import { createClock, generateSecretKey, signEvent, writeMessage } from '@aetherkit/core'
import { createRelay, type Relay, type RelayOptions } from '@aetherkit/relay'
import { afterEach, describe, expect, test } from 'vitest'
import { clientFrame, RawPeer, upgrade } from '../test/raw-peer.js'

const SUBSCRIBE = { type: 'subscribe', sub_id: 'a', filters: [{}] }
const TEXT = Buffer.from(JSON.stringify(SUBSCRIBE))

let relay: Relay
async function start(options: RelayOptions = {}): Promise<void> {
  relay = await createRelay({ verifyWorkers: 1, ...options })
}
afterEach(() => relay.close())

async function status(options: Parameters<typeof upgrade>[1]): Promise<number> {
  const { socket, response } = await upgrade(relay.port, options)
  socket.destroy()
  return Number(response.split(' ')[1])
}

/** Nobody else is hurt: the relay answers a newcomer. */
async function lives(): Promise<void> {
  const peer = await RawPeer.connect(relay.port)
  expect((await peer.ask(SUBSCRIBE)).type).toBe('subscribed')
  peer.socket.destroy()
}

describe('an upgrade', () => {
  test('with 2000 headers, or more than 16 KiB of them, is refused and the relay lives', async () => {
    await start()
    expect(await status({ headers: Array.from({ length: 2000 }, (_, i) => `x${i}: 1`) })).toBe(431)
    expect(await status({ headers: Array.from({ length: 101 }, (_, i) => `x${i}: 1`) })).toBe(431)
    expect(await status({ headers: [`x: ${'y'.repeat(17_000)}`] })).toBe(431)
    expect(await status({ headers: Array.from({ length: 90 }, (_, i) => `x${i}: 1`) })).toBe(101)
    await lives()
  })

  test('with 8 KB of blanks in its protocols is answered', async () => {
    await start()
    expect([101, 400]).toContain(await status({ protocol: `a${' '.repeat(8000)}b` }))
    expect([101, 400]).toContain(await status({ protocol: `aether.v2,${' '.repeat(8000)}x` }))
    await lives()
  })

  test('with prototype names as extensions gets none, and compression is never agreed on', async () => {
    await start()
    for (const name of ['constructor', '__proto__', 'hasOwnProperty', 'permessage-deflate']) {
      const peer = await RawPeer.connect(relay.port, { headers: [`Sec-WebSocket-Extensions: ${name}`] })
      expect(peer.response.toLowerCase()).not.toContain('extensions')
      expect((await peer.ask(SUBSCRIBE)).type).toBe('subscribed')
    }
  })

  test('gets the subprotocol aether.v2 when it offers it, and none otherwise', async () => {
    await start()
    expect((await RawPeer.connect(relay.port, { protocol: 'x, aether.v2' })).response).toContain('aether.v2')
    expect((await RawPeer.connect(relay.port, { protocol: 'x' })).response).not.toContain(
      'Sec-WebSocket-Protocol',
    )
  })

  test('from an origin that is not on the list is refused; without an origin it is not', async () => {
    await start({ origins: ['https://good.example'] })
    expect(await status({ headers: ['Origin: https://evil.example'] })).toBe(403)
    expect(await status({ headers: ['Origin: https://good.example'] })).toBe(101)
    expect(await status({})).toBe(101)
  })

  test('of a peer that never ends its headers is cut off', async () => {
    await start({ limits: { headersMs: 2000 } })
    const socket = connect(relay.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n')
    await new Promise((resolve) => socket.once('close', resolve).resume())
    await lives()
  })
})

describe('limits per address', () => {
  test('cap open connections and give the place back when one closes', async () => {
    await start({ limits: { exemptLoopback: false, connectionsPerIp: 3, acceptsPerSecondPerIp: 1000 } })
    const peers = [
      await RawPeer.connect(relay.port),
      await RawPeer.connect(relay.port),
      await RawPeer.connect(relay.port),
    ]
    await expect(RawPeer.connect(relay.port)).rejects.toThrow()
    await peers[0]?.close()
    expect((await (await RawPeer.connect(relay.port)).ask(SUBSCRIBE)).type).toBe('subscribed')
  })

  test('cap accepts per second', async () => {
    await start({ limits: { exemptLoopback: false, acceptsPerSecondPerIp: 5 } })
    const tried = await Promise.allSettled(Array.from({ length: 30 }, () => RawPeer.connect(relay.port)))
    const taken = tried.filter((result) => result.status === 'fulfilled').length
    expect(taken).toBeGreaterThanOrEqual(5)
    expect(taken).toBeLessThan(30)
  })

  test('do not concern loopback', async () => {
    await start({ limits: { connectionsPerIp: 1, acceptsPerSecondPerIp: 1 } })
    await Promise.all(Array.from({ length: 30 }, () => RawPeer.connect(relay.port)))
  })
})

describe('a connection', () => {
  test('that says nothing is closed; pings and pongs are no message', async () => {
    await start({ limits: { firstMessageMs: 100 } })
    const peer = await RawPeer.connect(relay.port)
    peer.frame(9, Buffer.alloc(0))
    expect(await peer.closed).toEqual({ code: 1008, reason: 'timeout' })
  })

  test('that answers pings stays, one that does not is cut and its subscriptions are gone', async () => {
    await start({ limits: { pingMs: 30, pongMs: 3000 } })
    const [live, dead] = [await RawPeer.connect(relay.port), await RawPeer.connect(relay.port)]
    for (const peer of [live, dead]) await peer.ask(SUBSCRIBE)
    dead.pong = false
    expect((await dead.closed).code).toBe(1006)
    expect(relay.stats()).toMatchObject({ connections: 1, subscriptions: 1 })
    expect(live.pings).toBeGreaterThan(0)
    expect((await live.ask(SUBSCRIBE)).type).toBe('subscribed')
  })

  test('whose frames break RFC 6455 is closed with the right code', async () => {
    await start()
    const huge = Buffer.from([0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4])
    const cases: [string, Buffer, number][] = [
      ['a reserved bit', clientFrame(1, TEXT, 0xc1), 1002],
      ['a reserved opcode', clientFrame(3, TEXT), 1002],
      ['no mask', Buffer.from([0x81, 2, 0x7b, 0x7d]), 1002],
      ['a long ping', clientFrame(9, Buffer.alloc(126)), 1002],
      ['a fragmented ping', clientFrame(9, Buffer.alloc(2), 0x09), 1002],
      ['a continuation of nothing', clientFrame(0, TEXT, 0x80), 1002],
      [
        'a new message inside another',
        Buffer.concat([clientFrame(1, TEXT, 0x01), clientFrame(1, TEXT)]),
        1002,
      ],
      ['text that is not UTF-8', clientFrame(1, Buffer.from([0xc3, 0x28])), 1007],
      ['a close code of 999', clientFrame(8, Buffer.from([0x03, 0xe7])), 1002],
      ['a length of 2^40', huge, 1009],
      ['a message above the limit', clientFrame(2, Buffer.alloc(1024 * 1024 + 1)), 1009],
    ]
    for (const [name, bytes, code] of cases) {
      const peer = await RawPeer.connect(relay.port)
      peer.socket.write(bytes)
      expect([name, (await peer.closed).code]).toEqual([name, code])
    }
    await lives()
  })

  test('may send fragments with pings between, in segments of one byte', async () => {
    await start()
    const peer = await RawPeer.connect(relay.port)
    const bytes = Buffer.concat([
      clientFrame(1, TEXT.subarray(0, 10), 0x01),
      clientFrame(9, Buffer.from('hi')),
      clientFrame(0, TEXT.subarray(10, 20), 0x00),
      clientFrame(0, TEXT.subarray(20), 0x80),
    ])
    peer.socket.setNoDelay()
    for (const byte of bytes) {
      peer.socket.write(Buffer.of(byte))
      await new Promise(setImmediate)
    }
    expect((await peer.hearJson()).type).toBe('subscribed')
  })

  test('gets whole frames only, pongs between deliveries included', async () => {
    await start()
    const peer = await RawPeer.connect(relay.port)
    await peer.ask(SUBSCRIBE)
    const key = generateSecretKey()
    const clock = createClock()
    const content = 'x'.repeat(70_000)
    for (let i = 0; i < 40; i++) {
      const event = signEvent({ kind: 20000, content, createdAt: clock() }, key)
      peer.say(writeMessage({ type: 'publish', event }))
      peer.frame(9, Buffer.alloc(125, i))
    }
    // The peer throws on a frame that a server may not send, so 80 good messages are the proof.
    for (let i = 0; i < 80; i++) expect(['ack', 'event']).toContain((await peer.hearJson()).type)
  })
})
