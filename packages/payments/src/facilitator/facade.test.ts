import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type Market, openMarket } from '../../test/market.js'
import { openShop, scriptedSettler, transactionOf } from '../../test/shop.js'
import { refuse } from '../reason.js'
import { encodeBase58 } from '../solana.js'
import { X402FacilitatorServer } from './facade.js'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let market: Market
const before = { ...process.env }
beforeAll(async () => {
  market = await openMarket()
  const { merchant, facilitator } = market.chain.wallets
  Object.assign(process.env, {
    USDC_MINT: market.chain.mint,
    MERCHANT_WALLET: merchant.publicKey,
    RPC_URL: market.chain.rpcUrl,
    FEE_PAYER_KEY: encodeBase58(facilitator.secretKey),
  })
})
const servers: ReturnType<typeof createServer>[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})
afterAll(async () => {
  process.env = before
  await market.close()
})

/** What the seed's sample uses of Express: one GET route, `status`, `json`. */
function express() {
  type Res = { status(code: number): Res; json(body: unknown): void }
  type Handler = (req: { headers: IncomingMessage['headers'] }, res: Res) => unknown
  const routes = new Map<string, Handler>()
  return {
    get: (path: string, handler: Handler) => routes.set(path, handler),
    async listen() {
      const server = createServer((request: IncomingMessage, response: ServerResponse) => {
        const res: Res = {
          status(code) {
            response.statusCode = code
            return res
          },
          json: (body) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)),
        }
        routes.get(request.url ?? '')?.({ headers: request.headers }, res)
      })
      servers.push(server)
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    },
  }
}

/** The program of the seed, line for line; only its import and `listen` are ours. */
function seedProgram() {
  const app = express()
  const facilitator = new X402FacilitatorServer()
  const PRICE_USDC = 0.1 // $0.10

  app.get('/api/premium-content', async (req, res) => {
    const paymentHeader = req.headers['x-payment'] as string
    const requirements = {
      scheme: 'exact' as const,
      network: 'solana-devnet',
      asset: process.env.USDC_MINT!,
      payTo: process.env.MERCHANT_WALLET!,
      maxAmountRequired: String(PRICE_USDC * 1_000_000),
      resource: '/api/premium-content',
      description: 'Premium content access',
      maxTimeoutSeconds: 120,
    }
    if (!paymentHeader) {
      return res.status(402).json({
        error: 'payment_required',
        requirements,
      })
    }
    // Verify payment
    const verification = await facilitator.verify(paymentHeader, requirements)
    if (!verification.isValid) {
      return res.status(402).json({
        error: 'payment_invalid',
        reason: verification.invalidReason,
      })
    }
    // Settle payment
    const settlement = await facilitator.settle(paymentHeader, requirements)
    if (!settlement.success) {
      return res.status(500).json({ error: 'settlement_failed' })
    }
    // Return content
    res.json({
      content: 'Premium content here...',
      receipt: {
        txHash: settlement.txHash,
        amount: PRICE_USDC,
      },
    })
  })
  return app.listen()
}

test('the sample program of the seed sells for real, and once per payment', async () => {
  const url = `${await seedProgram()}/api/premium-content`
  const unpaid = await fetch(url)
  expect([unpaid.status, await unpaid.json()]).toMatchObject([402, { error: 'payment_required' }])
  const garbage = await fetch(url, { headers: { 'x-payment': 'garbage!' } })
  expect([garbage.status, await garbage.json()]).toEqual([
    402,
    { error: 'payment_invalid', reason: 'aetherkit_malformed_payment' },
  ])

  const balances = await market.balances()
  const headers = await market.pay('v1')
  const answers = await Promise.all(Array.from({ length: 5 }, () => fetch(url, { headers })))
  expect(answers.filter(({ status }) => status === 200).length).toBe(1)
  const served = await answers.find(({ status }) => status === 200)?.json()
  expect(served).toEqual({
    content: expect.any(String),
    receipt: { txHash: expect.any(String), amount: 0.1 },
  })
  const again = await fetch(url, { headers })
  expect([again.status, await again.json()]).toEqual([
    402,
    { error: 'payment_invalid', reason: 'duplicate_settlement' },
  ])
  expect((await market.balances()).merchant - balances.merchant).toBe(100_000n)
})

const terms = (shop: ReturnType<typeof openShop>, change = {}) => {
  const [accepted] = shop.terms.accepts
  return {
    scheme: 'exact',
    network: 'solana-devnet',
    asset: accepted!.asset,
    payTo: accepted!.payTo,
    maxAmountRequired: '100000',
    resource: '/paid',
    ...change,
  }
}

test('terms that are none, or of another resource, are refused with a reason and never thrown', async () => {
  const shop = openShop()
  const facilitator = new X402FacilitatorServer({ settler: scriptedSettler() })
  const header = (await shop.pay('v1', { withMemo: false }))['x-payment'] ?? ''
  for (const change of [
    { maxAmountRequired: '2009999.9999999998' },
    { network: 'base' },
    { scheme: 'upto' },
  ]) {
    expect(await facilitator.verify(header, terms(shop, change))).toMatchObject({
      isValid: false,
      invalidReason: expect.any(String),
    })
    expect(await facilitator.settle(header, terms(shop, change))).toMatchObject({
      success: false,
      txHash: '',
    })
  }
  expect(await facilitator.verify('', terms(shop))).toEqual({
    isValid: false,
    invalidReason: 'invalid_payload',
  })
  expect(await facilitator.settle(header, terms(shop))).toMatchObject({ success: true })
  expect(await facilitator.verify(header, terms(shop, { resource: '/other' }))).toMatchObject({
    invalidReason: 'aetherkit_other_resource',
  })
  expect(await facilitator.settle(header, terms(shop, { resource: '/other' }))).toMatchObject({
    success: false,
    errorReason: 'aetherkit_other_resource',
  })
})

test('a settlement of unknown outcome is not a success, and becomes one when it is asked for again', async () => {
  const shop = openShop()
  const settler = scriptedSettler({
    settle: async (id) => ({
      ...refuse('settlement_pending'),
      transaction: transactionOf(id),
      pending: true,
    }),
  })
  const facilitator = new X402FacilitatorServer({ settler, waitMs: 3_000 })
  const header = (await shop.pay('v1', { withMemo: false }))['x-payment'] ?? ''
  const first = await facilitator.settle(header, terms(shop))
  expect(first).toMatchObject({
    success: false,
    errorReason: 'settlement_pending',
    txHash: expect.stringMatching(/.{40}/),
  })
  settler.script.fate = async () => ({ state: 'landed', received: 100_000n })
  expect(await facilitator.verify(header, terms(shop))).toMatchObject({ isValid: true })
  expect(await facilitator.settle(header, terms(shop))).toMatchObject({ success: true, txHash: first.txHash })
  expect(await facilitator.settle(header, terms(shop))).toMatchObject({
    success: false,
    errorReason: 'duplicate_settlement',
  })
  expect(settler.settled).toBe(1)
  facilitator.close()
})

test('without a settler and without an environment it is invalid_option, naming what to set', async () => {
  const { FEE_PAYER_KEY, ...rest } = process.env
  process.env = rest
  const shop = openShop()
  const header = (await shop.pay('v1'))['x-payment'] ?? ''
  await expect(new X402FacilitatorServer().verify(header, terms(shop))).rejects.toMatchObject({
    code: 'invalid_option',
  })
  process.env = { ...rest, FEE_PAYER_KEY }
})
