/** One payment until it is served (spec payments 10, 12): lost, late and unclear answers, redirects, patience. */

import { expect, test } from 'vitest'
import { expectFigures } from '../test/fault.js'
import { PRICE } from '../test/market.js'
import { openStall } from '../test/stall.js'
import { buyer, FUNDS, market, paid, payer, reopenStall, stall } from '../test/trade.js'

test('a stream is handed over as it comes, and the receipt is there before it', async () => {
  let more = () => {}
  stall.serve = async (_, response) => {
    response.write('first ')
    await new Promise<void>((resolve) => {
      more = resolve
    })
    response.end('last')
  }
  const paying = payer()
  const response = await paying(`${stall.origin}/goods`)
  const reader = response.body!.getReader()
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('first ')
  expect(await paying.receipts()).toMatchObject([{ isServed: false }])
  more()
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('last')
  expect((await reader.read()).done).toBe(true)
  expect(await paying.receipts()).toMatchObject([{ isServed: true }])
})

test('an answer that breaks off is fetched again with the same payment', async () => {
  stall.serve = (_, response) => {
    if (stall.runs > 1) return void response.end('goods')
    response.setHeader('content-length', 100)
    response.write('half')
    setTimeout(() => response.destroy(), 20)
  }
  const paying = payer()
  const broken = await paying(`${stall.origin}/goods`)
  await expect(broken.text()).rejects.toThrow()
  // The seller takes the run for dead when its lease is over; in this test it says so itself.
  stall.before = (asked, response) => {
    if (!asked.isPaid) return false
    response.end('again')
    return true
  }
  expect(await (await paying(`${stall.origin}/goods`)).text()).toBe('again')
  expect(new Set(stall.payments()).size).toBe(1)
  expect(await paid()).toBe(1)
})

test('a lost answer is asked for again with the same payment: debited once, served', async () => {
  stall.losses = 2
  expect(await (await payer()(`${stall.origin}/goods`)).text()).toBe('goods')
  expect([stall.payments().length, new Set(stall.payments()).size]).toEqual([3, 1])
  expect([await paid(), stall.runs]).toEqual([1, 1])
})

test.each<[string, number, Record<string, string>]>([
  ['503 with Retry-After', 503, { 'retry-after': '1' }],
  ['500 of a crash', 500, {}],
  ['502 of a proxy', 502, {}],
  ['409 in flight', 409, {}],
  ['429', 429, { 'retry-after': '0' }],
])('after %s the same payload is presented again', async (_name, status, headers) => {
  stall.before = (asked, response) => {
    if (!asked.isPaid || stall.payments().length > 2) return false
    response
      .writeHead(status, headers)
      .end(status === 409 ? '{"error":"payment_conflict","outcome":"conflict"}' : '')
    return true
  }
  expect(await (await payer()(`${stall.origin}/goods`)).text()).toBe('goods')
  expect(new Set(stall.payments()).size).toBe(1)
  expect([await paid(), stall.runs, stall.payments().length]).toEqual([1, 1, 3])
})

test('a seller who asks for more patience than there is: payment_unknown, after one presentation', async () => {
  stall.before = ({ isPaid }, response) => {
    if (isPaid) response.writeHead(503, { 'retry-after': '3600' }).end()
    return isPaid
  }
  await expect(payer()(`${stall.origin}/goods`)).rejects.toMatchObject({ code: 'payment_unknown' })
  expect(stall.payments()).toHaveLength(1)
})

test('a node of the seller’s that takes the payment and errs, and a confirmation that hides: debited once, served', async () => {
  await reopenStall({ settler: market.settler({ confirmTimeoutMs: 200 }), waitMs: 100 })
  market.chain.setOptions({ failSends: 1, confirmDelayMs: 1_500 })
  const { merchant } = await market.balances()
  const body = await (await payer()(`${stall.origin}/goods`)).text()
  expect(stall.payments().length).toBeGreaterThan(1)
  expect(new Set(stall.payments()).size).toBe(1)
  expectFigures(
    {
      fault: 'RPC takes the payment and answers with an error',
      times: '1 call of the paying fetch, confirmation hidden too',
    },
    {
      runs: stall.runs,
      credited: (await market.balances()).merchant - merchant,
      debited: FUNDS - (await buyer.tokens()),
      served: body === 'goods' ? 1 : 0,
    },
    { runs: 1, credited: PRICE, debited: PRICE, served: 1 },
  )
})

test('a handler that fails after payment may try again with the same payment, and its refusal is the answer in the end', async () => {
  stall.serve = (_, response) => {
    response.statusCode = stall.runs < 3 ? 500 : 200
    response.end('tried')
  }
  expect((await payer()(`${stall.origin}/goods`)).status).toBe(200)
  expect([await paid(), stall.runs]).toEqual([1, 3])
  stall.serve = (_, response) => {
    response.statusCode = 500
    response.end('broken')
  }
  const broken = await payer()(`${stall.origin}/goods`)
  expect([broken.status, await broken.text()]).toEqual([500, 'broken'])
  expect([await paid(), stall.runs]).toEqual([2, 6])
})

test('a paid answer that leads elsewhere is followed without the payment', async () => {
  const store = await openStall(market)
  store.before = (_, response) => {
    response.end('from the store')
    return true
  }
  stall.serve = (_, response) => {
    response.writeHead(302, { location: `${store.origin}/file` })
    response.end('')
  }
  const response = await payer()(`${stall.origin}/goods`, { headers: { authorization: 'secret' } })
  expect(await response.text()).toBe('from the store')
  expect(store.asked).toMatchObject([{ url: '/file', isPaid: false }])
  expect(store.asked[0]?.headers.authorization).toBeUndefined()
  await store.close()
})

test('a payment follows a redirect inside the origin', async () => {
  stall.before = ({ url, isPaid }, response) => {
    if (url !== '/goods' || !isPaid) return false
    response.writeHead(307, { location: '/goods?moved' }).end()
    return true
  }
  stall.terms = { bind: 'route', route: '/goods' }
  const response = await payer()(`${stall.origin}/goods`, { method: 'POST', body: '!' })
  expect(await response.text()).toBe('goods!')
  expect(stall.asked.at(-1)).toMatchObject({ method: 'POST', url: '/goods?moved', isPaid: true })
})

test('the caller’s signal ends the waiting, and the payment stays for an equal request', async () => {
  const paying = payer()
  const controller = new AbortController()
  stall.before = ({ isPaid }, response) => {
    if (!isPaid) return false
    response.writeHead(503, { 'retry-after': '5' }).end()
    setTimeout(() => controller.abort(new Error('enough')), 50)
    return true
  }
  await expect(paying(`${stall.origin}/goods`, { signal: controller.signal })).rejects.toThrow('enough')
  stall.before = () => false
  expect(await (await paying(`${stall.origin}/goods`)).text()).toBe('goods')
  expect(new Set(stall.payments()).size).toBe(1)
  expect(await paid()).toBe(1)
})

test('a seller that never answers is payment_unknown; a later equal request presents the same payment', async () => {
  stall.before = ({ isPaid }) => isPaid
  const paying = payer({ patienceMs: 700, attemptTimeoutMs: 100 })
  await expect(paying(`${stall.origin}/goods`)).rejects.toMatchObject({ code: 'payment_unknown' })
  stall.before = () => false
  expect(await (await paying(`${stall.origin}/goods`)).text()).toBe('goods')
  expect(new Set(stall.payments()).size).toBe(1)
  expect(await paid()).toBe(1)
})
