/** A seller that is killed at every await from a payment to its answer (spec solana 7, 8 R6; payments 17). */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { expectFigures } from '../test/fault.js'
import { type Market, openMarket, PRICE } from '../test/market.js'
import { openSellers, type Seller, type Sellers } from '../test/sellers.js'
import { newBuyer } from '../test/stall.js'
import { payingFetch } from './pay.js'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 30_000 })
const SOON = { timeout: 20_000 }
/** Shorter than the patience of whoever finds the claim of a dead process. */
const LEASE_MS = 1_000
/** No renewal comes between the steps of the whole run: each of them is made in every run. */
const LONG_LEASE_MS = 120_000
const LANES = 4
const FUNDS = 2n * PRICE
let market: Market
let sellers: Sellers

beforeAll(async () => {
  // Landed at once: the same steps in every run.
  market = await openMarket({ landing: 'immediate' })
  sellers = openSellers(market)
})
afterAll(async () => {
  sellers.close()
  await market.close()
})

/** One purchase of a new buyer from a new payee, whose balances are nobody else's; asked of `first`, and of `second` when it is gone. */
async function newSale(first: Seller, second: Seller) {
  const { signer, tokens: left } = await newBuyer(market, FUNDS)
  const { address: payee, tokens: gained } = await newBuyer(market, 0n)
  let server = first
  let header = ''
  let served = 0
  /** One address for all sellers, as behind a proxy. */
  const proxy = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const { pathname } = new URL(String(input))
    const payment = new Headers(init.headers).get('payment-signature')
    if (payment === null) server = second
    else {
      if (header === '') server = first
      header = payment
    }
    const response = await fetch(`${server.origin}${pathname}`, init).catch((error: unknown) => {
      server = second
      throw error
    })
    const { status, headers } = response
    const body = await response.text()
    if (status === 200 && body === 'ok') served++
    return new Response(body, { status, headers })
  }
  const paying = payingFetch(proxy, { signer, network: 'solana-devnet', rpcUrl: market.chain.rpcUrl })
  return {
    payee,
    buy: async () => (await paying(`https://shop.example/${payee}`)).text(),
    /** The same payment once more. */
    again: async () => {
      server = second
      const headers = { 'payment-signature': header }
      return (await proxy(`https://shop.example/${payee}`, { headers })).text()
    },
    served: () => served,
    moved: async () => ({ credited: await gained(), debited: FUNDS - (await left()) }),
  }
}

test('killed at any await between a payment and its answer, a seller sells once and serves once', async () => {
  const shop = sellers.newShop()
  const survivor = await shop.seller({ leaseMs: LEASE_MS })
  const whole = await shop.seller({ leaseMs: LONG_LEASE_MS })
  expect(await (await newSale(whole, survivor)).buy()).toBe('ok')
  await expect.poll(() => whole.steps(), SOON).toContain('after the answer')
  const steps = whole.steps()
  expect(steps).toEqual(
    expect.arrayContaining([
      'after writing pay',
      'before signing',
      'after sendTransaction',
      'before the handler',
    ]),
  )
  // Killed between its first line and the record of the delivery, a handler has not served, and runs again.
  const begun = steps.indexOf('before the handler')
  const delivered = steps.findLastIndex((step) => step.startsWith('after writing pay-served'))

  const killed = async (killAt: string, index: number): Promise<void> => {
    const first = await shop.seller({ killAt, leaseMs: LEASE_MS })
    const sale = await newSale(first, survivor)
    expect(await sale.buy()).toBe('ok')
    await expect.poll(() => first.steps().at(-1), SOON).toBe(killAt)
    await first.ended
    const served = sale.served()
    // Whoever asks once more gets the same answer, and the handler does not run for it.
    expect(await sale.again()).toBe('ok')
    expectFigures(
      {
        fault: 'kill -9 of the server at every await of settle',
        times: `point ${index + 1} of ${steps.length}`,
        point: killAt,
      },
      { runs: shop.runs(sale.payee), ...(await sale.moved()), served },
      { runs: index > begun && index < delivered ? 2 : 1, credited: PRICE, debited: PRICE, served: 1 },
    )
  }
  const lanes = Array.from({ length: LANES }, (_, lane) => lane)
  await Promise.all(
    lanes.map(async (lane) => {
      for (const [index, step] of steps.entries()) if (index % LANES === lane) await killed(step, index)
    }),
  )
})
