import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toHex } from '@aetherkit/core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { BINDING_KEY, type Market, openMarket, PRICE } from '../test/market.js'
import { createLedger } from './ledger/ledger.js'
import { lmdbStore } from './ledger/lmdb.js'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 })
/** A busy machine takes its time; nothing is asserted about it. */
const SOON = { timeout: 20_000 }
const SELLER = fileURLToPath(new URL('../test/seller.mjs', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'aether-sellers-'))
const children: ChildProcess[] = []
let market: Market
let files = 0

beforeAll(async () => {
  market = await openMarket()
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await market.close()
  rmSync(directory, { recursive: true, force: true })
})

/** A ledger file of its own, and sellers on it. */
function newShop() {
  const ledger = join(directory, `ledger-${++files}`)
  const runs = join(directory, `runs-${files}`)
  writeFileSync(runs, '')
  return {
    runs: () => readFileSync(runs, 'utf8').split('\n').filter(Boolean).length,
    openLedger: () => createLedger(lmdbStore(ledger)),
    async seller(options: { hang?: boolean } = {}) {
      const { resource, accepts } = market.terms
      const argument = JSON.stringify({
        rpcUrl: market.chain.rpcUrl,
        network: market.chain.network,
        sponsor: toHex(market.chain.wallets.facilitator.secretKey),
        bindingKey: toHex(BINDING_KEY),
        ledger,
        runs,
        terms: { resource, accepts: accepts.map((offer) => ({ ...offer, amount: offer.amount.toString() })) },
        ...options,
      })
      const child = spawn(process.execPath, [SELLER, argument], { stdio: ['ignore', 'pipe', 'inherit'] })
      children.push(child)
      const port = await new Promise<string>((resolve, reject) => {
        child.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()))
        child.once('exit', (code) => reject(new Error(`the seller ended with ${code}`)))
      })
      const visit = async (headers: Record<string, string>) => {
        const response = await fetch(`http://127.0.0.1:${port}/`, { headers })
        return { status: response.status, body: await response.text() }
      }
      const kill = () =>
        new Promise<void>((resolve) => {
          child.once('exit', () => resolve())
          child.kill('SIGKILL')
        })
      return { visit, kill }
    },
  }
}

const sold = async (before: { merchant: bigint; buyer: bigint }) => {
  const after = await market.balances()
  return { merchant: after.merchant - before.merchant, buyer: after.buyer - before.buyer }
}

test('two processes with one sponsor key and one ledger serve a payment once', async () => {
  const shop = newShop()
  const sellers = await Promise.all([shop.seller(), shop.seller()])
  const before = await market.balances()
  const headers = await market.pay()
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => (sellers[i % 2] as (typeof sellers)[0]).visit(headers)),
  )
  expect(answers.map(({ status, body }) => `${status} ${body}`)).toEqual(Array(20).fill('200 ok'))
  expect(shop.runs()).toBe(1)
  expect(await sold(before)).toEqual({ merchant: PRICE, buyer: -PRICE })
  await Promise.all(sellers.map(({ kill }) => kill()))
})

test.each([
  { state: 'sent', fault: { confirmDelayMs: 600_000 }, word: 'after the broadcast' },
  { state: 'claimed', fault: { delayMs: 600_000, delayMethods: ['simulateTransaction'] }, word: 'before it' },
])(
  'killed between claim and finish, $word: the next process asks the chain and serves once',
  async ({ state, fault }) => {
    const shop = newShop()
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
    if (state === 'sent') await expect.poll(async () => (await sold(before)).merchant, SOON).toBe(PRICE)
    await first.kill()
    await lost
    market.chain.setOptions({ confirmDelayMs: 0, delayMs: 0, delayMethods: [] })
    const second = await shop.seller()
    const answers = await Promise.all([second.visit(headers), second.visit(headers)])
    expect(answers).toEqual(Array(2).fill({ status: 200, body: 'ok' }))
    expect(shop.runs()).toBe(1)
    expect(await sold(before)).toEqual({ merchant: PRICE, buyer: -PRICE })
    expect(await stateNow()).toBe('settled')
    await ledger.close()
    await second.kill()
  },
)

test.each(['getBlockHeight', 'sendTransaction', 'getSignatureStatuses', 'getTransaction'])(
  'killed while it waits for %s: sold once, served once',
  async (method) => {
    const shop = newShop()
    const first = await shop.seller()
    const before = await market.balances()
    const headers = await market.pay()
    market.chain.resetStats()
    market.chain.setOptions({ delayMs: 1_500, delayMethods: [method] })
    const lost = first.visit(headers).catch(() => undefined)
    await expect.poll(() => market.chain.stats().requests[method] ?? 0, SOON).toBeGreaterThan(0)
    await first.kill()
    await lost
    market.chain.setOptions({ delayMs: 0, delayMethods: [] })
    const second = await shop.seller()
    await expect.poll(() => second.visit(headers), SOON).toEqual({ status: 200, body: 'ok' })
    expect(shop.runs()).toBe(1)
    expect(await sold(before)).toEqual({ merchant: PRICE, buyer: -PRICE })
    await second.kill()
  },
)

test('killed in the handler: paid and not served is served by the next process', async () => {
  const shop = newShop()
  const first = await shop.seller({ hang: true })
  const before = await market.balances()
  const headers = await market.pay()
  const lost = first.visit(headers).catch(() => undefined)
  await expect.poll(() => shop.runs(), SOON).toBe(1)
  await first.kill()
  await lost
  const second = await shop.seller()
  await expect.poll(() => second.visit(headers), SOON).toEqual({ status: 200, body: 'ok' })
  expect(await second.visit(headers)).toEqual({ status: 200, body: 'ok' })
  expect(shop.runs()).toBe(2)
  expect(await sold(before)).toEqual({ merchant: PRICE, buyer: -PRICE })
  await second.kill()
})
