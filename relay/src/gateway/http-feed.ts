/** `/v1/subscriptions` and `/v1/stream` (spec 10.1, 10.3, 10.4): who asks, and what is answered. */
import { type JsonValue, reject } from '@aetherkit/core'
import type { Bus } from '../bus.js'
import type { Peer } from '../policy.js'
import { Refused, sendJson, sendReject } from './http-answer.js'
import { readObject } from './http-body.js'
import { assertMayRead, readFilters } from './http-filters.js'
import { type Exchange, featuresOf } from './http-routes.js'
import { StreamReader } from './http-stream.js'
import { type Claim, type HttpSubscription, HttpSubscriptions } from './http-subscriptions.js'
import { gatewayReject } from './wording.js'

/** Characters of an owner token that a client brings itself. */
const TOKEN = /^[\x21-\x7e]{16,128}$/

export class Feed {
  /** Frames that were queued for readers and never left. */
  dropped = 0
  readonly #bus: Bus
  readonly #subscriptions: HttpSubscriptions

  constructor(bus: Bus) {
    this.#bus = bus
    this.#subscriptions = new HttpSubscriptions(bus)
  }

  get size(): number {
    return this.#subscriptions.size
  }

  /** The open streams. */
  *[Symbol.iterator](): Iterator<StreamReader> {
    for (const { readers } of this.#subscriptions) yield* readers
  }

  get readers(): number {
    let count = 0
    for (const { readers } of this.#subscriptions) count += readers.size
    return count
  }

  /** `POST /v1/subscriptions` */
  async post(exchange: Exchange): Promise<void> {
    const { request, response, peer } = exchange
    const { limits, history } = this.#bus
    const body = await readObject(exchange, limits)
    const filters = readFilters(body.filters, limits)
    assertMayRead(this.#bus, filters, peer)
    const id = readId(body.subscription_id ?? undefined, limits.maxSubId)
    const claim = claimOf(peer, readToken(body.owner ?? bearer(request.headers)))
    const set = this.#subscriptions.set(id, filters, claim)
    if (!set.ok) {
      sendReject(response, set)
      return
    }
    const cursor = `${history.store.epoch}-${history.ring.last}`
    sendJson(response, 200, { subscription_id: set.id, owner: set.token, cursor })
  }

  /** `DELETE /v1/subscriptions/{id}`; the owner token comes as `Authorization: Bearer`, or a key is proven. */
  delete({ request, response, peer, parameters }: Exchange): void {
    const id = parameters.id ?? ''
    const claim = claimOf(peer, bearer(request.headers))
    if (this.#subscriptions.delete(id, claim)) sendJson(response, 200, { deleted: true, subscription_id: id })
    else sendReject(response, reject('subscription_not_found'))
  }

  /** `GET /v1/stream` */
  stream({ request, response, peer, search }: Exchange): void {
    const id = search.get('subscription_id') ?? ''
    if (id === '') throw new Refused(reject('invalid_message', 'subscription_id required'))
    const subscription = this.#subscriptions.find(id)
    if (subscription === undefined) {
      sendReject(response, reject('subscription_not_found'))
      return
    }
    assertMayRead(this.#bus, subscription.filters, peer)
    response.setHeader('content-type', 'text/event-stream')
    response.setHeader('cache-control', 'no-cache, no-transform')
    // Proxies that hold back what they pass on would hold back events.
    response.setHeader('x-accel-buffering', 'no')
    if (request.method === 'HEAD') {
      response.end()
      return
    }
    response.flushHeaders()
    const reader = new StreamReader({
      ...{ bus: this.#bus, peer, response, subscription, base64: featuresOf(search).has('base64') },
      closed: (gone, dropped) => {
        this.dropped += dropped
        this.#subscriptions.left(subscription, gone)
        this.#bus.observe({ type: 'disconnected', peer, surface: 'stream' })
      },
    })
    const isFirst = subscription.readers.size === 0
    this.#subscriptions.joined(subscription, reader)
    this.#bus.observe({ type: 'connected', peer, surface: 'stream' })
    // A client that reconnects keeps its URL, so the header is the newer of the two.
    const after = headerText(request.headers['last-event-id']) ?? search.get('after') ?? undefined
    reader.start(after ?? (isFirst ? this.#left(subscription) : undefined))
  }

  /** Drain: all readers are told, and their streams end. */
  farewell(): void {
    for (const { readers } of this.#subscriptions) for (const reader of [...readers]) reader.end('going_away')
  }

  /** Where the last reader left off. */
  #left({ position }: HttpSubscription): string | undefined {
    return position === undefined ? undefined : `${this.#bus.history.store.epoch}-${position}`
  }
}

function readId(value: JsonValue | undefined, maxBytes: number): string | undefined {
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string' || !value.isWellFormed())
    throw new Refused(reject('invalid_message', 'subscription_id required', 'subscription_id is text'))
  if (Buffer.byteLength(value) > maxBytes)
    throw new Refused(reject('limit_exceeded', undefined, `subscription_id: at most ${maxBytes} bytes`))
  return value
}

function readToken(value: JsonValue | undefined): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && TOKEN.test(value)) return value
  throw new Refused(gatewayReject('invalid_message', 'payload must be object', 'owner: 16 to 128 characters'))
}

function claimOf({ address, authenticated = [] }: Peer, token: string | undefined): Claim {
  return { token, address, keys: authenticated }
}

function bearer({ authorization }: { readonly authorization?: string | undefined }): string | undefined {
  return /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
}

/** An empty header counts as none: that is what a client sends that has no id yet. */
function headerText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
