/**
 * Reading the frames of `aether.v2` (spec 5.2, 5.4). Nothing is read before the bounds of the whole buffer, nested event
 * included, are verified; the frames that flow once per event are read by offsets, the others by generated accessors.
 */
import { ByteBuffer, Encoding } from 'flatbuffers'
import { reject } from '../codes.js'
import type { Filter } from '../filter.js'
import { AuthChallenge } from '../generated/auth-challenge.js'
import { Body } from '../generated/body.js'
import { Closed } from '../generated/closed.js'
import { End } from '../generated/end.js'
import { Frame as FrameTable } from '../generated/frame.js'
import { Hello } from '../generated/hello.js'
import { Rejected } from '../generated/rejected.js'
import { Subscribe } from '../generated/subscribe.js'
import { Subscribed } from '../generated/subscribed.js'
import { Unsubscribe } from '../generated/unsubscribe.js'
import { Welcome } from '../generated/welcome.js'
import { hexAt } from '../hex.js'
import { textOf } from './buffer-fields.js'
import { FRAME, FRAME_IDENTIFIER } from './buffer-shapes.js'
import { fieldAt, readEventBuffer } from './event-buffer.js'
import { MAX_FILTERS, MAX_VALUES, readFilterTable } from './filter-buffer.js'
import type { Frame, FrameLimits, FrameReject } from './frame.js'
import { STATUSES } from './frame-buffer.js'
import { readMailboxFrame } from './mailbox-frame.js'
import { broken, verifyBuffer } from './verify-buffer.js'

type Read = { ok: true; frame: Frame } | FrameReject

const UTF8 = Encoding.UTF8_BYTES

/**
 * Reads one binary message. Broken bounds, text that is not UTF-8, an unknown status: `invalid_message`; a frame of a
 * type we do not know: `unsupported`; a filter of the wrong shape: `invalid_filter`; too many filters or values:
 * `limit_exceeded`; a nested event of the wrong shape: `invalid_event`.
 */
export function decodeFrame(bytes: Uint8Array, limits: FrameLimits = {}): Read {
  const refused = verifyBuffer(bytes, FRAME, FRAME_IDENTIFIER, limits)
  if (refused !== undefined) return refused
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const root = view.getUint32(0, true)
  const type: Body = bytes[fieldAt(view, root, 0)]!
  const bodyField = fieldAt(view, root, 1)
  const body = bodyField + view.getUint32(bodyField, true)
  switch (type) {
    case Body.Publish:
      return readEventFrame('publish', bytes, view, fieldAt(view, body, 0))
    case Body.Accepted:
      return readAccepted(bytes, view, body)
    case Body.Deliver:
      return readDeliver(bytes, view, body)
    case Body.Auth:
      return readEventFrame('auth', bytes, view, fieldAt(view, body, 0))
    default:
      return readBody(type, FrameTable.getRootAsFrame(new ByteBuffer(bytes)), limits)
  }
}

function readEventFrame(type: 'publish' | 'auth', bytes: Uint8Array, view: DataView, field: number): Read {
  const read = readEventBuffer(nested(bytes, view, field))
  return read.ok ? { ok: true, frame: { type, event: read.event } } : read
}

function readAccepted(bytes: Uint8Array, view: DataView, body: number): Read {
  const statusAt = fieldAt(view, body, 1)
  const seqAt = fieldAt(view, body, 2)
  const status = STATUSES[statusAt === 0 ? 0 : bytes[statusAt]!]
  if (status === undefined) return broken('unknown status')
  const id = hexAt(bytes, fieldAt(view, body, 0), 32)
  const seq = seqAt === 0 ? 0n : view.getBigUint64(seqAt, true)
  return { ok: true, frame: { type: 'accepted', id, status, seq } }
}

function readDeliver(bytes: Uint8Array, view: DataView, body: number): Read {
  const subsField = fieldAt(view, body, 0)
  const seqAt = fieldAt(view, body, 1)
  const storedAt = fieldAt(view, body, 2)
  const read = readEventBuffer(nested(bytes, view, fieldAt(view, body, 3)))
  if (!read.ok) return read
  const subs: number[] = []
  if (subsField !== 0) {
    const vector = subsField + view.getUint32(subsField, true)
    const count = view.getUint32(vector, true)
    for (let i = 0; i < count; i++) subs.push(view.getUint32(vector + 4 + 4 * i, true))
  }
  const seq = seqAt === 0 ? 0n : view.getBigUint64(seqAt, true)
  const stored = storedAt !== 0 && bytes[storedAt] !== 0
  const deliveriesAt = fieldAt(view, body, 4)
  const deliveries = deliveriesAt === 0 ? 0 : view.getUint16(deliveriesAt, true)
  const often = deliveries === 0 ? undefined : { deliveries }
  return { ok: true, frame: { type: 'deliver', subs, seq, stored, ...often, event: read.event } }
}

function nested(bytes: Uint8Array, view: DataView, field: number): Uint8Array {
  const vector = field + view.getUint32(field, true)
  return bytes.subarray(vector + 4, vector + 4 + view.getUint32(vector, true))
}

function readBody(type: Body, frame: FrameTable, limits: FrameLimits): Read {
  switch (type) {
    case Body.Hello: {
      const hello: Hello = frame.body(new Hello())
      const features = readTexts(hello.featuresLength(), (i) => hello.features(i, UTF8))
      if (features === undefined) return broken('feature is not UTF-8')
      return { ok: true, frame: { type: 'hello', version: hello.version(), features } }
    }
    case Body.Welcome:
      return readWelcome(frame.body(new Welcome()))
    case Body.Rejected:
      return readRejected(frame.body(new Rejected()))
    case Body.Subscribe:
      return readSubscribe(frame.body(new Subscribe()), limits)
    case Body.Subscribed: {
      const body: Subscribed = frame.body(new Subscribed())
      return { ok: true, frame: { type: 'subscribed', sub: body.sub(), gap: body.gap() } }
    }
    case Body.Unsubscribe: {
      const body: Unsubscribe = frame.body(new Unsubscribe())
      return { ok: true, frame: { type: 'unsubscribe', sub: body.sub() } }
    }
    case Body.End: {
      const body: End = frame.body(new End())
      const text = body.cursor(UTF8)
      const cursor = textOf(text)
      if (cursor === undefined) return broken('cursor is not UTF-8')
      return { ok: true, frame: { type: 'end', sub: body.sub(), ...(text !== null && { cursor }) } }
    }
    case Body.Closed: {
      const body: Closed = frame.body(new Closed())
      const message = textOf(body.message(UTF8))
      if (message === undefined) return broken('message is not UTF-8')
      return { ok: true, frame: { type: 'closed', sub: body.sub(), code: body.code(), message } }
    }
    case Body.AuthChallenge: {
      const body: AuthChallenge = frame.body(new AuthChallenge())
      const challenge = textOf(body.challenge(UTF8))
      if (challenge === undefined) return broken('challenge is not UTF-8')
      return { ok: true, frame: { type: 'authChallenge', challenge } }
    }
    default:
      return (
        readMailboxFrame(type, frame, limits) ??
        reject('unsupported', undefined, `frame of unknown type ${type}`)
      )
  }
}

function readWelcome(welcome: Welcome): Read {
  const features = readTexts(welcome.featuresLength(), (i) => welcome.features(i, UTF8))
  if (features === undefined) return broken('feature is not UTF-8')
  const epoch = textOf(welcome.epoch(UTF8))
  if (epoch === undefined) return broken('epoch is not UTF-8')
  const version = welcome.version()
  return { ok: true, frame: { type: 'welcome', version, features, maxFrame: welcome.maxFrame(), epoch } }
}

function readRejected(rejected: Rejected): Read {
  const message = textOf(rejected.message(UTF8))
  if (message === undefined) return broken('message is not UTF-8')
  const id = rejected.id()
  const retryAfterMs = rejected.retryAfterMs()
  return {
    ok: true,
    frame: {
      type: 'rejected',
      ...(id?.bb && { id: hexAt(id.bb.bytes(), id.bb_pos, 32) }),
      code: rejected.code(),
      message,
      ...(retryAfterMs !== 0 && { retryAfterMs }),
    },
  }
}

function readSubscribe(subscribe: Subscribe, limits: FrameLimits): Read {
  const sub = subscribe.sub()
  const count = subscribe.filtersLength()
  const maxFilters = limits.maxFilters ?? MAX_FILTERS
  if (count > maxFilters) {
    return { ...reject('limit_exceeded', undefined, `at most ${maxFilters} filters`), sub }
  }
  const afterText = subscribe.after(UTF8)
  const after = textOf(afterText)
  if (after === undefined) return { ...broken('after is not UTF-8'), sub }
  const filters: Filter[] = []
  for (let i = 0; i < count; i++) {
    const table = subscribe.filters(i)
    if (table === null) return { ...broken('filter is missing'), sub }
    const read = readFilterTable(table, limits.maxValues ?? MAX_VALUES)
    if (!read.ok) return { ...read, sub }
    filters.push(read.filter)
  }
  return { ok: true, frame: { type: 'subscribe', sub, filters, ...(afterText !== null && { after }) } }
}

function readTexts(count: number, at: (index: number) => string | Uint8Array | null): string[] | undefined {
  const texts: string[] = []
  for (let i = 0; i < count; i++) {
    const text = textOf(at(i))
    if (text === undefined) return undefined
    texts.push(text)
  }
  return texts
}
