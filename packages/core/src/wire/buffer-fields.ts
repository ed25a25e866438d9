/** Text and hex inside a FlatBuffer: strings are a u32 length, UTF-8 and a zero, ids and keys are raw bytes (spec 5.2). */

import type { Builder, Offset } from 'flatbuffers'

/** A leading U+FEFF is text like any other. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** Up to these lengths a loop is faster than the call into the encoder or decoder. */
const SHORT_TO_WRITE = 64
const SHORT_TO_READ = 12

const DIGITS = encoder.encode('0123456789abcdef')

/** Value of a hex digit by character code; 0xff for everything else. */
const NIBBLE = new Uint8Array(128).fill(0xff)
for (let i = 0; i < 16; i++) {
  NIBBLE[DIGITS[i]!] = i
  NIBBLE[i.toString(16).toUpperCase().charCodeAt(0)] = i
}

/**
 * Writes `count` bytes of hex at `at`.
 * @throws TypeError when the text is anything else.
 */
export function writeHex(hex: string, bytes: Uint8Array, at: number, count: number, what: string): void {
  let seen = hex.length === 2 * count ? 0 : 0xff
  for (let i = 0; i < count && seen <= 0xf; i++) {
    const high = NIBBLE[hex.charCodeAt(2 * i)] ?? 0xff
    const low = NIBBLE[hex.charCodeAt(2 * i + 1)] ?? 0xff
    seen |= high | low
    bytes[at + i] = (high << 4) | low
  }
  if (seen > 0xf) throw new TypeError(`${what} must be ${count} bytes of hex, got ${JSON.stringify(hex)}`)
}

/**
 * Bytes of the text in UTF-8.
 * @throws TypeError when it is not well-formed Unicode, which has no UTF-8.
 */
export function utf8Length(text: string, what: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) continue
    if (code < 0x800) length += 1
    else if (code < 0xd800 || code > 0xdfff) length += 2
    else {
      const next = text.charCodeAt(i + 1)
      if (code > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) {
        throw new TypeError(`${what} must be well-formed Unicode`)
      }
      length += 2
      i++
    }
  }
  return length
}

/** Writes well-formed text at `at`; gives the bytes written. */
export function writeUtf8(text: string, bytes: Uint8Array, at: number): number {
  if (text.length <= SHORT_TO_WRITE) {
    let i = 0
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) break
      bytes[at + i] = code
    }
    if (i === text.length) return i
  }
  return encoder.encodeInto(text, bytes.subarray(at)).written
}

/** The text of `length` bytes at `at`; undefined when they are not UTF-8. */
export function readUtf8(bytes: Uint8Array, at: number, length: number): string | undefined {
  if (length <= SHORT_TO_READ) {
    let text = ''
    let i = at
    for (; i < at + length; i++) {
      const code = bytes[i]!
      if (code >= 0x80) break
      text += String.fromCharCode(code)
    }
    if (i === at + length) return text
  }
  try {
    return decoder.decode(bytes.subarray(at, at + length))
  } catch {
    return undefined
  }
}

/** Text of a string that an accessor gives as bytes; undefined when it is not UTF-8. */
export function textOf(bytes: string | Uint8Array | null): string | undefined {
  if (bytes === null) return ''
  return typeof bytes === 'string' ? bytes : readUtf8(bytes, 0, bytes.length)
}

/**
 * A string of a frame.
 * @throws TypeError when it is not well-formed Unicode.
 */
export function writeText(builder: Builder, text: string, what: string): Offset {
  utf8Length(text, what)
  return builder.createString(text)
}

export function writeTexts(builder: Builder, texts: readonly string[], what: string): Offset[] {
  return texts.map((text) => writeText(builder, text, what))
}
