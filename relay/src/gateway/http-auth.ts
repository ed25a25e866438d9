/**
 * Who asks over HTTP (spec 4.1, in the manner of NIP-98): a request has no connection to ask a challenge on, so each
 * brings a proof of its own.
 *
 *   Authorization: Aether <base64 of the JSON of an event>
 *
 *   kind        27235; never stored, never forwarded
 *   created_at  at most 60 s from now
 *   tags        u        the absolute URL of the request, query included
 *               method   of the request
 *               payload  BLAKE3-256 of the body, hex; required where there is a body
 *
 * A proof is good once. What it proves holds for this request, and for a stream as long as it is open.
 */
import type { IncomingMessage } from 'node:http'
import { type Event, parseJson, type Reject, readEvent, reject, tagValue } from '@aetherkit/core'
import { addressOf } from '../admission.js'
import { HTTP_AUTH_KIND, proveKey } from '../auth.js'
import type { Bus } from '../bus.js'
import { ownPaths } from '../own-url.js'
import type { Peer } from '../policy.js'
import { RecentIds } from '../recent.js'
import { Refused } from './http-answer.js'

export interface Proven {
  readonly peer: Peer
  /** BLAKE3-256 that the body must have, hex; absent: there is none. */
  readonly payload?: string | undefined
}

/** How far the time of the event may be from now. Milliseconds. */
const WINDOW_MS = 60_000
const WINDOW = BigInt(WINDOW_MS) * 1_000_000n
const UNAUTHORIZED = 401

export class HttpAuth {
  readonly #bus: Bus
  /** A proof from the future is good for two windows. */
  readonly #used = new RecentIds(2 * WINDOW_MS)

  constructor(bus: Bus) {
    this.#bus = bus
  }

  /**
   * The peer with the key that the request proves; without the header as it is.
   * @throws Refused, status 401, for a proof that does not hold; those of capability tokens, and `unavailable`.
   */
  async prove(request: IncomingMessage, peer: Peer): Promise<Proven> {
    const text = shown(request)
    if (text === undefined) return { peer }
    const claim = readClaim(text, this.#bus.limits.maxJsonDepth)
    if (!claim.ok) throw unproven(claim)
    const { event } = claim
    const refusal = this.#check(event, request)
    if (refusal !== undefined) throw unproven(refusal)
    const verdict = await new Promise<{ readonly ok: true; readonly peer: Peer } | Reject>((settle) => {
      proveKey(this.#bus, claim, () => peer, settle)
    })
    if (!verdict.ok) throw unproven(verdict)
    // Two of the same may have been under way at once.
    if (this.#isUsed(event)) throw unproven(used())
    this.#used.add(event.id, event.sig, performance.now())
    return { peer: verdict.peer, payload: payloadOf(event) }
  }

  /** All that costs no crypto. */
  #check(event: Event, request: IncomingMessage): Reject | undefined {
    const refuse = (detail: string) => reject('auth_required', undefined, detail)
    const { method = '' } = request
    if (event.kind !== HTTP_AUTH_KIND)
      return reject('kind_unsupported', undefined, `a proof has kind ${HTTP_AUTH_KIND}`)
    const now = this.#bus.now()
    if (event.createdAt > now + WINDOW || event.createdAt + WINDOW < now)
      return reject('created_at_out_of_window', undefined, 'at most 60 seconds from now')
    if (tagValue(event, 'method')?.toUpperCase() !== method) return refuse(`the tag method is not ${method}`)
    if (!this.#isOurs(tagValue(event, 'u'), request))
      return refuse('the tag u is not the URL of this request')
    if (hasBody(request) && payloadOf(event) === undefined)
      return refuse('the tag payload is missing: BLAKE3-256 of the body, hex')
    return this.#isUsed(event) ? used() : undefined
  }

  #isOurs(text: string | undefined, { socket, url = '' }: IncomingMessage): boolean {
    const local = { address: addressOf({ remoteAddress: socket.localAddress }), port: socket.localPort ?? 0 }
    // As a URL says it: both sides have the same escapes then.
    const asked = `http://relay${url}`
    if (!url.startsWith('/') || !URL.canParse(asked)) return false
    const { pathname, search } = new URL(asked)
    const found = ownPaths(text, { urls: this.#bus.urls, local })
    return found.some((each) => each.path === pathname && each.search === search)
  }

  #isUsed({ id }: Event): boolean {
    this.#used.expire(performance.now())
    return this.#used.find(id) !== undefined
  }
}

function shown({ headers }: IncomingMessage): string | undefined {
  const match = /^aether(?: +(.*))?$/i.exec(headers.authorization ?? '')
  return match === null ? undefined : (match[1] ?? '')
}

function readClaim(text: string, maxDepth: number): ReturnType<typeof readEvent> {
  const parsed = parseJson(Buffer.from(text, 'base64').toString(), { maxDepth })
  return parsed.ok ? readEvent(parsed.value) : parsed
}

function payloadOf(event: Event): string | undefined {
  return tagValue(event, 'payload')?.toLowerCase()
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function used(): Reject {
  return reject('auth_required', undefined, 'this proof was shown before')
}

/** Whatever is wrong with a proof, the request is unauthorized; what is no fault of it keeps its status. */
function unproven(refusal: Reject): Refused {
  const isOfProof = refusal.code !== 'unavailable' && refusal.code !== 'restricted'
  return isOfProof ? new Refused(refusal, UNAUTHORIZED) : new Refused(refusal)
}
