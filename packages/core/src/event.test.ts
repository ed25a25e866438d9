import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ed25519Sign as nodeSign, ed25519Verify as nodeVerify } from './ed25519-node.js'
import { ed25519PublicKey, ed25519Sign as pureSign, ed25519Verify as pureVerify } from './ed25519-pure.js'
import { type Event, type Tag, VerifiedEvent, verify } from './event.js'
import { readEvent, writeEvent } from './event-json.js'
import { fromHex, toHex } from './hex.js'
import { canonicalBytes, eventId } from './id.js'
import { isJsonObject, type JsonValue, parseJson } from './json.js'
import { kindClass } from './kind.js'
import { canonicalSize, checkLimits, DEFAULT_LIMITS } from './limits.js'
import { generateSecretKey, publicKeyOf, signEvent } from './sign.js'

interface VectorCase {
  name: string
  note: string
  event?: Record<string, unknown>
  event_json?: string
  canonical?: Record<string, unknown>
  canonical_hex?: string
  class?: string
  seed?: string
  code?: string
  error?: string
  policy?: { max_size?: number }
}
const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/events.json', import.meta.url), 'utf8'),
) as {
  tag_bytes: { note: string; tags: Tag[]; hex: string }[]
  valid: VectorCase[]
  tolerated: VectorCase[]
  invalid: VectorCase[]
}

/** Codes that a clock or a relay's policy decides: they are judged where those are (the relay's own vector test). */
const RELAY_CODES = ['kind_out_of_range', 'created_at_out_of_window', 'expired', 'pow_required']

const textOf = (vector: VectorCase) => vector.event_json ?? JSON.stringify(vector.event)

function json(text: string): JsonValue {
  const parsed = parseJson(text)
  if (!parsed.ok) throw new Error(parsed.detail)
  return parsed.value
}

/** Read, limits, id with double repair, signature: the part of spec 3.1 that needs no clock and no policy. */
function judge(vector: VectorCase) {
  const read = readEvent(json(textOf(vector)), { base64: true })
  if (!read.ok) return read
  const limits = {
    ...DEFAULT_LIMITS,
    maxSize: vector.policy?.max_size ?? DEFAULT_LIMITS.maxSize,
  }
  const limit = checkLimits(read.event, limits)
  if (limit) return limit
  const verdict = verify(read.event)
  if (verdict.ok || verdict.code !== 'id_mismatch' || read.rounded === undefined) return verdict
  return verify({ ...read.event, createdAt: read.rounded })
}

describe('vectors', () => {
  test.each(vectors.tag_bytes)('tag bytes: $note', ({ tags, hex }) => {
    const empty = {
      pubkey: '00'.repeat(32),
      createdAt: 0n,
      kind: 0,
      content: new Uint8Array(),
    }
    expect(toHex(canonicalBytes({ ...empty, tags })).slice(84)).toBe(hex)
  })

  test.each(vectors.valid)('valid: $name', (vector) => {
    const verdict = judge(vector)
    if (!verdict.ok) throw new Error(`${verdict.code} ${verdict.detail}`)
    expect(toHex(canonicalBytes(verdict.event))).toBe(vector.canonical_hex)
    expect(json(writeEvent(verdict.event, { base64: true })!)).toEqual(
      json(JSON.stringify(vector.event).replace(/"created_at":"(\d+)"/, '"created_at":$1')),
    )
    if (vector.class) expect(kindClass(verdict.event.kind)).toBe(vector.class)
    if (vector.seed) expect(signEvent(verdict.event, fromHex(vector.seed)).sig).toBe(verdict.event.sig)
  })

  test.each(vectors.tolerated)('tolerated: $name', (vector) => {
    const verdict = judge(vector)
    if (!verdict.ok) throw new Error(`${verdict.code} ${verdict.detail}`)
    const canonical = JSON.stringify(vector.canonical).replace(/"created_at":"(\d+)"/, '"created_at":$1')
    expect(json(writeEvent(verdict.event)!)).toEqual(json(canonical))
  })

  test.each(vectors.invalid.filter(({ code }) => !RELAY_CODES.includes(code!)))(
    'invalid: $name is $code',
    (vector) => {
      expect(judge(vector)).toMatchObject({
        ok: false,
        code: vector.code,
        error: vector.error,
      })
    },
  )

  test('the size of the too-large vector is the one its note gives', () => {
    const vector = vectors.invalid.find(({ name }) => name === 'too-large')!
    const read = readEvent(json(textOf(vector)))
    expect(read.ok && canonicalSize(read.event)).toBe(241)
  })

  test.each(vectors.invalid.filter(({ code }) => code === 'invalid_signature'))(
    'both Ed25519 backends refuse $name',
    ({ event }) => {
      const args = [event!.sig, event!.event_id, event!.pubkey].map((hex) => fromHex(hex as string)) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ]
      expect(nodeVerify(...args)).toBe(false)
      expect(pureVerify(...args)).toBe(false)
    },
  )
})

describe('signing', () => {
  test('both backends make the same keys and signatures and take each other’s', () => {
    for (let i = 0; i < 20; i++) {
      const secret = generateSecretKey()
      const message = generateSecretKey()
      const publicKey = ed25519PublicKey(secret)
      expect(toHex(publicKey)).toBe(publicKeyOf(secret))
      const signature = nodeSign(message, secret)
      expect(toHex(pureSign(message, secret))).toBe(toHex(signature))
      expect(pureVerify(signature, message, publicKey)).toBe(true)
      const broken = signature.slice()
      broken[i] = broken[i]! ^ 1
      expect(pureVerify(broken, message, publicKey)).toBe(nodeVerify(broken, message, publicKey))
    }
  })

  test('lengths that are off are a plain false', () => {
    expect(nodeVerify(new Uint8Array(63), new Uint8Array(32), new Uint8Array(32))).toBe(false)
    expect(pureVerify(new Uint8Array(64), new Uint8Array(32), new Uint8Array(31))).toBe(false)
  })
})

describe('a VerifiedEvent', () => {
  const event = signEvent({ kind: 1, content: 'hello', createdAt: 1n }, generateSecretKey())

  test('is made by verify only, and neither a spread nor a cast passes for one', () => {
    const verdict = verify(event)
    if (!verdict.ok) throw new Error(verdict.code)
    expect(VerifiedEvent.is(verdict.event)).toBe(true)
    expect(verdict.event.text).toBe('hello')
    expect(VerifiedEvent.is({ ...verdict.event, content: new Uint8Array([1]) })).toBe(false)
    expect(() => new VerifiedEvent(event, Symbol() as never)).toThrow(TypeError)
  })

  test('is judged anew when a copy was changed', () => {
    expect(verify({ ...event, content: new Uint8Array([1]) })).toMatchObject({
      ok: false,
      code: 'id_mismatch',
    })
    expect(verify({ ...event, sig: '00'.repeat(64) })).toMatchObject({
      ok: false,
      code: 'invalid_signature',
    })
    expect(verify({ ...event, kind: 70000 })).toMatchObject({
      ok: false,
      code: 'invalid_event',
    })
  })
})

const tag: fc.Arbitrary<Tag> = fc
  .tuple(
    fc.stringMatching(/^[!-~]{1,32}$/),
    fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 4 }),
  )
  .map(([key, values]) => [key, ...values])

test('reading what was written gives the same event, text or bytes', () => {
  const key = generateSecretKey()
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 0xffff }),
      fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }),
      fc.array(tag, { maxLength: 5 }),
      fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array()),
      (kind, createdAt, tags, content) => {
        const event: Event = signEvent({ kind, createdAt, tags, content }, key)
        const read = readEvent(json(writeEvent(event, { base64: true })!), {
          base64: true,
        })
        expect(read).toMatchObject({
          ok: true,
          event: { ...event, content: new Uint8Array(event.content) },
        })
        expect(eventId(event)).toBe(event.id)
        expect(canonicalSize(event)).toBe(canonicalBytes(event).length + 96)
      },
    ),
    { numRuns: 200 },
  )
})

test('binary content is not written for a peer without base64', () => {
  const event = signEvent({ kind: 1, createdAt: 1n, content: new Uint8Array([0xff]) }, generateSecretKey())
  expect(writeEvent(event)).toBeUndefined()
})

test('content_encoding from a peer without the feature is an unknown field', () => {
  const event = signEvent({ kind: 1, createdAt: 1n, content: 'aGk=' }, generateSecretKey())
  const parsed = json(writeEvent(event)!)
  if (!isJsonObject(parsed)) throw new Error('not an object')
  const read = readEvent({ ...parsed, content_encoding: 'base64' })
  expect(read.ok && new TextDecoder().decode(read.event.content)).toBe('aGk=')
})

test.each([
  ['kind', 1.5, 'kind must be int'],
  ['kind', -1, 'kind must be uint16'],
  ['kind', 65536, 'kind must be uint16'],
  ['created_at', ' 1 ', 'created_at must be int'],
  ['created_at', '١', 'created_at must be int'],
  ['created_at', null, 'created_at must be int'],
  ['created_at', '18446744073709551616', 'created_at must be uint64'],
  ['pubkey', 7, 'pubkey must be bytes or hex string'],
  ['sig', 'abc', 'sig must be hex'],
  ['tags', 'x', 'tags must be a list'],
  ['tags', ['x'], 'Unsupported tag format'],
  ['tags', [{ key: 1 }], 'Tag key must be a string'],
  ['tags', [{ key: 'a', values: 'b' }], 'Tag values must be a list'],
  ['tags', [['a'.repeat(256)]], 'tag key exceeds uint8 length'],
  ['tags', [['a', 'x'.repeat(65536)]], 'tag value exceeds uint16 length'],
  ['content', 5, 'content must be bytes or string'],
])('%s of %j is invalid_event: %s', (field, value, error) => {
  const event = signEvent({ kind: 1, createdAt: 1n }, generateSecretKey())
  const parsed = JSON.parse(writeEvent(event)!) as Record<string, unknown>
  const read = readEvent(json(JSON.stringify({ ...parsed, [field]: value })))
  expect(read).toMatchObject({ ok: false, code: 'invalid_event', error })
})
