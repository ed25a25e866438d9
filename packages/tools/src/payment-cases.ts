/** Conformance cases of the payment tools, over a wallet and a seller that the caller sets up. */
import type { PaymentContext } from './payment-context.js'
import { paymentTools } from './payments.js'
import { callTool } from './run-tool.js'
import type { ToolCase } from './testing.js'

type Name = (typeof paymentTools)[number]['name']

export interface PaymentToolShop {
  /** Two priced routes of at most a dollar each; the answer of the first is longer than 8 KiB. */
  readonly url: string
  readonly otherUrl: string
  /** The payee of both, base58. */
  readonly payTo: string
  /** Payments made so far. */
  payments(): number
}

/** One case for each payment tool; `context` has the money, and call ids of its own each time. */
export async function paymentToolCases(
  context: () => PaymentContext,
  shop: PaymentToolShop,
): Promise<ToolCase<PaymentContext>[]> {
  const terms = { max_price: '1', pay_to: shop.payTo }
  const purchase = { url: shop.url, ...terms }
  const ctx = context()
  const bought = await callTool(paymentTools[0], ctx, purchase)
  if (!bought.ok) throw new Error(`the shop sells nothing: ${JSON.stringify(bought.error)}`)
  const inputs: Record<Name, unknown> = {
    paid_fetch: purchase,
    quote: { url: shop.otherUrl },
    wallet_status: {},
    payment_history: { limit: 1 },
    paid_read_more: { answer_id: bought.output.answer_id },
  }
  const spending = { otherInput: { url: shop.otherUrl, ...terms }, payments: shop.payments }
  return paymentTools.map((definition) => ({
    definition,
    input: inputs[definition.name],
    context: definition.name === 'paid_read_more' ? () => ctx : context,
    ...(definition.name === 'paid_fetch' ? { spending } : {}),
  }))
}
