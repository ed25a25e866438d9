/** Malformed messages of mailboxes: each has its code, in JSON and in frames (schemas/README.md, "Mailboxes"). */
import { Builder } from 'flatbuffers'
import { describe, expect, it } from 'vitest'
import { Body } from '../generated/body.js'
import { Frame as FrameTable } from '../generated/frame.js'
import { Mailbox } from '../generated/mailbox.js'
import { MailboxAck } from '../generated/mailbox-ack.js'
import { decodeFrame } from './decode-frame.js'
import { encodeFrame } from './encode-frame.js'
import { isMailboxName, MAX_SEQS } from './mailbox-message.js'
import { readMessage } from './read-message.js'
import { readRelayMessage } from './read-relay-message.js'

const KEY = 'ab'.repeat(32)
const OPEN = { type: 'mailbox', sub_id: 's', pubkey: KEY, name: 'work' }
const read = (message: object) => readMessage(JSON.stringify(message))

describe('reading what a client says of a mailbox', () => {
  it('takes the least there can be, and what is left out as by default', () => {
    expect(read(OPEN)).toEqual({
      ok: true,
      message: { type: 'mailbox', subId: 's', pubkey: KEY, name: 'work', from: 'start' },
    })
    expect(read({ ...OPEN, filters: null, ack_timeout_ms: null, max_unacked: '7' })).toMatchObject({
      ok: true,
      message: { maxUnacked: 7 },
    })
  })

  it.each([
    [{ sub_id: undefined }, 'invalid_message'],
    [{ sub_id: 7 }, 'invalid_message'],
    [{ sub_id: 's'.repeat(129) }, 'limit_exceeded'],
    [{ pubkey: undefined }, 'invalid_message'],
    [{ pubkey: 'ab' }, 'invalid_message'],
    [{ name: undefined }, 'invalid_message'],
    [{ name: '' }, 'invalid_message'],
    [{ name: 'x'.repeat(65) }, 'invalid_message'],
    [{ name: 'a:b' }, 'invalid_message'],
    [{ name: 'a\n' }, 'invalid_message'],
    [{ from: 'end' }, 'invalid_message'],
    [{ from: 0 }, 'invalid_message'],
    [{ ack_timeout_ms: 0 }, 'invalid_message'],
    [{ ack_timeout_ms: 1.5 }, 'invalid_message'],
    [{ ack_timeout_ms: 2 ** 32 }, 'invalid_message'],
    [{ max_unacked: -1 }, 'invalid_message'],
    [{ max_unacked: true }, 'invalid_message'],
    [{ filters: {} }, 'invalid_message'],
    [{ filters: [{ kinds: 1 }] }, 'invalid_filter'],
    [{ filters: [{ nonsense: 1 }] }, 'unsupported'],
    [{ filters: Array(33).fill({}) }, 'limit_exceeded'],
  ])('refuses to open with %j: %s', (change, code) => {
    expect(read({ ...OPEN, ...change })).toMatchObject({ ok: false, code })
  })

  it.each([
    [undefined, 'invalid_message'],
    [7, 'invalid_message'],
    [[-1], 'invalid_message'],
    [[1.5], 'invalid_message'],
    [['0x1'], 'invalid_message'],
    [['18446744073709551616'], 'invalid_message'],
    [Array(MAX_SEQS + 1).fill(1), 'limit_exceeded'],
  ])('refuses seqs like %j: %s', (seqs, code) => {
    for (const type of ['mailbox_ack', 'mailbox_nack'])
      expect(read({ type, sub_id: 's', seqs })).toMatchObject({ ok: false, code, subId: 's' })
    if (!Array.isArray(seqs)) return
    expect(readRelayMessage(JSON.stringify({ type: 'mailbox_acked', sub_id: 's', seqs }))).toMatchObject({
      code,
    })
  })

  it('refuses a delay or a delete of the wrong shape', () => {
    const nack = { type: 'mailbox_nack', sub_id: 's', seqs: [] }
    expect(read({ ...nack, delay_ms: -1 })).toMatchObject({ code: 'invalid_message', subId: 's' })
    expect(read({ ...nack, delay_ms: 0 })).toMatchObject({ ok: true })
    expect(read({ ...nack, type: 'mailbox_delete' })).toMatchObject({ code: 'invalid_message', subId: 's' })
    expect(read({ type: 'mailbox_acked', sub_id: 's', seqs: [] })).toMatchObject({ code: 'invalid_message' })
  })

  it('knows what is a name', () => {
    for (const name of ['a', 'A.b-c_9', 'x'.repeat(64)]) expect(isMailboxName(name)).toBe(true)
    for (const name of ['', 'ä', 'a b', 'a/b', 'a\n', 7, undefined]) expect(isMailboxName(name)).toBe(false)
  })
})

describe('reading the frames of a mailbox', () => {
  it('refuses a name that is none, and names the subscription', () => {
    const frame = encodeFrame({ type: 'mailbox', sub: 9, pubkey: KEY, name: 'a b', from: 'start' })
    expect(decodeFrame(frame)).toMatchObject({ code: 'invalid_message', sub: 9 })
    const deletion = encodeFrame({ type: 'mailbox_delete', sub: 9, pubkey: KEY, name: '' })
    expect(decodeFrame(deletion)).toMatchObject({ code: 'invalid_message', sub: 9 })
  })

  it('refuses too many seqs and too many filters before it reads them', () => {
    const seqs = Array.from({ length: MAX_SEQS + 1 }, (_, i) => BigInt(i))
    for (const type of ['mailbox_ack', 'mailbox_nack', 'mailbox_acked'] as const)
      expect(decodeFrame(encodeFrame({ type, sub: 9, seqs }))).toMatchObject({
        code: 'limit_exceeded',
        sub: 9,
      })
    const filters = Array.from({ length: 33 }, () => ({}))
    const frame = { type: 'mailbox', sub: 9, pubkey: KEY, name: 'work', from: 'start', filters } as const
    expect(decodeFrame(encodeFrame(frame))).toMatchObject({ code: 'limit_exceeded', sub: 9 })
  })

  it('tells no filters from an empty list of them', () => {
    const frame = { type: 'mailbox', sub: 9, pubkey: KEY, name: 'work', from: 'start' } as const
    expect(decodeFrame(encodeFrame(frame))).toEqual({ ok: true, frame })
    expect(decodeFrame(encodeFrame({ ...frame, filters: [] }))).toEqual({
      ok: true,
      frame: { ...frame, filters: [] },
    })
  })

  it('refuses a mailbox without a key, and takes an ack without seqs', () => {
    const builder = new Builder(64)
    Mailbox.startMailbox(builder)
    Mailbox.addSub(builder, 9)
    const mailbox = builder.endObject()
    FrameTable.finishFrameBuffer(builder, FrameTable.createFrame(builder, Body.Mailbox, mailbox))
    expect(decodeFrame(builder.asUint8Array())).toMatchObject({ code: 'invalid_message' })
    const other = new Builder(64)
    MailboxAck.startMailboxAck(other)
    MailboxAck.addSub(other, 9)
    const ack = MailboxAck.endMailboxAck(other)
    FrameTable.finishFrameBuffer(other, FrameTable.createFrame(other, Body.MailboxAck, ack))
    expect(decodeFrame(other.asUint8Array())).toEqual({
      ok: true,
      frame: { type: 'mailbox_ack', sub: 9, seqs: [] },
    })
  })
})
