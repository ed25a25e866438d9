/** One call of the caller's, as it is sent more than once: method, headers and body are kept (spec payments 12). */
import { toHex } from '@aetherkit/core'
import { sha256 } from '@noble/hashes/sha2.js'
import { PaymentError } from '../errors.js'
import { isLoopback } from '../rpc.js'

export type FetchFunction = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>

export type Header = readonly [name: string, value: string]

export interface PreparedRequest {
  readonly method: string
  /** Absolute, without fragment. */
  readonly url: string
  readonly headers: Headers
  readonly signal: AbortSignal
  /** SHA-256 of method, URL, body hash and idempotency key, hex. */
  readonly intent: string
  /** The caller named the purchase: `Idempotency-Key`. */
  readonly keyed: boolean
  /** The caller brings a payment already. */
  readonly isPaid: boolean
  /** As the caller asked, redirects included. */
  unpaid(fetch: FetchFunction): Promise<Response>
  /**
   * With headers that pay. Redirects inside the origin are followed with it; to another origin it never goes along.
   * The deadline is for the headers, not for the body.
   */
  paid(fetch: FetchFunction, url: string, paying: readonly Header[], timeoutMs: number): Promise<Response>
  /** Where a paid answer leads, without the payment and as a plain GET; the answer itself when the caller follows none. */
  follow(fetch: FetchFunction, response: Response, url: string): Promise<Response>
}

const PAYMENT_HEADERS = ['payment-signature', 'x-payment']
const MAX_REDIRECTS = 5

export async function prepareRequest(
  input: RequestInfo | URL,
  init: RequestInit = {},
): Promise<PreparedRequest> {
  const request = new Request(input, init)
  const url = new URL(request.url)
  url.hash = ''
  const { method, headers, signal } = request
  const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer())
  const key = headers.get('idempotency-key') ?? ''
  const bodyHash = body === undefined ? '' : toHex(sha256(body))
  const {
    body: _body,
    headers: _headers,
    method: _method,
    signal: _signal,
    duplex: _duplex,
    ...more
  }: RequestInit & {
    duplex?: unknown
  } = init
  const send = (
    fetch: FetchFunction,
    to: string,
    change: RequestInit & { method: string; headers: Headers },
  ) =>
    fetch(to, {
      credentials: request.credentials,
      ...more,
      signal,
      ...(body !== undefined && change.method === method && { body }),
      ...change,
    })

  return {
    method,
    url: url.href,
    headers,
    signal,
    keyed: key !== '',
    isPaid: PAYMENT_HEADERS.some((name) => headers.has(name)),
    intent: toHex(sha256(new TextEncoder().encode([method, url.href, bodyHash, key].join('\n')))),
    unpaid: (fetch) => send(fetch, url.href, { method, headers, redirect: request.redirect }),
    async paid(fetch, at, paying, timeoutMs) {
      const deadline = new AbortController()
      const timer = setTimeout(
        () => deadline.abort(new DOMException('no answer in time', 'TimeoutError')),
        timeoutMs,
      )
      try {
        let to = new URL(at)
        let how = method
        for (let hops = 0; ; hops++) {
          const all = new Headers(headers)
          for (const [name, value] of paying) all.set(name, value)
          const response = await send(fetch, to.href, {
            method: how,
            headers: all,
            redirect: 'manual',
            signal: AbortSignal.any([signal, deadline.signal]),
          })
          const location = response.headers.get('location')
          if (!isRedirect(response.status) || location === null || isReceipted(response)) return response
          const next = new URL(location, to)
          if (next.origin !== to.origin || hops === MAX_REDIRECTS) return response
          await response.body?.cancel()
          const rewrites = response.status === 303 || (response.status < 303 && how === 'POST')
          if (rewrites && how !== 'HEAD') how = 'GET'
          to = next
        }
      } finally {
        clearTimeout(timer)
      }
    },
    async follow(fetch, response, from) {
      const location = response.headers.get('location')
      if (!isRedirect(response.status) || location === null || request.redirect !== 'follow') return response
      await response.body?.cancel()
      const to = new URL(location, from)
      const isInside = to.origin === url.origin
      const kept = [...headers].filter(
        ([name]) => isInside || name === 'accept' || name === 'accept-language',
      )
      const plain = new Headers(kept.filter(([name]) => !name.startsWith('content-')))
      return fetch(to, { ...more, method: method === 'HEAD' ? 'HEAD' : 'GET', headers: plain, signal })
    },
  }
}

/**
 * Whether a payment may be sent to this address at all: https, or this machine.
 * @throws PaymentError `offer_refused`
 */
export function checkDestination(request: PreparedRequest, answered: string): URL {
  const asked = new URL(request.url)
  const url = new URL(answered === '' ? request.url : answered)
  if (url.origin !== asked.origin) {
    throw new PaymentError('offer_refused', `${asked.origin} was asked, ${url.origin} wants the money`)
  }
  if (url.protocol === 'https:' || isLoopback(url.href)) return url
  throw new PaymentError('offer_refused', `${url.origin} would get the payment over plain http`)
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308
}

function isReceipted({ headers }: Response): boolean {
  return headers.has('payment-response') || headers.has('x-payment-response')
}
