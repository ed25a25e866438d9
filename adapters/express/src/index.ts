/** @aetherkit/express: a paywall in front of Express routes, and an A2A agent in an Express application. */
export type { BrowserPage } from './answer.js'
export {
  keepRawBody,
  type Middleware,
  type PaidRequest,
  type PaidResponse,
  paymentOf,
  type ResponseBody,
  type Route,
  type SettleFailure,
} from './middleware.js'
export { type AgentHost, type MountOptions, mountAgent } from './mount-agent.js'
export { type Paywall, type PaywallOptions, paywall } from './paywall.js'
export { setSettlementOverrides } from './settlement-overrides.js'
