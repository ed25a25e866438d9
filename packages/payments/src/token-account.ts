/** What a token account holds, by its bytes (spec solana 1.2): never by a JSON number, which loses digits. */
import { isJsonObject, type JsonValue } from '@aetherkit/core'
import { decodeBase64 } from './codec/header.js'

/** The amount in a token account: u64 little-endian at 64. */
const AMOUNT_AT = 64

/** Atomic, of an account as a node answers it in base64; 0 when there is none. */
export function tokensIn(account: JsonValue | undefined): bigint {
  const text = isJsonObject(account) && Array.isArray(account.data) ? account.data[0] : undefined
  const data = typeof text === 'string' ? decodeBase64(text) : undefined
  if (data === undefined || data.length < AMOUNT_AT + 8) return 0n
  return new DataView(data.buffer, data.byteOffset, data.byteLength).getBigUint64(AMOUNT_AT, true)
}
