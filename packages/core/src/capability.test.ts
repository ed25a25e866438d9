import { describe, expect, it } from 'vitest'
import { readCaveats, readToken, signToken, tokenId, verifyToken } from './capability.js'
import { fromHex, toHex } from './hex.js'
import { isJsonObject, type JsonValue, parseJson, writeJson } from './json.js'
import { generateSecretKey, publicKeyOf } from './sign.js'

const issuerSecret = generateSecretKey()
const subject = publicKeyOf(generateSecretKey())
const token = signToken({
  issuerSecret,
  subject,
  capability: 'dök:*',
  caveats: { notAfter: 1_750_000_000_000_000_001n, maxUses: 3n },
})

function parsed(text: string): JsonValue {
  const json = parseJson(text)
  if (!json.ok) throw new Error(json.detail)
  return json.value
}

describe('a capability token', () => {
  it('carries the public key of its issuer and verifies', () => {
    expect(token.issuer).toBe(publicKeyOf(issuerSecret))
    expect(JSON.stringify(token)).not.toContain(toHex(issuerSecret))
    expect(verifyToken(token)).toBe(true)
  })

  it('writes caveats as strings of digits', () => {
    expect(token.caveats).toEqual({ not_after: '1750000000000000001', max_uses: '3' })
    expect(readCaveats(token.caveats)).toEqual({
      ok: true,
      caveats: { notAfter: 1_750_000_000_000_000_001n, maxUses: 3n },
    })
  })

  it('survives JSON with the same id', () => {
    const read = readToken(parsed(writeJson(token)))
    expect(read.ok && verifyToken(read.token)).toBe(true)
    expect(read.ok && tokenId(read.token)).toBe(tokenId(token))
  })

  it('is read with upper-case hex, and its id stays the same', () => {
    const upper = { ...token, issuer: token.issuer.toUpperCase(), sig: token.sig.toUpperCase() }
    const read = readToken(parsed(writeJson(upper)))
    expect(read.ok && tokenId(read.token)).toBe(tokenId(token))
  })

  it('is refused with invalid_message when its issuer is a secret of ours, without showing it', () => {
    const leaking = { ...token, issuer: toHex(issuerSecret) }
    const read = readToken(parsed(writeJson(leaking)), { secrets: [generateSecretKey(), issuerSecret] })
    expect(read).toMatchObject({
      ok: false,
      code: 'invalid_message',
      detail: 'capability token: issuer is a secret key',
    })
    expect(JSON.stringify(read)).not.toContain(toHex(issuerSecret))
    expect(readToken(parsed(writeJson(token)), { secrets: [issuerSecret] }).ok).toBe(true)
  })

  it('does not verify with a signature or an issuer of somebody else', () => {
    expect(verifyToken({ ...token, sig: '00'.repeat(64) })).toBe(false)
    expect(verifyToken({ ...token, issuer: subject })).toBe(false)
    expect(verifyToken({ ...token, subject: token.issuer })).toBe(false)
    expect(fromHex(token.sig)).toHaveLength(64)
  })

  it.each([
    'null',
    '7',
    '"token"',
    '[]',
    '{}',
    '{"issuer":"zz"}',
    withMember('issuer', '"00"'),
    withMember('issuer', '7'),
    withMember('subject', `" ${'1'.repeat(63)}"`),
    withMember('sig', `"${'0'.repeat(127)}"`),
    withMember('capability', '""'),
    withMember('capability', '["read"]'),
    withMember('capability', '"\\ud800"'),
    withMember('caveats', 'null'),
    withMember('caveats', '[]'),
    withMember('caveats', '{"max_uses":1,"max_uses":2}'),
    withMember('caveats', '{"x":{"a":1,"a":2}}'),
    `${writeJson(token).slice(0, -1)},"issuer":"${token.issuer}"}`,
  ])('is refused with invalid_message: %s', (text) => {
    expect(readToken(parsed(text))).toMatchObject({ ok: false, code: 'invalid_message' })
  })

  it('cannot be signed with bad arguments', () => {
    const good = { issuerSecret, subject, capability: 'read' }
    expect(() => signToken({ ...good, issuerSecret: new Uint8Array(31) })).toThrow(TypeError)
    expect(() => signToken({ ...good, subject: 'zz' })).toThrow(TypeError)
    expect(() => signToken({ ...good, capability: '' })).toThrow(TypeError)
    expect(() => signToken({ ...good, capability: '\ud800' })).toThrow(TypeError)
    expect(() => signToken({ ...good, caveats: { maxUses: -1n } })).toThrow(RangeError)
    expect(() => signToken({ ...good, caveats: { notAfter: 2n ** 64n } })).toThrow(RangeError)
  })
})

describe('caveats', () => {
  it('fail closed with restricted when one is unknown, names of Object.prototype included', () => {
    for (const name of ['ip', 'constructor', '__proto__', 'toString']) {
      const caveats = parsed(`{"${name}":1}`)
      expect(isJsonObject(caveats) && readCaveats(caveats)).toMatchObject({
        ok: false,
        code: 'restricted',
        error: 'capability not granted',
      })
    }
  })
})

function withMember(name: string, literal: string): string {
  const members = Object.entries(token).map(
    ([member, value]) => `"${member}":${member === name ? literal : writeJson(value)}`,
  )
  return `{${members.join(',')}}`
}
