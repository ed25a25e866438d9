/**
 * One event as the durable stores keep it.
 *
 *   0    id               32
 *   32   signature        64
 *   96   canonical bytes   n   to the end (spec 1.2)
 */
import type { Event, Tag } from '@aetherkit/core'

const HEAD = 96

/** `event` was admitted: every field fits its length. */
export function encodeRecord(event: Event): Buffer {
  const { tags, content } = event
  let size = HEAD + 44 + content.length
  for (const tag of tags) {
    size += 3
    for (const text of tag) size += 2 + 3 * text.length
  }
  const bytes = Buffer.allocUnsafe(size)
  bytes.write(event.id, 0, 32, 'hex')
  bytes.write(event.sig, 32, 64, 'hex')
  bytes.write(event.pubkey, HEAD, 32, 'hex')
  bytes.writeBigUInt64BE(event.createdAt, HEAD + 32)
  bytes.writeUInt16BE(event.kind, HEAD + 40)
  bytes.writeUInt16BE(tags.length, HEAD + 42)
  let at = HEAD + 44
  for (const tag of tags) {
    const keyLength = bytes.write(tag[0], at + 1)
    bytes[at] = keyLength
    at += 1 + keyLength
    bytes.writeUInt16BE(tag.length - 1, at)
    at += 2
    for (let i = 1; i < tag.length; i++) {
      const length = bytes.write(tag[i]!, at + 2)
      bytes.writeUInt16BE(length, at)
      at += 2 + length
    }
  }
  bytes.set(content, at)
  return bytes.subarray(0, at + content.length)
}

/** The event keeps `bytes` alive: its content is a view of them. */
export function decodeRecord(bytes: Uint8Array): Event {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tags: Tag[] = new Array(buffer.readUInt16BE(HEAD + 42))
  let at = HEAD + 44
  for (let t = 0; t < tags.length; t++) {
    const keyEnd = at + 1 + buffer[at]!
    const tag: [string, ...string[]] = [buffer.toString('utf8', at + 1, keyEnd)]
    const values = buffer.readUInt16BE(keyEnd)
    at = keyEnd + 2
    for (let v = 0; v < values; v++) {
      const end = at + 2 + buffer.readUInt16BE(at)
      tag.push(buffer.toString('utf8', at + 2, end))
      at = end
    }
    tags[t] = tag
  }
  return {
    id: buffer.toString('hex', 0, 32),
    pubkey: buffer.toString('hex', HEAD, HEAD + 32),
    createdAt: buffer.readBigUInt64BE(HEAD + 32),
    kind: buffer.readUInt16BE(HEAD + 40),
    tags,
    content: new Uint8Array(buffer.buffer, buffer.byteOffset + at, buffer.length - at),
    sig: buffer.toString('hex', 32, HEAD),
  }
}
