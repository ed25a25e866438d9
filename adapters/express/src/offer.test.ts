/** What a route asks, in its whole breadth (spec payments 4, 7, 11): several tokens, own words, the catalogue. */
import {
  createDiscovery,
  createLedger,
  createSolanaSettler,
  DEVNET,
  keypairSigner,
  memoryStore,
  payingFetch,
  type Settler,
} from '@aetherkit/payments'
import { beforeAll, describe, expect, test } from 'vitest'
import { VERSIONS } from '../test/shop.js'
import { useShops } from '../test/shops.js'
import { setSettlementOverrides } from './index.js'

const shops = useShops()
/** A second token of the local chain, of 2 decimals. */
const POINTS = 'So11111111111111111111111111111111111111112'

beforeAll(async () => {
  const { devnet } = shops
  const mint = new Uint8Array(82)
  mint[44] = 2
  mint[45] = 1
  await fetch(devnet.rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'surfnet_setAccount',
      params: [
        POINTS,
        {
          lamports: 10_000_000,
          owner: 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA',
          data: Buffer.from(mint).toString('hex'),
        },
      ],
    }),
  })
  const { buyer, merchant } = devnet.wallets
  await devnet.setTokens(buyer.publicKey, 1_000n, POINTS)
  await devnet.setTokens(merchant.publicKey, 0n, POINTS)
})

test('charging another amount than was signed is unsupported, by its upstream name', () => {
  expect(() => setSettlementOverrides()).toThrow(expect.objectContaining({ code: 'unsupported' }))
})

describe.each(VERSIONS)('on Express %s', (_version, express) => {
  const open = shops.on(express)

  test('a route with two tokens is paid in either, in v2 and in v1', async () => {
    const shop = await open()
    const { merchant, buyer } = shops.devnet.wallets
    const accepts = [{ price: '$0.10' }, { price: { asset: POINTS, amount: '7' } }]
    shop.app.get('/both', shop.paid({ accepts }), (_request, response) => {
      response.end(String(++shop.runs))
    })
    const earned = async () => [
      await shop.earned(),
      (await shops.devnet.tokensOf(merchant.publicKey, POINTS)) ?? 0n,
    ]
    const inV1: typeof fetch = async (input, init) => {
      const response = await fetch(input, init)
      const headers = new Headers(response.headers)
      headers.delete('payment-required')
      return new Response(response.body, { status: response.status, headers })
    }
    for (const fetcher of [fetch, inV1]) {
      for (const [asset, gain] of [
        ['USDC', [100_000n, 0n]],
        [POINTS, [0n, 7n]],
      ] as const) {
        const [usdc = 0n, points = 0n] = await earned()
        const buy = payingFetch(fetcher, {
          signer: keypairSigner(buyer.secretKey),
          network: 'solana-devnet',
          rpcUrl: shops.devnet.rpcUrl,
          policy: { assets: [asset] },
        })
        expect((await buy(`${shop.base}/both`)).status).toBe(200)
        const [usdcNow = 0n, pointsNow = 0n] = await earned()
        expect([usdcNow - usdc, pointsNow - points]).toEqual(gain)
      }
    }
    expect(shop.runs).toBe(4)
  })

  test('a settlement that failed for good is told in the route’s words, and buyers still read theirs', async () => {
    const { facilitator } = shops.devnet.wallets
    const real = createSolanaSettler({
      rpcUrl: shops.devnet.rpcUrl,
      network: DEVNET,
      sponsors: [keypairSigner(facilitator.secretKey)],
    })
    const settler: Settler = {
      ...real,
      settle: async () => ({
        ok: false,
        reason: 'invalid_exact_svm_transaction_failed',
        transaction: '5'.repeat(88),
      }),
    }
    const shop = await open({ gates: { settler, ledger: createLedger(memoryStore()) } })
    const failures: unknown[] = []
    shop.app.get(
      '/json',
      shop.paid({
        price: '$0.10',
        settlementFailedResponseBody: (request, { headers: _, ...failure }) => {
          failures.push([request.url, failure])
          return { contentType: 'application/problem+json', body: { title: 'no luck', error: 'mine' } }
        },
      }),
      (_request, response) => void response.end(String(++shop.runs)),
    )
    shop.app.get(
      '/text',
      shop.paid({
        price: '$0.10',
        unpaidResponseBody: () => ({ contentType: 'text/plain', body: 'bring money' }),
        settlementFailedResponseBody: () => ({ contentType: 'text/plain', body: 'no luck' }),
      }),
      (_request, response) => void response.end(String(++shop.runs)),
    )
    const unpaid = await shop.raw('GET', '/text')
    expect([unpaid.status, unpaid.body, unpaid.headers['content-type']]).toEqual([
      402,
      'bring money',
      'text/plain',
    ])
    for (const path of ['/json', '/text'])
      await shop.fetch(shop.base + path, { signal: AbortSignal.timeout(1_000) }).catch(() => {})
    const [first, last] = [shop.sent[0] ?? '', shop.sent.at(-1) ?? '']
    const json = await shop.raw('GET', '/json', { 'payment-signature': first })
    expect([json.status, json.headers['content-type'], JSON.parse(json.body)]).toMatchObject([
      402,
      'application/problem+json',
      { title: 'no luck', error: 'settlement_failed', outcome: 'settle_failed' },
    ])
    expect(failures.at(-1)).toMatchObject([
      '/json',
      { success: false, errorReason: 'invalid_exact_svm_transaction_failed', network: DEVNET },
    ])
    const text = await shop.raw('GET', '/text', { 'payment-signature': last })
    expect([text.status, text.body, text.headers['payment-response'] !== undefined]).toEqual([
      402,
      'no luck',
      true,
    ])
    expect(shop.runs).toBe(0)
  })

  test('GET /discovery/resources lists fixed prices in v2 and v1, in pages, and nothing when it is off', async () => {
    const shop = await open({ discovery: true, gates: { extensions: [createDiscovery()] } })
    const service = { serviceName: 'Weather', tags: ['maps'], iconUrl: 'https://shop.example/i.png' }
    shop.app.use(
      shop.paid.table({
        'GET /report': { price: '$0.10', description: 'a report', ...service },
        'POST /users/[id]': { accepts: [{ price: '$0.20' }, { price: { asset: POINTS, amount: '1' } }] },
        'GET /moving': { price: () => '$0.30' },
        '/*': { price: '$0.40' },
      }),
    )
    const list = async (query = '') => {
      const { status, body } = await shop.raw('GET', `/discovery/resources${query}`)
      expect(status).toBe(200)
      return JSON.parse(body)
    }
    const v2 = await list()
    expect(v2).toMatchObject({
      x402Version: 2,
      pagination: { limit: 20, offset: 0, total: 2 },
      items: [
        {
          resource: `${shop.base}/report`,
          type: 'http',
          x402Version: 2,
          description: 'a report',
          ...service,
          accepts: [
            { scheme: 'exact', network: DEVNET, amount: '100000', extra: { paymentFlow: 'upfront' } },
          ],
          extensions: { bazaar: { info: { input: { type: 'http', method: 'GET' } } } },
        },
        {
          resource: `${shop.base}/users/:id`,
          accepts: [{ amount: '200000' }, { amount: '1', asset: POINTS }],
          extensions: {
            bazaar: { info: { input: { type: 'http', method: 'POST' } }, routeTemplate: '/users/:id' },
          },
        },
      ],
    })
    expect(JSON.stringify(v2)).not.toMatch(/"memo"|"recentBlockhash"/)
    expect(await list('?x402Version=1&limit=1&offset=1')).toMatchObject({
      x402Version: 1,
      pagination: { limit: 1, offset: 1, total: 2 },
      items: [
        {
          x402Version: 1,
          accepts: [
            {
              network: 'solana-devnet',
              maxAmountRequired: '200000',
              resource: `${shop.base}/users/:id`,
              description: 'POST /users/:id',
              outputSchema: { input: { type: 'http', method: 'POST', discoverable: true } },
            },
            { maxAmountRequired: '1' },
          ],
        },
      ],
    })
    expect((await list('?type=mcp')).items).toEqual([])
    for (const query of ['?limit=0', '?limit=101', '?offset=-1', '?limit=x', '?x402Version=3']) {
      const { status, body } = await shop.raw('GET', `/discovery/resources${query}`)
      expect([status, body]).toEqual([400, '{"error":"invalid_query"}'])
    }
    expect((await shop.raw('POST', '/discovery/resources')).status).toBe(402)
    const closed = await open()
    closed.app.use(closed.paid.table({ 'GET /report': { price: '$0.10' } }))
    expect((await closed.raw('GET', '/discovery/resources')).status).toBe(404)
  })
})
