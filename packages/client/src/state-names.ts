/**
 * Opaque names for paths: a keyed hash, so that a relay sees neither a path nor whether it guesses one right.
 *
 *   name = first 16 bytes of BLAKE3(key ‖ purpose ‖ parts), lower-case hex; each part u32 big-endian length, UTF-8
 *   key  = BLAKE3("aether-state-names-1" ‖ signature)
 *
 * The signature is of the id of an event that is never published. Ed25519 is deterministic (RFC 8032), so that every
 * process with the same signer finds the same key.
 */
import { blake3, canonicalBytes, toHex } from '@aetherkit/core'
import type { Signer } from './signer.js'

/** A parameterized kind (spec 2.1) of its own: beside Nostr's 30078, which holds readable application data. */
export const STATE_KIND = 30_079

const NAME_BYTES = 16
const KEY_BYTES = 32
const LABEL = 'aether-state-names-1'

/** `entry`: the `d` of a value; `chunk`: the `d` of a piece of one; `under`: what all below a path share. */
type Purpose = 'entry' | 'chunk' | 'under'

export type Namer = (purpose: Purpose, parts: readonly string[]) => string

/**
 * The key that paths are named with.
 * @throws TypeError when the signer signs the same bytes differently each time: such a one needs a key of its own.
 */
export async function deriveNameKey(signer: Signer): Promise<Uint8Array> {
  const id = blake3(
    canonicalBytes({
      pubkey: signer.publicKey,
      createdAt: 0n,
      kind: STATE_KIND,
      tags: [],
      content: new TextEncoder().encode(LABEL),
    }),
  )
  const signature = await signer.sign(id)
  if (toHex(await signer.sign(id)) !== toHex(signature))
    throw new TypeError('the signer is not deterministic: give a nameKey of 32 bytes')
  return blake3(join([new TextEncoder().encode(LABEL), signature]))
}

/** @throws TypeError for a key that is not 32 bytes. */
export function createNamer(key: Uint8Array, space: string): Namer {
  if (key.length !== KEY_BYTES) throw new TypeError(`nameKey must be 32 bytes, got ${key.length}`)
  return (purpose, parts) => {
    const hashed = blake3(join([key, ...[purpose, space, ...parts].flatMap(lengthAndText)]))
    return toHex(hashed.subarray(0, NAME_BYTES))
  }
}

function lengthAndText(part: string): Uint8Array[] {
  const text = new TextEncoder().encode(part)
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, text.length)
  return [length, text]
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
