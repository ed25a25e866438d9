/** The answer to a relay that asks who we are (spec 4.1, 8.2): a challenge of this connection, signed with our key. */
import { blake3, canonicalBytes, completeTemplate, type Event, toHex } from '@aetherkit/core'
import type { Signer } from './signer.js'

/** Never stored and never handed on. */
const AUTH_KIND = 22242

/** What the signature is bound to, so that it is worth nothing elsewhere. */
interface Challenge {
  /** The URL that we connected to. Whatever the relay calls itself is not looked at. */
  readonly relay: string
  readonly challenge: string
  /** Of the Noise session, hex. */
  readonly binding: string | undefined
}

export type Prove = (challenge: Challenge) => Promise<Event>

/** Signs with this signer. */
export function prover(signer: Signer, clock: () => bigint): Prove {
  return async ({ relay, challenge, binding }) => {
    const tags = [
      ['relay', relay],
      ['challenge', challenge],
      ...(binding === undefined ? [] : [['binding', binding] as const]),
    ] as const
    const unsigned = completeTemplate({ kind: AUTH_KIND, tags, createdAt: clock() }, signer.publicKey)
    const id = blake3(canonicalBytes(unsigned))
    return { id: toHex(id), ...unsigned, sig: toHex(await signer.sign(id)) }
  }
}
