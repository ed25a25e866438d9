/**
 * A genuine Nostr event (spec 9.3; NIP-01): its id is the SHA-256 of a JSON text, its author a secp256k1 key, its time
 * in seconds. Told apart from an Aether event by that hash, and by nothing else, so neither can pass for the other.
 *
 * In memory and in a store it has the fields of an Aether event, with its time in nanoseconds, so that time limits,
 * filters and query order are one for both. Its type says what it is: only {@link readNostrEvent} and
 * {@link restoreNostrEvent} make one.
 */
import { createHash } from 'node:crypto'
import {
  type Event,
  eventId,
  hasDuplicateKeys,
  type JsonObject,
  type JsonValue,
  parseHex,
  type Tag,
} from '@aetherkit/core'

const SEAL = Symbol('only a reader makes a NostrEvent')
const SECOND = 1_000_000_000n
/** The last second whose nanoseconds fit u64. */
const MAX_SECONDS = 18_446_744_072
const MAX_KIND = 0xffff

/** The id is the hash of the fields. The signature is a claim until the verify pool has said otherwise. */
export class NostrEvent implements Event {
  readonly #hashed = true
  readonly id: string
  readonly pubkey: string
  readonly createdAt: bigint
  /** 0 to 65535: Nostr has kinds beyond 39999. */
  readonly kind: number
  /** A key may be empty and need not be ASCII. */
  readonly tags: readonly Tag[]
  readonly content: Uint8Array
  readonly sig: string

  /** @throws TypeError outside this file. */
  constructor(event: Event, seal: typeof SEAL) {
    if (seal !== SEAL) throw new TypeError('a NostrEvent is made by readNostrEvent() only')
    this.id = event.id
    this.pubkey = event.pubkey
    this.createdAt = event.createdAt
    this.kind = event.kind
    this.tags = event.tags
    this.content = event.content
    this.sig = event.sig
    Object.freeze(this)
  }

  static is(event: Event): event is NostrEvent {
    return #hashed in event
  }
}

/** The event when it is one by its shape and its hash; undefined for anything else. Unknown members are left out. */
export function readNostrEvent(value: JsonObject): NostrEvent | undefined {
  const { created_at: seconds, kind, content } = value
  if (hasDuplicateKeys(value) || value.event_id !== undefined) return undefined
  const id = parseHex(value.id, 32)
  const pubkey = parseHex(value.pubkey, 32)
  const sig = parseHex(value.sig, 64)
  if (id === undefined || pubkey === undefined || sig === undefined) return undefined
  if (!isInteger(seconds, MAX_SECONDS) || !isInteger(kind, MAX_KIND)) return undefined
  if (typeof content !== 'string' || !content.isWellFormed() || !isTags(value.tags)) return undefined
  const { tags } = value
  if (hash(pubkey, seconds, kind, tags, content) !== id) return undefined
  const createdAt = BigInt(seconds) * SECOND
  return new NostrEvent({ id, pubkey, createdAt, kind, tags, content: Buffer.from(content), sig }, SEAL)
}

/** An event that comes out of a store of Nostr events. */
export function restoreNostrEvent(event: Event): NostrEvent {
  return NostrEvent.is(event) ? event : new NostrEvent(event, SEAL)
}

/** What the id of a Nostr event with these fields must be. */
export function nostrEventId(event: Event): string {
  return hash(event.pubkey, secondsOf(event), event.kind, event.tags, textOf(event))
}

/** Whether the id is what the protocol of the event makes it, for who looks for damage in a store of either. */
export function hasRightId(event: Event): boolean {
  if (event.createdAt % SECOND === 0n && nostrEventId(event) === event.id) return true
  try {
    return eventId(event) === event.id
  } catch {
    // Fields that no Aether event can have.
    return false
  }
}

/** The JSON of NIP-01. */
export function writeNostrEvent(event: NostrEvent): string {
  const { id, pubkey, kind, tags, sig } = event
  const created_at = secondsOf(event)
  return JSON.stringify({ id, pubkey, created_at, kind, tags, content: textOf(event), sig })
}

function hash(
  pubkey: string,
  seconds: number,
  kind: number,
  tags: readonly (readonly string[])[],
  content: string,
): string {
  const text = JSON.stringify([0, pubkey, seconds, kind, tags, content])
  return createHash('sha256').update(text).digest('hex')
}

function secondsOf({ createdAt }: Event): number {
  return Number(createdAt / SECOND)
}

function textOf({ content }: Event): string {
  return Buffer.from(content.buffer, content.byteOffset, content.length).toString('utf8')
}

function isInteger(value: JsonValue | undefined, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max
}

function isTags(value: JsonValue | undefined): value is [string, ...string[]][] {
  const isText = (item: JsonValue) => typeof item === 'string' && item.isWellFormed()
  return (
    Array.isArray(value) && value.every((tag) => Array.isArray(tag) && tag.length > 0 && tag.every(isText))
  )
}
