/** One market for the tests of a file, and for each of them a new stall and a new buyer, with paying fetches of his. */
import { randomBytes } from 'node:crypto'
import { signDigest } from '@aetherkit/core'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { GateOptions } from '../src/gate.js'
import { type PayingFetch, type PayingFetchOptions, payingFetch } from '../src/pay.js'
import { type Market, openMarket, PRICE } from './market.js'
import { newBuyer, openStall, type Stall } from './stall.js'

export let market: Market
/** Another one in each test, as is the buyer. */
export let stall: Stall
export let buyer: Awaited<ReturnType<typeof newBuyer>>
/** Messages that were signed for a fetch of `countedPayer`. */
export let signed: number
let seed: Uint8Array
/** Atomic units that the buyer has when a test begins. */
export const FUNDS = 5_000_000n

beforeAll(async () => {
  market = await openMarket()
})
afterAll(() => market.close())
beforeEach(async () => {
  stall = await openStall(market)
  seed = randomBytes(32)
  buyer = await newBuyer(market, FUNDS, seed)
  signed = 0
})
afterEach(async () => {
  market.chain.setOptions({ dropSends: 0, failSends: 0, confirmDelayMs: 0, delayMs: 0 })
  await stall.close()
})

/** Another stall in place of the one of this test. */
export async function reopenStall(options: Partial<GateOptions>): Promise<void> {
  await stall.close()
  stall = await openStall(market, options)
}

/** The buyer pays with his key pair. */
export function payer(options: Partial<PayingFetchOptions> = {}, fetcher: typeof fetch = fetch): PayingFetch {
  const { rpcUrl } = market.chain
  return payingFetch(fetcher, {
    signer: buyer.signer,
    network: 'solana-devnet',
    rpcUrl,
    patienceMs: 8_000,
    ...options,
  })
}

/** The buyer pays with a function over message bytes, which counts in `signed`, and has less patience. */
export function countedPayer(options: Partial<PayingFetchOptions> = {}, fetcher?: typeof fetch): PayingFetch {
  const signer = {
    address: buyer.address,
    signMessageBytes(message: Uint8Array) {
      signed++
      return signDigest(message, seed)
    },
  }
  return payer({ signer, patienceMs: 4_000, ...options }, fetcher)
}

/** What the buyer has paid, by the chain. */
export const spent = async () => FUNDS - (await buyer.tokens())
/** Payments made, by the chain. */
export const paid = async () => Number((await spent()) / PRICE)
