/** @aetherkit/tools/payments: tools that buy, apart from the others because they load the payments package. */
import { paidFetch } from './paid-fetch.js'
import { paymentHistory } from './payment-history.js'
import { quote } from './quote.js'
import { paidReadMore } from './read-answer.js'
import { defineTools } from './tool-definition.js'
import { walletStatus } from './wallet-status.js'

/** Every payment tool, over a `paymentContext`; an adapter maps the whole list. */
export const paymentTools = defineTools(paidFetch, quote, walletStatus, paymentHistory, paidReadMore)

export type { PaymentContext, PaymentContextOptions, PaymentWallet, Purchase } from './payment-context.js'
export { paymentContext } from './payment-context.js'
export { paidFetch, paidReadMore, paymentHistory, quote, walletStatus }
