/** Express in, one call of the gate, Express out (spec payments 11). Express 4 and 5; the decision is the gate's. */
import {
  createCatalog,
  createRouteTable,
  type Gate,
  priceRoute,
  type SellerDefaults,
} from '@aetherkit/payments'
import { answer, type BrowserPage, sendReceipt } from './answer.js'
import { charge, type Priced } from './charge.js'
import { gateRequest, routedPath, routePattern } from './gate-request.js'
import { checkLimits } from './limits.js'
import type { Middleware, PaidRequest, Route } from './middleware.js'
import { allow, pricedMethod } from './preflight.js'

export interface PaywallOptions extends SellerDefaults {
  readonly gate: Gate
  /** Public base URL, such as `https://shop.example`: never taken from `Host`. */
  readonly baseUrl: string
  /** What a person's browser gets in place of JSON: `createPaymentPage`. */
  readonly page?: BrowserPage
  /** `Access-Control-Allow-Origin` of preflights and answers; absent, the application's own CORS rule stands. */
  readonly origin?: string
  /** The seed's `receipt` in JSON bodies for payments that came in `X-Payment`; on by default. */
  readonly seedReceipts?: boolean
  /** Bytes of a response that are kept for the same payment; 256 KiB by default, as the gate's. */
  readonly keepBytes?: number
  /**
   * Bytes of a response that are held back while it is not paid (`flow: 'authorization'`) or given back; 4 MiB by
   * default. One that grows longer is settled there and then, streamed on, and not kept.
   */
  readonly holdBytes?: number
  /**
   * `GET /discovery/resources` lists the routes of the tables whose price is fixed, free and for everybody. Off by
   * default.
   */
  readonly discovery?: boolean
  /** Reads every body, for payment identifiers; `bind: 'request'` reads it anyway. */
  readonly rawBody?: boolean
  /** Longest body that is read, bytes; 1 MiB by default. */
  readonly maxBodyBytes?: number
  /** What went wrong beside the way of the payment. */
  readonly onError?: (error: unknown) => void
}

/** A priced route: `app.get('/report', paid({ price: '$0.10' }), handler)`. */
export interface Paywall {
  (route: Route): Middleware
  /** For a whole app: `app.use(paid.table({ 'GET /report': { price: '$0.10' } }))`. */
  table(routes: Readonly<Record<string, Route>>): Middleware
  /** Answers every preflight: `app.use(paid.preflight)`, as Express answers those of `app.get` without CORS. */
  readonly preflight: Middleware
  /** `GET /.well-known/x402/receipts/<payment id or transaction>`: `app.use(paid.receipts)`. */
  readonly receipts: Middleware
}

const RECEIPTS = '/.well-known/x402/receipts/'

/** @throws PaymentError for a route that can never be paid: a price of zero, an unknown network, no address */
export function paywall(options: PaywallOptions): Paywall {
  checkLimits(options)
  const catalog = options.discovery === true ? createCatalog<PaidRequest>(options) : undefined
  const priced = (route: Route): Priced => {
    checkLimits(route)
    return { route, terms: priceRoute(route, options) }
  }
  const run = (work: () => Promise<boolean>, next: (error?: unknown) => void): void => {
    work().then((runs) => runs && next(), next)
  }
  const single = (route: Route): Middleware => {
    const entry = priced(route)
    return (request, response, next) =>
      run(() => charge(request, response, entry, routePattern(request), options), next)
  }
  return Object.assign(single, {
    table(routes: Readonly<Record<string, Route>>): Middleware {
      const entries: Record<string, Priced> = {}
      for (const [key, route] of Object.entries(routes)) entries[key] = priced(route)
      const table = createRouteTable(entries)
      catalog?.add(entries)
      return (request, response, next) =>
        run(async () => {
          const listing = await catalog?.answer(gateRequest(request, options.baseUrl), request)
          if (listing !== undefined) return answer(request, response, listing)
          const found = table.find(pricedMethod(request), routedPath(request))
          return found === undefined || charge(request, response, found.entry, found.pattern, options)
        }, next)
    },
    preflight: ((request, response, next) => {
      if (request.method === 'OPTIONS') allow(response, options)
      else next()
    }) satisfies Middleware,
    receipts: ((request, response, next) => {
      const path = routedPath(request)
      if (request.method !== 'GET' || !path.startsWith(RECEIPTS)) return next()
      options.gate.receipt(path.slice(RECEIPTS.length)).then((found) => sendReceipt(response, found), next)
    }) satisfies Middleware,
  })
}
