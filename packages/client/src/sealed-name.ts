/**
 * Opaque names for what one key keeps at the relays for one reader (sealed-log.ts, sealed-note.ts).
 *
 *   name = first 16 bytes of BLAKE3("aether-mail-1" ‖ purpose ‖ writer ‖ reader ‖ given name), lower-case hex;
 *          each part u32 big-endian length, UTF-8
 *
 * Writer and reader find the same name; who knows neither the given name nor guesses it learns nothing from it.
 */
import { blake3, toHex } from '@aetherkit/core'

const NAME_BYTES = 16
const MAX_NAME = 256

/** @throws RangeError for a name that is not 1 to 256 characters */
export function sealedName(
  purpose: 'log' | 'note',
  { writer, reader, name }: { readonly writer: string; readonly reader: string; readonly name: string },
): string {
  if (name.length < 1 || name.length > MAX_NAME)
    throw new RangeError(`a name has 1 to ${MAX_NAME} characters, got ${name.length}`)
  const parts = ['aether-mail-1', purpose, writer, reader, name].map((part) => new TextEncoder().encode(part))
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + 4 + part.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const part of parts) {
    view.setUint32(at, part.length)
    bytes.set(part, at + 4)
    at += 4 + part.length
  }
  return toHex(blake3(bytes).subarray(0, NAME_BYTES))
}
