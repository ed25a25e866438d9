/** @aetherkit/express: a paywall in front of Express routes. */
export type { BrowserPage } from './answer.js'
export {
  keepRawBody,
  type Middleware,
  type PaidRequest,
  type PaidResponse,
  paymentOf,
  type Route,
} from './middleware.js'
export { type Paywall, type PaywallOptions, paywall } from './paywall.js'
