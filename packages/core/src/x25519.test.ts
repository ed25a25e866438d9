import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from './hex.js'
import { exchangeKeys, randomBytes, sharedSecret } from './x25519.js'

/** RFC 7748, section 6.1. */
const ALICE = '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'
const ALICE_PUBLIC = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'
const BOB = '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'
const BOB_PUBLIC = 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'
const SHARED = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'

describe('X25519', () => {
  it('agrees with the example of RFC 7748', () => {
    expect(exchangeKeys(fromHex(ALICE)).publicKey).toBe(ALICE_PUBLIC)
    expect(exchangeKeys(fromHex(BOB)).publicKey).toBe(BOB_PUBLIC)
    expect(toHex(sharedSecret(fromHex(ALICE), fromHex(BOB_PUBLIC))!)).toBe(SHARED)
    expect(toHex(sharedSecret(fromHex(BOB), fromHex(ALICE_PUBLIC))!)).toBe(SHARED)
  })

  it('makes a new key pair each time', () => {
    expect(exchangeKeys().publicKey).not.toBe(exchangeKeys().publicKey)
    expect(randomBytes(7)).toHaveLength(7)
  })

  it('shares nothing with a point of small order nor with bytes of a wrong length', () => {
    for (const key of ['00'.repeat(32), `01${'00'.repeat(31)}`, '11'.repeat(31), '11'.repeat(33), ''])
      expect(sharedSecret(fromHex(ALICE), fromHex(key))).toBeUndefined()
  })

  it('throws TypeError for a secret of ours that is not 32 bytes', () => {
    expect(() => exchangeKeys(new Uint8Array(33))).toThrow(TypeError)
    expect(() => sharedSecret(new Uint8Array(31), fromHex(BOB_PUBLIC))).toThrow(TypeError)
  })
})
