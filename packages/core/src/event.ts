/**
 * Events by stage (spec 1): an `EventTemplate` is what an author wants to say, an `Event` has an id and a signature
 * that somebody claims, a `VerifiedEvent` is one whose id and signature were checked here.
 *
 * Ids, keys and signatures are lower-case hex; content is bytes; `createdAt` is nanoseconds since 1970.
 */

import { ed25519Verify } from '#ed25519'
import { type Reject, reject } from './codes.js'
import { fromHex } from './hex.js'
import { blake3, canonicalBytes } from './id.js'

export type Tag = readonly [key: string, ...values: string[]]

export interface EventTemplate {
  /** 0 to 39999; the range decides storage (spec 2.1). */
  readonly kind: number
  readonly content?: string | Uint8Array
  readonly tags?: readonly Tag[]
  readonly createdAt?: bigint
}

export interface UnsignedEvent {
  /** 32 bytes, hex. */
  readonly pubkey: string
  readonly createdAt: bigint
  readonly kind: number
  readonly tags: readonly Tag[]
  readonly content: Uint8Array
}

export interface Event extends UnsignedEvent {
  /** 32 bytes, hex: BLAKE3 of the canonical bytes, as claimed. */
  readonly id: string
  /** 64 bytes, hex. */
  readonly sig: string
}

const SEAL = Symbol('only verify() makes a VerifiedEvent')
const utf8 = new TextEncoder()
const text = new TextDecoder()

/** An event whose id and signature are right. Cannot be built, spread or cast into being: only {@link verify} makes one. */
export class VerifiedEvent implements Event {
  readonly #verified = true
  readonly id: string
  readonly pubkey: string
  readonly createdAt: bigint
  readonly kind: number
  readonly tags: readonly Tag[]
  readonly content: Uint8Array
  readonly sig: string

  /** @throws TypeError outside {@link verify}. */
  constructor(event: Event, seal: typeof SEAL) {
    if (seal !== SEAL) throw new TypeError('a VerifiedEvent is made by verify() only')
    this.id = event.id
    this.pubkey = event.pubkey
    this.createdAt = event.createdAt
    this.kind = event.kind
    this.tags = event.tags
    this.content = event.content
    this.sig = event.sig
    Object.freeze(this)
  }

  /** The content as UTF-8 text; bytes that are no UTF-8 become U+FFFD. */
  get text(): string {
    return text.decode(this.content)
  }

  static is(value: unknown): value is VerifiedEvent {
    return typeof value === 'object' && value !== null && #verified in value
  }
}

/**
 * Checks id and signature (spec 3.1, steps 8 and 9). A field that has no canonical form (a hand-made object, not one
 * of our readers) is `invalid_event`; a wrong hash `id_mismatch`; a wrong signature `invalid_signature`.
 */
export function verify(event: Event): { ok: true; event: VerifiedEvent } | Reject {
  let digest: Uint8Array
  let id: Uint8Array
  let sig: Uint8Array
  let pubkey: Uint8Array
  try {
    digest = blake3(canonicalBytes(event))
    id = fromHex(event.id)
    sig = fromHex(event.sig)
    pubkey = fromHex(event.pubkey)
  } catch (error) {
    return reject(
      'invalid_event',
      'publish event must be mapping',
      error instanceof Error ? error.message : undefined,
    )
  }
  if (id.length !== 32 || !digest.every((byte, i) => byte === id[i])) return reject('id_mismatch')
  if (!ed25519Verify(sig, digest, pubkey)) return reject('invalid_signature')
  return { ok: true, event: new VerifiedEvent(event, SEAL) }
}

/**
 * Content as bytes.
 * @throws TypeError for text that is not well-formed Unicode: it has no bytes of its own (spec 1.3).
 */
export function contentBytes(content: string | Uint8Array): Uint8Array {
  if (typeof content !== 'string') return content
  if (!content.isWellFormed()) throw new TypeError('content must be well-formed Unicode')
  return utf8.encode(content)
}

/** A tag key is ASCII (spec 1.3): older peers cannot hash others. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}
