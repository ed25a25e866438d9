/** Every wire form gives back what was put in (spec 4, 5), and equal values have equal bytes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Event, Tag } from '../event.js'
import { type Filter, matches } from '../filter.js'
import { randomEvent, randomFilter, seededRandom } from '../testing.js'
import { decodeFrame } from './decode-frame.js'
import { encodeFrame } from './encode-frame.js'
import { decodeEnvelope, encodeEnvelope, envelopeType } from './envelope.js'
import { decodeEvent, encodeEvent } from './event-buffer.js'
import type { Frame } from './frame.js'
import { encodeDeliver, STATUSES } from './frame-buffer.js'
import type { ClientMessage, RelayMessage } from './message.js'
import { readMessage } from './read-message.js'
import { readRelayMessage } from './read-relay-message.js'
import { writeMessage } from './write-message.js'

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => Buffer.from(value).toString('hex'))
const text = fc.string({ unit: 'grapheme', maxLength: 90 })
const tagKey = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 })
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const u16 = fc.integer({ min: 0, max: 0xffff })
const status = fc.constantFrom(...STATUSES)
const code = fc.constantFrom('invalid_event', 'rate_limited', 'internal')

const tag = fc.tuple(tagKey, fc.array(text, { maxLength: 4 })).map(([key, values]): Tag => [key, ...values])
const eventOf = (content: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Event> =>
  fc.record({
    id: hex(32),
    pubkey: hex(32),
    createdAt: u64,
    kind: u16,
    tags: fc.array(tag, { maxLength: 6 }),
    content,
    sig: hex(64),
  })
const event = eventOf(fc.uint8Array({ maxLength: 500 }).map((bytes) => new Uint8Array(bytes)))
const textEvent = eventOf(text.map((value) => new TextEncoder().encode(value)))

const prefix = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 1, maxLength: 64 })
const tagFilter = fc.record({ key: text, any: fc.array(text, { maxLength: 3 }) })
const filter = fc.record(
  {
    ids: fc.array(prefix, { maxLength: 3 }),
    authors: fc.array(prefix, { maxLength: 3 }),
    kinds: fc.array(u16, { maxLength: 3 }),
    tags: fc.uniqueArray(tagFilter, { minLength: 1, maxLength: 3, selector: (entry) => entry.key }),
    pairs: fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 }),
    since: u64,
    until: u64,
    limit: u32,
    replay: fc.constant(true),
  },
  { requiredKeys: [] },
) satisfies fc.Arbitrary<Filter>
/** Beside pairs a list for the tag key `''` has no JSON form. */
const jsonFilter = filter.filter(
  ({ tags, pairs }) => pairs === undefined || (tags ?? []).every(({ key }) => key !== ''),
)

const optional = <Fields extends object>(fields: { [Name in keyof Fields]: fc.Arbitrary<Fields[Name]> }) =>
  fc.record(fields, { requiredKeys: [] })

const seqs = fc.array(u64, { maxLength: 5 })
const positive = fc.integer({ min: 1, max: 2 ** 32 - 1 })
const mailboxName = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/)
const place = { pubkey: hex(32), name: mailboxName }
const from = fc.constantFrom('start' as const, 'now' as const)
const terms = { ackTimeoutMs: positive, maxUnacked: positive }

const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ type: fc.constant('hello' as const), version: u32, features: fc.array(text) }),
  fc.record({
    type: fc.constant('welcome' as const),
    version: u32,
    features: fc.array(text),
    maxFrame: u32,
    epoch: text,
  }),
  fc.record({ type: fc.constant('publish' as const), event }),
  fc.record({ type: fc.constant('accepted' as const), id: hex(32), status, seq: u64 }),
  fc
    .tuple(
      fc.record({ type: fc.constant('rejected' as const), code: u16, message: text }),
      optional({ id: hex(32), retryAfterMs: fc.integer({ min: 1, max: 2 ** 32 - 1 }) }),
    )
    .map(([a, b]) => ({ ...a, ...b })),
  fc
    .tuple(
      fc.record({ type: fc.constant('subscribe' as const), sub: u32, filters: fc.array(filter) }),
      optional({ after: text }),
    )
    .map(([a, b]) => ({ ...a, ...b })),
  fc.record({ type: fc.constant('subscribed' as const), sub: u32, gap: fc.boolean() }),
  fc.record({ type: fc.constant('unsubscribe' as const), sub: u32 }),
  fc
    .tuple(
      fc.record({
        type: fc.constant('deliver' as const),
        subs: fc.array(u32, { maxLength: 5 }),
        seq: u64,
        stored: fc.boolean(),
        event,
      }),
      optional({ deliveries: fc.integer({ min: 1, max: 0xffff }) }),
    )
    .map(([a, b]) => ({ ...a, ...b })),
  fc
    .tuple(
      fc.record({ type: fc.constant('mailbox' as const), sub: u32, ...place, from }),
      optional({ filters: fc.array(filter, { maxLength: 3 }), ...terms }),
    )
    .map(([a, b]) => ({ ...a, ...b })),
  fc.record({
    type: fc.constantFrom('mailbox_ack' as const, 'mailbox_acked' as const, 'mailbox_nack' as const),
    sub: u32,
    seqs,
  }),
  fc.record({ type: fc.constant('mailbox_nack' as const), sub: u32, seqs, delayMs: positive }),
  fc.record({ type: fc.constant('mailbox_delete' as const), sub: u32, ...place }),
  fc.record({ type: fc.constant('mailbox_deleted' as const), sub: u32 }),
  fc
    .tuple(fc.record({ type: fc.constant('end' as const), sub: u32 }), optional({ cursor: text }))
    .map(([a, b]) => ({ ...a, ...b })),
  fc.record({ type: fc.constant('closed' as const), sub: u32, code: u16, message: text }),
  fc.record({ type: fc.constant('authChallenge' as const), challenge: text }),
  fc.record({ type: fc.constant('auth' as const), event }),
)

const subId = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 })
const required = fc.boolean()

const clientMessage: fc.Arbitrary<ClientMessage> = fc.oneof(
  fc.record({
    type: fc.constant('hello' as const),
    version: fc.integer({ min: 1, max: 9 }),
    formats: fc.array(text, { minLength: 1 }),
    noise: fc.oneof(fc.record({ required }), fc.record({ required, pubkey: hex(32) })),
    features: fc.array(text),
  }),
  fc.record({ type: fc.constantFrom('publish' as const, 'auth' as const), event: textEvent }),
  fc
    .tuple(
      fc.record({ type: fc.constant('subscribe' as const), subId, filters: fc.array(jsonFilter) }),
      optional({ after: text }),
    )
    .map(([a, b]) => ({ ...a, ...b })),
  fc.record({ type: fc.constant('unsubscribe' as const), subId }),
  fc.record({ type: fc.constant('noise' as const), payload: fc.uint8Array() }),
  fc
    .tuple(
      fc.record({ type: fc.constant('mailbox' as const), subId, ...place, from }),
      optional({ filters: fc.array(jsonFilter, { maxLength: 3 }), ...terms }),
    )
    .map(([a, b]) => ({ ...a, ...b })),
  fc.record({ type: fc.constantFrom('mailbox_ack' as const, 'mailbox_nack' as const), subId, seqs }),
  fc.record({ type: fc.constant('mailbox_nack' as const), subId, seqs, delayMs: u32 }),
  fc.record({ type: fc.constant('mailbox_delete' as const), subId, ...place }),
)

const relayMessage: fc.Arbitrary<RelayMessage> = fc.oneof(
  fc
    .tuple(
      fc.record({
        type: fc.constant('welcome' as const),
        version: fc.integer({ min: 1, max: 9 }),
        format: text,
        noise: fc.oneof(
          fc.record({ required, pubkey: hex(32) }),
          fc.record({ required, pattern: text }),
          fc.record({ required }),
        ),
        features: fc.array(text),
      }),
      optional({ epoch: text, limits: fc.dictionary(tagKey, u32, { noNullPrototype: true }) }),
    )
    .map(([a, b]) => ({ ...a, ...b })),
  fc.record({ type: fc.constant('subscribed' as const), subId, gap: fc.boolean() }),
  fc.record({
    type: fc.constantFrom('unsubscribed' as const, 'eose' as const, 'mailbox_deleted' as const),
    subId,
  }),
  fc.record({ type: fc.constant('mailbox_acked' as const), subId, seqs }),
  fc
    .tuple(
      fc.record({
        type: fc.constant('event' as const),
        subId,
        event: textEvent,
        seq: u64,
        stored: fc.boolean(),
      }),
      optional({ deliveries: positive }),
    )
    .map(([a, b]) => ({ ...a, ...b })),
  optional({ eventId: hex(32), status, seq: u64, cursor: text }).map((fields) => ({
    type: 'ack' as const,
    ...fields,
  })),
  fc
    .tuple(
      fc.record({ type: fc.constant('error' as const), error: text }),
      optional({ message: text, code, detail: text, eventId: hex(32), subId, retryAfterMs: u32 }),
    )
    .map(([a, b]) => ({ ...a, ...b })),
  fc.record({ type: fc.constant('noise' as const), payload: fc.uint8Array() }),
  fc
    .tuple(fc.record({ type: fc.constant('closed' as const), subId, error: text }), optional({ code }))
    .map(([a, b]) => ({ ...a, ...b })),
  fc.record({ type: fc.constant('auth' as const), challenge: text }),
  fc.record({ type: fc.constant('notice' as const), message: text }),
)

describe('binary frames', () => {
  it('give back every event, and encode what was decoded to the same bytes', () => {
    fc.assert(
      fc.property(event, (value) => {
        const bytes = encodeEvent(value)
        const read = decodeEvent(bytes)
        expect(read).toEqual({ ok: true, event: value })
        if (read.ok) expect(encodeEvent(read.event)).toEqual(bytes)
      }),
    )
  })

  it('give back every frame, and encode what was decoded to the same bytes', () => {
    fc.assert(
      fc.property(frame, (value) => {
        const bytes = encodeFrame(value)
        const read = decodeFrame(bytes)
        expect(read).toEqual({ ok: true, frame: value })
        if (read.ok) expect(encodeFrame(read.frame)).toEqual(bytes)
      }),
      { numRuns: 400 },
    )
  })

  it('read the same at any place of a larger buffer, for alignment is not assumed', () => {
    fc.assert(
      fc.property(frame, fc.integer({ min: 1, max: 9 }), (value, shift) => {
        const bytes = encodeFrame(value)
        const larger = new Uint8Array(bytes.length + 16).fill(0xff)
        larger.set(bytes, shift)
        const read = decodeFrame(larger.subarray(shift, shift + bytes.length))
        expect(read).toEqual({ ok: true, frame: value })
      }),
    )
  })

  it('are the same whether a delivery is made of an event or of its bytes', () => {
    fc.assert(
      fc.property(event, fc.array(u32, { maxLength: 5 }), u64, fc.boolean(), (value, subs, seq, stored) => {
        const frame = encodeFrame({ type: 'deliver', subs, seq, stored, event: value })
        expect(encodeDeliver({ subs, seq, stored }, encodeEvent(value))).toEqual(frame)
      }),
    )
  })

  it('keep the meaning of a filter that has public key prefixes, which the schema has not', () => {
    const random = seededRandom(20250616)
    const events = Array.from({ length: 60 }, () => randomEvent(random))
    for (let round = 0; round < 300; round++) {
      const asked = { ...randomFilter(random, events), pubkeyPrefixes: ['0'.repeat(32), 'f'.repeat(32)] }
      const read = decodeFrame(encodeFrame({ type: 'subscribe', sub: 1, filters: [asked] }))
      if (!read.ok || read.frame.type !== 'subscribe') throw new Error('subscribe expected')
      const [got] = read.frame.filters
      for (const one of events) expect(got && matches(got, one)).toBe(matches(asked, one))
    }
  })
})

describe('native messages', () => {
  it('give back what a client says, alone and in an envelope', () => {
    fc.assert(
      fc.property(clientMessage, (message) => {
        const json = writeMessage(message)
        const read = readMessage(json)
        expect(withoutRounded(read)).toEqual({ ok: true, message })
        const opened = decodeEnvelope(encodeEnvelope(json))
        expect(opened).toEqual({ ok: true, json, type: envelopeType(message.type) })
        if (opened.ok) expect(readMessage(opened.json, { envelope: opened.type })).toEqual(read)
      }),
      { numRuns: 300 },
    )
  })

  it('give back what a relay says, alone and in an envelope', () => {
    fc.assert(
      fc.property(relayMessage, (message) => {
        const json = writeMessage(message)
        const read = readRelayMessage(json)
        expect(read).toEqual({ ok: true, message })
        const opened = decodeEnvelope(encodeEnvelope(json))
        if (!opened.ok) throw new Error(opened.error)
        expect(readRelayMessage(opened.json, { envelope: opened.type })).toEqual(read)
      }),
      { numRuns: 300 },
    )
  })

  it('carry binary content to and from peers with base64', () => {
    fc.assert(
      fc.property(event, (value) => {
        const json = writeMessage({ type: 'publish', event: value }, { base64: true })
        expect(withoutRounded(readMessage(json, { base64: true }))).toEqual({
          ok: true,
          message: { type: 'publish', event: value },
        })
      }),
    )
  })

  it('agree with binary frames on which events have the right shape', () => {
    const odd = fc.string({ unit: fc.constantFrom('a', '\u0000', '\u007f', '\u001f', ' ', 'ä', '') })
    fc.assert(
      fc.property(textEvent, odd, (value, key) => {
        const shaped: Event = { ...value, tags: [[key, 'x']] }
        const json = readMessage(writeMessage({ type: 'publish', event: shaped }))
        const binary = attempt(() => decodeFrame(encodeFrame({ type: 'publish', event: shaped })).ok)
        expect(binary).toBe(json.ok)
      }),
    )
  })
})

function withoutRounded(read: ReturnType<typeof readMessage>): unknown {
  if (!read.ok || !('rounded' in read.message)) return read
  const { rounded: _, ...message } = read.message
  return { ok: true, message }
}

/** The encoder throws where the reader of the other form refuses. */
function attempt(make: () => boolean): boolean {
  try {
    return make()
  } catch {
    return false
  }
}
