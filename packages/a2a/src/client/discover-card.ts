/**
 * Where the card of a URL is (spec a2a 2.7, 6.2 no. 18): the URL is the agent's base, with or without a slash, or the
 * card itself, or an interface of an agent whose card lies at the root of its host. Cached by ETag.
 */
import { readCapped } from '../guard.js'
import type { AgentCard, JsonRecord } from '../model.js'
import { VERSION_HEADER } from '../version.js'
import { AgentError } from './errors.js'
import { type Fetch, fetchError, headOf } from './http-link.js'
import { readCard } from './read-card.js'
import { readHttpError } from './read-error.js'

export interface CachedCard {
  readonly body: string
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  /** ms; it is used without asking until then. */
  readonly freshUntil: number
}

/** Cards by the URL they were found at. */
export interface CardCache {
  get(url: string): CachedCard | undefined | Promise<CachedCard | undefined>
  set(url: string, card: CachedCard): void | Promise<void>
}

export interface FoundCard {
  /** Where it lies. */
  readonly url: string
  readonly card: AgentCard
  readonly source: JsonRecord
}

export interface DiscoverOptions {
  readonly fetch: Fetch
  readonly cache: CardCache
  readonly maxBytes: number
  readonly signal: AbortSignal
  readonly now: () => number
}

const PATHS = ['/.well-known/agent-card.json', '/.well-known/agent.json']
/** Longest time that a card is used without asking, s. */
const MAX_AGE = 86_400

/** The newest `capacity` cards, in memory. */
export function memoryCardCache(capacity = 256): CardCache {
  const cards = new Map<string, CachedCard>()
  return {
    get: (url) => cards.get(url),
    set(url, card) {
      cards.delete(url)
      cards.set(url, card)
      for (const oldest of cards.keys()) {
        if (cards.size <= capacity) break
        cards.delete(oldest)
      }
    },
  }
}

/** @throws AgentError CARD_NOT_FOUND, CARD_REFUSED, and as the way there; TypeError for a text that is no URL */
export async function discoverCard(target: string, options: DiscoverOptions): Promise<FoundCard> {
  const url = URL.canParse(target) ? new URL(target) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new TypeError(
      `target must be an http or https URL, or aether:<public key>, got ${JSON.stringify(target)}`,
    )
  url.hash = ''
  const base = url.origin + url.pathname.replace(/\/+$/, '')
  const isCard = url.pathname.endsWith('.json')
  const own = isCard ? [url.href] : PATHS.map((path) => base + path + url.search)
  let first: unknown
  for (const candidate of own) {
    try {
      return await loadCard(candidate, options)
    } catch (error) {
      if (!isAbsent(error)) throw error
      first ??= error
    }
  }
  if (!isCard && base !== url.origin)
    for (const path of PATHS) {
      const found = await loadCard(url.origin + path, options).catch(() => undefined)
      options.signal.throwIfAborted()
      // The root of a host is another agent's, unless its card names this very address.
      if (found?.card.supportedInterfaces.some((item) => item.url.replace(/\/+$/, '') === base)) return found
    }
  throw new AgentError('CARD_NOT_FOUND', `no agent card was found at ${own.join(' or ')}`, { cause: first })
}

/** What means that there is no card here, and not that it cannot be had. */
const isAbsent = (error: unknown): boolean =>
  AgentError.is(error, 'CARD_REFUSED') ||
  (AgentError.is(error) && error.source === 'agent' && [404, 405, 410].includes(error.facts.status ?? 0))

async function loadCard(
  url: string,
  { fetch, cache, maxBytes, signal, now }: DiscoverOptions,
): Promise<FoundCard> {
  const cached = await cache.get(url)
  if (cached !== undefined && now() < cached.freshUntil) return { url, ...readCard(cached.body) }
  let response: Response
  try {
    response = await fetch(url, {
      headers: {
        accept: 'application/json',
        [VERSION_HEADER]: '1.0',
        ...(cached?.etag !== undefined && { 'if-none-match': cached.etag }),
        ...(cached?.lastModified !== undefined && { 'if-modified-since': cached.lastModified }),
      },
      signal,
    })
  } catch (error) {
    signal.throwIfAborted()
    throw fetchError(error)
  }
  const freshUntil = now() + maxAgeOf(response) * 1000
  if (response.status === 304 && cached !== undefined) {
    await response.body?.cancel()
    await cache.set(url, { ...cached, freshUntil })
    return { url, ...readCard(cached.body) }
  }
  const bytes = await readCapped(response, maxBytes).catch((cause) => {
    signal.throwIfAborted()
    throw new AgentError('CARD_REFUSED', `the agent card is larger than ${maxBytes} bytes, or broke off`, {
      cause,
    })
  })
  if (!response.ok) throw readHttpError(undefined, headOf(response))
  const found = { url, ...readCard(bytes) }
  const etag = response.headers.get('etag') ?? undefined
  const lastModified = response.headers.get('last-modified') ?? undefined
  if (!/\bno-store\b/i.test(response.headers.get('cache-control') ?? ''))
    await cache.set(url, { body: new TextDecoder().decode(bytes), etag, lastModified, freshUntil })
  return found
}

function maxAgeOf({ headers }: Response): number {
  const control = headers.get('cache-control') ?? ''
  if (/\bno-cache\b/i.test(control)) return 0
  return Math.min(Number(/\bmax-age=(\d{1,9})/i.exec(control)?.[1] ?? 0), MAX_AGE)
}
