/** Limits of an event (spec 1.5), the same numbers for every surface. */
import { type Reject, reject } from './codes.js'
import type { Event, UnsignedEvent } from './event.js'

export interface EventLimits {
  /** Canonical size in bytes: 32+32+8+2+tags+content+64. */
  readonly maxSize: number
  /** Bytes of the text JSON rendering: escapes grow text up to sixfold and legacy noise doubles by hex. */
  readonly maxTextSize: number
  /** Bytes of the base64 JSON and FlatBuffers renderings. */
  readonly maxBinarySize: number
  readonly maxTags: number
  /** Bytes of a tag key. */
  readonly maxTagKey: number
  readonly maxTagValues: number
  /** Bytes of one tag value. */
  readonly maxTagValue: number
}

export const DEFAULT_LIMITS: EventLimits = {
  maxSize: 512 * 1024,
  maxTextSize: 520_000,
  maxBinarySize: 1_000_000,
  maxTags: 2000,
  maxTagKey: 32,
  maxTagValues: 64,
  maxTagValue: 1024,
}

/** Canonical size in bytes, signature included (spec 1.5). */
export function canonicalSize(event: UnsignedEvent): number {
  let size = 32 + 32 + 8 + 2 + 64 + 2 + event.content.length
  for (const tag of event.tags) {
    size += 3 + tag[0].length
    for (let i = 1; i < tag.length; i++) size += 2 + utf8Length(tag[i]!)
  }
  return size
}

/** `tag_limits` or `too_large`; the rendered sizes are for the caller, who has the renderings. */
export function checkLimits(event: Event, limits: EventLimits = DEFAULT_LIMITS): Reject | undefined {
  if (event.tags.length > limits.maxTags)
    return reject('tag_limits', undefined, `at most ${limits.maxTags} tags`)
  for (const tag of event.tags) {
    if (tag[0].length > limits.maxTagKey) {
      return reject('tag_limits', undefined, `a tag key has at most ${limits.maxTagKey} bytes`)
    }
    if (tag.length - 1 > limits.maxTagValues) {
      return reject('tag_limits', undefined, `a tag has at most ${limits.maxTagValues} values`)
    }
    for (let i = 1; i < tag.length; i++) {
      if (utf8Length(tag[i]!) > limits.maxTagValue) {
        return reject('tag_limits', undefined, `a tag value has at most ${limits.maxTagValue} bytes`)
      }
    }
  }
  if (canonicalSize(event) > limits.maxSize) {
    return reject('too_large', undefined, `canonical size is at most ${limits.maxSize} bytes`)
  }
  return undefined
}

/** Bytes of well-formed text in UTF-8. */
function utf8Length(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0x800) length += code >= 0xd800 && code <= 0xdfff ? 1 : 2
    else if (code >= 0x80) length += 1
  }
  return length
}
