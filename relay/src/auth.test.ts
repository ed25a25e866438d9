/** Authentication on the native surface (spec 4.1, 8.2). */
import {
  decodeEnvelope,
  decodeFrame,
  type Event,
  encodeEnvelope,
  encodeFrame,
  exchangeKeys,
  type Frame,
  generateSecretKey,
  isJsonObject,
  type JsonObject,
  NoiseXX,
  noiseXXPrologue,
  parseJson,
} from '@aetherkit/core'
import { describe, expect, test } from 'vitest'
import { auth, clock, hello, keys, login, proof, sign } from '../test/login.js'
import { RawPeer } from '../test/raw-peer.js'
import { publishing as publish } from '../test/signing.js'
import { startRelay as start } from '../test/start-relay.js'

describe('the challenge', () => {
  test('comes after the welcome to who listed the feature, and to nobody else', async () => {
    const relay = await start()
    const [asking, silent] = [await RawPeer.connect(relay.port), await RawPeer.connect(relay.port)]
    const welcome = await asking.ask(hello('json'))
    expect(welcome).toMatchObject({ type: 'welcome', features: expect.arrayContaining(['auth']) })
    expect(await asking.hearJson()).toEqual({
      type: 'auth',
      challenge: expect.stringMatching(/^[0-9a-f]{32}$/),
    })
    await silent.ask({ type: 'hello', version: 1, formats: ['json'] })
    expect((await silent.ask({ type: 'unsubscribe', sub_id: 'a' })).type).toBe('unsubscribed')
  })

  test('comes before a refusal that asks for it', async () => {
    const relay = await start({ auth: { write: [{ allow: 'author' }] } })
    const peer = await RawPeer.connect(relay.port)
    const event = sign(1)
    const { type, challenge } = await peer.ask(publish(event))
    expect(type).toBe('auth')
    expect(await peer.hearJson()).toMatchObject({ code: 'auth_required', event_id: event.id })
    const answer = proof(relay, challenge)
    expect(await peer.ask(auth(answer))).toEqual({ type: 'ack', event_id: answer.id, status: 'forwarded' })
    expect((await peer.ask(publish(event))).status).toBe('stored')
    expect((await peer.ask(publish(sign(1, [], keys[1])))).code).toBe('restricted')
  })

  test('is answered in aether.v2 frames too', async () => {
    const relay = await start({ auth: { write: [{ allow: 'author' }] } })
    const peer = await RawPeer.connect(relay.port, { protocol: 'aether.v2' })
    const ask = async (frame: Frame) => {
      peer.sayBytes(encodeFrame(frame))
      return hearFrame(peer)
    }
    expect((await ask({ type: 'hello', version: 1, features: ['auth'] })).type).toBe('welcome')
    const frame = await hearFrame(peer)
    const challenge = frame.type === 'authChallenge' ? frame.challenge : ''
    expect(await ask({ type: 'publish', event: sign(1) })).toMatchObject({ type: 'rejected', code: 30 })
    expect(await ask({ type: 'auth', event: proof(relay, challenge) })).toMatchObject({
      type: 'accepted',
      status: 'forwarded',
    })
    expect(await ask({ type: 'publish', event: sign(1) })).toMatchObject({
      type: 'accepted',
      status: 'stored',
    })
  })

  test('travels in an envelope to who listed the feature', async () => {
    const relay = await start()
    const peer = await RawPeer.connect(relay.port)
    peer.sayBytes(encodeEnvelope(JSON.stringify(hello('flatbuffers'))))
    expect((await hearEnvelope(peer)).type).toBe('welcome')
    const { challenge } = await hearEnvelope(peer)
    peer.sayBytes(encodeEnvelope(auth(proof(relay, challenge))))
    expect((await hearEnvelope(peer)).type).toBe('ack')
  })

  test('inside noise-xx is answered with the handshake hash, and with no other', async () => {
    const relay = await start()
    const peer = await RawPeer.connect(relay.port)
    const text = JSON.stringify({
      ...{ type: 'hello', version: 1, formats: ['json'], features: ['noise-xx', 'auth'] },
      noise: { required: true },
    })
    peer.say(text)
    const welcome = (await peer.hear()).payload.toString()
    const handshake = new NoiseXX({
      ...{ role: 'client', staticSecret: exchangeKeys().secretKey },
      prologue: noiseXXPrologue(text, welcome),
    })
    peer.sayBytes(handshake.write())
    expect(handshake.read((await peer.hear()).payload).ok).toBe(true)
    peer.sayBytes(handshake.write())
    const { transport } = handshake
    const say = (message: string) => {
      for (const piece of transport?.seal(Buffer.from(message)) ?? []) peer.sayBytes(piece)
    }
    const hear = async (): Promise<Record<string, unknown>> => {
      const opened = transport?.open((await peer.hear()).payload)
      return JSON.parse(opened?.ok ? Buffer.from(opened.frame ?? []).toString() : '{}')
    }
    say('{"type":"unsubscribe","sub_id":"a"}')
    const { type, challenge } = await hear()
    expect(type).toBe('auth')
    expect((await hear()).type).toBe('unsubscribed')
    say(auth(proof(relay, challenge)))
    expect((await hear()).code).toBe('auth_required')
    say(auth(proof(relay, challenge, keys[0], [['binding', 'ab'.repeat(32)]])))
    expect((await hear()).code).toBe('auth_required')
    say(auth(proof(relay, challenge, keys[0], [['binding', transport?.handshakeHash ?? '']])))
    expect((await hear()).type).toBe('ack')
  })

  test('is good for one connection, one relay, ten minutes and one kind', async () => {
    let now = clock()
    const relay = await start({ now: () => now })
    const peer = await RawPeer.connect(relay.port)
    await peer.ask(hello('json'))
    const { challenge } = await peer.hearJson()
    const other = await RawPeer.connect(relay.port)
    await other.ask(hello('json'))
    const { challenge: another } = await other.hearJson()
    const at = String(challenge)
    const good = proof(relay, challenge)
    const bad: [Event, string][] = [
      [proof(relay, another), 'auth_required'],
      [sign(22242, [['relay', relay.url]]), 'auth_required'],
      [sign(22242, [['challenge', at]]), 'auth_required'],
      [
        sign(22242, [
          ['relay', 'ws://relay.example'],
          ['challenge', at],
        ]),
        'auth_required',
      ],
      [
        sign(22241, [
          ['relay', relay.url],
          ['challenge', at],
        ]),
        'kind_unsupported',
      ],
      [{ ...good, sig: 'ab'.repeat(64) }, 'invalid_signature'],
      [{ ...good, content: Buffer.from('y') }, 'id_mismatch'],
    ]
    for (const [event, code] of bad)
      expect(await peer.ask(auth(event))).toMatchObject({ type: 'error', code, event_id: event.id })
    now += 700_000_000_000n
    expect(await peer.ask(auth(good))).toMatchObject({ code: 'created_at_out_of_window' })
    now -= 1400_000_000_000n
    expect(await peer.ask(auth(good))).toMatchObject({ code: 'created_at_out_of_window' })
    now += 700_000_000_000n
    expect(await peer.ask(auth(good))).toMatchObject({ type: 'ack' })
    expect(await peer.ask(publish(proof(relay, challenge)))).toMatchObject({ code: 'kind_unsupported' })
  })

  test('is answered for 16 keys at most', async () => {
    const relay = await start()
    const peer = await login(relay)
    const unproven = await RawPeer.connect(relay.port)
    await unproven.ask(hello('json'))
    const { challenge } = await unproven.hearJson()
    for (let i = 0; i < 16; i++)
      expect((await unproven.ask(auth(proof(relay, challenge, generateSecretKey())))).type).toBe('ack')
    expect(await unproven.ask(auth(proof(relay, challenge)))).toMatchObject({ code: 'limit_exceeded' })
    await peer.close()
  })
})

async function hearFrame(peer: RawPeer): Promise<Frame> {
  const decoded = decodeFrame((await peer.hear()).payload)
  if (!decoded.ok) throw new Error(decoded.error)
  return decoded.frame
}

async function hearEnvelope(peer: RawPeer): Promise<JsonObject> {
  const opened = decodeEnvelope((await peer.hear()).payload)
  const parsed = opened.ok ? parseJson(opened.json) : opened
  if (!parsed.ok || !isJsonObject(parsed.value)) throw new Error('an envelope expected')
  return parsed.value
}
