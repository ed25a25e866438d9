/** Sellers in several processes, and sellers that are killed while they wait (spec solana 8, R2 and R6). */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { expectFigures } from '../test/fault.js'
import { type Market, openMarket, PRICE } from '../test/market.js'
import { openSellers, type Sellers } from '../test/sellers.js'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 })
/** A busy machine takes its time; nothing is asserted about it. */
const SOON = { timeout: 20_000 }
const KILLED = 'kill -9 of the server, a request at the node'
let market: Market
let sellers: Sellers

beforeAll(async () => {
  market = await openMarket()
  sellers = openSellers(market)
})
afterAll(async () => {
  sellers.close()
  await market.close()
})

const sold = async (before: { merchant: bigint; buyer: bigint }) => {
  const after = await market.balances()
  return { credited: after.merchant - before.merchant, debited: before.buyer - after.buyer }
}
const count = (answers: readonly { status: number; body: string }[]) =>
  answers.filter(({ status, body }) => status === 200 && body === 'ok').length
const ONE_SALE = { runs: 1, credited: PRICE, debited: PRICE }

test('two processes with one sponsor key and one ledger serve a payment once', async () => {
  const shop = sellers.newShop()
  const [one, two] = await Promise.all([shop.seller(), shop.seller()])
  const before = await market.balances()
  const headers = await market.pay()
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? one : two).visit(headers)),
  )
  const measured = { runs: shop.runs(), ...(await sold(before)), served: count(answers) }
  expectFigures(
    { fault: 'parallel copies of one payment', times: `${answers.length} copies, 2 servers` },
    measured,
    { ...ONE_SALE, served: answers.length },
  )
  await Promise.all([one.kill(), two.kill()])
})

test.each([
  { state: 'sent', fault: { confirmDelayMs: 600_000 }, word: 'after the broadcast' },
  { state: 'claimed', fault: { delayMs: 600_000, delayMethods: ['simulateTransaction'] }, word: 'before it' },
])(
  'killed between claim and finish, $word: the next process asks the chain and serves once',
  async ({ state, fault, word }) => {
    const shop = sellers.newShop()
    const first = await shop.seller()
    const before = await market.balances()
    const headers = await market.pay()
    market.chain.setOptions(fault)
    const lost = first.visit(headers).catch(() => undefined)
    const ledger = shop.openLedger()
    const stateNow = async () => {
      const [key] = await ledger.store.keys('pay/')
      return key && (await ledger.find(key.slice('pay/'.length)))?.state
    }
    await expect.poll(stateNow, SOON).toBe(state)
    if (state === 'sent') await expect.poll(async () => (await sold(before)).credited, SOON).toBe(PRICE)
    await first.kill()
    await lost
    market.chain.setOptions({ confirmDelayMs: 0, delayMs: 0, delayMethods: [] })
    const second = await shop.seller()
    const answers = await Promise.all([second.visit(headers), second.visit(headers)])
    expect(await stateNow()).toBe('settled')
    expectFigures(
      { fault: KILLED, times: '1 kill, 2 copies', point: `${state}, ${word}` },
      { runs: shop.runs(), ...(await sold(before)), served: count(answers) },
      { ...ONE_SALE, served: 2 },
    )
    await ledger.close()
    await second.kill()
  },
)

test.each(['getBlockHeight', 'sendTransaction', 'getSignatureStatuses', 'getTransaction'])(
  'killed while it waits for %s: sold once, served once',
  async (method) => {
    const shop = sellers.newShop()
    const first = await shop.seller()
    const before = await market.balances()
    const headers = await market.pay()
    market.chain.resetStats()
    market.chain.setOptions({ delayMs: 1_500, delayMethods: [method] })
    const lost = first.visit(headers).catch(() => undefined)
    await expect.poll(() => market.chain.stats().requests[method] ?? 0, SOON).toBeGreaterThan(0)
    await first.kill()
    expect(await lost).toBeUndefined()
    market.chain.setOptions({ delayMs: 0, delayMethods: [] })
    const second = await shop.seller()
    let served = 0
    await expect
      .poll(async () => {
        const answer = await second.visit(headers)
        served += count([answer])
        return answer
      }, SOON)
      .toEqual({ status: 200, body: 'ok' })
    expectFigures(
      { fault: KILLED, times: '1 kill', point: method },
      { runs: shop.runs(), ...(await sold(before)), served },
      { ...ONE_SALE, served: 1 },
    )
    await second.kill()
  },
)

test('killed in the handler: paid and not served is served by the next process', async () => {
  const shop = sellers.newShop()
  const first = await shop.seller({ hang: true })
  const before = await market.balances()
  const headers = await market.pay()
  const lost = first.visit(headers).catch(() => undefined)
  await expect.poll(() => shop.runs(), SOON).toBe(1)
  await first.kill()
  expect(await lost).toBeUndefined()
  const second = await shop.seller()
  await expect.poll(() => second.visit(headers), SOON).toEqual({ status: 200, body: 'ok' })
  const again = await second.visit(headers)
  expectFigures(
    { fault: KILLED, times: '1 kill, then 2 copies', point: 'in the handler, which runs again' },
    { runs: shop.runs(), ...(await sold(before)), served: 1 + count([again]) },
    { ...ONE_SALE, runs: 2, served: 2 },
  )
  await second.kill()
})
