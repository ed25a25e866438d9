import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from './hex.js'
import { NoiseXX, type NoiseXXOptions, noiseXXPrologue } from './noise-xx.js'
import { exchangeKeys, randomBytes } from './x25519.js'

interface Vector {
  source: string
  init_prologue: string
  init_static: string
  init_ephemeral: string
  resp_prologue: string
  resp_static: string
  resp_ephemeral: string
  handshake_hash?: string
  messages: { payload: string; ciphertext: string }[]
}

const { vectors } = JSON.parse(
  readFileSync(new URL('../../../test/vectors/noise-xx.json', import.meta.url), 'utf8'),
) as { vectors: Vector[] }

describe('Noise XX against published vectors', () => {
  it.each(vectors)('speaks every message of $source, both ways', (vector) => {
    const client = new NoiseXX({
      role: 'client',
      staticSecret: fromHex(vector.init_static),
      prologue: fromHex(vector.init_prologue),
      ephemeralSecret: fromHex(vector.init_ephemeral),
    })
    const relay = new NoiseXX({
      role: 'relay',
      staticSecret: fromHex(vector.resp_static),
      prologue: fromHex(vector.resp_prologue),
      ephemeralSecret: fromHex(vector.resp_ephemeral),
    })
    vector.messages.forEach(({ payload, ciphertext }, i) => {
      const [from, to] = i % 2 === 0 ? [client, relay] : [relay, client]
      if (i < 3) {
        expect(toHex(from.write(fromHex(payload)))).toBe(ciphertext)
        expect(to.read(fromHex(ciphertext))).toEqual({ ok: true, payload: fromHex(payload) })
      } else {
        expect(toHex(from.transport!.sealMessage(fromHex(payload)))).toBe(ciphertext)
        expect(to.transport!.openMessage(fromHex(ciphertext))).toEqual({ ok: true, plain: fromHex(payload) })
      }
    })
    const hash = vector.handshake_hash ?? client.transport!.handshakeHash
    expect(client.transport!.handshakeHash).toBe(hash)
    expect(relay.transport!.handshakeHash).toBe(hash)
    expect(relay.transport!.peerPublicKey).toBe(exchangeKeys(fromHex(vector.init_static)).publicKey)
    expect(client.transport!.peerPublicKey).toBe(exchangeKeys(fromHex(vector.resp_static)).publicKey)
  })
})

const PROLOGUE = noiseXXPrologue('{"type":"hello"}', '{"type":"welcome"}')
const RELAY_STATIC = randomBytes(32)

function pair(client: Partial<NoiseXXOptions> = {}, relay: Partial<NoiseXXOptions> = {}): [NoiseXX, NoiseXX] {
  return [
    new NoiseXX({ role: 'client', staticSecret: randomBytes(32), prologue: PROLOGUE, ...client }),
    new NoiseXX({ role: 'relay', staticSecret: RELAY_STATIC, prologue: PROLOGUE, ...relay }),
  ]
}

describe('Noise XX handshake', () => {
  it('builds the prologue from hello and welcome as sent, each after its u32 length', () => {
    expect(toHex(noiseXXPrologue('a', new Uint8Array(258)))).toBe(
      `${toHex(new TextEncoder().encode('aether-noise-xx-1'))}0000000161${'00000102'}${'00'.repeat(258)}`,
    )
  })

  it('knows whose turn it is and throws TypeError out of turn', () => {
    const [client, relay] = pair()
    expect([client.writes, relay.writes]).toEqual([true, false])
    expect(() => relay.write()).toThrow(TypeError)
    relay.read(client.write())
    expect([client.writes, relay.writes]).toEqual([false, true])
    client.read(relay.write())
    relay.read(client.write())
    expect([client.writes, relay.writes]).toEqual([false, false])
    expect(() => client.write()).toThrow(TypeError)
  })

  it.each([
    ['hello', noiseXXPrologue('{"type":"hello","x":1}', '{"type":"welcome"}')],
    ['welcome', noiseXXPrologue('{"type":"hello"}', '{"type":"welcome","x":1}')],
    ['boundary between the two', noiseXXPrologue('{"type":"hello"}{', '"type":"welcome"}')],
  ])('breaks with noise_error when the %s was tampered with', (_what, prologue) => {
    const [client, relay] = pair({}, { prologue })
    relay.read(client.write())
    expect(client.read(relay.write())).toMatchObject({ ok: false, code: 'noise_error' })
    expect(client.transport).toBeUndefined()
  })

  it('accepts the pinned relay and refuses any other with noise_error', () => {
    for (const [expectedPeer, ok] of [
      [exchangeKeys(RELAY_STATIC).publicKey.toUpperCase(), true],
      [exchangeKeys().publicKey, false],
    ] as const) {
      const [client, relay] = pair({ expectedPeer })
      relay.read(client.write())
      expect(client.read(relay.write())).toMatchObject(ok ? { ok } : { ok, code: 'noise_error' })
    }
  })

  it('refuses every single flipped bit of messages 2 and 3 with noise_error', () => {
    for (let at = 0; at < 96; at += 5) {
      const [client, relay] = pair()
      relay.read(client.write())
      const second = relay.write()
      second[at]! ^= 1
      expect(client.read(second)).toMatchObject({ code: 'noise_error' })
    }
    for (let at = 0; at < 64; at += 5) {
      const [client, relay] = pair()
      relay.read(client.write())
      client.read(relay.write())
      const third = client.write()
      third[at]! ^= 1
      expect(relay.read(third)).toMatchObject({ code: 'noise_error' })
      expect(relay.transport).toBeUndefined()
    }
  })

  it.each([0, 31, 65_536])('refuses a first message of %i bytes with noise_error', (length) => {
    expect(pair()[1].read(new Uint8Array(length).fill(9))).toMatchObject({ code: 'noise_error' })
  })

  it('refuses an ephemeral key of small order with noise_error', () => {
    expect(pair()[1].read(new Uint8Array(32))).toMatchObject({ code: 'noise_error' })
  })

  it('is dead after a refusal', () => {
    const [client, relay] = pair()
    relay.read(new Uint8Array(3))
    expect(relay.read(client.write())).toMatchObject({ code: 'noise_error' })
    expect(() => relay.write()).toThrow(TypeError)
  })

  it('refuses a message that comes when it is our turn with noise_error', () => {
    const [client] = pair()
    expect(client.read(new Uint8Array(32).fill(9))).toMatchObject({ code: 'noise_error' })
  })

  it('throws for options that are no keys and for a payload that does not fit', () => {
    expect(() => pair({ staticSecret: new Uint8Array(31) })).toThrow(TypeError)
    expect(() => pair({ expectedPeer: 'zz' })).toThrow(TypeError)
    expect(() => pair()[0].write(new Uint8Array(65_440))).toThrow(RangeError)
  })
})
