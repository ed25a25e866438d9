/**
 * A JSON header and byte strings as one byte string, so that bytes need no text form.
 *
 *   0        version       1    0x01
 *   1        header        4    u32 big-endian, its length
 *   5        parts         4    u32 big-endian, their number
 *   9        lengths       4 a part, u32 big-endian
 *            header             JSON, UTF-8
 *            parts              back to back, to the end
 */

const VERSION = 1
const HEAD_BYTES = 9

export interface Parcel {
  /** Plain JSON. */
  readonly header: unknown
  /** Views into the parcel's bytes. */
  readonly parts: readonly Uint8Array[]
}

/** @throws TypeError for a header that JSON cannot hold. */
export function writeParcel(header: unknown, parts: readonly Uint8Array[] = []): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header))
  const start = HEAD_BYTES + 4 * parts.length
  const total = parts.reduce((sum, part) => sum + part.length, start + json.length)
  const bytes = new Uint8Array(total)
  const view = new DataView(bytes.buffer)
  bytes[0] = VERSION
  view.setUint32(1, json.length)
  view.setUint32(5, parts.length)
  bytes.set(json, start)
  let at = start + json.length
  for (const [index, part] of parts.entries()) {
    view.setUint32(HEAD_BYTES + 4 * index, part.length)
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Undefined for anything that is not exactly one parcel. */
export function readParcel(bytes: Uint8Array): Parcel | undefined {
  if (bytes.length < HEAD_BYTES || bytes[0] !== VERSION) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerLength = view.getUint32(1)
  const count = view.getUint32(5)
  const start = HEAD_BYTES + 4 * count
  let at = start + headerLength
  if (at > bytes.length) return undefined
  const parts: Uint8Array[] = []
  for (let index = 0; index < count; index++) {
    const end = at + view.getUint32(HEAD_BYTES + 4 * index)
    if (end > bytes.length) return undefined
    parts.push(bytes.subarray(at, end))
    at = end
  }
  if (at !== bytes.length) return undefined
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start, start + headerLength))
    return { header: JSON.parse(text), parts }
  } catch {
    return undefined
  }
}
