/** What a seller writes down (spec payments 4, 5, 11): several ways to pay, how the service presents itself, own parsers. */
import { expect, test } from 'vitest'
import { buyer, merchant, openShop, PRICE, scriptedSettler, sponsor, USDC } from '../test/shop.js'
import { readOffer, readPaymentHeaders } from './codec/classify.js'
import { DEVNET, MAINNET } from './network.js'
import { writeOffer } from './offer.js'
import { isFixedPrice, type PricedRoute, priceRoute } from './price-list.js'
import { keypairSigner, signerAddress } from './solana.js'
import type { AcceptedTerms, RouteTerms } from './terms.js'

const seller = { network: 'solana-devnet', payTo: merchant }
const PYUSD = 'CXk2AMBfi3TwaEL2468s6zP8xq9NxTXjp9gjMgzeUynM'
const other = signerAddress(buyer)
const request = { method: 'HEAD', url: 'https://shop.example/report?x=1', header: () => undefined }
const read = (route: PricedRoute<string>, more = {}): Promise<RouteTerms> =>
  priceRoute(route, { ...seller, ...more })(request, 'source', undefined)

test('several ways to pay are read in their order, each with its own network, payee and patience', async () => {
  const { accepts } = await read({
    accepts: [
      { price: '$0.10' },
      { price: '0.20 PYUSD', payTo: (source) => (source === 'source' ? other : merchant) },
      { scheme: 'exact', price: '$0.30', network: 'solana', maxTimeoutSeconds: 60, extra: { tier: 'gold' } },
    ],
  })
  expect(accepts).toMatchObject([
    { network: DEVNET, asset: USDC, amount: 100_000n, payTo: merchant },
    { network: DEVNET, asset: PYUSD, amount: 200_000n, payTo: other },
    { network: MAINNET, amount: 300_000n, payTo: merchant, maxTimeoutSeconds: 60, extra: { tier: 'gold' } },
  ])
})

test('one way to pay needs no list, and `extra` of a price goes along', async () => {
  const price = { asset: USDC, amount: '5', extra: { unit: 'page' } }
  for (const route of [{ price }, { accepts: { price } }] satisfies PricedRoute<string>[]) {
    expect((await read(route)).accepts).toEqual([
      { network: DEVNET, asset: USDC, amount: 5n, payTo: merchant, extra: { unit: 'page' } },
    ])
  }
})

test.each<[string, PricedRoute<string>, string]>([
  ['no way to pay at all', { accepts: [] }, 'invalid_option'],
  ['a price of zero among good ones', { accepts: [{ price: '$0.10' }, { price: '$0' }] }, 'invalid_price'],
  ['an atomic amount that is none', { price: { asset: USDC, amount: '0.5' } }, 'invalid_price'],
  ['an asset that is no address', { price: { asset: 'USDC', amount: '5' } }, 'unknown_asset'],
  ['a network nobody knows', { accepts: [{ price: '$1', network: 'eip155:8453' }] }, 'unknown_network'],
  ['a payee that is no address', { accepts: [{ price: '$1', payTo: 'me' }] }, 'invalid_option'],
  ['the scheme upto', { accepts: [{ price: '$1', scheme: 'upto' }] }, 'unsupported'],
  ['a timeout of nothing', { price: '$1', maxTimeoutSeconds: 0 }, 'invalid_option'],
  ['a memo of its own', { price: '$1', extra: { memo: 'mine' } }, 'invalid_option'],
  ['a service name of 33 characters', { price: '$1', serviceName: 'x'.repeat(33) }, 'invalid_option'],
  ['an empty service name', { price: '$1', serviceName: '' }, 'invalid_option'],
  ['a tag beyond ASCII', { price: '$1', tags: ['météo'] }, 'invalid_option'],
  ['six tags', { price: '$1', tags: ['a', 'b', 'c', 'd', 'e', 'f'] }, 'invalid_option'],
  ['an icon of another scheme', { price: '$1', iconUrl: 'javascript:alert(1)' }, 'invalid_option'],
])('%s is refused when the route is made', (_what, route, code) => {
  expect(() => priceRoute(route, seller)).toThrow(expect.objectContaining({ code }))
})

test('a dynamic price that can never be paid fails the request', async () => {
  await expect(read({ price: () => '$0' })).rejects.toMatchObject({ code: 'invalid_price' })
  await expect(read({ price: '$1', payTo: () => 'me' })).rejects.toMatchObject({ code: 'invalid_option' })
})

test('a route without words is described by method and path, and names the request as the resource', async () => {
  expect((await read({ price: '$1' })).resource).toEqual({
    url: 'https://shop.example/report?x=1',
    description: 'GET /report',
    mimeType: 'application/json',
  })
  const { resource } = await read({ price: '$1', description: '', resource: '/goods/report' })
  expect(resource).toMatchObject({ url: 'https://shop.example/goods/report', description: 'GET /report' })
})

test('what a service says of itself is in all three dialects of the 402', async () => {
  const service = { serviceName: 'Weather', tags: ['weather', 'maps'], iconUrl: 'https://shop.example/i.png' }
  const terms = await read({ accepts: [{ price: '$0.10' }, { price: '$0.20' }], ...service })
  const { gate } = openShop()
  const { headers, body } = writeOffer(await gate.offer({ ...request, method: 'GET' }, terms), {
    error: 'payment_required',
    outcome: 'unpaid',
  })
  const resource = { ...service, description: 'GET /report' }
  const header = (name: string) => (of: string) => (of === name.toLowerCase() ? headers[name] : undefined)
  expect(readOffer(header('PAYMENT-REQUIRED'), '')).toMatchObject({
    dialect: 'v2',
    offer: { resource, accepts: [{ amount: 100_000n }, { amount: 200_000n }] },
  })
  expect(readOffer(header('none'), JSON.stringify(body))).toMatchObject({
    dialect: 'v1',
    offer: { resource, accepts: [{ amount: 100_000n }, { amount: 200_000n }] },
  })
  expect(readOffer(header('X-Payment-Requirements'), '')).toMatchObject({
    dialect: 'seed',
    offer: { resource, accepts: [{ amount: 100_000n }] },
  })
})

test('own parsers are asked in turn, before the table, and what they say is held to the same rules', async () => {
  const points = (price: string | number) => {
    const count = /^(\d+) points$/.exec(String(price))?.[1]
    return count === undefined ? undefined : { asset: USDC, amount: BigInt(count) }
  }
  const moneyParsers = [() => undefined, points]
  expect((await read({ price: '7 points' }, { moneyParsers })).accepts[0]).toMatchObject({ amount: 7n })
  expect((await read({ price: '$1' }, { moneyParsers })).accepts[0]).toMatchObject({ amount: 1_000_000n })
  expect(() => priceRoute({ price: '0 points' }, { ...seller, moneyParsers })).toThrow(
    expect.objectContaining({ code: 'invalid_price' }),
  )
})

test('the confirmation level of a route is carried, and one that there is not is invalid_option', async () => {
  expect(await read({ price: '$1', confirmation: 'finalized' })).toMatchObject({ confirmation: 'finalized' })
  expect(await read({ price: '$1' })).not.toHaveProperty('confirmation')
  const confirmation = JSON.parse('"rooted"')
  expect(() => priceRoute({ price: '$1', confirmation }, seller)).toThrow(
    expect.objectContaining({ code: 'invalid_option' }),
  )
})

test('a fixed price may be listed, a dynamic one may not', () => {
  expect(isFixedPrice({ price: '$1', payTo: merchant })).toBe(true)
  expect(isFixedPrice({ accepts: [{ price: '$1' }, { price: () => '$1' }] })).toBe(false)
  expect(isFixedPrice({ price: '$1', payTo: () => merchant })).toBe(false)
})

test('any of the accepted ways pays, in every dialect, and no other amount does', async () => {
  const scripted = scriptedSettler()
  const feePayer = signerAddress(sponsor)
  const networks = [MAINNET, DEVNET] as const
  const kinds = async () => networks.map((network) => ({ scheme: 'exact' as const, network, feePayer }))
  const one: AcceptedTerms = { network: DEVNET, amount: PRICE, asset: USDC, payTo: merchant }
  const accepts = [{ ...one, network: MAINNET }, one, { ...one, amount: 2n * PRICE, payTo: other }] as const
  const shop = openShop({ settler: { ...scripted, kinds }, terms: { accepts } })
  const offer = await shop.gate.offer(shop.request(), shop.terms)
  const payer = { signer: keypairSigner(crypto.getRandomValues(new Uint8Array(32))) }
  for (const dialect of ['v1', 'v2'] as const) {
    for (const accepted of offer.accepts.slice(1)) {
      const headers = await shop.pay(dialect, { ...payer, accepted: () => accepted })
      expect(readPaymentHeaders((name) => headers[name])).toMatchObject({ ok: true })
      expect(await shop.visit(headers)).toMatchObject({ status: 200 })
    }
    const wrong = await shop.pay(dialect, {
      ...payer,
      accepted: () => ({ ...(offer.accepts[1] as (typeof offer.accepts)[0]), amount: PRICE + 1n }),
    })
    expect(await shop.visit(wrong)).toMatchObject({ status: 402 })
  }
  expect(shop.handled).toBe(4)
})
