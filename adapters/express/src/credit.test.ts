/** Credit for a handler that failed after the payment (spec payments 10, 16 D9), from the shop to the buyer's next call. */
import {
  createCredits,
  creditGrant,
  creditOnFailure,
  keypairSigner,
  memoryJournal,
  memoryStore,
  payingFetch,
} from '@aetherkit/payments'
import { beforeEach, expect, test } from 'vitest'
import { type Shop, VERSIONS } from '../test/shop.js'
import { useShops } from '../test/shops.js'

const shops = useShops()
const open = shops.on(VERSIONS[1][1])
let shop: Shop
let isBroken: boolean
/** Header of each request that the shop got. */
let asked: Record<string, string | string[] | undefined>[]

beforeEach(async () => {
  isBroken = true
  asked = []
  const credits = createCredits({ store: memoryStore(), keys: [crypto.getRandomValues(new Uint8Array(32))] })
  shop = await open({
    gates: { onHandlerFailure: creditOnFailure(credits), onRequest: creditGrant(credits) },
  })
  shop.app.use((request, _response, next) => {
    asked.push(request.headers)
    next()
  })
  const goods = (_request: unknown, response: import('express').Response) => {
    shop.runs++
    if (isBroken) response.status(500).json({ error: 'out of paper' })
    else response.json({ ok: true })
  }
  shop.app.get('/goods', shop.paid({ price: '$0.10' }), goods)
  shop.app.get('/dear', shop.paid({ price: '$0.30' }), goods)
  shop.app.get('/free', (_request, response) => void response.send('free'))
})

function buyer(fetcher: typeof fetch = fetch, journal = memoryJournal()) {
  return payingFetch(fetcher, {
    signer: keypairSigner(shops.devnet.wallets.buyer.secretKey),
    network: 'solana-devnet',
    rpcUrl: shops.devnet.rpcUrl,
    journal,
  })
}

const credited = () => asked.flatMap((headers) => headers['x-credit'] ?? [])

test('the failed answer is handed over at once, and the next call is served from its credit without a payment', async () => {
  const buy = buyer()
  const failed = await buy(`${shop.base}/goods`)
  expect([failed.status, await failed.json()]).toEqual([500, { error: 'out of paper' }])
  expect(failed.headers.get('x-credit')).toMatch(/^c1\./)
  const before = await shop.earned()
  expect([shop.runs, asked.length]).toEqual([1, 2])
  isBroken = false
  const served = await buy(`${shop.base}/goods`)
  expect([served.status, await served.json(), served.headers.get('x-credit-balance')]).toEqual([
    200,
    { ok: true },
    '0',
  ])
  expect([await shop.earned(), shop.runs]).toEqual([before, 2])
  expect((await buy(`${shop.base}/goods`)).status).toBe(200)
  expect((await shop.earned()) - before).toBe(100_000n)
})

test('a buyer that never saw the failed answer presents the payment again, gets the token, and spends it', async () => {
  let losses = 1
  const buy = buyer(async (input, init) => {
    const response = await fetch(input, init)
    if (new Headers(init?.headers).has('payment-signature') && losses-- > 0) throw new TypeError('lost')
    return response
  })
  const again = await buy(`${shop.base}/goods`)
  expect([again.status, (await again.json()).returned]).toEqual([409, 'credited'])
  expect([shop.runs, losses]).toEqual([1, -1])
  const before = await shop.earned()
  isBroken = false
  expect(await (await buy(`${shop.base}/goods`)).json()).toEqual({ ok: true })
  expect([await shop.earned(), shop.runs]).toEqual([before, 2])
})

test('whoever copies the public payment gets no token', async () => {
  await shop.fetch(`${shop.base}/goods`)
  const copy = await shop.raw('GET', '/goods', { 'payment-signature': shop.sent[0] ?? '' })
  expect([copy.status, JSON.parse(copy.body).returned, copy.headers['x-credit']]).toEqual([
    409,
    'credited',
    undefined,
  ])
})

test('a credit that does not suffice is kept, and the call is paid', async () => {
  const buy = buyer()
  await buy(`${shop.base}/goods`)
  isBroken = false
  const before = await shop.earned()
  expect((await buy(`${shop.base}/dear`)).status).toBe(200)
  expect((await shop.earned()) - before).toBe(300_000n)
  expect((await buy(`${shop.base}/goods`)).status).toBe(200)
  expect((await shop.earned()) - before).toBe(300_000n)
})

test('a token goes to no free route, and not to another origin', async () => {
  const other = await open()
  other.app.use((request, _response, next) => {
    asked.push(request.headers)
    next()
  })
  other.app.get('/goods', other.paid({ price: '$0.10' }), (_request, response) => void response.send('other'))
  const buy = buyer()
  await buy(`${shop.base}/goods`)
  await buy(`${shop.base}/free`)
  expect(await (await buy(`${other.base}/goods`)).text()).toBe('other')
  expect(credited()).toEqual([])
})

test('a failing handler takes nothing from the credit', async () => {
  const buy = buyer()
  await buy(`${shop.base}/goods`)
  expect((await buy(`${shop.base}/goods`)).status).toBe(500)
  const before = await shop.earned()
  isBroken = false
  expect((await buy(`${shop.base}/goods`)).status).toBe(200)
  expect([await shop.earned(), shop.runs, credited().length]).toEqual([before, 3, 2])
})
