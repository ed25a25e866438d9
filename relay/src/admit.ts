/**
 * Who gets in: cheap before dear, in the order of spec 3.1. Everything here is synchronous and costs no crypto; steps
 * 8 and 9 are the verify pool's, and {@link Gate.proven} is step 10.
 */
import {
  canonicalSize,
  checkLimits,
  type Event,
  encodeEvent,
  isEphemeral,
  kindClass,
  type Reject,
  reject,
  writeEvent,
} from '@aetherkit/core'
import { isAuthKind } from './auth.js'
import { isExpired } from './expiration.js'
import type { Limits } from './limits.js'
import { NostrEvent, writeNostrEvent } from './nostr-event.js'
import type { Peer, Policy, Stage } from './policy.js'
import type { Realms } from './realm.js'
import type { RecentIds } from './recent.js'

export interface GateOptions {
  readonly limits: Limits
  readonly policies: readonly Policy[]
  readonly recent: RecentIds
  readonly realms: Realms
  /** Unix time in nanoseconds. */
  now(): bigint
}

/** The event is known: its seq, or 0 when only its id is remembered. */
export interface Known {
  readonly ok: true
  readonly seq: bigint
}

export class Gate {
  readonly #options: GateOptions
  #stages: Record<Stage, readonly Policy[]>

  constructor(options: GateOptions) {
    this.#options = options
    this.#stages = byStage(options.policies)
  }

  /** From now on these. */
  replacePolicies(policies: readonly Policy[]): void {
    this.#stages = byStage(policies)
  }

  /** Steps 1 to 7 for an event of the right shape. Undefined: on to the verify pool. */
  admit(event: Event, peer: Peer): Reject | Known | undefined {
    const { limits } = this.#options
    const now = this.#options.now()
    return (
      this.#ask('rate', event, peer, now) ??
      (NostrEvent.is(event) ? checkNostr(event, limits) : checkAether(event, limits)) ??
      (isAuthKind(event.kind) ? reject('kind_unsupported', undefined, 'not to be published') : undefined) ??
      this.#ask('shape', event, peer, now) ??
      this.#ask('kind', event, peer, now) ??
      this.#ask('time', event, peer, now) ??
      (isExpired(event, now) ? reject('expired') : undefined) ??
      this.#known(event) ??
      this.#ask('work', event, peer, now) ??
      this.#ask('content', event, peer, now)
    )
  }

  /** Step 10, for an event whose signature is right. */
  proven(event: Event, peer: Peer): Reject | undefined {
    return this.#stages.key.length === 0 ? undefined : this.#ask('key', event, peer, this.#options.now())
  }

  #ask(stage: Stage, event: Event, peer: Peer, now: bigint): Reject | undefined {
    for (const policy of this.#stages[stage]) {
      const refusal = policy(event, peer, now)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }

  /** A claimed id alone proves nothing: with another signature the event is verified in full (spec 2.5). */
  #known(event: Event): Known | undefined {
    const { recent, realms } = this.#options
    const { store } = realms.of(event)
    if (!isEphemeral(event.kind) && store.has(event.id)) {
      const stored = store.get(event.id)
      if (stored?.event.sig === event.sig) return { ok: true, seq: stored.seq }
    }
    return recent.find(event.id) === event.sig ? { ok: true, seq: 0n } : undefined
  }
}

function byStage(policies: readonly Policy[]): Record<Stage, readonly Policy[]> {
  const inStage = (stage: Stage) => policies.filter((policy) => (policy.stage ?? 'content') === stage)
  return {
    rate: inStage('rate'),
    shape: inStage('shape'),
    kind: inStage('kind'),
    time: inStage('time'),
    work: inStage('work'),
    content: inStage('content'),
    key: inStage('key'),
  }
}

function checkAether(event: Event, limits: Limits): Reject | undefined {
  return (
    checkLimits(event, limits.event) ??
    checkRenderings(event, limits) ??
    (kindClass(event.kind) === undefined ? reject('kind_out_of_range') : undefined)
  )
}

/** What a record holds of a tag: bytes of its key, bytes of a value (see `store/record.ts`). */
const MAX_NOSTR_KEY = 0xff
const MAX_NOSTR_VALUE = 0xffff

/** Sizes as for Aether events; the finer tag limits are not those of Nostr, nor are the kinds. */
export function checkNostr(event: NostrEvent, { event: limits }: Pick<Limits, 'event'>): Reject | undefined {
  if (event.tags.length > limits.maxTags)
    return reject('tag_limits', undefined, `at most ${limits.maxTags} tags`)
  for (const [key, ...values] of event.tags) {
    if (
      Buffer.byteLength(key) > MAX_NOSTR_KEY ||
      values.some((value) => Buffer.byteLength(value) > MAX_NOSTR_VALUE)
    )
      return reject('tag_limits', undefined, 'a tag is too long')
  }
  const isSmall = canonicalSize(event) <= limits.maxSize
  const fits = isSmall && Buffer.byteLength(writeNostrEvent(event)) <= limits.maxTextSize
  return fits ? undefined : reject('too_large')
}

/** Below it no rendering can reach a limit of spec 1.5: an escape grows a byte sixfold, a string has its framing. */
const SURELY_SMALL = 32 * 1024
/** Of a rendering, beside its content and its tags. */
const FRAME_BYTES = 1024

/** What is accepted must be deliverable: the renderings have limits of their own (spec 1.5). */
function checkRenderings(event: Event, { event: limits }: Limits): Reject | undefined {
  let tagBytes = 0
  for (const tag of event.tags) for (const text of tag) tagBytes += 16 + 3 * text.length
  const { content } = event
  if (content.length + tagBytes < SURELY_SMALL) return undefined
  // Most need not be rendered to tell that they fit.
  const most = 6 * tagBytes + FRAME_BYTES
  const isSurelyFit =
    content.length + 5 * countEscaped(content) + most <= limits.maxTextSize &&
    content.length * (4 / 3) + most <= limits.maxBinarySize
  if (isSurelyFit) return undefined
  const text = writeEvent(event)
  const fits =
    encodeEvent(event).length <= limits.maxBinarySize &&
    (text === undefined
      ? Buffer.byteLength(writeEvent(event, { base64: true }) ?? '') <= limits.maxBinarySize
      : Buffer.byteLength(text) <= limits.maxTextSize)
  return fits ? undefined : reject('too_large', undefined, 'a rendering of the event is too large')
}

/** Bytes that JSON writes as an escape: quotes, backslashes, control characters. */
function countEscaped(content: Uint8Array): number {
  let count = 0
  for (let i = 0; i < content.length; i++) {
    const byte = content[i]!
    if (byte < 0x20 || byte === 0x22 || byte === 0x5c) count++
  }
  return count
}
