/** `wallet_status`: what the wallet holds, and what the budget leaves of it. */
import { z } from 'zod'
import { dollarText } from './dollars.js'
import type { PaymentContext } from './payment-context.js'
import { paymentFailure } from './payment-error.js'
import { defineTool } from './tool-definition.js'

const left = z.string().optional()

export const walletStatus = defineTool({
  name: 'wallet_status',
  title: 'Wallet status',
  description: 'What this wallet holds, and what its budget still allows. It cannot be changed by you.',
  input: z.object({
    host: z.string().max(255).optional().describe('Also what may still be spent at this host, with its port'),
  }),
  output: z.object({
    address: z.string().describe('Where this wallet can be topped up'),
    network: z.string(),
    balances: z.array(z.string()).optional().describe('Such as 1.50 USDC; missing when no node can be asked'),
    budget_left: z
      .object({ per_call: left, per_host: left, per_day: left, total: left })
      .describe('Dollars; what is missing is not limited'),
    asks_human_above: z.string().describe('Dollars; a purchase above it is asked about'),
  }),
  annotations: { readOnly: true, idempotent: true },
  async execute(ctx: PaymentContext, { host }) {
    const { address, network, askAbove, payments } = ctx
    try {
      const [balances, budget] = await Promise.all([ctx.balances(), payments.budgetLeft(host)])
      const { perCall, perHost, perDay, total } = budget
      const amounts = { per_call: perCall, per_host: perHost, per_day: perDay, total }
      const limits = Object.entries(amounts).flatMap(([cap, amount]) =>
        amount === undefined ? [] : [[cap, dollarText(amount)]],
      )
      return {
        address,
        network,
        ...(balances && { balances: balances.filter(({ amount }) => amount > 0n).map(({ text }) => text) }),
        budget_left: Object.fromEntries(limits),
        asks_human_above: dollarText(askAbove),
      }
    } catch (cause) {
      throw paymentFailure(cause) ?? cause
    }
  },
})
