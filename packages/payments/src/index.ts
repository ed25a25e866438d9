/** @aetherkit/payments: pay and get paid in USDC on Solana, in the seed's, x402 v1's and v2's dialects. */

export { type Binding, createBinding } from './binding.js'
export { type BudgetCaps, type CapName, DEFAULT_CAPS, formatDollars } from './budget.js'
export type { BuyerPolicy, PayeeChange } from './buyer/choose.js'
export type { Purchase } from './buyer/purchase.js'
export type { FetchFunction } from './buyer/request.js'
export {
  type CallOptions,
  type McpBuyer,
  type McpBuyerOptions,
  mcpBuyer,
  type SendCall,
  type ToolCall,
} from './carrier/mcp-buyer.js'
export { MCP_PAYMENT, MCP_RECEIPT, type McpResult } from './carrier/mcp-result.js'
export {
  type McpCall,
  type McpSellerOptions,
  type PaidCall,
  type PricedTool,
  sellTool,
} from './carrier/mcp-seller.js'
export { writeChallenge } from './codec/v2.js'
export type { Confirmation } from './confirmation.js'
export { type Balance, type Credits, createCredits, creditGrant, creditOnFailure } from './credit.js'
export { PaymentError, type PaymentErrorCode } from './errors.js'
export { createSolanaSettler, type SolanaSettlerOptions } from './exact/settle.js'
export { DEFAULT_SPONSOR_LIMITS, type SponsorLimits } from './exact/static.js'
export { type Catalog, type CatalogAnswer, createCatalog } from './extension/catalog.js'
export { createDiscovery, type DiscoveryOptions } from './extension/discovery.js'
export { didOf } from './extension/jws.js'
export {
  createPaymentId,
  createPaymentIdentifiers,
  type PaymentIdentifierOptions,
  type PaymentIdentifiers,
  withPaymentId,
} from './extension/payment-identifier.js'
export { createReceipts, type ReceiptOptions, verifyOffers, verifyReceipt } from './extension/receipt.js'
export {
  createSignIn,
  SIGN_IN_HEADER,
  type SignIn,
  type SignInOptions,
  signInHeader,
  type TextSigner,
} from './extension/sign-in.js'
export { createFacilitatorClient, type FacilitatorClientOptions } from './facilitator/client.js'
export { combineSettlers } from './facilitator/combine.js'
export {
  type FacilitatorServerOptions,
  type SeedRequirements,
  X402FacilitatorServer,
} from './facilitator/facade.js'
export { facilitatorListener } from './facilitator/node.js'
export { createFacilitator, type Facilitator, type FacilitatorOptions } from './facilitator/server.js'
export {
  createGate,
  type Gate,
  type GateExtension,
  type GateHooks,
  type GateOptions,
  type Grant,
  type Verdict,
} from './gate.js'
export { type Release, type WatchOptions, type Written, watchResponse } from './held-response.js'
export { fileJournal, type Journal, type JournalEntry, memoryJournal, type PaymentState } from './journal.js'
export { type ClaimOptions, createLedger, type Ledger, type LedgerOptions } from './ledger/ledger.js'
export { lmdbStore } from './ledger/lmdb.js'
export { memoryStore } from './ledger/memory.js'
export type { PaymentRecord, Sent, Settled } from './ledger/record.js'
export { type RedisClient, redisStore } from './ledger/redis.js'
export type { Delivery } from './ledger/service.js'
export type { LedgerStore } from './ledger/store.js'
export {
  formatAmount,
  formatMoney,
  type Money,
  type MoneyParser,
  type Price,
  parseAmount,
  parsePrice,
} from './money.js'
export { DEVNET, MAINNET, type Network, networkName, parseNetwork, TESTNET } from './network.js'
export { PREFLIGHT_HEADERS, seedReceipt, wantsPage, withSeedReceipt } from './offer.js'
export type { Respond } from './outcome.js'
export { createPaymentPage, type PaymentPage, type PaymentPageOptions } from './page/page.js'
export {
  type PaidReceipt,
  type PayingFetch,
  type PayingFetchOptions,
  payingFetch,
  type Quote,
} from './pay.js'
export { inspectShop, type PreflightFault, type PreflightOptions, preflight } from './preflight.js'
export {
  type PricedOption,
  type PricedRoute,
  type PriceList,
  priceRoute,
  type SellerDefaults,
} from './price-list.js'
export type { RecentBlockhash } from './quote.js'
export type { RateLimit } from './rate.js'
export { REASONS, type Reason } from './reason.js'
export { createRecentBlockhash, type RecentBlockhashOptions } from './recent-blockhash.js'
export {
  createRefunds,
  type RefundOptions,
  type RefundOutcome,
  type Refunds,
  refundOnFailure,
} from './refund.js'
export type { Dialect, Json, Offer, Payment, Receipt, Requirement, Resource } from './requirement.js'
export { createRouteTable, type RouteTable } from './route-table.js'
export type { HandlerResult, Paid, Pass, Returned } from './serve.js'
export type {
  Fate,
  Kind,
  Settlement,
  SettleRefusal,
  Settler,
  Signed,
  Verified,
  VerifyRefusal,
} from './settler.js'
export { keypairSigner, type PaymentSigner, signerAddress } from './solana.js'
export { type SponsorAlarm, type SponsorAlarmOptions, watchSponsors } from './sponsor-alarm.js'
export type { AcceptedTerms, GateRequest, RouteTerms } from './terms.js'
export { TOKENS, type Token } from './token.js'
export { type WalletBalance, type WalletBalancesOptions, walletBalances } from './wallet-balances.js'
export {
  ExactSvmScheme,
  type X402BeforeHook,
  type X402ClientConfig,
  type X402Policy,
  type X402Requirements,
  type X402ResponseHook,
  type X402Selector,
  type X402SpendControls,
  x402Client,
} from './x402/client.js'
export { wrapFetchWithPayment, wrapFetchWithPaymentFromConfig, type X402FetchOptions } from './x402/fetch.js'
