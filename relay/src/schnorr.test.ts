/** BIP-340 as published, and the speed of none of it: what counts here is the verdict (spec 9.3). */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { schnorr } from './schnorr.js'

interface Case {
  readonly index: number
  readonly note: string
  readonly public_key: string
  readonly message: string
  readonly signature: string
  readonly valid: boolean
}

const file = readFileSync(new URL('../../test/vectors/nostr/bip340.json', import.meta.url), 'utf8')
const { cases } = JSON.parse(file) as { cases: readonly Case[] }
const bytes = (hex: string) => Buffer.from(hex, 'hex')

describe('the vectors of BIP-340', () => {
  // A Nostr id has 32 bytes; the library takes no other message, and neither do we.
  const [ids, others] = [true, false].map((isId) =>
    cases.filter(({ message }) => (message.length === 64) === isId),
  )

  test.each(ids!)('$index: $note', ({ public_key, message, signature, valid }) => {
    expect(schnorr(bytes(signature), bytes(message), bytes(public_key))).toBe(valid)
  })

  test('have 15 with a message of 32 bytes; all others are refused', () => {
    expect(ids).toHaveLength(15)
    for (const { public_key, message, signature } of others!)
      expect(schnorr(bytes(signature), bytes(message), bytes(public_key))).toBe(false)
  })
})

test('one flipped bit anywhere makes a signature wrong', () => {
  const { public_key, message, signature } = cases[0]!
  for (const [at, field] of [signature, message, public_key].entries())
    for (let bit = 0; bit < field.length * 4; bit += 7) {
      const parts = [bytes(signature), bytes(message), bytes(public_key)] as const
      parts[at]![bit >> 3]! ^= 1 << (bit & 7)
      expect(schnorr(...parts)).toBe(false)
    }
})
