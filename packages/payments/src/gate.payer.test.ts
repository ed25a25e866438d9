import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Market, openMarket } from '../test/market.js'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let market: Market
beforeAll(async () => {
  market = await openMarket()
})
afterAll(() => market.close())

test('terms that name the payer take nobody else: refused before anything is reserved or sent', async () => {
  const gate = market.gate()
  const before = await market.balances()
  const headers = await market.pay()
  const { buyer, authority } = market.chain.wallets
  const decide = (payer: string) => gate.decide(market.request(headers), { ...market.terms, payer })
  expect(await decide(authority.publicKey)).toMatchObject({
    kind: 'respond',
    status: 402,
    outcome: 'payment_rejected',
    reason: 'aetherkit_other_payer',
  })
  expect(await market.balances()).toEqual(before)
  const verdict = await decide(buyer.publicKey)
  expect(verdict.kind).toBe('pass')
  if (verdict.kind === 'pass') expect((await verdict.fail('no')).returned).toBe('retry')
  gate.close()
})
