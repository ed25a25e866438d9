/**
 * Requests to URLs that somebody else named (spec a2a 7.1): push notifications, cards, interfaces, key sets, `url`
 * parts. A name is resolved when the connection is made, every address of it must be public, and the connection goes to
 * an address that was looked at: a name that changes its mind between check and use gains nothing.
 */
import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, fetch as undiciFetch } from 'undici'
import { isPublicAddress } from './address.js'

export type GuardCode =
  /** Not a URL, not https, with credentials, or a port that is not on the list. */
  | 'URL_REFUSED'
  /** An address of it is not public. */
  | 'ADDRESS_REFUSED'
  | 'REDIRECT_REFUSED'
  | 'TOO_LARGE'

export class GuardError extends Error {
  override readonly name = 'GuardError'
  readonly code: GuardCode

  constructor(code: GuardCode, message: string) {
    super(message)
    this.code = code
  }

  static is(value: unknown): value is GuardError {
    return value instanceof Error && value.name === 'GuardError' && 'code' in value
  }
}

export interface GuardOptions {
  /** Plain http as well, for development. */
  readonly allowHttp?: boolean
  /** Loopback and private networks as well, and plain http there; for development and tests. Warns once. */
  readonly allowPrivateNetwork?: boolean
  /** Besides 443 (and 80 with `allowHttp`); `any` for all. */
  readonly ports?: readonly number[] | 'any'
  /** Until the head of an answer, ms; 10,000 by default. */
  readonly timeoutMs?: number
  /** Resolves names; the system's by default. */
  readonly lookup?: LookupFunction
  readonly warn?: (message: string) => void
}

export interface Guard {
  /** Throws GuardError for a URL that is refused whatever its name resolves to, or whose addresses are refused now. */
  check(url: string): Promise<void>
  /**
   * As the global fetch; a redirect is an error.
   * @throws GuardError, also as the `cause` of what fetch throws.
   */
  fetch(url: string | URL, init?: RequestInit): Promise<Response>
  close(): Promise<void>
}

export function createGuard(options: GuardOptions = {}): Guard {
  const { allowPrivateNetwork = false, allowHttp = allowPrivateNetwork, timeoutMs = 10_000 } = options
  const ports = options.ports ?? (allowPrivateNetwork ? 'any' : [])
  const lookup = options.lookup ?? (systemLookup as LookupFunction)
  if (allowPrivateNetwork) (options.warn ?? console.warn)('A2A requests to private networks are allowed')

  const pinned: LookupFunction = (host, lookupOptions, done) => {
    lookup(host, { ...lookupOptions, all: true }, (error, found) => {
      if (error !== null) return done(error, '', 4)
      const addresses = Array.isArray(found) ? found : [{ address: found, family: isIP(found) }]
      const refused = addresses.find(({ address }) => !allowPrivateNetwork && !isPublicAddress(address))
      if (refused !== undefined || addresses.length === 0) return done(refusedAddress(host), '', 4)
      if (lookupOptions.all === true) return done(null, addresses)
      return done(null, addresses[0]!.address, addresses[0]!.family)
    })
  }
  const agent = new Agent({
    connect: { lookup: pinned, timeout: timeoutMs },
    headersTimeout: timeoutMs,
    connections: 64,
  })

  function readUrl(text: string): URL {
    if (!URL.canParse(text)) throw new GuardError('URL_REFUSED', 'not an absolute URL')
    const url = new URL(text)
    if (url.protocol !== 'https:' && !(allowHttp && url.protocol === 'http:'))
      throw new GuardError('URL_REFUSED', 'the URL must be https')
    if (url.username !== '' || url.password !== '')
      throw new GuardError('URL_REFUSED', 'the URL must not hold credentials')
    const isAllowed = ports === 'any' || url.port === '' || ports.includes(Number(url.port))
    if (!isAllowed) throw new GuardError('URL_REFUSED', `port ${url.port} is not allowed`)
    const host = hostOf(url)
    if (isIP(host) !== 0 && !allowPrivateNetwork && !isPublicAddress(host)) throw refusedAddress(host)
    return url
  }

  return {
    async check(text) {
      const host = hostOf(readUrl(text))
      if (isIP(host) !== 0) return
      await new Promise<void>((resolve, reject) => {
        pinned(host, { all: true }, (error) => (error === null ? resolve() : reject(error)))
      })
    },
    async fetch(input, init = {}) {
      const url = readUrl(String(input))
      const response = await undiciFetch(url, {
        ...init,
        redirect: 'manual',
        dispatcher: agent,
      } as Parameters<typeof undiciFetch>[1])
      if (response.status >= 300 && response.status < 400 && response.status !== 304) {
        await response.body?.cancel()
        throw new GuardError('REDIRECT_REFUSED', `${url.origin} redirects`)
      }
      return response as Response
    },
    close: () => agent.close(),
  }
}

/**
 * The body, at most `maxBytes` of it.
 * @throws GuardError TOO_LARGE
 */
export async function readCapped(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  if (response.body !== null) {
    for await (const chunk of response.body) {
      size += chunk.length
      if (size > maxBytes) throw new GuardError('TOO_LARGE', `the answer is larger than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
  }
  return Buffer.concat(chunks)
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')

const refusedAddress = (host: string): GuardError =>
  new GuardError('ADDRESS_REFUSED', `${host} is not a public address`)
