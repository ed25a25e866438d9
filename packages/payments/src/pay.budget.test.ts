/** Budget and approval (spec payments 12): what is set aside, what is spent, and what is given back when. */

import { expect, test } from 'vitest'
import { PRICE } from '../test/market.js'
import { openStall } from '../test/stall.js'
import { buyer, market, countedPayer as payer, reopenStall, signed, spent, stall } from '../test/trade.js'
import { memoryJournal } from './journal.js'
import { writeOffer } from './offer.js'
import type { PayingFetchOptions } from './pay.js'
import type { Settler } from './settler.js'

test('eleven calls of $0.10 at once on a budget of $1: ten are paid, the eleventh is refused before signing', async () => {
  const paying = payer({ budget: { total: '$1' } })
  const calls = await Promise.allSettled(Array.from({ length: 11 }, () => paying(`${stall.origin}/goods`)))
  const refused = calls.flatMap((call) => (call.status === 'rejected' ? [call.reason] : []))
  expect(refused).toMatchObject([{ code: 'budget_exceeded' }])
  expect([signed, stall.runs, await spent()]).toEqual([10, 10, 10n * PRICE])
  expect(await paying.budgetLeft()).toEqual({ total: 0n })
})

test('caps of host and day count in the journal, whoever spends from it, and a new day is a new budget', async () => {
  const journal = memoryJournal()
  let day = Date.parse('2026-05-01T23:59:00Z')
  const now = () => day
  const other = await openStall(market)
  const paying = (budget: PayingFetchOptions['budget']) => payer({ journal, now, ...(budget && { budget }) })
  await paying({ perHost: '$0.10' })(`${stall.origin}/goods`)
  const refusal = { code: 'budget_exceeded' }
  await expect(paying({ perHost: '$0.10' })(`${stall.origin}/goods`)).rejects.toMatchObject(refusal)
  await paying({ perHost: '$0.10', perDay: '$0.20' })(`${other.origin}/goods`)
  await expect(paying({ perDay: '$0.20' })(`${other.origin}/goods`)).rejects.toMatchObject(refusal)
  day += 120_000
  await paying({ perDay: '$0.20' })(`${other.origin}/goods`)
  await expect(paying({ total: '$0.30' })(`${other.origin}/goods`)).rejects.toMatchObject(refusal)
  expect([signed, await spent()]).toEqual([3, 3n * PRICE])
  await other.close()
})

test('a payment that was refused stays in the budget until it is dead, then its amount is free again', async () => {
  const journal = memoryJournal()
  const paying = payer({ journal, budget: { total: '$0.15' } })
  stall.terms = { accept: { amount: PRICE } }
  const original = stall.gate.decide
  const { refuse } = await import('./reason.js')
  stall.gate.decide = async (request, terms) => {
    if (request.header('payment-signature') === undefined) return original(request, terms)
    const why = {
      error: 'payment_invalid',
      outcome: 'payment_rejected',
      reason: refuse('aetherkit_offer_mismatch').reason,
    }
    const { headers, body } = writeOffer(await stall.gate.offer(request, terms), why)
    return { kind: 'respond', status: 402, headers, body: JSON.stringify(body), outcome: 'payment_rejected' }
  }
  const refusal = { code: 'payment_refused', reason: 'aetherkit_offer_mismatch' }
  await expect(paying(`${stall.origin}/goods`)).rejects.toMatchObject(refusal)
  expect(await journal.entries()).toMatchObject([{ state: 'refused', reason: 'aetherkit_offer_mismatch' }])
  stall.gate.decide = original
  await expect(paying(`${stall.origin}/goods`)).rejects.toMatchObject({ code: 'budget_exceeded' })
  market.chain.advanceSlots(151)
  expect(await (await paying(`${stall.origin}/goods`)).text()).toBe('goods')
  expect((await journal.entries()).map(({ state }) => state)).toEqual(['dead', 'served'])
  expect([signed, await spent()]).toEqual([2, PRICE])
})

test('a payment that landed with an error is payment_failed, and its amount is free again', async () => {
  const settler: Settler = market.settler()
  await reopenStall({
    settler: {
      ...settler,
      settle: (payment, requirement, { onSigned } = {}) =>
        settler.settle(payment, requirement, {
          async onSigned(it) {
            await onSigned?.(it)
            await market.chain.setTokens(buyer.address, 0n)
          },
        }),
    },
  })
  const journal = memoryJournal()
  const paying = payer({ journal, budget: { total: '$0.10' } })
  await expect(paying(`${stall.origin}/goods`)).rejects.toMatchObject({ code: 'payment_failed' })
  expect(await journal.entries()).toMatchObject([{ state: 'failed', transaction: expect.any(String) }])
  expect(await paying.budgetLeft()).toEqual({ total: 100_000n })
  expect([signed, stall.runs]).toEqual([1, 0])
})

test('a signer that is away leaves nothing behind', async () => {
  const journal = memoryJournal()
  const signer = { address: buyer.address, signMessageBytes: () => Promise.reject(new Error('locked')) }
  const paying = payer({ journal, signer, budget: { total: '$0.10' } })
  await expect(paying(`${stall.origin}/goods`)).rejects.toThrow('locked')
  expect([await journal.entries(), await paying.budgetLeft()]).toEqual([[], { total: 100_000n }])
})

test('the approval sees amount, payee and flow, and while it is pending the amount is set aside', async () => {
  const purchases: unknown[] = []
  let left: unknown
  const paying = payer({
    budget: { total: '$0.15' },
    async approve(purchase) {
      purchases.push(purchase)
      left = await paying.budgetLeft()
      return true
    },
  })
  await paying(`${stall.origin}/goods`)
  expect(purchases).toMatchObject([
    {
      price: '0.10 USDC',
      amount: PRICE,
      payTo: market.chain.wallets.merchant.publicKey,
      flow: 'upfront',
      url: `${stall.origin}/goods`,
      isKnownPayee: false,
    },
  ])
  expect(left).toEqual({ total: 50_000n })
})

test('of five calls at once on a balance for two, three are insufficient_funds before signing', async () => {
  await market.chain.setTokens(buyer.address, 2n * PRICE + 1n)
  const paying = payer({ budget: { total: '$10' } })
  const calls = await Promise.allSettled(Array.from({ length: 5 }, () => paying(`${stall.origin}/goods`)))
  const refused = calls.flatMap((call) => (call.status === 'rejected' ? [call.reason.code] : []))
  expect(refused).toEqual(Array(3).fill('insufficient_funds'))
  expect([signed, stall.runs, await market.chain.tokensOf(buyer.address)]).toEqual([2, 2, 1n])
})

test('a payment of unknown fate keeps its tokens from the next one, and gives them back when it is dead', async () => {
  await market.chain.setTokens(buyer.address, PRICE)
  const journal = memoryJournal()
  const paying = payer({ journal, patienceMs: 100, budget: { total: '$10' } })
  stall.before = ({ isPaid }, response) => {
    if (isPaid) response.destroy()
    return isPaid
  }
  await expect(paying(`${stall.origin}/goods`)).rejects.toMatchObject({ code: 'payment_unknown' })
  await expect(paying(`${stall.origin}/other`)).rejects.toMatchObject({ code: 'insufficient_funds' })
  expect(await paying.quote(`${stall.origin}/other`)).toMatchObject({ fault: { code: 'insufficient_funds' } })
  expect(signed).toBe(1)
  market.chain.expireBlockhashes()
  market.chain.advanceSlots(200)
  stall.before = () => false
  expect(await (await paying(`${stall.origin}/other`)).text()).toBe('goods')
  expect([signed, await market.chain.tokensOf(buyer.address)]).toEqual([2, 0n])
})
