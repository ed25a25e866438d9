import type { Gate } from '@aetherkit/payments'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Shop, VERSIONS } from '../test/shop.js'
import { useShops } from '../test/shops.js'
import { keepRawBody, paywall } from './index.js'

const shops = useShops()

describe.each(VERSIONS)('on Express %s', (_version, express) => {
  const open = shops.on(express)
  let app: Shop['app']
  let base: string
  let paid: Shop['paid']
  let fetch: Shop['fetch']
  let earned: Shop['earned']
  let status: (...request: Parameters<Shop['raw']>) => Promise<number>
  let runs: number

  beforeEach(async () => {
    const shop = await open()
    ;({ app, base, paid, fetch, earned } = shop)
    status = async (...request) => (await shop.raw(...request)).status
    runs = 0
  })

  test('a priced route answers 402 in three dialects and serves who pays', async () => {
    app.get('/report', paid({ price: '$0.10', description: 'a report' }), (_request, response) => {
      runs++
      response.json({ content: 'premium' })
    })
    const unpaid = await globalThis.fetch(`${base}/report`)
    expect(unpaid.status).toBe(402)
    expect(unpaid.headers.get('payment-required')).not.toBeNull()
    expect(unpaid.headers.get('x-payment-requirements')).not.toBeNull()
    expect(await unpaid.json()).toMatchObject({
      x402Version: 1,
      error: 'payment_required',
      outcome: 'unpaid',
    })
    expect(runs).toBe(0)
    const before = await earned()
    const response = await fetch(`${base}/report`)
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ content: 'premium' })
    expect(response.headers.get('payment-response')).not.toBeNull()
    expect((await earned()) - before).toBe(100_000n)
    expect(runs).toBe(1)
  })

  test('HEAD is priced as GET, OPTIONS is free with the header lists', async () => {
    app.use(paid.table({ 'GET /report': { price: '$0.10' } }))
    app.get('/report', (_request, response) => {
      runs++
      response.end('x')
    })
    expect(await status('HEAD', '/report')).toBe(402)
    const preflight = await globalThis.fetch(`${base}/report`, { method: 'OPTIONS' })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('PAYMENT-SIGNATURE')
    expect(preflight.headers.get('access-control-expose-headers')).toContain('PAYMENT-RESPONSE')
    expect(runs).toBe(0)
  })

  const tricks = [
    '/paid',
    '/PAID',
    '/paid/',
    '//paid',
    '/%70aid',
    '/paid%2f',
    '/paid%0a',
    '/paid?x=/free',
    '/./paid',
    '/paid;a=b',
    '/pa%69d/',
  ]

  test.each(['route', 'table'])('no spelling of the path reaches the handler unpaid: %s', async (form) => {
    const handler = (_request: unknown, response: { end(text: string): void }) => {
      runs++
      response.end('secret')
    }
    if (form === 'route') app.get('/paid', paid({ price: '$0.10' }), handler)
    else {
      app.use(paid.table({ 'GET /paid': { price: '$0.10' } }))
      app.get('/paid', handler)
    }
    for (const path of tricks) {
      for (const method of ['GET', 'HEAD', 'get'])
        expect([402, 404, 400], `${method} ${path}`).toContain(await status(method, path))
    }
    expect(runs).toBe(0)
  })

  test('a stream starts right after settlement and is not buffered', async () => {
    let finish = () => {}
    app.get('/stream', paid({ price: '$0.01', mimeType: 'text/event-stream' }), (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: one\n\n')
      finish = () => response.end('data: two\n\n')
    })
    const response = await fetch(`${base}/stream`)
    const reader = response.body?.getReader()
    const first = await reader?.read()
    expect(new TextDecoder().decode(first?.value)).toBe('data: one\n\n')
    finish()
    const second = await reader?.read()
    expect(new TextDecoder().decode(second?.value)).toBe('data: two\n\n')
  })

  test('price and payee may depend on the request, and a payment for one does not pay for the other', async () => {
    const price = (request: { url?: string | undefined }) =>
      request.url?.includes('big') ? '$0.50' : '$0.10'
    app.get('/file', paid({ price }), (_request, response) => {
      response.end('bytes')
    })
    const before = await earned()
    expect((await fetch(`${base}/file?size=big`)).status).toBe(200)
    expect((await fetch(`${base}/file?size=small`)).status).toBe(200)
    expect((await earned()) - before).toBe(600_000n)
  })

  test('the same payment pays for one URL only, and copies of it run the handler once', async () => {
    let header = ''
    app.get('/one', paid({ price: '$0.10' }), (request, response) => {
      runs++
      header = String(request.headers['payment-signature'])
      response.json({ ok: true })
    })
    app.get('/other', paid({ price: '$0.10' }), (_request, response) => {
      runs++
      response.end('never')
    })
    expect((await fetch(`${base}/one`)).status).toBe(200)
    const copy = (path: string) =>
      globalThis.fetch(`${base}${path}`, { headers: { 'PAYMENT-SIGNATURE': header } })
    const answers = await Promise.all(Array.from({ length: 10 }, () => copy('/one')))
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]))
    expect((await copy('/other')).status).toBe(402)
    expect(runs).toBe(1)
  })

  test('a handler that fails after the payment is run again for the same payment, not for another', async () => {
    app.get('/flaky', paid({ price: '$0.10' }), (_request, response) => {
      if (++runs === 1) throw new Error('out of paper')
      response.json({ printed: true })
    })
    app.use(
      (
        _error: unknown,
        _request: unknown,
        response: { status(code: number): { end(): void } },
        _next: unknown,
      ) => {
        response.status(500).end()
      },
    )
    const before = await earned()
    const response = await fetch(`${base}/flaky`)
    expect([response.status, runs]).toEqual([200, 2])
    expect((await earned()) - before).toBe(100_000n)
  }, 60_000)

  test('authorization holds the response back until it is settled, and a failed handler costs nothing', async () => {
    app.get('/late', paid({ price: '$0.10', flow: 'authorization' }), (request, response) => {
      response.status(request.query.fail === undefined ? 200 : 422).json({ done: true })
    })
    const before = await earned()
    const response = await fetch(`${base}/late`)
    expect(response.status).toBe(200)
    expect(response.headers.get('payment-response')).not.toBeNull()
    expect(await response.json()).toEqual({ done: true })
    expect((await earned()) - before).toBe(100_000n)
    expect((await fetch(`${base}/late?fail`)).status).toBe(422)
    expect((await earned()) - before).toBe(100_000n)
  })

  test('a body can be bound: what was paid for one body does not buy another', async () => {
    app.use(express.json({ verify: keepRawBody }))
    const headers: string[] = []
    app.post('/translate', paid({ price: '$0.10', bind: 'request' }), (request, response) => {
      headers.push(String(request.headers['payment-signature']))
      response.json(request.body)
    })
    const send = (body: string, more: Record<string, string> = {}) => ({
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...more },
    })
    expect(await (await fetch(`${base}/translate`, send('{"a":1}'))).json()).toEqual({ a: 1 })
    const other = await globalThis.fetch(
      `${base}/translate`,
      send('{"a":2}', { 'PAYMENT-SIGNATURE': headers[0] ?? '' }),
    )
    expect(other.status).toBe(402)
  })

  test('a malformed payment is 400 on every version and hangs nothing', async () => {
    app.get('/report', paid({ price: '$0.10' }), (_request, response) => {
      runs++
      response.end()
    })
    for (const value of ['%%%', 'e30=', 'bm90IGpzb24=', 'x'.repeat(9000)]) {
      expect(await status('GET', '/report', { 'X-PAYMENT': value })).toBe(400)
    }
    expect(runs).toBe(0)
  })
})

test.each([
  [{ price: '0' }, 'invalid_price'],
  [{ price: '$1,000' }, 'invalid_price'],
  [{ price: '$1 DOGE' }, 'unknown_asset'],
  [{ price: '$1', network: 'base' }, 'unknown_network'],
  [{ price: '$1', payTo: 'nobody' }, 'invalid_option'],
])('a route that can never be paid is refused when it is made: %j', (route, code) => {
  const gate = {} as Gate
  const paid = paywall({
    gate,
    network: 'solana-devnet',
    payTo: shops.devnet.wallets.merchant.publicKey,
    baseUrl: 'http://localhost',
  })
  expect(() => paid(route)).toThrow(expect.objectContaining({ code }))
})
