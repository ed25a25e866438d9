/** Sessions in `aether.v2` frames, plain and inside noise-xx (spec 5, 8.2). */
import {
  decodeFrame,
  encodeEnvelope,
  encodeFrame,
  exchangeKeys,
  type Frame,
  type NoiseTransport,
  NoiseXX,
  noiseXXPrologue,
  REJECTS,
  writeMessage,
} from '@aetherkit/core'
import { createRelay, type Relay } from '@aetherkit/relay'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RawPeer } from '../test/raw-peer.js'
import { createAuthor } from '../test/signing.js'

const { sign } = createAuthor()

let relay: Relay
beforeAll(async () => {
  relay = await createRelay({ verifyWorkers: 1 })
})
afterAll(() => relay.close())

const connect = () => RawPeer.connect(relay.port, { protocol: 'aether.v2' })
const say = (peer: RawPeer, frame: Frame) => peer.sayBytes(encodeFrame(frame))
async function hear(peer: RawPeer): Promise<Frame> {
  const decoded = decodeFrame((await peer.hear()).payload)
  if (!decoded.ok) throw new Error(decoded.error)
  return decoded.frame
}
const ask = (peer: RawPeer, frame: Frame) => {
  say(peer, frame)
  return hear(peer)
}

describe('negotiation', () => {
  test('by subprotocol: the first frame is Hello, the answer Welcome, and a second Hello is refused', async () => {
    const peer = await connect()
    const welcome = await ask(peer, { type: 'hello', version: 3, features: [] })
    expect(welcome).toMatchObject({
      type: 'welcome',
      version: 1,
      maxFrame: 1024 * 1024,
      epoch: relay.info.epoch,
    })
    expect(await ask(peer, { type: 'hello', version: 1, features: [] })).toMatchObject({
      type: 'rejected',
      code: 1,
    })
    const old = await connect()
    expect(await ask(old, { type: 'hello', version: 0, features: [] })).toMatchObject({
      code: REJECTS.unsupported.n,
    })
    expect((await ask(old, { type: 'hello', version: 1, features: [] })).type).toBe('welcome')
  })

  test('by text hello: a JSON text welcome, then frames; what was subscribed before has ended', async () => {
    const peer = await RawPeer.connect(relay.port)
    await peer.ask({ type: 'subscribe', sub_id: 'a', filters: [{}] })
    const welcome = await peer.ask({ type: 'hello', version: 1, formats: ['json', 'aether.v2'] })
    expect(welcome).toMatchObject({ type: 'welcome', format: 'aether.v2' })
    expect(await ask(peer, { type: 'publish', event: sign() })).toMatchObject({
      type: 'accepted',
      status: 'stored',
    })
    expect((await ask(peer, { type: 'subscribe', sub: 1, filters: [{}] })).type).toBe('subscribed')
  })
})

test('an event crosses a connection once, whatever subscriptions match, as the same bytes for everybody', async () => {
  const peers = [await connect(), await connect()]
  for (const peer of peers)
    for (const sub of [1, 2]) await ask(peer, { type: 'subscribe', sub, filters: [{ kinds: [7] }] })
  const event = sign({ kind: 7, content: Uint8Array.of(0xff, 0), tags: [['t', 'é']] })
  const answer = await relay.publish(event)
  const [one, two] = [await peers[0]!.hear(), await peers[1]!.hear()]
  expect(one.payload.equals(two.payload)).toBe(true)
  const decoded = decodeFrame(one.payload)
  expect(decoded).toMatchObject({
    frame: { subs: [], stored: false, event, seq: answer.ok ? answer.seq : 0n },
  })
  expect((await ask(peers[0]!, { type: 'subscribe', sub: 3, filters: [] })).type).toBe('subscribed')
})

test('stored events name their subscription and End carries a cursor to resume from', async () => {
  const peer = await connect()
  const event = sign({ kind: 8 })
  await relay.publish(event)
  say(peer, { type: 'subscribe', sub: 9, filters: [{ kinds: [8], replay: true }] })
  expect(await hear(peer)).toEqual({ type: 'subscribed', sub: 9, gap: false })
  expect(await hear(peer)).toMatchObject({ type: 'deliver', subs: [9], stored: true, event })
  const end = await hear(peer)
  if (end.type !== 'end' || end.cursor === undefined) throw new Error('End with a cursor expected')
  expect(end.cursor).toMatch(new RegExp(`^${relay.info.epoch}-[0-9]+$`))
})

test('an ended subscription gets nothing more; unsubscribing has no answer of its own', async () => {
  const peer = await connect()
  await ask(peer, { type: 'subscribe', sub: 5, filters: [{}] })
  say(peer, { type: 'unsubscribe', sub: 5 })
  for (let i = 0; i < 3; i++)
    expect((await ask(peer, { type: 'publish', event: sign() })).type).toBe('accepted')
})

test('resuming behind the cursor of End brings what came since', async () => {
  const peer = await connect()
  say(peer, { type: 'subscribe', sub: 1, filters: [{ kinds: [9], limit: 0 }] })
  await hear(peer)
  const end = await hear(peer)
  if (end.type !== 'end' || end.cursor === undefined) throw new Error('End with a cursor expected')
  await peer.close()
  const missed = sign({ kind: 9 })
  await relay.publish(missed)
  const again = await connect()
  const filters = [{ kinds: [9] }]
  say(again, { type: 'subscribe', sub: 1, filters, after: end.cursor })
  expect(await hear(again)).toEqual({ type: 'subscribed', sub: 1, gap: false })
  expect(await hear(again)).toMatchObject({ type: 'deliver', subs: [1], stored: true, event: missed })
  expect((await hear(again)).type).toBe('end')
})

describe('refusals', () => {
  test('name the event, or the subscription by Closed, and the connection lives', async () => {
    const peer = await connect()
    const event = { ...sign(), sig: '00'.repeat(64) }
    const invalid = REJECTS.invalid_signature
    expect(await ask(peer, { type: 'publish', event })).toEqual({
      type: 'rejected',
      id: event.id,
      code: invalid.n,
      message: invalid.error,
    })
    const filters = Array(33).fill({})
    expect(await ask(peer, { type: 'subscribe', sub: 4, filters })).toMatchObject({
      type: 'closed',
      sub: 4,
      code: REJECTS.limit_exceeded.n,
    })
    expect(await ask(peer, { type: 'auth', event })).toMatchObject({ code: REJECTS.kind_unsupported.n })
    expect(await ask(peer, { type: 'end', sub: 1 })).toMatchObject({ code: REJECTS.unsupported.n })
    expect(await ask(peer, { type: 'publish', event: sign() })).toMatchObject({ type: 'accepted' })
  })

  test('text and envelopes are invalid_message; who goes on with broken frames is closed with 1007', async () => {
    const peer = await connect()
    peer.say(writeMessage({ type: 'publish', event: sign() }))
    expect(await hear(peer)).toMatchObject({ type: 'rejected', code: 1 })
    peer.sayBytes(encodeEnvelope('{"type":"hello"}'))
    expect(await hear(peer)).toMatchObject({ type: 'rejected', code: 1 })
    for (let i = 0; i < 20; i++) peer.sayBytes(Buffer.alloc(i))
    expect((await peer.closed).code).toBe(1007)
  })
})

describe('noise-xx', () => {
  const hello = { type: 'hello', version: 1, noise: { required: true }, features: ['noise-xx'] }

  async function secure(
    formats: string[],
  ): Promise<{ peer: RawPeer; transport: NoiseTransport; welcome: string }> {
    const peer = await RawPeer.connect(relay.port)
    const text = JSON.stringify({ ...hello, formats })
    peer.say(text)
    const welcome = (await peer.hear()).payload.toString()
    const handshake = new NoiseXX({
      role: 'client',
      staticSecret: exchangeKeys().secretKey,
      prologue: noiseXXPrologue(text, welcome),
      expectedPeer: String(relay.info.noise_pubkey),
    })
    peer.sayBytes(handshake.write())
    const read = handshake.read((await peer.hear()).payload)
    if (!read.ok) throw new Error(read.detail)
    peer.sayBytes(handshake.write())
    if (handshake.transport === undefined) throw new Error('no transport')
    return { peer, transport: handshake.transport, welcome }
  }
  const open = async ({ peer, transport }: { peer: RawPeer; transport: NoiseTransport }): Promise<Buffer> => {
    for (;;) {
      const opened = transport.open((await peer.hear()).payload)
      if (!opened.ok) throw new Error(opened.error)
      if (opened.frame !== undefined) return Buffer.from(opened.frame)
    }
  }

  test('carries JSON and frames, large ones in pieces, with the relay key of the info document', async () => {
    for (const formats of [['json'], ['aether.v2', 'json']]) {
      const session = await secure(formats)
      expect(JSON.parse(session.welcome)).toMatchObject({
        format: formats[0],
        noise: { required: true, pattern: 'xx' },
      })
      const event = sign({ content: 'x'.repeat(200_000) })
      const inFrames = formats[0] === 'aether.v2'
      const messages: Uint8Array[] = inFrames
        ? [encodeFrame({ type: 'subscribe', sub: 1, filters: [{}] }), encodeFrame({ type: 'publish', event })]
        : [
            Buffer.from('{"type":"subscribe","sub_id":"a","filters":[{}]}'),
            Buffer.from(writeMessage({ type: 'publish', event })),
          ]
      for (const message of messages)
        for (const piece of session.transport.seal(message)) session.peer.sayBytes(piece)
      const answers = [await open(session), await open(session), await open(session)]
      const types = answers.map((bytes) => {
        if (!inFrames) return JSON.parse(bytes.toString()).type
        const decoded = decodeFrame(bytes)
        return decoded.ok ? decoded.frame.type : decoded.code
      })
      expect(types).toEqual(inFrames ? ['subscribed', 'accepted', 'deliver'] : ['subscribed', 'ack', 'event'])
    }
  })

  test('a tampered hello breaks the handshake', async () => {
    const peer = await RawPeer.connect(relay.port)
    const text = JSON.stringify({ ...hello, formats: ['json'] })
    peer.say(text)
    const welcome = (await peer.hear()).payload.toString()
    const prologue = noiseXXPrologue(`${text} `, welcome)
    const handshake = new NoiseXX({ role: 'client', staticSecret: exchangeKeys().secretKey, prologue })
    peer.sayBytes(handshake.write())
    expect(handshake.read((await peer.hear()).payload).ok).toBe(false)
  })

  test('a clear or broken frame ends the connection, and nothing is answered in clear', async () => {
    const session = await secure(['json'])
    session.peer.say('{"type":"subscribe","sub_id":"a","filters":[{}]}')
    expect(JSON.parse((await open(session)).toString())).toMatchObject({ code: 'noise_error' })
    expect((await session.peer.closed).code).toBe(1008)

    const early = await RawPeer.connect(relay.port)
    await early.ask({ ...hello, formats: ['json'] })
    early.sayBytes(Buffer.alloc(10))
    expect((await early.closed).code).toBe(1008)
    expect(early.heard).toEqual([])
  })
})
