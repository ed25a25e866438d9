import { describe, expect, it } from 'vitest'
import { readPublicKey, readSecretKey, writePublicKey, writeSecretKey } from './keys.js'

const BYTES = Uint8Array.from({ length: 32 }, (_, i) => i)
const HEX = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
// Written out by hand from BIP 173 (a few lines of Python), not by the library in use here.
const AESEC = 'aesec1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sscv9rc'
const AEPUB = 'aepub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0suw8y9d'
const NSEC = 'nsec1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0s8zu3a4'
const NPUB = 'npub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0st5hsmq'

describe('keys as text', () => {
  it('are written as aesec and aepub', () => {
    expect(writeSecretKey(BYTES)).toBe(AESEC)
    expect(writePublicKey(HEX)).toBe(AEPUB)
  })

  it('are written as nsec and npub behind the switch only', () => {
    expect(writeSecretKey(BYTES, { legacyPrefix: true })).toBe(NSEC)
    expect(writePublicKey(HEX, { legacyPrefix: true })).toBe(NPUB)
  })

  it.each([
    [AESEC, 'aether'],
    [NSEC, 'legacy'],
    [HEX, 'hex'],
    [HEX.toUpperCase(), 'hex'],
    [AESEC.toUpperCase(), 'aether'],
  ])('are read as a secret key: %s', (text, family) => {
    expect(readSecretKey(text)).toEqual({ ok: true, secretKey: BYTES, family })
  })

  it.each([
    [AEPUB, 'aether'],
    [NPUB, 'legacy'],
    [HEX, 'hex'],
  ])('are read as a public key: %s', (text, family) => {
    expect(readPublicKey(text)).toEqual({ ok: true, publicKey: HEX, family })
  })

  it.each([AESEC, NSEC])(
    'refuse with invalid_message a secret key as a public one, without repeating it',
    (text) => {
      const read = readPublicKey(text)
      expect(read).toMatchObject({
        ok: false,
        code: 'invalid_message',
        detail: 'key not readable: a secret key where a public key belongs',
      })
      expect(JSON.stringify(read)).not.toContain(text.slice(5, 20))
    },
  )

  it.each([AEPUB, NPUB])('refuse with invalid_message a public key as a secret one: %s', (text) => {
    expect(readSecretKey(text)).toMatchObject({
      code: 'invalid_message',
      detail: 'key not readable: a public key where a secret key belongs',
    })
  })

  it.each([
    ['nothing', ''],
    ['no hex', 'zz'.repeat(32)],
    ['31 bytes of hex', HEX.slice(2)],
    ['33 bytes of hex', `${HEX}20`],
    ['hex with a blank', ` ${HEX.slice(1)}`],
    ['hex with 0x', `0x${HEX}`],
    ['a wrong checksum', `${AEPUB.slice(0, -1)}q`],
    ['bech32m', 'aepub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sfjhgq0'],
    ['mixed case', `${AEPUB.slice(0, 20)}${AEPUB.slice(20).toUpperCase()}`],
    ['a strange prefix', 'lnbc1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0s79mhax'],
    ['a payload of 31 bytes', 'aepub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarca9r4pd'],
    ['a payload of 33 bytes', 'aepub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sq2c2hg4'],
    ['an empty payload', 'aepub1lfr8tw'],
    ['padding bits that are not zero', 'aepub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc03pcn3cl'],
    ['a blank behind it', `${AEPUB} `],
    ['a megabyte', 'a'.repeat(1_000_000)],
  ])('refuse with invalid_message: %s', (_what, text) => {
    expect(readPublicKey(text)).toMatchObject({ ok: false, code: 'invalid_message' })
    expect(readSecretKey(text)).toMatchObject({ ok: false, code: 'invalid_message' })
  })

  it('throw TypeError when asked to write anything but 32 bytes', () => {
    expect(() => writeSecretKey(new Uint8Array(31))).toThrow(TypeError)
    expect(() => writePublicKey(HEX.slice(2))).toThrow(TypeError)
    expect(() => writePublicKey('zz'.repeat(32))).toThrow(TypeError)
  })
})
