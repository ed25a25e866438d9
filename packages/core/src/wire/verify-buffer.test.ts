/** The ten points of spec 5.4 one by one, then everything at random: a result or a Reject, never a throw or a hang. */
import { describe, expect, it } from 'vitest'
import { REJECTS } from '../codes.js'
import type { Event } from '../event.js'
import { seededRandom } from '../testing.js'
import { decodeFrame } from './decode-frame.js'
import { encodeFrame } from './encode-frame.js'
import { decodeBinary, decodeEnvelope, encodeEnvelope } from './envelope.js'
import { decodeEvent, encodeEvent } from './event-buffer.js'

const EVENT: Event = {
  id: 'ab'.repeat(32),
  pubkey: 'cd'.repeat(32),
  createdAt: 1_760_000_000_123_456_789n,
  kind: 1,
  tags: [['t', 'one', 'two'], ['d']],
  content: new TextEncoder().encode('hello'),
  sig: '12'.repeat(64),
}
const FRAMES = [
  encodeFrame({ type: 'hello', version: 2, features: ['base64', 'eose'] }),
  encodeFrame({ type: 'welcome', version: 2, features: [], maxFrame: 1_048_576, epoch: 'abcdefghijklmnop' }),
  encodeFrame({ type: 'publish', event: EVENT }),
  encodeFrame({ type: 'accepted', id: EVENT.id, status: 'stored', seq: 9n }),
  encodeFrame({ type: 'rejected', id: EVENT.id, code: 17, message: 'rate limit exceeded', retryAfterMs: 9 }),
  encodeFrame({
    type: 'subscribe',
    sub: 4,
    filters: [
      { ids: ['ab'], kinds: [1, 2], tags: [{ key: 't', any: ['x', 'y'] }], since: 1n, limit: 3 },
      { authors: [], pairs: [['t', 'x']] },
    ],
    after: 'abcdefghijklmnop-12',
  }),
  encodeFrame({ type: 'deliver', subs: [1, 2, 3], seq: 9n, stored: true, event: EVENT }),
  encodeFrame({ type: 'end', sub: 4, cursor: 'abcdefghijklmnop-12' }),
  encodeFrame({ type: 'closed', sub: 4, code: 53, message: 'slow consumer' }),
  encodeFrame({ type: 'authChallenge', challenge: 'abc' }),
  encodeFrame({ type: 'deliver', subs: [1], seq: 9n, stored: true, deliveries: 3, event: EVENT }),
  encodeFrame({
    ...{
      type: 'mailbox',
      sub: 4,
      pubkey: EVENT.pubkey,
      name: 'work',
      from: 'now',
      ackTimeoutMs: 9,
      maxUnacked: 8,
    },
    filters: [{ kinds: [1], tags: [{ key: 't', any: ['x'] }] }],
  }),
  encodeFrame({ type: 'mailbox_ack', sub: 4, seqs: [1n, 2n ** 64n - 1n] }),
  encodeFrame({ type: 'mailbox_nack', sub: 4, seqs: [7n], delayMs: 9 }),
  encodeFrame({ type: 'mailbox_delete', sub: 4, pubkey: EVENT.pubkey, name: 'work' }),
  encodeFrame({ type: 'mailbox_acked', sub: 4, seqs: [1n] }),
  encodeFrame({ type: 'mailbox_deleted', sub: 4 }),
]
const ENVELOPE = encodeEnvelope('{"type":"publish","event":{"kind":1}}')
const DECODERS = [decodeFrame, decodeEvent, decodeEnvelope, decodeBinary]

/** A copy with one little-endian number changed. */
function patched(bytes: Uint8Array, at: number, value: number, size: 1 | 2 | 4 = 4): Uint8Array {
  const copy = new Uint8Array(bytes)
  const view = new DataView(copy.buffer)
  if (size === 1) view.setUint8(at, value)
  else if (size === 2) view.setUint16(at, value, true)
  else view.setUint32(at, value, true)
  return copy
}

describe('the bounds of an event buffer', () => {
  const bytes = encodeEvent(EVENT)
  const at = (offset: number, value: number, size: 1 | 2 | 4 = 4) => patched(bytes, offset, value, size)
  const tooLong = new Uint8Array(1024 * 1024 + 1)
  tooLong.set(bytes)

  it.each([
    ['1 shorter than 12 bytes', bytes.subarray(0, 11), 'buffer of less than 12 bytes'],
    ['1 empty', new Uint8Array(0), 'buffer of less than 12 bytes'],
    ['1 longer than a frame', tooLong, 'buffer of more than 1048576 bytes'],
    ['1 of another schema', at(4, 0x32524641), 'file identifier is not AEV2'],
    ['2 root below 8', at(0, 4), 'root outside the buffer'],
    ['2 root outside', at(0, bytes.length - 3), 'root outside the buffer'],
    ['2 root of 2^32 - 1', at(0, 0xffffffff), 'root outside the buffer'],
    ['3 vtable before the buffer', at(28, 29), 'vtable outside the buffer'],
    ['3 vtable behind the buffer', at(28, 0x80000000), 'vtable outside the buffer'],
    ['3 odd vtable', at(10, 17, 2), 'vtable of a wrong size'],
    ['3 vtable below 4', at(10, 2, 2), 'vtable of a wrong size'],
    ['3 vtable outside', at(10, 0xfffe, 2), 'vtable of a wrong size'],
    ['3 table below 4', at(12, 3, 2), 'table outside the buffer'],
    ['3 table outside', at(12, 0xffff, 2), 'table outside the buffer'],
    ['4 struct outside its table', at(14, 119, 2), 'field 0 outside its table'],
    ['4 scalar outside its table', at(18, 143, 2), 'field 2 outside its table'],
    ['4 id missing', at(14, 0, 2), 'required field 0 is missing'],
    ['4 signature missing', at(26, 0, 2), 'required field 6 is missing'],
    ['5 offset of 0', at(40, 0), 'offset outside the buffer'],
    ['5 offset outside', at(40, bytes.length - 43), 'offset outside the buffer'],
    ['5 offset of 2^32 - 1', at(44, 0xffffffff), 'offset outside the buffer'],
    ['6 content outside', at(bytes.length - 9, 6), 'vector outside the buffer'],
    ['6 count of 2^32 - 1', at(188, 0xffffffff), 'vector outside the buffer'],
    ['6 count of 2^30, whose size wraps', at(188, 0x40000000), 'vector outside the buffer'],
    ['7 string outside', at(212, 0xfffffff0), 'string outside the buffer'],
    ['7 string without its zero', at(217, 1, 1), 'string without a terminating zero'],
    ['8 tag outside', at(192, 0x7fffffff), 'offset outside the buffer'],
  ])('hold for point %s', (_, hostile, detail) => {
    expect(decodeEvent(hostile)).toEqual({
      ok: false,
      code: 'invalid_message',
      error: REJECTS.invalid_message.error,
      detail,
    })
  })
})

describe('the bounds of a frame', () => {
  const publish = encodeFrame({ type: 'publish', event: EVENT })

  it.each([
    ['9 union of type NONE', patched(publish, 24, 0, 1), 'invalid_message'],
    ['9 union of an unknown type', patched(publish, 24, 20, 1), 'unsupported'],
    ['9 union without a body', patched(publish, 14, 0, 2), 'invalid_message'],
    ['9 union of another type than its body', patched(publish, 24, 4, 1), 'invalid_message'],
    ['10 nested event of another schema', patched(publish, 52, 0x32524641), 'invalid_message'],
    ['10 nested event of a broken root', patched(publish, 48, 0xfff0), 'invalid_message'],
    ['10 nested event missing', patched(publish, 32, 0, 2), 'invalid_message'],
    ['10 nested event cut', patched(publish, 44, 100), 'invalid_message'],
  ])('hold for point %s', (_, hostile, code) => {
    expect(decodeFrame(hostile)).toMatchObject({ ok: false, code })
  })

  it('ignore fields and vtable entries that a later schema appends', () => {
    const unsubscribe = encodeFrame({ type: 'unsubscribe', sub: 5 })
    const subscribed = encodeFrame({ type: 'subscribed', sub: 5, gap: true })
    const typeAt = subscribed.indexOf(7, 8)
    expect(decodeFrame(unsubscribe)).toEqual({ ok: true, frame: { type: 'unsubscribe', sub: 5 } })
    expect(decodeFrame(patched(subscribed, typeAt, 8, 1))).toEqual(decodeFrame(unsubscribe))
  })

  it('are those the caller sets', () => {
    const [hello] = FRAMES
    expect(decodeFrame(hello!, { maxFrame: hello!.length })).toMatchObject({ ok: true })
    expect(decodeFrame(hello!, { maxFrame: hello!.length - 1 })).toMatchObject({ code: 'invalid_message' })
    expect(decodeFrame(hello!, { maxItems: 3 })).toMatchObject({ code: 'invalid_message' })
    expect(decodeFrame(hello!, { maxItems: 4 })).toMatchObject({ ok: true })
  })

  it('cap filters and values of a filter with limit_exceeded, and name the subscription', () => {
    const filters = Array.from({ length: 33 }, () => ({}))
    const kinds = Array.from({ length: 1001 }, (_, i) => i)
    for (const hostile of [filters, [{ kinds }], [{ tags: [{ key: 't', any: kinds.map(String) }] }]]) {
      const read = decodeFrame(encodeFrame({ type: 'subscribe', sub: 6, filters: hostile }))
      expect(read).toMatchObject({ ok: false, code: 'limit_exceeded', sub: 6 })
    }
    const raised = decodeFrame(encodeFrame({ type: 'subscribe', sub: 6, filters }), { maxFilters: 33 })
    expect(raised).toMatchObject({ ok: true })
  })
})

describe('a bomb of shared offsets', () => {
  it('of one tag named 200 000 times is refused by count', () => {
    expect(decodeEvent(tagBomb(200_000, 4))).toMatchObject({
      code: 'invalid_message',
      detail: 'too many tables and strings',
    })
  })

  it('of one long value named 1000 times is refused by bytes', () => {
    expect(decodeEvent(tagBomb(1000, 60_000))).toMatchObject({
      code: 'invalid_message',
      detail: 'shared vectors and strings of too many bytes',
    })
  })

  it('that stays within both is an event', () => {
    const read = decodeEvent(tagBomb(100, 1000))
    expect(read.ok && read.event.tags.length).toBe(100)
  })

  /** An event whose tags vector names one tag, of one value of `length` bytes, `count` times. */
  function tagBomb(count: number, length: number): Uint8Array {
    const base = encodeEvent({ ...EVENT, tags: [['t', 'x'.repeat(length)]], content: new Uint8Array(0) })
    const bomb = new Uint8Array(base.length + 4 + 4 * count)
    const view = new DataView(bomb.buffer)
    bomb.set(base)
    view.setUint32(40, base.length - 40, true)
    view.setUint32(base.length, count, true)
    // An offset points forward only, so the tag itself is copied behind the vector, where base already has its vtable.
    const tag = base.subarray(196)
    const whole = new Uint8Array(bomb.length + tag.length)
    whole.set(bomb)
    whole.set(tag, bomb.length)
    const wholeView = new DataView(whole.buffer)
    wholeView.setUint32(bomb.length, bomb.length - 180, true)
    for (let i = 0; i < count; i++) {
      const slot = base.length + 4 + 4 * i
      wholeView.setUint32(slot, bomb.length - slot, true)
    }
    return whole
  }
})

describe('hostile bytes', () => {
  it('of every truncation give a Reject', () => {
    for (const frame of [...FRAMES, encodeEvent(EVENT), ENVELOPE]) {
      for (let length = 0; length < frame.length; length++) {
        for (const decode of DECODERS) settles(decode(frame.subarray(0, length)))
      }
    }
    for (const frame of FRAMES) {
      // Padding at the end belongs to nothing: only a cut of more than 3 bytes must be noticed.
      for (let length = 0; length < frame.length - 3; length++) {
        expect(decodeFrame(frame.subarray(0, length)).ok).toBe(false)
      }
    }
  })

  it('of every bit flip at every offset give a value or a Reject', () => {
    for (const frame of [...FRAMES, encodeEvent(EVENT), ENVELOPE]) {
      const copy = new Uint8Array(frame)
      for (let bit = 0; bit < frame.length * 8; bit++) {
        copy[bit >> 3]! ^= 1 << (bit & 7)
        for (const decode of DECODERS) settles(decode(copy))
        copy[bit >> 3]! ^= 1 << (bit & 7)
      }
    }
  })

  it('of every extreme number at every offset give a value or a Reject', () => {
    for (const frame of [...FRAMES, encodeEvent(EVENT), ENVELOPE]) {
      for (let at = 0; at + 4 <= frame.length; at++) {
        for (const value of [0, 1, 4, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff, frame.length - at]) {
          const hostile = patched(frame, at, value)
          for (const decode of DECODERS) settles(decode(hostile))
        }
      }
    }
  })

  it('at random, seed 20250616, give a value or a Reject', () => {
    const random = seededRandom(20250616)
    const seeds = [...FRAMES, encodeEvent(EVENT), ENVELOPE]
    for (let round = 0; round < 30_000; round++) {
      const bytes = new Uint8Array(seeds[Math.floor(random() * seeds.length)]!)
      const changes = 1 + Math.floor(random() * 6)
      for (let i = 0; i < changes; i++) {
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
      }
      for (const decode of DECODERS) settles(decode(bytes))
      const noise = Uint8Array.from({ length: Math.floor(random() * 120) }, () => Math.floor(random() * 256))
      for (const decode of DECODERS) settles(decode(noise))
    }
  })

  it('do not read what lies around the buffer', () => {
    for (const frame of FRAMES) {
      for (const filler of [0x00, 0xff]) {
        const around = new Uint8Array(frame.length + 64).fill(filler)
        around.set(frame, 32)
        for (let bit = 0; bit < frame.length * 8; bit += 3) {
          around[32 + (bit >> 3)]! ^= 1 << (bit & 7)
          const alone = new Uint8Array(around.subarray(32, 32 + frame.length))
          expect(decodeFrame(around.subarray(32, 32 + frame.length))).toEqual(decodeFrame(alone))
          around[32 + (bit >> 3)]! ^= 1 << (bit & 7)
        }
      }
    }
  })

  /** A decoder that threw has failed the test already; a Reject has a code of the table. */
  function settles(read: { ok: true } | { ok: false; code: string }): void {
    if (!read.ok && !Object.hasOwn(REJECTS, read.code))
      throw new Error(`code ${read.code} is not in the table`)
  }
})
