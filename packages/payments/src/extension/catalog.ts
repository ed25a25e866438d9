/**
 * `GET /discovery/resources` (spec payments 7): what a shop sells, for catalogues and agents, free of charge. Routes with
 * a fixed price and no wildcard are listed; the offer to pay is the 402 of the route itself, so nothing here is signed,
 * bound or counted.
 *
 *   type          `http`, the only type there is
 *   limit         1 to 100, 20 by default
 *   offset        0 by default
 *   x402Version   2 by default; 1 lists the same routes in the words of version 1
 */
import { writeJson } from '@aetherkit/core'
import { writeRequirement as writeV1 } from '../codec/v1.js'
import { writeChallenge } from '../codec/v2.js'
import type { Gate } from '../gate.js'
import { isFixedPrice, type PricedRoute, type PriceList } from '../price-list.js'
import type { Json, Offer } from '../requirement.js'
import { readRouteKey } from '../route-table.js'
import type { GateRequest } from '../terms.js'
import { createDiscovery, isRouteTemplate } from './discovery.js'

export interface Catalog<R> {
  /** Routes of a table, by their keys. @throws PaymentError `invalid_option` for a key that is no route */
  add(
    routes: Readonly<Record<string, { readonly route: PricedRoute<R>; readonly terms: PriceList<R> }>>,
  ): void
  /** The listing; undefined for a request of anything else. */
  answer(request: GateRequest, source: R): Promise<CatalogAnswer | undefined>
}

export interface CatalogAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface Row<R> {
  readonly method: string
  /** With `:name` for a segment that is any. */
  readonly template: string
  readonly terms: PriceList<R>
}

interface Query {
  readonly version: 1 | 2
  readonly limit: number
  readonly offset: number
  /** Asked for a type that nothing here has. */
  readonly isEmpty: boolean
}

const PATH = '/discovery/resources'
const BAZAAR = 'bazaar'
const WITH_BODY = ['POST', 'PUT', 'PATCH']

export function createCatalog<R>(options: {
  readonly gate: Pick<Gate, 'list'>
  /** Public base URL, without a slash at its end. */
  readonly baseUrl: string
  readonly now?: () => number
}): Catalog<R> {
  const { gate, now = Date.now } = options
  const baseUrl = options.baseUrl.replace(/\/+$/, '')
  const lastUpdated = new Date(now()).toISOString()
  const rows: Row<R>[] = []

  async function item({ method, template, terms }: Row<R>, version: 1 | 2, source: R): Promise<Json> {
    const request: GateRequest = { method, url: baseUrl + template, header: () => undefined }
    const offer = await gate.list(request, await terms(request, source, template))
    const common = { resource: offer.resource.url, type: 'http', x402Version: version, lastUpdated }
    return { ...common, ...(version === 1 ? v1(offer, method) : await v2(offer, request, template)) }
  }

  return {
    add(routes) {
      for (const [key, { route, terms }] of Object.entries(routes)) {
        const { method = 'GET', pattern } = readRouteKey(key)
        if (pattern.split('/').includes('*') || !isFixedPrice(route)) continue
        rows.push({ method, template: pattern.replace(/\[([^\]/]+)\]/g, ':$1'), terms })
      }
    },
    async answer({ method, url }, source) {
      const { pathname, searchParams } = new URL(url)
      if (!['GET', 'HEAD'].includes(method) || pathname !== new URL(baseUrl + PATH).pathname) return undefined
      const query = readQuery(searchParams)
      if (query === undefined) return answered(400, { error: 'invalid_query' })
      const { version, limit, offset } = query
      const all = query.isEmpty ? [] : rows
      const page = all.slice(offset, offset + limit)
      const items = await Promise.all(page.map((row) => item(row, version, source)))
      return answered(200, {
        x402Version: version,
        items,
        pagination: { limit, offset, total: all.length },
      })
    },
  }
}

function v1({ accepts, resource }: Offer, method: string): Readonly<Record<string, Json>> {
  const outputSchema = { input: { type: 'http', method, discoverable: true } }
  return {
    accepts: accepts.map((each) => ({ ...writeV1(each, resource, 'v1'), outputSchema })),
    metadata: { description: resource.description },
  }
}

/** With the route's own `bazaar` declaration, or the least there is: the method, and what of the path is any. */
async function v2(
  offer: Offer,
  request: GateRequest,
  template: string,
): Promise<Readonly<Record<string, Json>>> {
  const { accepts = [], resource } = writeChallenge(offer)
  const { url: _, ...words } = resource as Readonly<Record<string, Json>>
  const least = createDiscovery({
    ...(WITH_BODY.includes(request.method) && { bodyType: 'json' }),
    ...(template.includes(':') && isRouteTemplate(template) && { routeTemplate: template }),
  })
  const declared =
    offer.extensions?.[BAZAAR] ??
    (await least.offer?.(offer, request, { resource: offer.resource, accepts: [] }))
  const extensions = { ...offer.extensions, ...(declared !== undefined && { [BAZAAR]: declared }) }
  return { accepts, ...words, extensions }
}

function readQuery(search: URLSearchParams): Query | undefined {
  const number = (name: string, fallback: number, least: number, most: number): number | undefined => {
    const text = search.get(name)
    if (text === null || text === '') return fallback
    const value = /^\d{1,9}$/.test(text) ? Number(text) : -1
    return value >= least && value <= most ? value : undefined
  }
  const limit = number('limit', 20, 1, 100)
  const offset = number('offset', 0, 0, 999_999_999)
  const version = number('x402Version', 2, 1, 2)
  if (limit === undefined || offset === undefined || version === undefined) return undefined
  return { version: version === 1 ? 1 : 2, limit, offset, isEmpty: (search.get('type') || 'http') !== 'http' }
}

function answered(status: number, body: Json): CatalogAnswer {
  return {
    status,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': status === 200 ? 'max-age=60' : 'no-store',
    },
    body: writeJson(body),
  }
}
