/** Buyers that are killed at every await of a purchase (spec payments 12): never debited twice, served on retry. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { expectFigures } from '../test/fault.js'
import { type Market, openMarket, PRICE } from '../test/market.js'
import { openStall, type Stall } from '../test/stall.js'
import type { BudgetCaps } from './budget.js'
import { fileJournal } from './journal.js'
import { payingFetch } from './pay.js'
import { keypairSigner, signerAddress } from './solana.js'

vi.setConfig({ testTimeout: 180_000 })
const BUYER = fileURLToPath(new URL('../test/buyer.mjs', import.meta.url))
const FUNDS = 10n * PRICE
const directory = mkdtempSync(join(tmpdir(), 'aether-buyers-'))
let market: Market
let stall: Stall
let journals = 0
/** Paths that the handler served, one for each run. */
const runs: string[] = []

beforeAll(async () => {
  market = await openMarket()
  stall = await openStall(market)
  stall.serve = ({ url }, response) => {
    runs.push(url)
    response.end('goods')
  }
})
afterAll(async () => {
  await stall.close()
  await market.close()
  rmSync(directory, { recursive: true, force: true })
})

interface Run {
  readonly status?: number
  readonly body?: string
  readonly code?: string
  readonly steps: readonly string[]
}

async function newBuyer() {
  const seed = randomBytes(32)
  const signer = keypairSigner(seed)
  const address = signerAddress(signer)
  await market.chain.setTokens(address, FUNDS)
  const number = ++journals
  const path = `/goods/${number}`
  const payee = signerAddress(keypairSigner(randomBytes(32)))
  await market.chain.setTokens(payee, 0n)
  stall.payees.set(path, payee)
  const journal = join(directory, `journal-${number}`)
  return {
    signer,
    journal,
    url: `${stall.origin}${path}`,
    moved: async () => ({
      credited: (await market.chain.tokensOf(payee)) ?? 0n,
      debited: FUNDS - ((await market.chain.tokensOf(address)) ?? 0n),
    }),
    debits: async () => (FUNDS - ((await market.chain.tokensOf(address)) ?? 0n)) / PRICE,
    runs: () => runs.filter((url) => url === path).length,
    payments: () =>
      new Set(
        stall.asked.flatMap(({ url, headers }) => (url === path ? (headers['payment-signature'] ?? []) : [])),
      ).size,
    /** Undefined when it was killed. */
    run(options: { killAt?: number; key?: string; budget?: BudgetCaps } = {}): Promise<Run | undefined> {
      const { rpcUrl } = market.chain
      const argument = JSON.stringify({
        rpcUrl,
        seed: seed.toString('hex'),
        journal,
        url: this.url,
        ...options,
      })
      const child = spawn(process.execPath, [BUYER, argument], { stdio: ['ignore', 'pipe', 'inherit'] })
      let output = ''
      child.stdout.on('data', (chunk) => {
        output += chunk
      })
      return new Promise((resolve, reject) => {
        child.once('close', (code, signal) => {
          if (signal === 'SIGKILL') resolve(undefined)
          else if (code === 0) resolve(JSON.parse(output) as Run)
          else reject(new Error(`the buyer ended with ${code}`))
        })
      })
    },
  }
}

test('killed at any await of a purchase, a buyer is debited once and served by an equal request', async () => {
  const whole = await (await newBuyer()).run()
  const steps = whole?.steps ?? []
  expect(whole).toMatchObject({ status: 200, body: 'goods' })
  expect(steps).toEqual(
    expect.arrayContaining(['before signing', 'before paying', 'after paying', 'after approval']),
  )
  // From here on the answer counts as handed over, and only a key tells a repetition from a new purchase.
  const handed = steps.lastIndexOf('before the journal is written')
  const killed = async (index: number) => {
    const buyer = await newBuyer()
    const options = index <= handed ? {} : { key: 'once' }
    const first = await buyer.run({ ...options, killAt: index + 1 })
    expect(first).toBeUndefined()
    const second = await buyer.run(options)
    expect([second?.code, buyer.payments()]).toEqual([undefined, 1])
    const times = steps.slice(0, index + 1).filter((step) => step === steps[index]).length
    expectFigures(
      {
        fault: 'kill -9 of the buyer at every await of pay',
        times: `point ${index + 1} of ${steps.length}`,
        point: `${steps[index]}${times > 1 ? ` (${times})` : ''}`,
      },
      { runs: buyer.runs(), ...(await buyer.moved()), served: second?.body === 'goods' ? 1 : 0 },
      { runs: 1, credited: PRICE, debited: PRICE, served: 1 },
    )
  }
  await Promise.all(
    [0, 1, 2].map(async (lane) => {
      for (const index of steps.keys()) if (index % 3 === lane) await killed(index)
    }),
  )
})

test('after a crash recover() asks the chain: what landed is kept, what died gives its amount back', async () => {
  const options = { network: 'solana-devnet', rpcUrl: market.chain.rpcUrl, budget: { total: '$0.30' } }
  const buyer = await newBuyer()
  const steps = (await (await newBuyer()).run())?.steps ?? []
  // Killed with the payment written and not sent, then with the answer on the way.
  await buyer.run({ killAt: steps.indexOf('before paying') + 1 })
  await buyer.run({ killAt: steps.indexOf('after paying') + 1, key: 'another' })
  await vi.waitUntil(async () => (await buyer.debits()) === 1n, 60_000)
  const journal = fileJournal(buyer.journal)
  const paying = payingFetch(fetch, { ...options, signer: buyer.signer, journal })
  const states = async () => (await journal.entries()).map(({ state }) => state)
  expect(await states()).toEqual(['open', 'open'])
  expect(await paying.recover()).toBe(1)
  expect(await states()).toEqual(['open', 'paid'])
  expect(await paying.budgetLeft()).toEqual({ total: 100_000n })
  market.chain.advanceSlots(151)
  expect(await paying.recover()).toBe(1)
  expect(await states()).toEqual(['dead', 'paid'])
  expect(await paying.budgetLeft()).toEqual({ total: 200_000n })
  expect(await paying.recover()).toBe(0)
  expect(await paying.receipts()).toMatchObject([
    { isServed: false, transaction: expect.stringMatching(/^\w{80,}$/) },
  ])
  expect(await (await paying(buyer.url, { headers: { 'idempotency-key': 'another' } })).text()).toBe('goods')
  expect(await buyer.debits()).toBe(1n)
  await journal.close()
})

test('five processes at once on one journal share the budget: of $0.20, two are paid', async () => {
  const buyer = await newBuyer()
  const budget = { total: '$0.20' }
  const runs = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((key) => buyer.run({ key, budget })))
  expect(runs.map((run) => run?.body ?? run?.code).sort()).toEqual([
    ...Array(3).fill('budget_exceeded'),
    ...Array(2).fill('goods'),
  ])
  expect([await buyer.debits(), buyer.payments()]).toEqual([2n, 2])
  const journal = fileJournal(buyer.journal)
  const { rpcUrl } = market.chain
  const paying = payingFetch(fetch, {
    network: 'solana-devnet',
    rpcUrl,
    budget,
    signer: buyer.signer,
    journal,
  })
  expect(await paying.budgetLeft()).toEqual({ total: 0n })
  await expect(paying(buyer.url)).rejects.toMatchObject({ code: 'budget_exceeded' })
  await journal.close()
})
