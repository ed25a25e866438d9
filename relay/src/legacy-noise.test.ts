/** Legacy noise with a relay (spec 8.1), in the form the reference SDKs speak it. */
import { exchangeKeys } from '@aetherkit/core'
import { createRelay, type Relay } from '@aetherkit/relay'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jsonOf, LEGACY_HELLO, NoisyPeer } from '../test/noisy-peer.js'
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

describe('legacy noise', () => {
  test('works again after a reconnect, with fresh keys', async () => {
    for (let round = 0; round < 2; round++) {
      const noisy = await NoisyPeer.connect(relay.port)
      noisy.say(JSON.stringify(subscribe))
      expect((await noisy.hear()).type).toBe('subscribed')
      noisy.say(publish(sign()))
      expect([(await noisy.hear()).type, (await noisy.hear()).type]).toEqual(['ack', 'event'])
      await noisy.peer.close()
    }
  })

  test('takes raw and hex payloads in envelopes from a flatbuffers session', async () => {
    const noisy = await NoisyPeer.connect(relay.port, true)
    noisy.say(JSON.stringify(subscribe))
    expect((await noisy.hear()).type).toBe('subscribed')
    noisy.say(publish(sign()))
    expect([(await noisy.hear()).type, (await noisy.hear()).type]).toEqual(['ack', 'event'])
  })

  test('refuses a replayed frame and goes on', async () => {
    const noisy = await NoisyPeer.connect(relay.port)
    const frame = noisy.seal(JSON.stringify(subscribe))
    noisy.peer.say(frame)
    expect((await noisy.hear()).type).toBe('subscribed')
    noisy.peer.say(frame)
    expect(await noisy.hear()).toMatchObject({ code: 'noise_error', error: 'noise replay' })
    noisy.peer.say('{"type":"noise"}')
    expect(await noisy.hear()).toMatchObject({ code: 'noise_error', error: 'noise payload missing' })
    noisy.peer.say('{"type":"noise","payload_hex":"00"}')
    expect(await noisy.hear()).toMatchObject({ code: 'noise_error', error: 'noise payload too short' })
    noisy.say(JSON.stringify(subscribe))
    expect((await noisy.hear()).type).toBe('subscribed')
  })

  test('a failed hello does not count: the next one may do better, and errors before noise echo nothing', async () => {
    const peer = await connect()
    const hello = { ...LEGACY_HELLO, noise: { required: true, pubkey: 'SECRET-INPUT' } }
    peer.say(hello)
    const refusal = (await peer.hear()).payload.toString()
    expect(jsonOf(Buffer.from(refusal))).toMatchObject({
      code: 'noise_error',
      error: 'noise pubkey required',
    })
    expect(refusal).not.toContain('SECRET')
    const small = { ...LEGACY_HELLO, noise: { required: true, pubkey: '00'.repeat(32) } }
    expect((await peer.ask(small)).code).toBe('noise_error')
    expect(
      (await peer.ask({ ...LEGACY_HELLO, noise: { required: true, pubkey: exchangeKeys().publicKey } })).type,
    ).toBe('welcome')
  })

  test('a later hello inside noise changes features and keeps the keys; aether.v2 is not given beside it', async () => {
    const noisy = await NoisyPeer.connect(relay.port)
    noisy.say(JSON.stringify({ ...LEGACY_HELLO, features: ['base64'] }))
    expect(await noisy.hear()).toMatchObject({ type: 'welcome', format: 'json', noise: { required: true } })
    const peer = await connect()
    const hello = { type: 'hello', version: 1, formats: ['aether.v2', 'json'] }
    const noise = { required: true, pubkey: exchangeKeys().publicKey }
    expect(await peer.ask({ ...hello, noise })).toMatchObject({ format: 'json', noise: { required: true } })
  })
})
