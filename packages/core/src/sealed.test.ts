import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from './hex.js'
import { open, seal, sealedLength } from './sealed.js'
import { generateSecretKey, publicKeyOf } from './sign.js'

interface Vectors {
  valid: {
    note: string
    sender_seed: string
    sender: string
    recipient_seed: string
    recipient: string
    ephemeral_secret: string
    plain: string
    sealed: string
  }[]
  invalid: { note: string; recipient_seed: string; sender: string; sealed: string }[]
  invalid_recipients: { note: string; recipient: string }[]
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/sealed.json', import.meta.url), 'utf8'),
) as Vectors

describe('sealed content against vectors of another implementation', () => {
  it.each(vectors.valid)('seals to the very same bytes: $note', (vector) => {
    const sealed = seal(fromHex(vector.plain), {
      senderSecret: fromHex(vector.sender_seed),
      recipient: vector.recipient,
      random: () => fromHex(vector.ephemeral_secret),
    })
    expect(toHex(sealed)).toBe(vector.sealed)
    expect(sealed.length).toBe(sealedLength(vector.plain.length / 2))
  })

  it.each(vectors.valid)('opens to the plaintext: $note', (vector) => {
    const opened = open(fromHex(vector.sealed), {
      recipientSecret: fromHex(vector.recipient_seed),
      sender: vector.sender,
    })
    expect(opened.ok && toHex(opened.plain)).toBe(vector.plain)
  })

  it.each(vectors.invalid)('refuses with invalid_message: $note', (vector) => {
    const opened = open(fromHex(vector.sealed), {
      recipientSecret: fromHex(vector.recipient_seed),
      sender: vector.sender,
    })
    expect(opened).toMatchObject({
      ok: false,
      code: 'invalid_message',
      detail: 'sealed content does not open',
    })
  })

  it.each(vectors.invalid_recipients)('does not seal to a key nobody can own: $note', ({ recipient }) => {
    expect(() => seal(new Uint8Array(1), { senderSecret: generateSecretKey(), recipient })).toThrow(TypeError)
  })
})

describe('sealed content', () => {
  const sender = generateSecretKey()
  const recipient = generateSecretKey()
  const toRecipient = { senderSecret: sender, recipient: publicKeyOf(recipient) }
  const fromSender = { recipientSecret: recipient, sender: publicKeyOf(sender) }

  it('round-trips any plaintext', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), (plain) => {
        expect(open(seal(plain, toRecipient), fromSender)).toEqual({ ok: true, plain })
      }),
      { numRuns: 40 },
    )
  })

  it('refuses every change of every byte with invalid_message', () => {
    const sealed = seal(Uint8Array.of(1, 2, 3), toRecipient)
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const tampered = sealed.slice()
        tampered[at]! ^= change
        expect(open(tampered, fromSender)).toMatchObject({ ok: false, code: 'invalid_message' })
      }),
      { numRuns: 100 },
    )
  })

  it('gives different bytes each time', () => {
    expect(seal(new Uint8Array(), toRecipient)).not.toEqual(seal(new Uint8Array(), toRecipient))
  })

  it('hides which of two lengths in one bucket was sealed', () => {
    expect(seal(new Uint8Array(0), toRecipient).length).toBe(seal(new Uint8Array(124), toRecipient).length)
    expect(sealedLength(124)).toBeLessThan(sealedLength(125))
  })

  it('never adds more than a quarter above the smallest bucket', () => {
    for (let length = 125; length < 5000; length++)
      expect((sealedLength(length) - 49) / (length + 4)).toBeLessThan(1.25)
  })

  it('does not let the sender open it again', () => {
    const sealed = seal(Uint8Array.of(7), toRecipient)
    const opened = open(sealed, { recipientSecret: sender, sender: publicKeyOf(sender) })
    expect(opened).toMatchObject({ ok: false, code: 'invalid_message' })
  })

  it('refuses with invalid_message a sender that is no hex', () => {
    const sealed = seal(Uint8Array.of(7), toRecipient)
    expect(open(sealed, { recipientSecret: recipient, sender: 'zz' })).toMatchObject({
      code: 'invalid_message',
    })
  })

  it('throws TypeError for a seed of the wrong length', () => {
    const short = new Uint8Array(31)
    expect(() => seal(short, { ...toRecipient, senderSecret: short })).toThrow(TypeError)
    expect(() => open(short, { ...fromSender, recipientSecret: short })).toThrow(TypeError)
  })
})
