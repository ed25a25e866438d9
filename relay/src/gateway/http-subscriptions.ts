/**
 * Subscriptions of the HTTP gateway (spec 10.3): they are made by one request and read by others, so they have an owner
 * and outlive their readers for a while. Without readers they cost a few bytes: what went out meanwhile is read from
 * ring and store, from {@link HttpSubscription.position} on.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { blake3, type Filter, type Reject, reject, wantsReplay } from '@aetherkit/core'
import type { Bus } from '../bus.js'
import { filterBytes } from '../filter-size.js'
import type { StreamReader } from './http-stream.js'

export class HttpSubscription {
  readonly id: string
  readonly address: string
  readonly readers = new Set<StreamReader>()
  filters: readonly Filter[]
  /** Readers without a cursor go on behind this seq; undefined: they get what the filters ask of history. */
  position: bigint | undefined
  /** BLAKE3 of the owner token, so that comparing takes the same time whatever is compared. */
  readonly #owner: Uint8Array
  /** Keys that the one who made it had proven. */
  readonly #keys: ReadonlySet<string>
  /** Whether the token was ever shown, or a key proven: then the address no longer does. */
  #proofUsed: boolean
  #expiry: NodeJS.Timeout | undefined

  constructor(id: string, filters: readonly Filter[], owner: Owner) {
    this.id = id
    this.filters = filters
    this.address = owner.address
    this.#owner = digest(owner.token ?? '')
    this.#keys = new Set(owner.keys)
    this.#proofUsed = owner.tokenUsed || owner.keys.length > 0
  }

  /**
   * The owner token, or a key that was proven when the subscription was made. While neither is in use, the address that
   * it was made from.
   */
  belongsTo({ token, address, keys }: Claim): boolean {
    if (keys.some((key) => this.#keys.has(key))) return true
    if (token === undefined) return !this.#proofUsed && address === this.address
    const isOwner = timingSafeEqual(this.#owner, digest(token))
    if (isOwner) this.#proofUsed = true
    return isOwner
  }

  /** Runs `expire` after `ms` unless a reader comes. */
  expireAfter(ms: number, expire: () => void): void {
    this.keep()
    this.#expiry = setTimeout(expire, ms)
    this.#expiry.unref()
  }

  keep(): void {
    clearTimeout(this.#expiry)
  }
}

/** Who asks for something that is an owner's to ask for. */
export interface Claim {
  readonly token: string | undefined
  readonly address: string
  /** That the request has proven. */
  readonly keys: readonly string[]
}

/** What the subscriptions that were made from one address come to. */
interface Share {
  readonly count: number
  /** Of their filters. */
  readonly bytes: number
}

interface Owner extends Claim {
  readonly tokenUsed: boolean
}

export class HttpSubscriptions {
  readonly #bus: Bus
  readonly #byId = new Map<string, HttpSubscription>()
  readonly #byAddress = new Map<string, Share>()

  constructor(bus: Bus) {
    this.#bus = bus
  }

  get size(): number {
    return this.#byId.size
  }

  find(id: string): HttpSubscription | undefined {
    return this.#byId.get(id)
  }

  [Symbol.iterator](): Iterator<HttpSubscription> {
    return this.#byId.values()
  }

  /**
   * Makes a subscription, or sets the owner's anew: then its readers go on with the new filters.
   * Held by another: `subscription_conflict`; too many: `limit_exceeded`, `unavailable`.
   */
  set(
    id: string | undefined,
    filters: readonly Filter[],
    claim: Claim,
  ): { readonly ok: true; readonly id: string; readonly token: string | undefined } | Reject {
    const held = id === undefined ? undefined : this.#byId.get(id)
    if (held !== undefined) {
      if (!held.belongsTo(claim)) return reject('subscription_conflict')
      const growth = filterBytes(filters) - filterBytes(held.filters)
      const refusal = this.#count(held.address, 0, growth)
      if (refusal !== undefined) return refusal
      held.filters = filters
      held.position = this.#start(filters)
      for (const reader of held.readers) reader.restart()
      return { ok: true, id: held.id, token: claim.token }
    }
    if (this.#byId.size >= this.#bus.limits.maxHttpSubscriptions)
      return { ...reject('unavailable'), retryAfterMs: 1000 }
    const refusal = this.#count(claim.address, 1, filterBytes(filters))
    if (refusal !== undefined) return refusal
    const token = claim.token ?? randomBytes(16).toString('base64url')
    const owner = { ...claim, token, tokenUsed: claim.token !== undefined }
    const made = new HttpSubscription(id ?? `sub-${randomBytes(16).toString('hex')}`, filters, owner)
    made.position = this.#start(filters)
    this.#byId.set(made.id, made)
    this.left(made)
    return { ok: true, id: made.id, token }
  }

  /** False when there is none that the claim is good for; the two cases look the same. */
  delete(id: string, claim: Claim): boolean {
    const held = this.#byId.get(id)
    if (held?.belongsTo(claim) !== true) return false
    this.#remove(held)
    for (const reader of [...held.readers]) reader.end('subscription_not_found')
    return true
  }

  /** A reader came. */
  joined(subscription: HttpSubscription, reader: StreamReader): void {
    subscription.readers.add(reader)
    subscription.keep()
  }

  /** A reader went, if any; after the last one the subscription has a while to live. */
  left(subscription: HttpSubscription, reader?: StreamReader): void {
    if (reader !== undefined) subscription.readers.delete(reader)
    if (subscription.readers.size > 0 || this.#byId.get(subscription.id) !== subscription) return
    subscription.expireAfter(this.#bus.limits.subscriptionMs, () => this.#remove(subscription))
  }

  #remove(subscription: HttpSubscription): void {
    subscription.keep()
    this.#byId.delete(subscription.id)
    this.#count(subscription.address, -1, -filterBytes(subscription.filters))
  }

  /** Adds to the share of an address, unless that would be more than it may have. */
  #count(address: string, subscriptions: number, filters: number): Reject | undefined {
    const { maxSubscriptions, maxFilterBytes } = this.#bus.limits
    const share = this.#byAddress.get(address) ?? { count: 0, bytes: 0 }
    const [count, bytes] = [share.count + subscriptions, share.bytes + filters]
    if (subscriptions > 0 && count > maxSubscriptions)
      return reject('limit_exceeded', undefined, `at most ${maxSubscriptions} subscriptions`)
    if (filters > 0 && bytes > maxFilterBytes)
      return reject('limit_exceeded', undefined, `at most ${maxFilterBytes} bytes of filters`)
    if (count > 0) this.#byAddress.set(address, { count, bytes })
    else this.#byAddress.delete(address)
    return undefined
  }

  /** What is published from now on is for the first reader, whenever it comes. */
  #start(filters: readonly Filter[]): bigint | undefined {
    return filters.some(wantsReplay) ? undefined : this.#bus.history.ring.last
  }
}

function digest(token: string): Uint8Array {
  return blake3(Buffer.from(token))
}
