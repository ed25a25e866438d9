/** Our hand-written reading and writing against the generated code, both ways (spec 5.2). */
import { Builder, ByteBuffer } from 'flatbuffers'
import { describe, expect, it } from 'vitest'
import type { Event } from '../event.js'
import { readEvent } from '../event-json.js'
import { Accepted } from '../generated/accepted.js'
import { Auth } from '../generated/auth.js'
import { Body } from '../generated/body.js'
import { Bytes32 } from '../generated/bytes32.js'
import { Bytes64 } from '../generated/bytes64.js'
import { Deliver } from '../generated/deliver.js'
import { Event as EventTable } from '../generated/event.js'
import { Filter as FilterTable } from '../generated/filter.js'
import { Frame as FrameTable } from '../generated/frame.js'
import { Message } from '../generated/message.js'
import { MessageType } from '../generated/message-type.js'
import { Publish } from '../generated/publish.js'
import { Rejected } from '../generated/rejected.js'
import { Status } from '../generated/status.js'
import { Subscribe } from '../generated/subscribe.js'
import { Tag } from '../generated/tag.js'
import { TagFilter } from '../generated/tag-filter.js'
import { fromHex, toHex } from '../hex.js'
import type { JsonValue } from '../json.js'
import { randomEvent, seededRandom } from '../testing.js'
import { decodeFrame } from './decode-frame.js'
import { encodeFrame } from './encode-frame.js'
import { decodeEnvelope, encodeEnvelope } from './envelope.js'
import { decodeEvent, encodeEvent } from './event-buffer.js'

const EVENT: Event = {
  id: 'ab'.repeat(32),
  pubkey: 'cd'.repeat(32),
  createdAt: 1_760_000_000_123_456_789n,
  kind: 30_001,
  tags: [['t', 'grüße', ''], ['d'], ['p', 'ef'.repeat(32)]],
  content: new TextEncoder().encode('hello'),
  sig: '12'.repeat(64),
}

const UNKNOWN_BODY: number = Body.MailboxDeleted + 1
const UNKNOWN_STATUS: number = Status.superseded + 1

describe('the generated accessors', () => {
  it('read our events as we do', () => {
    const random = seededRandom(7)
    for (let round = 0; round < 200; round++) {
      const event = { ...randomEvent(random), sig: '9a'.repeat(64) }
      const buffer = new ByteBuffer(encodeEvent(event))
      expect(EventTable.bufferHasIdentifier(buffer)).toBe(true)
      expect(readGenerated(EventTable.getRootAsEvent(buffer))).toEqual(event)
    }
  })

  it('read our publish and auth frames', () => {
    const publish: Publish = bodyOf(
      encodeFrame({ type: 'publish', event: EVENT }),
      Body.Publish,
      new Publish(),
    )
    const auth: Auth = bodyOf(encodeFrame({ type: 'auth', event: EVENT }), Body.Auth, new Auth())
    expect(nestedEvent(publish.eventArray())).toEqual(EVENT)
    expect(nestedEvent(auth.eventArray())).toEqual(EVENT)
  })

  it('read our accepted frame', () => {
    const bytes = encodeFrame({ type: 'accepted', id: EVENT.id, status: 'superseded', seq: 2n ** 63n + 5n })
    const accepted: Accepted = bodyOf(bytes, Body.Accepted, new Accepted())
    expect(structBytes(accepted.id(), 32)).toBe(EVENT.id)
    expect(accepted.status()).toBe(Status.superseded)
    expect(accepted.seq()).toBe(2n ** 63n + 5n)
  })

  it.each([[[]], [[1]], [[1, 2 ** 32 - 1]], [[1, 2, 3]]])('read our delivery to subscriptions %j', (subs) => {
    const bytes = encodeFrame({ type: 'deliver', subs, seq: 77n, stored: subs.length > 0, event: EVENT })
    const deliver: Deliver = bodyOf(bytes, Body.Deliver, new Deliver())
    expect(Array.from({ length: deliver.subsLength() }, (_, i) => deliver.subs(i))).toEqual(subs)
    expect(deliver.seq()).toBe(77n)
    expect(deliver.stored()).toBe(subs.length > 0)
    expect(nestedEvent(deliver.eventArray())).toEqual(EVENT)
    expect(deliver.eventArray().byteOffset % 8).toBe(0)
  })

  it('read our envelope, whose type is there even when it is 0', () => {
    const bytes = encodeEnvelope('{"type":"hello","version":1}')
    const message = Message.getRootAsMessage(new ByteBuffer(bytes))
    expect(message.type()).toBe(MessageType.HELLO)
    expect(message.bb?.__offset(message.bb_pos, 4)).not.toBe(0)
    expect(new TextDecoder().decode(message.payloadArray() ?? undefined)).toBe('{"type":"hello","version":1}')
  })
})

describe('our reader', () => {
  it('reads events of the generated builder, whose layout differs, and writes them in ours', () => {
    const random = seededRandom(8)
    for (let round = 0; round < 200; round++) {
      const event = { ...randomEvent(random), sig: '9a'.repeat(64) }
      const built = buildEvent(event)
      const read = decodeEvent(built)
      expect(read).toEqual({ ok: true, event })
      if (read.ok) expect(encodeEvent(read.event)).toEqual(encodeEvent(event))
    }
  })

  it('reads an event without tags, values or content, and with defaults left out', () => {
    const event: Event = { ...EVENT, createdAt: 0n, kind: 0, tags: [['d']], content: new Uint8Array(0) }
    expect(decodeEvent(buildEvent(event))).toEqual({ ok: true, event })
    expect(decodeEvent(buildEvent({ ...event, tags: [] }))).toEqual({
      ok: true,
      event: { ...event, tags: [] },
    })
  })

  it('refuses the tag keys that the JSON reader refuses, with the same code and text', () => {
    for (const key of ['', 'ä', '\u0001', 'a\u007f', 'x'.repeat(256), 'fine', 'x'.repeat(255)]) {
      const binary = decodeEvent(buildEvent({ ...EVENT, tags: [[key, 'v']] }))
      const json = readEvent(asJson({ ...EVENT, tags: [[key, 'v']] }))
      expect(json.ok ? 'ok' : [json.code, json.error]).toEqual(binary.ok ? 'ok' : [binary.code, binary.error])
    }
  })

  it('refuses a tag value above 65535 bytes as the JSON reader does', () => {
    const tags: Event['tags'] = [['k', 'v'.repeat(65_536)]]
    const binary = decodeEvent(buildEvent({ ...EVENT, tags }))
    expect(binary).toEqual(readEvent(asJson({ ...EVENT, tags })))
    expect(binary).toMatchObject({ code: 'invalid_event', error: 'tag value exceeds uint16 length' })
  })

  it('refuses text that is not UTF-8 as invalid_message', () => {
    const bytes = encodeEvent({ ...EVENT, tags: [['t', 'AAAA']] })
    bytes[Buffer.from(bytes).indexOf('AAAA')] = 0xff
    expect(decodeEvent(bytes)).toMatchObject({ code: 'invalid_message', detail: 'tag value is not UTF-8' })
  })

  it('keeps a leading byte order mark of a tag value, for it is text', () => {
    const tags: Event['tags'] = [['t', '\ufeffx'.repeat(20)]]
    expect(decodeEvent(buildEvent({ ...EVENT, tags }))).toMatchObject({ event: { tags } })
  })

  it('tells an absent filter vector from an empty one', () => {
    const builder = new Builder()
    const none = FilterTable.createFilter(builder, 0, 0, 0, 0, 0, null, null, null, false)
    const emptyKinds = FilterTable.createKindsVector(builder, [])
    const nothing = FilterTable.createFilter(builder, 0, 0, emptyKinds, 0, 0, null, null, null, false)
    const emptyTags = FilterTable.createTagsVector(builder, [])
    const noTags = FilterTable.createFilter(builder, 0, 0, 0, emptyTags, 0, 0n, null, 0, false)
    const filters = Subscribe.createFiltersVector(builder, [none, nothing, noTags])
    const body = Subscribe.createSubscribe(builder, 3, filters, 0)
    expect(decodeFrame(finish(builder, Body.Subscribe, body))).toEqual({
      ok: true,
      frame: { type: 'subscribe', sub: 3, filters: [{}, { kinds: [] }, { ids: [], since: 0n, limit: 0 }] },
    })
  })

  it('takes every value of a pairs entry as a pair of its own', () => {
    const builder = new Builder()
    const key = builder.createString('t')
    const values = Tag.createValuesVector(builder, [builder.createString('a'), builder.createString('b')])
    const pairs = FilterTable.createPairsVector(builder, [Tag.createTag(builder, key, values)])
    const filter = FilterTable.createFilter(builder, 0, 0, 0, 0, pairs, null, null, null, true)
    const body = Subscribe.createSubscribe(builder, 1, Subscribe.createFiltersVector(builder, [filter]), 0)
    const read = decodeFrame(finish(builder, Body.Subscribe, body))
    expect(read).toMatchObject({
      frame: {
        filters: [
          {
            pairs: [
              ['t', 'a'],
              ['t', 'b'],
            ],
            replay: true,
          },
        ],
      },
    })
  })

  it('refuses a filter entry that would say nothing, and names the subscription', () => {
    const builder = new Builder()
    const key = builder.createString('t')
    const tags = FilterTable.createTagsVector(builder, [TagFilter.createTagFilter(builder, key, 0)])
    const filter = FilterTable.createFilter(builder, 0, 0, 0, tags, 0, null, null, null, false)
    const body = Subscribe.createSubscribe(builder, 9, Subscribe.createFiltersVector(builder, [filter]), 0)
    const read = decodeFrame(finish(builder, Body.Subscribe, body))
    expect(read).toMatchObject({ ok: false, code: 'invalid_filter', sub: 9 })
  })

  it('reads a rejection that concerns no event', () => {
    const builder = new Builder()
    const body = Rejected.createRejected(builder, 0, 1, 0, 0)
    expect(decodeFrame(finish(builder, Body.Rejected, body))).toEqual({
      ok: true,
      frame: { type: 'rejected', code: 1, message: '' },
    })
  })

  it('answers a frame of an unknown type with unsupported', () => {
    const builder = new Builder()
    const body = Rejected.createRejected(builder, 0, 1, 0, 0)
    expect(decodeFrame(finish(builder, UNKNOWN_BODY, body))).toMatchObject({ ok: false, code: 'unsupported' })
  })

  it('refuses a status it does not know', () => {
    const builder = new Builder()
    Accepted.startAccepted(builder)
    Accepted.addId(builder, Bytes32.createBytes32(builder, [...fromHex(EVENT.id)]))
    Accepted.addStatus(builder, UNKNOWN_STATUS)
    const bytes = finish(builder, Body.Accepted, Accepted.endAccepted(builder))
    expect(decodeFrame(bytes)).toMatchObject({ ok: false, code: 'invalid_message' })
  })

  it('reads an envelope of the generated builder without a type as hello', () => {
    const builder = new Builder()
    const payload = Message.createPayloadVector(builder, new TextEncoder().encode('{"version":1}'))
    builder.finish(Message.createMessage(builder, MessageType.HELLO, payload))
    const read = decodeEnvelope(builder.asUint8Array())
    expect(read).toEqual({ ok: true, json: '{"version":1}', type: 0 })
  })
})

function buildEvent(event: Event): Uint8Array {
  const builder = new Builder()
  const content = event.content.length > 0 ? EventTable.createContentVector(builder, event.content) : 0
  const tags = event.tags.map(([key, ...values]) => {
    const texts = values.map((value) => sharedText(builder, value))
    const vector = texts.length > 0 ? Tag.createValuesVector(builder, texts) : 0
    return Tag.createTag(builder, sharedText(builder, key), vector)
  })
  const tagsVector = tags.length > 0 ? EventTable.createTagsVector(builder, tags) : 0
  EventTable.startEvent(builder)
  EventTable.addSig(builder, Bytes64.createBytes64(builder, [...fromHex(event.sig)]))
  EventTable.addContent(builder, content)
  EventTable.addTags(builder, tagsVector)
  EventTable.addKind(builder, event.kind)
  EventTable.addCreatedAt(builder, event.createdAt)
  EventTable.addPubkey(builder, Bytes32.createBytes32(builder, [...fromHex(event.pubkey)]))
  EventTable.addId(builder, Bytes32.createBytes32(builder, [...fromHex(event.id)]))
  EventTable.finishEventBuffer(builder, EventTable.endEvent(builder))
  return builder.asUint8Array()
}

/** The runtime has no shared form of the empty text: it gives offset 0. */
function sharedText(builder: Builder, text: string): number {
  return text === '' ? builder.createString('') : builder.createSharedString(text)
}

function readGenerated(event: EventTable): Event {
  return {
    id: structBytes(event.id(), 32),
    pubkey: structBytes(event.pubkey(), 32),
    createdAt: event.createdAt(),
    kind: event.kind(),
    tags: Array.from({ length: event.tagsLength() }, (_, i) => {
      const tag = event.tags(i)!
      return [tag.key()!, ...Array.from({ length: tag.valuesLength() }, (_, j) => tag.values(j))]
    }),
    content: new Uint8Array(event.contentArray() ?? []),
    sig: structBytes(event.sig(), 64),
  }
}

function structBytes(struct: Bytes32 | Bytes64 | null, count: number): string {
  return toHex(Uint8Array.from({ length: count }, (_, i) => struct?.bytes(i) ?? 0))
}

function nestedEvent(bytes: Uint8Array): Event {
  return readGenerated(EventTable.getRootAsEvent(new ByteBuffer(bytes)))
}

function bodyOf<Table>(bytes: Uint8Array, type: Body, table: Table): Table {
  const frame = FrameTable.getRootAsFrame(new ByteBuffer(bytes))
  expect(frame.bodyType()).toBe(type)
  return frame.body(table)
}

function finish(builder: Builder, type: Body, body: number): Uint8Array {
  FrameTable.finishFrameBuffer(builder, FrameTable.createFrame(builder, type, body))
  return builder.asUint8Array()
}

function asJson(event: Event): JsonValue {
  return {
    event_id: event.id,
    pubkey: event.pubkey,
    kind: event.kind,
    created_at: event.createdAt,
    tags: event.tags.map((tag) => [...tag]),
    content: new TextDecoder().decode(event.content),
    sig: event.sig,
  }
}
