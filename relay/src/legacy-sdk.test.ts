/**
 * What the unmodified reference SDKs rely on (spec 4.4), played by a bare peer: one test a rule, then the two
 * handshakes those SDKs make, legacy noise included.
 */
import { encodeEnvelope } from '@aetherkit/core'
import { createRelay, type Relay } from '@aetherkit/relay'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jsonOf, LEGACY_HELLO, NoisyPeer, openEnvelope } from '../test/noisy-peer.js'
import { RawPeer } from '../test/raw-peer.js'
import { createAuthor, publishing as publish } from '../test/signing.js'

const { sign } = createAuthor()
const subscribe = { type: 'subscribe', sub_id: 's', filters: [{}] }

let relay: Relay
beforeAll(async () => {
  relay = await createRelay({ verifyWorkers: 1 })
})
afterAll(() => relay.close())
const connect = () => RawPeer.connect(relay.port)

describe('the regression list', () => {
  test('a: a text hello that offers both formats gets a JSON text welcome with format json, as the first message', async () => {
    const peer = await connect()
    peer.say(LEGACY_HELLO)
    const first = await peer.hear()
    expect(first.opcode).toBe(1)
    expect(jsonOf(first.payload)).toMatchObject({
      type: 'welcome',
      version: 1,
      format: 'json',
      noise: { required: false },
    })
  })

  test('b: once noise is up everything is wrapped, and relay counters start at 2^52', async () => {
    const noisy = await NoisyPeer.connect(relay.port)
    noisy.say('garbage')
    expect((await noisy.hear()).code).toBe('invalid_message')
    noisy.say(JSON.stringify(subscribe))
    expect((await noisy.hear()).type).toBe('subscribed')
    noisy.say(publish(sign()))
    expect((await noisy.hear()).type).toBe('ack')
    expect((await noisy.hear()).type).toBe('event')
    noisy.peer.say(JSON.stringify(subscribe))
    expect(await noisy.hear()).toMatchObject({ code: 'noise_error', error: 'noise expected' })
    expect(noisy.counters).toEqual([0n, 1n, 2n, 3n, 4n].map((n) => 2n ** 52n + n))
  })

  test('c: no envelope id above 8 is ever sent', async () => {
    const features = ['eose', 'closed', 'info']
    for (const asked of [[], features]) {
      const peer = await connect()
      const types: number[] = []
      const say = (message: object | string) =>
        peer.sayBytes(encodeEnvelope(typeof message === 'string' ? message : JSON.stringify(message)))
      const hear = async () => {
        const envelope = openEnvelope(await peer.hear())
        types.push(envelope.type)
        return envelope.message
      }
      say({ type: 'hello', version: 1, formats: ['flatbuffers'], features: asked })
      expect((await hear()).type).toBe('welcome')
      if (asked.length > 0) expect((await hear()).type).toBe('info')
      say({ ...subscribe, filters: [{ limit: 0 }] })
      expect((await hear()).type).toBe('subscribed')
      if (asked.length > 0) expect((await hear()).type).toBe('eose')
      say(publish(sign()))
      expect([(await hear()).type, (await hear()).type]).toEqual(['ack', 'event'])
      say({ type: 'unsubscribe', sub_id: 's' })
      expect((await hear()).type).toBe('unsubscribed')
      say({ type: 'subscribe' })
      expect((await hear()).type).toBe('error')
      expect(types.every((type) => type <= 8)).toBe(true)
    }
  })

  test('d: events are canonical whatever was sent: non-empty tags as arrays, hex in lower case, a numeric kind', async () => {
    const peer = await connect()
    await peer.ask(subscribe)
    const event = sign({ tags: [['t', 'a', 'b'], ['d']] })
    const odd = JSON.stringify({
      event_id: event.id.toUpperCase(),
      pubkey: event.pubkey.toUpperCase(),
      kind: '1',
      created_at: event.createdAt.toString(),
      tags: [{ key: 't', values: ['a', 'b'] }, ['d']],
      content: 'x',
      sig: event.sig.toUpperCase(),
      extra: { evil: true },
    })
    expect((await peer.ask(`{"type":"publish","event":${odd}}`)).status).toBe('stored')
    expect((await peer.hearJson()).event).toEqual({
      event_id: event.id,
      pubkey: event.pubkey,
      kind: 1,
      created_at: event.createdAt,
      tags: [['t', 'a', 'b'], ['d']],
      content: 'x',
      sig: event.sig,
    })
  })

  test('e: no frame is above 1 MiB, not even the largest event through noise', async () => {
    const noisy = await NoisyPeer.connect(relay.port)
    noisy.say(JSON.stringify(subscribe))
    await noisy.hear()
    const content = '"'.repeat(250_000)
    expect((await relay.publish(sign({ content }))).ok).toBe(true)
    expect((await noisy.hear()).type).toBe('event')
    expect(noisy.largest).toBeGreaterThan(1_000_000)
    expect(noisy.largest).toBeLessThanOrEqual(1024 * 1024)
    expect(await relay.publish(sign({ content: '"'.repeat(260_000) }))).toMatchObject({ code: 'too_large' })
  })

  test('f: the ack comes before the own events', async () => {
    const peer = await connect()
    await peer.ask(subscribe)
    for (let i = 0; i < 20; i++) {
      expect((await peer.ask(publish(sign({ kind: i % 2 === 0 ? 1 : 20001 })))).type).toBe('ack')
      expect((await peer.hearJson()).type).toBe('event')
    }
  })

  test('g: a ping is answered with its own payload', async () => {
    const peer = await connect()
    const pong = new Promise<Buffer>((resolve) => peer.socket.once('data', resolve))
    peer.frame(9, Buffer.from('are you there'))
    expect((await pong).subarray(2).toString()).toBe('are you there')
  })

  test('h: ack and error are objects with a type and may have more; nothing else is sent unasked', async () => {
    const peer = await connect()
    expect((await peer.ask(LEGACY_HELLO)).type).toBe('welcome')
    expect((await peer.ask(publish(sign()))).type).toBe('ack')
    expect((await peer.ask({ type: 'publish' })).error).toBe('publish event must be mapping')
    expect(peer.heard).toEqual([])
  })

  test('i: filters come untouched, so those of the RFC work from old SDKs', async () => {
    const peer = await connect()
    const event = sign({ kind: 7, tags: [['t', 'agents']] })
    await peer.ask(publish(event))
    for (const filter of [
      { ids: [event.id.slice(0, 9)] },
      { authors: [event.pubkey], limit: 1 },
      { '#t': ['agents', 'x'], limit: 1 },
      { pubkey_prefixes: [event.pubkey.slice(0, 32)], since: event.createdAt.toString() },
    ]) {
      expect((await peer.ask({ type: 'subscribe', sub_id: 's', filters: [filter] })).type).toBe('subscribed')
      expect((await peer.hearJson()).event).toMatchObject({ event_id: event.id })
      expect((await peer.hearJson()).type).toBe('eose')
    }
    expect((await peer.ask({ type: 'subscribe', sub_id: 's', filters: [{ search: 'x' }] })).code).toBe(
      'unsupported',
    )
  })
})

describe('handshakes', () => {
  test('no hello is needed: each message is answered in its own form', async () => {
    const peer = await connect()
    expect((await peer.ask(publish(sign()))).type).toBe('ack')
    peer.sayBytes(encodeEnvelope(publish(sign())))
    expect(openEnvelope(await peer.hear()).message.type).toBe('ack')
    peer.sayBytes(Buffer.from(publish(sign())))
    expect((await peer.hearJson()).type).toBe('ack')
  })

  test('a hello in an envelope gets its welcome there, with and without the type field, and the format it offers', async () => {
    for (const formats of [['flatbuffers', 'json'], ['json']]) {
      const peer = await connect()
      const envelope = encodeEnvelope(JSON.stringify({ type: 'hello', version: 9, formats }))
      peer.sayBytes(envelope)
      const { type, message } = openEnvelope(await peer.hear())
      expect(type).toBe(1)
      expect(message).toMatchObject({ type: 'welcome', version: 1, format: formats[0] })
    }
    const peer = await connect()
    peer.sayBytes(withoutType(encodeEnvelope('{"type":"hello","version":1,"formats":["flatbuffers"]}')))
    expect(openEnvelope(await peer.hear()).message.type).toBe('welcome')
  })

  test('a text hello that offers flatbuffers alone gets a JSON text welcome that says so', async () => {
    const peer = await connect()
    expect(await peer.ask({ type: 'hello', version: 1, formats: ['flatbuffers'] })).toMatchObject({
      type: 'welcome',
      format: 'flatbuffers',
    })
    peer.say(publish(sign()))
    expect(openEnvelope(await peer.hear()).message.type).toBe('ack')
  })

  test('missing or malformed formats mean json', async () => {
    for (const formats of [undefined, null, 'json', 7, [1, 2]]) {
      const peer = await connect()
      expect((await peer.ask({ type: 'hello', version: 1, formats })).format).toBe('json')
    }
  })

  test('an envelope that names another type than its message is refused, and so is an empty frame', async () => {
    const peer = await connect()
    const envelope = Buffer.from(encodeEnvelope('{"type":"publish","event":{}}'))
    envelope[20] = 3
    for (const bytes of [envelope, Buffer.alloc(0), Buffer.from('rubbish'), Buffer.alloc(64, 0xff)]) {
      peer.sayBytes(bytes)
      expect(openEnvelope(await peer.hear()).message).toMatchObject({
        type: 'error',
        code: 'invalid_message',
      })
    }
  })

  test('a header x-session-ticket is accepted and ignored', async () => {
    const peer = await RawPeer.connect(relay.port, { headers: ['x-session-ticket: abc'] })
    expect((await peer.ask(LEGACY_HELLO)).type).toBe('welcome')
  })
})

/** The envelope as the reference encoders write it: the type field left out when it is 0. */
function withoutType(envelope: Uint8Array): Uint8Array {
  const bytes = Buffer.from(envelope)
  bytes.writeUInt16LE(0, 4 + 4)
  return bytes
}
