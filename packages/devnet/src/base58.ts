/** Base58 as Solana writes keys (32 bytes) and signatures (64 bytes). */
import { getBase58Decoder, getBase58Encoder } from '@solana/kit'

const decoder = getBase58Decoder()
const encoder = getBase58Encoder()

export function encodeBase58(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** The bytes, or undefined when the text is not base58 or has another length. */
export function decodeBase58(text: string, length?: number): Uint8Array | undefined {
  // 1,232 bytes are at most 1,683 characters; conversion takes quadratic time, so longer text is refused unread
  if (text.length > 2_000) return undefined
  try {
    const bytes = new Uint8Array(encoder.encode(text))
    return length === undefined || bytes.length === length ? bytes : undefined
  } catch {
    return undefined
  }
}
