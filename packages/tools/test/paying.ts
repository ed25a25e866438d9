/** One shop for the tests of a file, and calls of the payment tools: as a framework makes them, and as a model reads them. */
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { callTool, type JsonRecord, modelParts, type RunOptions } from '../src/index.js'
import {
  type PaymentContext,
  type PaymentContextOptions,
  type PaymentWallet,
  paymentContext,
  paymentTools,
} from '../src/payments.js'
import type { AnyTool } from '../src/tool-definition.js'
import { openShop, type Shop } from './shop.js'

/** Atomic units of a purchase. */
export const PRICE = 100_000n
export let shop: Shop
let before = 0n

beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop?.close())
beforeEach(async () => {
  before = await shop.earned()
})

/** Purchases since the test began, by the merchant's account. */
export const earned = async () => Number((await shop.earned()) - before) / Number(PRICE)
export const context = async (change?: Partial<PaymentWallet>, options?: PaymentContextOptions) =>
  paymentContext(await shop.wallet(change), options)

/** The arguments of `paid_fetch` for a path of the shop. */
export const order = (path = '/goods', change: object = {}) => ({
  url: `${shop.origin}${path}`,
  max_price: '0.10',
  pay_to: shop.payTo,
  ...change,
})

type Name = (typeof paymentTools)[number]['name']

function toolOf(name: Name): AnyTool<PaymentContext> {
  const found = paymentTools.find((each) => each.name === name)
  if (found === undefined) throw new Error(`no tool ${name}`)
  return found
}

export function call(ctx: PaymentContext, name: Name, input: object, options: RunOptions = {}) {
  return callTool(toolOf(name), ctx, input, options)
}

export async function outputOf(ctx: PaymentContext, name: Name, input: object, options?: RunOptions) {
  const outcome = await call(ctx, name, input, options)
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error))
  return outcome.output
}

/** What a model reads of an output. */
export function shownParts(name: Name, output: JsonRecord) {
  return modelParts(toolOf(name), output)
}

export function shownText(name: Name, output: JsonRecord): string {
  const [part] = shownParts(name, output)
  return part?.type === 'text' ? part.text : ''
}
