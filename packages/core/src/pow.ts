/**
 * Proof of work (spec 11.2): difficulty is the number of leading zero bits of the event id, however they were come by.
 * Ours are found with a tag `["nonce", "<n>", "<bits>"]`, as NIP-13.
 */
import type { Tag, UnsignedEvent } from './event.js'
import { fromHex } from './hex.js'
import { blake3, canonicalBytes } from './id.js'

/** An id has 256 bits. */
const MAX_BITS = 256
/** Nonces have one width, so that the bytes to hash are laid out once: 13 digits from 10^12. */
const NONCE_DIGITS = 13
const FIRST_NONCE = 10 ** (NONCE_DIGITS - 1)
/** Hashes between two looks at the signal: some milliseconds. */
const SLICE = 4096

export interface MineOptions {
  readonly signal?: AbortSignal
  /** More than this is refused, whatever a relay asks for; default 256, so set it. Each bit doubles the work. */
  readonly maxBits?: number
}

/** Leading zero bits of an id, as hex or bytes. */
export function leadingZeroBits(id: string | Uint8Array): number {
  const bytes = typeof id === 'string' ? fromHex(id) : id
  const zeros = bytes.findIndex((byte) => byte !== 0)
  return zeros === -1 ? 8 * bytes.length : 8 * zeros + Math.clz32(bytes[zeros]!) - 24
}

/**
 * Whether an id has at least this many leading zero bits.
 * @throws RangeError for a difficulty outside 0 to 256.
 */
export function meetsDifficulty(id: string | Uint8Array, bits: number): boolean {
  return leadingZeroBits(id) >= checkedBits(bits, MAX_BITS)
}

/**
 * The event with a nonce tag (the last tag; nonce tags it had are dropped) that gives its id the difficulty. Everything
 * else must be final. Gives way to other work every few milliseconds.
 *
 * Rejects with RangeError for a difficulty outside 0 to `maxBits`, and with the signal's reason when aborted.
 */
export async function mine(
  event: UnsignedEvent,
  bits: number,
  options: MineOptions = {},
): Promise<UnsignedEvent> {
  checkedBits(bits, options.maxBits ?? MAX_BITS)
  const kept = event.tags.filter(([key]) => key !== 'nonce')
  const withNonce = (nonce: number): UnsignedEvent => ({
    ...event,
    tags: [...kept, ['nonce', String(nonce), String(bits)] satisfies Tag],
  })
  const bytes = canonicalBytes(withNonce(FIRST_NONCE))
  // The nonce is followed by the length and digits of `bits`, then by the content.
  const at = bytes.length - event.content.length - String(bits).length - 2 - NONCE_DIGITS
  const nonce = await search(bytes, bits, options.signal, FIRST_NONCE, (tried) => {
    for (let i = NONCE_DIGITS - 1, rest = tried; i >= 0; i--, rest = Math.floor(rest / 10))
      bytes[at + i] = 0x30 + (rest % 10)
  })
  return withNonce(nonce)
}

/**
 * The reference's way: 8 bytes, u64 big-endian, appended to the content. From nonce 128 on such content is rarely
 * UTF-8 and then cannot travel as JSON text; only for peers that know nothing else. Rejects as {@link mine}.
 */
export async function mineContentLegacy(
  event: UnsignedEvent,
  bits: number,
  options: MineOptions = {},
): Promise<UnsignedEvent> {
  checkedBits(bits, options.maxBits ?? MAX_BITS)
  const content = new Uint8Array(event.content.length + 8)
  content.set(event.content)
  const bytes = canonicalBytes({ ...event, content })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  await search(bytes, bits, options.signal, 0, (tried) => view.setBigUint64(bytes.length - 8, BigInt(tried)))
  content.set(bytes.subarray(-8), event.content.length)
  return { ...event, content }
}

async function search(
  bytes: Uint8Array,
  bits: number,
  signal: AbortSignal | undefined,
  first: number,
  place: (nonce: number) => void,
): Promise<number> {
  for (let nonce = first; ; nonce++) {
    if ((nonce - first) % SLICE === 0) {
      signal?.throwIfAborted()
      if (nonce > first) await new Promise((resolve) => setTimeout(resolve, 0))
    }
    place(nonce)
    if (leadingZeroBits(blake3(bytes)) >= bits) return nonce
  }
}

function checkedBits(bits: number, max: number): number {
  if (!Number.isInteger(bits) || bits < 0 || bits > Math.min(max, MAX_BITS))
    throw new RangeError(`difficulty must be 0 to ${Math.min(max, MAX_BITS)} bits, got ${bits}`)
  return bits
}
