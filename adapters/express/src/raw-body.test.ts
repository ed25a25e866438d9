/** Bodies that are bound to their payment, on real Express 4 and 5. */
import { request as httpRequest } from 'node:http'
import { describe, expect, test, vi } from 'vitest'
import { VERSIONS } from '../test/shop.js'
import { useShops } from '../test/shops.js'
import { keepRawBody } from './index.js'

vi.setConfig({ testTimeout: 30_000 })

const shops = useShops()

describe.each(VERSIONS)('on Express %s', (_version, express) => {
  const open = shops.on(express)

  test('the raw body is read before express.json, bound, and still there for the parser', async () => {
    const shop = await open()
    shop.app.post(
      '/translate',
      shop.paid({ price: '$0.10', bind: 'request' }),
      shop.express.json(),
      (request, response) => void response.json({ got: request.body }),
    )
    const post = (body: string, more: Record<string, string> = {}) => ({
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...more },
    })
    const long = JSON.stringify({ text: 'x'.repeat(200_000) })
    for (const body of ['{"a":1}', '{"text":"é"}']) {
      const response = await shop.fetch(`${shop.base}/translate`, post(body))
      expect([response.status, await response.json()]).toEqual([200, { got: JSON.parse(body) }])
    }
    const payment = { 'payment-signature': shop.sent[0] ?? '' }
    const other = await fetch(`${shop.base}/translate`, post('{"a":2}', payment))
    expect([other.status, await other.json()]).toMatchObject([402, { reason: 'aetherkit_binding_invalid' }])
    expect((await fetch(`${shop.base}/translate`, post(long))).status).toBe(402)
  })

  test('a long body in pieces, an empty one in chunks, and none are all read and put back', async () => {
    const shop = await open()
    shop.app.post(
      '/echo',
      shop.paid({ price: '$0.01', bind: 'request' }),
      shop.express.text(),
      (request, response) => {
        response.end(String(typeof request.body === 'string' ? request.body.length : 0))
      },
    )
    for (const pieces of [['x'.repeat(50_000), 'y'.repeat(49_000)], [], ['z']]) {
      const stream = () => new Blob(pieces).stream()
      const init = { method: 'POST', headers: { 'content-type': 'text/plain' }, duplex: 'half' as const }
      const challenge = await fetch(`${shop.base}/echo`, { ...init, body: stream() })
      expect(challenge.status).toBe(402)
      const response = await shop.fetch(`${shop.base}/echo`, { ...init, body: pieces.join('') })
      expect([response.status, await response.text()]).toEqual([200, String(pieces.join('').length)])
      const copy = { ...init.headers, 'payment-signature': shop.sent.at(-1) ?? '' }
      const again = await fetch(`${shop.base}/echo`, { ...init, headers: copy, body: stream() })
      expect([again.status, await again.text()]).toEqual([200, String(pieces.join('').length)])
    }
  })

  test('a body beyond the cap is 413 payload_too_large, told or found out', async () => {
    const shop = await open({ maxBodyBytes: 1000 })
    shop.app.post('/small', shop.paid({ price: '$0.10', bind: 'request' }), (_request, response) => {
      response.end(String(++shop.runs))
    })
    const told = await fetch(`${shop.base}/small`, { method: 'POST', body: 'x'.repeat(1001) })
    expect([told.status, await told.json()]).toEqual([413, { error: 'payload_too_large' }])
    const found = await new Promise<number | undefined>((resolve, reject) => {
      const asked = httpRequest(`${shop.base}/small`, { method: 'POST' }, ({ statusCode }) =>
        resolve(statusCode),
      )
      asked.on('error', reject)
      for (let i = 0; i < 3; i++) asked.write('x'.repeat(500))
    })
    expect(found).toBe(413)
    expect(shop.runs).toBe(0)
  })

  test('a parser before the paywall that kept nothing is a fault of the shop: 500, invalid_option', async () => {
    const shop = await open()
    const faults: unknown[] = []
    shop.app.use(shop.express.json())
    shop.app.post('/late', shop.paid({ price: '$0.10', bind: 'request' }), (_request, response) => {
      response.end(String(++shop.runs))
    })
    shop.app.use(
      (error: unknown, _request: unknown, response: { sendStatus(code: number): void }, _next: unknown) => {
        faults.push(error)
        response.sendStatus(500)
      },
    )
    const init = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }
    expect((await fetch(`${shop.base}/late`, init)).status).toBe(500)
    expect(faults).toMatchObject([{ code: 'invalid_option' }])
    expect(shop.runs).toBe(0)
  })

  test('with verify: keepRawBody a parser may be first', async () => {
    const shop = await open()
    shop.app.use(shop.express.json({ verify: keepRawBody }))
    shop.app.post('/late', shop.paid({ price: '$0.10', bind: 'request' }), (request, response) => {
      response.json(request.body)
    })
    const init = { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } }
    expect(await (await shop.fetch(`${shop.base}/late`, init)).json()).toEqual({ a: 1 })
  })
})
