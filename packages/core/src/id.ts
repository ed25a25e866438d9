/**
 * Event id: BLAKE3-256 over the canonical bytes (spec 1.2). Nothing else is signed.
 *
 *   0   public key   32
 *   32  created at    8   u64 big-endian, nanoseconds
 *   40  kind          2   u16 big-endian
 *   42  tags          n   count u16, then each tag:
 *                         key length u8, key, values u16, then each value: length u16, bytes
 *       content       n   to the end
 */
import { blake3 } from '#blake3'
import type { Tag, UnsignedEvent } from './event.js'
import { fromHex, toHex } from './hex.js'

export { blake3 }

const utf8 = new TextEncoder()

/**
 * The bytes that the id is the hash of.
 * @throws RangeError where a field does not fit its length (kind above u16, a tag key of 0 or more than 255 bytes...).
 */
export function canonicalBytes(event: UnsignedEvent): Uint8Array {
  const { tags, content } = event
  const bytes = new Uint8Array(44 + maxTagBytes(tags) + content.length)
  const view = new DataView(bytes.buffer)
  bytes.set(fromHex(event.pubkey), 0)
  if (event.createdAt < 0n || event.createdAt > 0xffffffffffffffffn)
    throw new RangeError('createdAt must fit u64')
  view.setBigUint64(32, event.createdAt)
  view.setUint16(40, fits(event.kind, 0xffff, 'kind'))
  view.setUint16(42, fits(tags.length, 0xffff, 'number of tags'))
  let at = 44
  for (const tag of tags) {
    const keyLength = utf8.encodeInto(tag[0], bytes.subarray(at + 1)).written
    if (keyLength === 0) throw new RangeError('tag key must not be empty')
    bytes[at] = fits(keyLength, 0xff, 'tag key length')
    at += 1 + keyLength
    view.setUint16(at, fits(tag.length - 1, 0xffff, 'number of tag values'))
    at += 2
    for (let i = 1; i < tag.length; i++) {
      const length = utf8.encodeInto(tag[i]!, bytes.subarray(at + 2)).written
      view.setUint16(at, fits(length, 0xffff, 'tag value length'))
      at += 2 + length
    }
  }
  bytes.set(content, at)
  return bytes.subarray(0, at + content.length)
}

/** The event id, lower-case hex. */
export function eventId(event: UnsignedEvent): string {
  return toHex(blake3(canonicalBytes(event)))
}

/** An upper bound: UTF-8 takes at most three bytes for each UTF-16 unit. */
function maxTagBytes(tags: readonly Tag[]): number {
  let size = 0
  for (const tag of tags) {
    size += 3
    for (const text of tag) size += 2 + 3 * text.length
  }
  return size
}

function fits(value: number, max: number, what: string): number {
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw new RangeError(`${what} must be 0 to ${max}, got ${value}`)
  return value
}
