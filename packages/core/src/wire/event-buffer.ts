/**
 * One event as a FlatBuffer (spec 5.2), written and read by hand: this is the hot path of both ends. Reading takes any
 * layout a builder may choose; writing has exactly this one, so equal events have equal bytes.
 *
 *   0    root              4   u32 = 28
 *   4    identifier        4   "AEV2"
 *   8    zero              2
 *   10   vtable           18   size 18, table size 150, then the entries of the seven fields
 *   28   table             4   i32 = 18, back to the vtable
 *   32   created_at        8   u64, nanoseconds
 *   40   tags              4   offset; no tags: entry and offset are 0
 *   44   content           4   offset; no content: entry and offset are 0
 *   48   kind              2   u16
 *   50   id               32
 *   82   pubkey           32
 *   114  sig              64
 *   178  zero              2
 *   180  tag vtable        8   8, 12, 4, 8: shared by all tags; this and the tags are there when there are tags
 *   188  tags              4n  u32 count, one offset a tag; then per tag
 *          table          12   i32 back to the tag vtable, offset of the key, offset of the values
 *          key             n   u32 length, ASCII, zero, padding to 4
 *          values         4n   u32 count, one offset a value
 *          value           n   u32 length, UTF-8, zero, padding to 4; as often as count says
 *        content           n   u32 length, bytes
 */
import { type Reject, reject } from '../codes.js'
import { type Event, isAscii, type Tag } from '../event.js'
import { hexAt } from '../hex.js'
import { readUtf8, utf8Length, writeHex, writeUtf8 } from './buffer-fields.js'
import { EVENT, EVENT_IDENTIFIER } from './buffer-shapes.js'
import { type BufferLimits, broken, verifyBuffer } from './verify-buffer.js'

const TABLE = 28
const TAG_VTABLE = 180
const TAGS = 188
const U64 = 0xffffffffffffffffn
const U32 = 0xffffffff

/**
 * The event as a buffer of its own, identifier `AEV2`, canonical.
 * @throws TypeError or RangeError for a field that has no canonical bytes (spec 1.2): wrong hex, an empty or non-ASCII
 * tag key, text that is not well-formed Unicode, a number out of range.
 */
export function encodeEvent(event: Event): Uint8Array {
  const bytes = new Uint8Array(eventBufferSize(event))
  writeEventBuffer(event, bytes, 0)
  return bytes
}

/**
 * Reads one event buffer, verified first (spec 5.4). Broken bounds or text that is not UTF-8: `invalid_message`; a tag
 * key that JSON would not take either: `invalid_event`. Kind range, limits, id and signature are not judged here.
 */
export function decodeEvent(
  bytes: Uint8Array,
  limits: BufferLimits = {},
): { ok: true; event: Event } | Reject {
  return verifyBuffer(bytes, EVENT, EVENT_IDENTIFIER, limits) ?? readEventBuffer(bytes)
}

/** Bytes that {@link writeEventBuffer} takes. */
export function eventBufferSize(event: Event): number {
  const { tags, content } = event
  let size = TAG_VTABLE
  if (tags.length > 0) {
    fits(tags.length, 0xffff, 'number of tags')
    size = TAGS + 4 + 4 * tags.length
    for (const tag of tags) {
      fits(tag.length - 1, 0xffff, 'number of tag values')
      size += 12 + stringSize(keyLength(tag[0])) + 4 + 4 * (tag.length - 1)
      for (let i = 1; i < tag.length; i++) {
        size += stringSize(fits(utf8Length(tag[i]!, 'tag value'), 0xffff, 'tag value length'))
      }
    }
  }
  return content.length > 0 ? size + 4 + content.length : size
}

/** Writes the buffer at `start` of zeroed bytes that have room for it. */
export function writeEventBuffer(event: Event, bytes: Uint8Array, start: number): void {
  const { tags, content } = event
  const view = new DataView(bytes.buffer, bytes.byteOffset + start)
  if (event.createdAt < 0n || event.createdAt > U64) throw new RangeError('createdAt must fit u64')
  view.setUint32(0, TABLE, true)
  view.setUint32(4, 0x32564541, true)
  view.setUint32(10, 18 | (150 << 16), true)
  view.setUint32(14, 22 | (54 << 16), true)
  view.setUint32(18, 4 | (20 << 16), true)
  view.setUint32(22, (tags.length > 0 ? 12 : 0) | ((content.length > 0 ? 16 : 0) << 16), true)
  view.setUint16(26, 86, true)
  view.setUint32(28, 18, true)
  view.setBigUint64(32, event.createdAt, true)
  view.setUint16(48, fits(event.kind, 0xffff, 'kind'), true)
  writeHex(event.id, bytes, start + 50, 32, 'id')
  writeHex(event.pubkey, bytes, start + 82, 32, 'pubkey')
  writeHex(event.sig, bytes, start + 114, 64, 'sig')
  let at = TAG_VTABLE
  if (tags.length > 0) {
    view.setUint32(40, TAGS - 40, true)
    at = writeTags(tags, bytes, start, view)
  }
  if (content.length > 0) {
    view.setUint32(44, at - 44, true)
    view.setUint32(at, fits(content.length, U32, 'content length'), true)
    bytes.set(content, start + at + 4)
  }
}

/** Reads a buffer that {@link verifyBuffer} let pass. The event shares no memory with it. */
export function readEventBuffer(bytes: Uint8Array): { ok: true; event: Event } | Reject {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const table = view.getUint32(0, true)
  const createdAt = fieldAt(view, table, 2)
  const kind = fieldAt(view, table, 3)
  const tags = readTags(bytes, view, fieldAt(view, table, 4))
  if ('ok' in tags) return tags
  const event: Event = {
    id: hexAt(bytes, fieldAt(view, table, 0), 32),
    pubkey: hexAt(bytes, fieldAt(view, table, 1), 32),
    createdAt: createdAt === 0 ? 0n : view.getBigUint64(createdAt, true),
    kind: kind === 0 ? 0 : view.getUint16(kind, true),
    tags,
    content: readContent(bytes, view, fieldAt(view, table, 5)),
    sig: hexAt(bytes, fieldAt(view, table, 6), 64),
  }
  return { ok: true, event }
}

/** `view` begins at `start`. Gives the offset behind the tags. */
function writeTags(tags: readonly Tag[], bytes: Uint8Array, start: number, view: DataView): number {
  view.setUint32(TAG_VTABLE, 8 | (12 << 16), true)
  view.setUint32(TAG_VTABLE + 4, 4 | (8 << 16), true)
  view.setUint32(TAGS, tags.length, true)
  let at = TAGS + 4 + 4 * tags.length
  for (let i = 0; i < tags.length; i++) {
    const tag = tags[i]!
    const slot = TAGS + 4 + 4 * i
    const table = at
    view.setUint32(slot, table - slot, true)
    view.setUint32(table, table - TAG_VTABLE, true)
    at = table + 12
    view.setUint32(table + 4, at - (table + 4), true)
    at = writeString(tag[0], bytes, start, view, at)
    view.setUint32(table + 8, at - (table + 8), true)
    view.setUint32(at, tag.length - 1, true)
    let valueSlot = at + 4
    at = valueSlot + 4 * (tag.length - 1)
    for (let j = 1; j < tag.length; j++, valueSlot += 4) {
      view.setUint32(valueSlot, at - valueSlot, true)
      at = writeString(tag[j]!, bytes, start, view, at)
    }
  }
  return at
}

function writeString(text: string, bytes: Uint8Array, start: number, view: DataView, at: number): number {
  const length = writeUtf8(text, bytes, start + at + 4)
  view.setUint32(at, length, true)
  return at + stringSize(length)
}

/** Length, text, zero, padded to 4. */
function stringSize(length: number): number {
  return 4 + ((length + 4) & ~3)
}

function keyLength(key: string): number {
  if (key.length === 0) throw new RangeError('tag key must not be empty')
  if (!isAscii(key)) throw new TypeError(`tag key must be ASCII, got ${JSON.stringify(key)}`)
  return fits(key.length, 0xff, 'tag key length')
}

/** Where the field of this slot is in a verified table; 0 when it is absent. */
export function fieldAt(view: DataView, table: number, slot: number): number {
  const vtable = table - view.getInt32(table, true)
  const entryAt = 4 + 2 * slot
  if (entryAt >= view.getUint16(vtable, true)) return 0
  const entry = view.getUint16(vtable + entryAt, true)
  return entry === 0 ? 0 : table + entry
}

function readTags(bytes: Uint8Array, view: DataView, field: number): Tag[] | Reject {
  if (field === 0) return []
  const vector = field + view.getUint32(field, true)
  const count = view.getUint32(vector, true)
  if (count > 0xffff) return reject('invalid_event', 'tags exceeds uint16 length')
  const tags: Tag[] = []
  for (let i = 0; i < count; i++) {
    const slot = vector + 4 + 4 * i
    const tag = readTag(bytes, view, slot + view.getUint32(slot, true))
    if ('ok' in tag) return tag
    tags.push(tag)
  }
  return tags
}

function readTag(bytes: Uint8Array, view: DataView, table: number): Tag | Reject {
  const key = readString(bytes, view, fieldAt(view, table, 0))
  if (key === undefined) return broken('tag key is not UTF-8')
  if (key === '') return reject('invalid_event', 'tag key cannot be empty')
  if (!isAscii(key)) return reject('invalid_event', 'tag key must be ascii')
  if (key.length > 0xff) return reject('invalid_event', 'tag key exceeds uint8 length')
  const tag: [string, ...string[]] = [key]
  const field = fieldAt(view, table, 1)
  if (field === 0) return tag
  const vector = field + view.getUint32(field, true)
  const count = view.getUint32(vector, true)
  if (count > 0xffff) return reject('invalid_event', 'tag values exceeds uint16 length')
  for (let i = 0; i < count; i++) {
    const slot = vector + 4 + 4 * i
    const at = slot + view.getUint32(slot, true)
    if (view.getUint32(at, true) > 0xffff) return reject('invalid_event', 'tag value exceeds uint16 length')
    const value = readString(bytes, view, slot)
    if (value === undefined) return broken('tag value is not UTF-8')
    tag.push(value)
  }
  return tag
}

function readString(bytes: Uint8Array, view: DataView, field: number): string | undefined {
  const at = field + view.getUint32(field, true)
  return readUtf8(bytes, at + 4, view.getUint32(at, true))
}

function readContent(bytes: Uint8Array, view: DataView, field: number): Uint8Array {
  if (field === 0) return new Uint8Array(0)
  const at = field + view.getUint32(field, true)
  const length = view.getUint32(at, true)
  const content = new Uint8Array(length)
  content.set(bytes.subarray(at + 4, at + 4 + length))
  return content
}

function fits(value: number, max: number, what: string): number {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${what} must be 0 to ${max}, got ${value}`)
  }
  return value
}
