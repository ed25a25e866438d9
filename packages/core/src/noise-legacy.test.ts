import { createCipheriv, createPrivateKey, createPublicKey, diffieHellman, hkdfSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from './hex.js'
import { parseJson } from './json.js'
import { LegacyNoise, readNoiseFrame, readNoisePayload, writeNoiseFrame } from './noise-legacy.js'
import { exchangeKeys } from './x25519.js'

// Keys and payloads made with OpenSSL through Python's package cryptography, which the reference SDK uses, and with HKDF
// written out from HMAC; none of our code took part.
const CLIENT = 'dffbfbd158c77f56099c5949c8ac1831a47564412ec5da0467398d2e4d2f5dd1'
const CLIENT_PUBLIC = '612122fb194fb2702265202f39fe29f2492a2dd883b3bb35cc89209e81c6470b'
const RELAY = '5ddddc2fd72b7694f9d3d464d7ebcf480b2a37b7e17aed1a0cd98f24da7acc0c'
const RELAY_PUBLIC = '74793c9ae1f20aa33839a3037c416d50b5de05c6ff544811c509cb0556c4c303'
const KNOWN = {
  client0: [
    '00000000000000009ba3dfffb1722b82f5a8c6de67e19d684d2c5059eddbaf9c8d5123b3fd8e3e',
    '{"type":"ping"}',
  ],
  client1: ['0000000000000001f021df2816595b0b73c1b0aa30e74a5a', ''],
  client7: ['00000000000000078da3d896ccab6a8b1db1c78d77e8e3799254ad', 'gap'],
  clientLast: ['000fffffffffffff94c268be7d42c2881116f59b98291eb1addb5060', 'last'],
  relay0: ['0010000000000000aa1eb82416401e240b3b972696204e96d74b91dca597a91ec119c287c903', '{"type":"ack"}'],
  relay1: ['0010000000000001b0cdf2644869014b6e2b6dafa593718571', 'x'],
} as const satisfies Record<string, readonly [payload: string, plain: string]>

function session(role: 'client' | 'relay'): LegacyNoise {
  const [secret, peerPublicKey] = role === 'client' ? [CLIENT, RELAY_PUBLIC] : [RELAY, CLIENT_PUBLIC]
  const created = LegacyNoise.create({ role, secretKey: fromHex(secret), peerPublicKey })
  if (!created.ok) throw new Error(created.error)
  return created.noise
}

function opened(noise: LegacyNoise, payload: string): string {
  const result = noise.open(fromHex(payload))
  return result.ok ? new TextDecoder().decode(result.plain) : `${result.code}: ${result.error}`
}

const bytes = (text: string) => new TextEncoder().encode(text)

describe('legacy noise against known bytes', () => {
  it('derives the public keys', () => {
    expect(exchangeKeys(fromHex(CLIENT)).publicKey).toBe(CLIENT_PUBLIC)
    expect(exchangeKeys(fromHex(RELAY)).publicKey).toBe(RELAY_PUBLIC)
  })

  it('writes as a client what the reference would write, counting from 0', () => {
    const client = session('client')
    expect(toHex(client.seal(bytes(KNOWN.client0[1])))).toBe(KNOWN.client0[0])
    expect(toHex(client.seal(bytes(KNOWN.client1[1])))).toBe(KNOWN.client1[0])
  })

  it('writes as a relay with counters from 2^52', () => {
    const relay = session('relay')
    expect(toHex(relay.seal(bytes(KNOWN.relay0[1])))).toBe(KNOWN.relay0[0])
    expect(toHex(relay.seal(bytes(KNOWN.relay1[1])))).toBe(KNOWN.relay1[0])
  })

  it('reads a legacy client, gaps in its counters included, up to 2^52 - 1', () => {
    const relay = session('relay')
    for (const [payload, plain] of [KNOWN.client0, KNOWN.client1, KNOWN.client7, KNOWN.clientLast])
      expect(opened(relay, payload)).toBe(plain)
  })

  it('reads what node:crypto sealed', () => {
    const der = (prefix: string, key: string) => Buffer.from(prefix + key, 'hex')
    const shared = diffieHellman({
      privateKey: createPrivateKey({
        key: der('302e020100300506032b656e04220420', CLIENT),
        format: 'der',
        type: 'pkcs8',
      }),
      publicKey: createPublicKey({
        key: der('302a300506032b656e032100', RELAY_PUBLIC),
        format: 'der',
        type: 'spki',
      }),
    })
    const key = new Uint8Array(hkdfSync('sha256', shared, new Uint8Array(), 'aether-noise', 32))
    const nonce = Buffer.from('000000000000000000000003', 'hex')
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
    const body = Buffer.concat([cipher.update('hello'), cipher.final(), cipher.getAuthTag()])
    expect(opened(session('relay'), nonce.subarray(4).toString('hex') + body.toString('hex'))).toBe('hello')
  })
})

describe('legacy noise against hostile peers', () => {
  it('refuses a replayed payload with noise replay', () => {
    const relay = session('relay')
    opened(relay, KNOWN.client0[0])
    expect(opened(relay, KNOWN.client0[0])).toBe('noise_error: noise replay')
  })

  it('refuses a falling counter with noise replay', () => {
    const relay = session('relay')
    opened(relay, KNOWN.client7[0])
    expect(opened(relay, KNOWN.client1[0])).toBe('noise_error: noise replay')
  })

  it('refuses a client counter of 2^52 and more', () => {
    expect(opened(session('relay'), KNOWN.relay0[0])).toBe('noise_error: noise replay')
  })

  it('refuses as a client a relay that counts from 0, whose nonces meet ours', () => {
    expect(opened(session('client'), KNOWN.client0[0])).toBe('noise_error: noise replay')
    expect(opened(session('client'), KNOWN.relay0[0])).toBe('{"type":"ack"}')
  })

  it('refuses a payload with a wrong tag and does not count it', () => {
    const relay = session('relay')
    expect(opened(relay, `${KNOWN.client0[0].slice(0, -2)}00`)).toBe('noise_error: noise expected')
    expect(opened(relay, KNOWN.client0[0])).toBe('{"type":"ping"}')
  })

  it.each(['', '00', '0000000000000000', `0000000000000000${'00'.repeat(15)}`])(
    'refuses %j with noise payload too short',
    (payload) => {
      expect(opened(session('relay'), payload)).toBe('noise_error: noise payload too short')
    },
  )

  it.each([
    ['u = 0', '00'.repeat(32)],
    ['u = 1', `01${'00'.repeat(31)}`],
    ['order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
    ['order 8, the other', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
    ['p - 1', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['p', 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['p + 1', 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ])('refuses a peer key of small order with noise_error: %s', (_name, peerPublicKey) => {
    const created = LegacyNoise.create({ role: 'relay', secretKey: fromHex(RELAY), peerPublicKey })
    expect(created).toMatchObject({ ok: false, code: 'noise_error', error: 'noise pubkey required' })
  })

  it.each([
    undefined,
    null,
    7,
    '',
    'zz'.repeat(32),
    '00'.repeat(31),
    ` ${'11'.repeat(32)}`,
    ['11'.repeat(32)],
  ])('refuses a peer key that is not 32 bytes of hex with noise_error: %j', (peerPublicKey) => {
    const created = LegacyNoise.create({ role: 'relay', secretKey: fromHex(RELAY), peerPublicKey })
    expect(created).toMatchObject({ ok: false, code: 'noise_error', error: 'noise pubkey required' })
  })

  it('throws TypeError for a secret of ours that is not 32 bytes', () => {
    const options = { role: 'relay', secretKey: new Uint8Array(31), peerPublicKey: CLIENT_PUBLIC } as const
    expect(() => LegacyNoise.create(options)).toThrow(TypeError)
  })
})

describe('legacy noise frames', () => {
  it('carry the payload as hex in JSON', () => {
    const frame = writeNoiseFrame(Uint8Array.of(0, 255))
    expect(frame).toBe('{"type":"noise","payload_hex":"00ff"}')
    expect(readNoisePayload(bytes(frame))).toEqual({ ok: true, payload: Uint8Array.of(0, 255) })
  })

  it('may be raw bytes inside an envelope', () => {
    expect(readNoisePayload(Uint8Array.of(0, 1, 2))).toEqual({ ok: true, payload: Uint8Array.of(0, 1, 2) })
  })

  it.each(['{"type":"publish"}', '[]', '7', '{"payload_hex":"00"}'])(
    'are refused with noise expected when clear: %s',
    (text) => {
      const json = parseJson(text)
      expect(json.ok && readNoiseFrame(json.value)).toMatchObject({
        code: 'noise_error',
        error: 'noise expected',
      })
    },
  )

  it.each([
    '{"type":"noise"}',
    '{"type":"noise","payload_hex":7}',
    '{"type":"noise","payload_hex":"0"}',
    '{"type":"noise","payload_hex":"zz"}',
    '{"type":"noise","payload_hex":""}',
    '{"type":',
  ])('are refused with noise payload missing: %s', (text) => {
    expect(readNoisePayload(bytes(text))).toMatchObject({
      code: 'noise_error',
      error: 'noise payload missing',
    })
  })

  it('are refused with noise payload missing when they are no UTF-8', () => {
    expect(readNoisePayload(Uint8Array.of(0x7b, 0xff))).toMatchObject({ code: 'noise_error' })
  })
})
