/** What a seller writes down for a route, made into terms for one request (spec payments 5, 11). */
import { PaymentError } from './errors.js'
import { type Price, parsePrice } from './money.js'
import { type Network, parseNetwork } from './network.js'
import { decodeAddress } from './solana.js'
import type { GateRequest, RouteTerms } from './terms.js'

type Dynamic<T, R> = T | ((request: R) => T | Promise<T>)

/** `R` is what the functions get: the framework's own request. */
export interface PricedRoute<R> {
  /** `"$0.10"`, `"0.10 USDC"`, an asset with its atomic amount; or a function of the request. */
  readonly price: Dynamic<Price, R>
  /** The seller's wallet when it is another than the paywall's. */
  readonly payTo?: Dynamic<string, R>
  readonly network?: string
  readonly description?: string
  readonly mimeType?: string
  readonly maxTimeoutSeconds?: number
  readonly flow?: RouteTerms['flow']
  readonly bind?: RouteTerms['bind']
  readonly requireBinding?: RouteTerms['requireBinding']
  readonly chargeOn?: (status: number) => boolean
  readonly extensions?: RouteTerms['extensions']
}

export interface SellerDefaults {
  /** In any spelling. */
  readonly network: string
  readonly payTo: string
}

/**
 * A function from a request to the terms of the route. What is fixed is read once, here.
 * @throws PaymentError `invalid_price`, `unknown_asset`, `unknown_network`, `invalid_option` for a fixed fault; a dynamic
 * one rejects when the request comes, and nothing is served.
 */
export function priceRoute<R>(
  route: PricedRoute<R>,
  { network: name, payTo: seller }: SellerDefaults,
): (request: GateRequest, source: R, pattern: string | undefined) => Promise<RouteTerms> {
  const network = readNetwork(route.network ?? name)
  const fixed = typeof route.price === 'function' ? undefined : parsePrice(route.price, network)
  const { payTo = seller } = route
  if (typeof payTo === 'string') checkAddress(payTo)
  return async ({ url }, source, pattern) => {
    const money = fixed ?? parsePrice(await resolve(route.price, source), network)
    const payee = checkAddress(await resolve(payTo, source))
    const { description = '', mimeType = 'application/json', maxTimeoutSeconds } = route
    const { flow, bind, requireBinding, chargeOn, extensions } = route
    return {
      resource: { url, description, mimeType },
      accepts: [
        { network, ...money, payTo: payee, ...(maxTimeoutSeconds !== undefined && { maxTimeoutSeconds }) },
      ],
      ...(flow !== undefined && { flow }),
      ...(bind !== undefined && { bind }),
      ...(pattern !== undefined && { route: pattern }),
      ...(requireBinding !== undefined && { requireBinding }),
      ...(chargeOn !== undefined && { chargeOn }),
      ...(extensions !== undefined && { extensions }),
    }
  }
}

function resolve<T, R>(value: Dynamic<T, R>, source: R): T | Promise<T> {
  return typeof value === 'function' ? (value as (request: R) => T | Promise<T>)(source) : value
}

function readNetwork(name: string): Network {
  const network = parseNetwork(name)
  if (network === undefined) throw new PaymentError('unknown_network', `no network is called ${name}`)
  return network
}

function checkAddress(address: string): string {
  if (decodeAddress(address) === undefined)
    throw new PaymentError('invalid_option', `payTo is no address: ${address}`)
  return address
}
