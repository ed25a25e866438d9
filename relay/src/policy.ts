/**
 * Policies: what this relay takes, beyond what the protocol demands (spec 3.1, steps 1 to 4, 6, 7 and 10).
 *
 * A policy is a function in a list. It runs in the step that its `stage` names, inside a step in list order; a plain
 * function without a stage is a content rule of step 7, after duplicates and proof of work, before any crypto.
 * Policies are cheap and synchronous, and never see an event twice.
 */
import {
  type Event,
  isEphemeral,
  type JsonObject,
  leadingZeroBits,
  type Reject,
  reject,
} from '@aetherkit/core'
import type { Grant } from './policy/capability-grant.js'
import { copyText } from './recent.js'
import type { KindRange } from './store/store.js'

/** Who publishes. */
export interface Peer {
  /** Unique in this relay process. */
  readonly id: number
  /** Remote IP address. */
  readonly address: string
  /** Ed25519 keys, hex, that this connection has proven to hold, see `auth.ts`. */
  readonly authenticated?: readonly string[]
  /** The same for the secp256k1 keys of genuine Nostr clients. */
  readonly authenticatedNostr?: readonly string[]
  /** What it may do by the capability tokens that it showed when it proved its keys. */
  readonly grants?: readonly Grant[]
}

/** The steps of spec 3.1 that a policy can take part in, in their order. */
const STAGES = ['rate', 'shape', 'kind', 'time', 'work', 'content', 'key'] as const
export type Stage = (typeof STAGES)[number]

export interface Policy {
  /** `now`: Unix time in nanoseconds by the relay's clock. Undefined lets the event pass. */
  (event: Event, peer: Peer, now: bigint): Reject | undefined
  /** Default `content`. In stage `key` alone the public key is proven. */
  readonly stage?: Stage
  /** What clients should know about it: members of the info document (spec 10.6). */
  readonly info?: JsonObject
}

const SECOND = 1_000_000_000n
const MILLISECOND = 1_000_000n

/** The time window of spec 3.1: 60 s ahead for all, 60 s back for ephemeral kinds. */
export function saneDefaults(): Policy[] {
  return [maxFutureSkew(60n * SECOND), maxAge(60n * SECOND, isEphemeral)]
}

/** `created_at` at most `ns` ahead of the relay's clock: `created_at_out_of_window`. */
export function maxFutureSkew(ns: bigint): Policy {
  return staged('time', { max_future_ms: Number(ns / MILLISECOND) }, (event, _peer, now) => {
    if (event.createdAt <= now + ns) return undefined
    return reject('created_at_out_of_window', undefined, `at most ${ns / SECOND} s ahead`)
  })
}

/** `created_at` at most `ns` back, for the kinds that `applies` names: `created_at_out_of_window`. */
export function maxAge(ns: bigint, applies: (kind: number) => boolean = () => true): Policy {
  const name = applies === isEphemeral ? 'max_age_ephemeral_ms' : 'max_age_ms'
  return staged('time', { [name]: Number(ns / MILLISECOND) }, (event, _peer, now) => {
    if (!applies(event.kind) || event.createdAt + ns >= now) return undefined
    return reject('created_at_out_of_window', undefined, `at most ${ns / SECOND} s old`)
  })
}

/** Only these kinds, each a number or from and to: `kind_unsupported`. */
export function allowKinds(kinds: Iterable<number | KindRange>): Policy {
  const ranges = [...kinds].map(rangeOf)
  return staged('kind', { allowed_kinds: ranges.map(showRange) }, ({ kind }) =>
    isOfKind(kind, ranges) ? undefined : reject('kind_unsupported'),
  )
}

/** None of these kinds, each a number or from and to: `kind_unsupported`. */
export function blockKinds(kinds: Iterable<number | KindRange>): Policy {
  const ranges = [...kinds].map(rangeOf)
  return staged('kind', { blocked_kinds: ranges.map(showRange) }, ({ kind }) =>
    isOfKind(kind, ranges) ? reject('kind_unsupported') : undefined,
  )
}

function rangeOf(kind: number | KindRange): KindRange {
  return typeof kind === 'number' ? [kind, kind] : kind
}

/** As NIP-11 does: a number, or a pair. */
function showRange([from, to]: KindRange): number | [number, number] {
  return from === to ? from : [from, to]
}

/**
 * At least so many leading zero bits in the id (spec 11.2): `pow_required`.
 * @throws RangeError when `bits` is not an integer from 0 to 256.
 */
export function proofOfWork(bits: number): Policy {
  if (!Number.isInteger(bits) || bits < 0 || bits > 256)
    throw new RangeError(`bits must be an integer from 0 to 256, got ${bits}`)
  return staged('work', { pow_difficulty: bits }, ({ id }) =>
    leadingZeroBits(id) >= bits ? undefined : reject('pow_required', undefined, `${bits} bits`),
  )
}

export interface Rate {
  /** Events a full bucket allows at once. */
  readonly capacity: number
  /** Events that flow back into the bucket each second. */
  readonly perSecond: number
  /** Buckets held at most; the one used longest ago goes first. Default 65,536. */
  readonly maxBuckets?: number
}

/**
 * Token buckets: `rate_limited` with the time to wait. `pubkey` counts valid events of a proven key (step 10),
 * `connection` and `ip` count every event offered (step 1), `kind` those that could be of that kind (step 3).
 * `kinds`: only events of these kinds, from and to inclusive, are counted and limited; default: all.
 * @throws RangeError unless capacity is at least 1 and the rate positive.
 */
export function rateLimit(
  by: 'pubkey' | 'connection' | 'ip' | 'kind',
  rate: Rate,
  kinds?: readonly KindRange[],
): Policy {
  const buckets = new Buckets(rate)
  const key = {
    pubkey: (event: Event) => copyText(event.pubkey),
    connection: (_event: Event, peer: Peer) => `#${peer.id}`,
    ip: (_event: Event, peer: Peer) => peer.address,
    kind: (event: Event) => String(event.kind),
  }[by]
  const info = { [`rate_limit_${by}`]: { capacity: rate.capacity, per_second: rate.perSecond } }
  const stage = by === 'pubkey' ? 'key' : by === 'kind' ? 'kind' : 'rate'
  return staged(stage, kinds === undefined ? info : {}, (event, peer, now) => {
    if (!isOfKind(event.kind, kinds)) return undefined
    const wait = buckets.take(key(event, peer), Number(now / MILLISECOND))
    return wait === undefined ? undefined : { ...reject('rate_limited'), retryAfterMs: wait }
  })
}

/** Whether a list of ranges, both ends inclusive, has the kind; no list has all. */
export function isOfKind(kind: number, kinds: readonly KindRange[] | undefined): boolean {
  return kinds === undefined || kinds.some(([from, to]) => kind >= from && kind <= to)
}

/** Token buckets by key, bounded: a Map in order of last use. */
export class Buckets {
  readonly #rate: Rate
  readonly #max: number
  readonly #buckets = new Map<string, { tokens: number; at: number }>()

  constructor(rate: Rate) {
    if (!(rate.capacity >= 1)) throw new RangeError(`capacity must be at least 1, got ${rate.capacity}`)
    if (!(rate.perSecond > 0)) throw new RangeError(`perSecond must be positive, got ${rate.perSecond}`)
    this.#rate = rate
    this.#max = rate.maxBuckets ?? 65_536
  }

  /** Takes one token; when there is none, the milliseconds until there is. `now` in milliseconds. */
  take(key: string, now: number): number | undefined {
    const { capacity, perSecond } = this.#rate
    const bucket = this.#buckets.get(key)
    const elapsed = bucket === undefined ? 0 : Math.max(0, now - bucket.at)
    const tokens =
      bucket === undefined ? capacity : Math.min(capacity, bucket.tokens + (elapsed / 1000) * perSecond)
    this.#buckets.delete(key)
    this.#buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now })
    if (this.#buckets.size > this.#max) {
      const oldest = this.#buckets.keys().next().value
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    return tokens >= 1 ? undefined : Math.ceil(((1 - tokens) / perSecond) * 1000)
  }

  get size(): number {
    return this.#buckets.size
  }
}

function staged(
  stage: Stage,
  info: JsonObject,
  rule: (event: Event, peer: Peer, now: bigint) => Reject | undefined,
): Policy {
  return Object.assign(rule, { stage, info })
}
