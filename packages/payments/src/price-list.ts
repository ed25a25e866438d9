/** What a seller writes down for a route, made into terms for one request (spec payments 4, 5, 11). */
import { type Confirmation, isConfirmation } from './confirmation.js'
import { PaymentError } from './errors.js'
import { type Money, type MoneyParser, type Price, readPrice } from './money.js'
import { type Network, parseNetwork } from './network.js'
import type { Json, Resource } from './requirement.js'
import { checkService, type ServiceText } from './service-text.js'
import { decodeAddress } from './solana.js'
import { type AcceptedTerms, boundMethod, type GateRequest, type RouteTerms } from './terms.js'

type Dynamic<T, R> = T | ((request: R) => T | Promise<T>)

/** One way to pay a route. `R` is what the functions get: the framework's own request. */
export interface PricedOption<R> {
  /** `exact`, and nothing else: what is charged is what was asked. */
  readonly scheme?: string
  /** `"$0.10"`, `"0.10 USDC"`, an asset with its atomic amount; or a function of the request. */
  readonly price: Dynamic<Price, R>
  /** The seller's wallet when it is another than the paywall's. */
  readonly payTo?: Dynamic<string, R>
  /** In any spelling, when it is another than the paywall's. */
  readonly network?: string
  /** Whole seconds, 1 to 86,400; 300 by default. */
  readonly maxTimeoutSeconds?: number
  /** More members of the requirement's `extra`; a buyer echoes them. */
  readonly extra?: Readonly<Record<string, Json>>
}

interface RouteSettings extends ServiceText {
  /** What is sold, when it has another address: absolute, or from the request's own. Same origin, or buyers refuse it. */
  readonly resource?: string
  /** `GET /report` by default: legacy buyers refuse an offer without one. */
  readonly description?: string
  readonly mimeType?: string
  readonly flow?: RouteTerms['flow']
  readonly bind?: RouteTerms['bind']
  readonly requireBinding?: RouteTerms['requireBinding']
  readonly chargeOn?: (status: number) => boolean
  /** From when on a payment counts, `confirmed` by default; a facilitator elsewhere has no other (`unsupported`). */
  readonly confirmation?: Confirmation
  readonly extensions?: RouteTerms['extensions']
}

type NoOption = { readonly [Name in keyof PricedOption<unknown>]?: never }

/** One price, or `accepts` with several: two tokens, two networks. The first is the one that a buyer takes who knows no better. */
export type PricedRoute<R> = RouteSettings &
  (
    | (PricedOption<R> & { readonly accepts?: never })
    | (NoOption & { readonly accepts: PricedOption<R> | readonly PricedOption<R>[] })
  )

export interface SellerDefaults {
  /** In any spelling. */
  readonly network: string
  readonly payTo: string
  /** Asked in turn before our own table: prices in other tokens, or in other words. */
  readonly moneyParsers?: readonly MoneyParser[]
}

/** A function from a request to the terms of the route. */
export type PriceList<R> = (
  request: GateRequest,
  source: R,
  pattern: string | undefined,
) => Promise<RouteTerms>

/** Members of `extra` that are made for each challenge. */
const OURS = ['feePayer', 'memo', 'recentBlockhash', 'lastValidBlockHeight', 'paymentFlow'] as const
/** No seller lists so many; readers stop there. */
const MAX_OPTIONS = 64

/**
 * The terms of a route, request by request. What is fixed is read once, here.
 * @throws PaymentError `invalid_price`, `unknown_asset`, `unknown_network`, `invalid_option` for a fixed fault,
 * `unsupported` for another scheme; a dynamic one rejects when the request comes, and nothing is served.
 */
export function priceRoute<R>(route: PricedRoute<R>, seller: SellerDefaults): PriceList<R> {
  const options = optionsOf(route).map((option) => readOption(option, seller))
  const service = checkService(route)
  const { description, mimeType = 'application/json', resource } = route
  const { flow, bind, requireBinding, chargeOn, confirmation, extensions } = route
  if (confirmation !== undefined && !isConfirmation(confirmation))
    throw new PaymentError('invalid_option', `no confirmation level is called ${String(confirmation)}`)
  return async (request, source, pattern) => {
    const what: Resource = {
      url: resource === undefined ? request.url : new URL(resource, request.url).href,
      description: description || `${boundMethod(request.method)} ${new URL(request.url).pathname}`,
      mimeType,
      ...service,
    }
    return {
      resource: what,
      accepts: await Promise.all(options.map((option) => option(source))),
      ...(flow !== undefined && { flow }),
      ...(bind !== undefined && { bind }),
      ...(pattern !== undefined && { route: pattern }),
      ...(requireBinding !== undefined && { requireBinding }),
      ...(chargeOn !== undefined && { chargeOn }),
      ...(confirmation !== undefined && { confirmation }),
      ...(extensions !== undefined && { extensions }),
    }
  }
}

/** Whether the terms are the same for every request, so that a catalogue may list them. */
export function isFixedPrice<R>(route: PricedRoute<R>): boolean {
  return optionsOf(route).every(
    ({ price, payTo }) => typeof price !== 'function' && typeof payTo !== 'function',
  )
}

function optionsOf<R>(route: PricedRoute<R>): readonly PricedOption<R>[] {
  const options = route.accepts === undefined ? [route] : [route.accepts].flat()
  if (options.length === 0 || options.length > MAX_OPTIONS)
    throw new PaymentError(
      'invalid_option',
      `accepts: 1 to ${MAX_OPTIONS} ways to pay, got ${options.length}`,
    )
  return options as readonly PricedOption<R>[]
}

function readOption<R>(
  { scheme = 'exact', network: name, price, payTo, maxTimeoutSeconds, extra }: PricedOption<R>,
  seller: SellerDefaults,
): (source: R) => Promise<AcceptedTerms> {
  if (scheme !== 'exact')
    throw new PaymentError('unsupported', `scheme ${scheme}: only exact is served; see credit and refund`)
  if (maxTimeoutSeconds !== undefined) checkSeconds(maxTimeoutSeconds)
  const network = readNetwork(name ?? seller.network)
  const read = (given: Price): Money & Pick<AcceptedTerms, 'extra'> => {
    const more = typeof given === 'object' ? { ...extra, ...given.extra } : { ...extra }
    const own = OURS.find((name) => name in more)
    if (own !== undefined) throw new PaymentError('invalid_option', `extra.${own} is made by the gate`)
    const money = readPrice(given, network, seller.moneyParsers)
    if (decodeAddress(money.asset) === undefined)
      throw new PaymentError('unknown_asset', `no mint address: ${money.asset}`)
    return { ...money, ...(Object.keys(more).length > 0 && { extra: more }) }
  }
  const payee = payTo ?? seller.payTo
  const fixed = typeof price === 'function' ? undefined : read(price)
  if (typeof payee === 'string') checkAddress(payee)
  return async (source) => ({
    network,
    ...(fixed ?? read(await resolve(price, source))),
    payTo: checkAddress(await resolve(payee, source)),
    ...(maxTimeoutSeconds !== undefined && { maxTimeoutSeconds }),
  })
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

function checkSeconds(seconds: number): void {
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 86_400)
    throw new PaymentError('invalid_option', `maxTimeoutSeconds: 1 to 86,400 expected, got ${seconds}`)
}
