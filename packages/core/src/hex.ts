/** Hexadecimal text. Wire rule (spec 1.3): exactly two digits a byte, upper case accepted, lower case out. */

const DIGITS = /^[0-9a-fA-F]*$/
/** Char codes of `0` to `f`. */
const DIGIT_CODES = new TextEncoder().encode('0123456789abcdef')
const ascii = new TextDecoder()
/** Digits of a key and of a signature, used again: what is decoded is a copy. */
const KEY_DIGITS = new Uint8Array(64)
const SIGNATURE_DIGITS = new Uint8Array(128)

/** Lower-case hex of the bytes. */
export function toHex(bytes: Uint8Array): string {
  return hexAt(bytes, 0, bytes.length)
}

/** Lower-case hex of `count` bytes from `at`. Decoded from one array: a string joined by `+` is slow as a map key. */
export function hexAt(bytes: Uint8Array, at: number, count: number): string {
  const digits = count === 32 ? KEY_DIGITS : count === 64 ? SIGNATURE_DIGITS : new Uint8Array(2 * count)
  for (let i = 0; i < count; i++) {
    const byte = bytes[at + i]!
    digits[2 * i] = DIGIT_CODES[byte >> 4]!
    digits[2 * i + 1] = DIGIT_CODES[byte & 0xf]!
  }
  return ascii.decode(digits)
}

/**
 * Bytes of hex text that is known to be good (our own ids, keys, signatures).
 * @throws TypeError for anything else; hostile input goes through {@link parseHex}.
 */
export function fromHex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0 || !DIGITS.test(hex))
    throw new TypeError(`hex expected, got ${JSON.stringify(hex.slice(0, 80))}`)
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = (digit(hex.charCodeAt(2 * i)) << 4) | digit(hex.charCodeAt(2 * i + 1))
  return bytes
}

/** The value as lower-case hex when it is a string of exactly `bytes` bytes of hex, else undefined. */
export function parseHex(value: unknown, bytes: number): string | undefined {
  if (typeof value !== 'string' || value.length !== 2 * bytes || !DIGITS.test(value)) return undefined
  return value.toLowerCase()
}

/** Whether the text holds hex digits only (no blanks, no sign; may be empty or odd). */
export function isHexDigits(text: string): boolean {
  return DIGITS.test(text)
}

/** `0-9` is 0x30.., `A-F` 0x41.., `a-f` 0x61..: bit 0x40 marks a letter. */
function digit(code: number): number {
  return (code & 0xf) + (code & 0x40 ? 9 : 0)
}
