/** What is priced, whatever the method and the spelling, on real Express 4 and 5. */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { VERSIONS } from '../test/shop.js'
import { useShops } from '../test/shops.js'

vi.setConfig({ testTimeout: 30_000 })

const shops = useShops()

describe.each(VERSIONS)('on Express %s', (_version, express) => {
  const open = shops.on(express)

  test('OPTIONS never reaches a handler, and lists what a browser must know', async () => {
    const shop = await open({ origin: '*' })
    shop.app.use(shop.paid.preflight)
    shop.app.get('/get', shop.paid({ price: '$0.10' }), (_request, response) => {
      response.end(String(++shop.runs))
    })
    shop.app.all('/all', shop.paid({ price: '$0.10' }), (_request, response) => {
      response.end(String(++shop.runs))
    })
    for (const path of ['/get', '/all']) {
      const { status, headers } = await shop.raw('OPTIONS', path, { 'access-control-request-method': 'GET' })
      expect(status).toBe(204)
      expect(headers['access-control-allow-headers']).toContain('PAYMENT-SIGNATURE, X-PAYMENT')
      expect(headers['access-control-allow-methods']).toContain('POST')
      expect(headers['access-control-allow-origin']).toBe('*')
      expect(headers['access-control-expose-headers']).toContain('PAYMENT-REQUIRED, PAYMENT-RESPONSE')
    }
    expect((await shop.raw('GET', '/get')).headers['access-control-allow-origin']).toBe('*')
    expect(shop.runs).toBe(0)
  })

  test('without the mount, OPTIONS of a route for all methods is free of the handler too', async () => {
    const shop = await open()
    shop.app.all('/all', shop.paid({ price: '$0.10' }), (_request, response) => {
      response.end(String(++shop.runs))
    })
    const { status, headers } = await shop.raw('OPTIONS', '/all')
    expect([status, headers['access-control-allow-origin'], shop.runs]).toEqual([204, undefined, 0])
  })

  test('a table prices a target in absolute form and a path that another middleware rewrites', async () => {
    const shop = await open()
    shop.app.use((request, _response, next) => {
      if (request.url === '/alias') request.url = '/paid'
      next()
    })
    shop.app.use(shop.paid.table({ 'GET /paid': { price: '$0.10' } }))
    shop.app.get('/paid', (_request, response) => {
      response.end(String(++shop.runs))
    })
    expect((await shop.raw('GET', 'http://elsewhere.example/paid')).status).toBe(402)
    expect((await shop.raw('GET', '/alias')).status).toBe(402)
    expect(shop.runs).toBe(0)
  })

  test('the resource is under the configured base, whatever Host and forwarding headers say', async () => {
    const shop = await open({ baseUrl: 'https://shop.example/api/' })
    shop.app.get('/paid', shop.paid({ price: '$0.10' }), (_request, response) => void response.end())
    const lies = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' }
    for (const target of ['/paid?a=1', 'http://evil.example/paid?a=1']) {
      const { body } = await shop.raw('GET', target, lies)
      expect(JSON.parse(body).accepts[0].resource).toBe('https://shop.example/api/paid?a=1')
    }
  })

  test('what HEAD paid for is no body for GET', async () => {
    const shop = await open()
    shop.app.get('/paid', shop.paid({ price: '$0.10' }), (_request, response) => void response.send('goods'))
    expect((await shop.fetch(`${shop.base}/paid`, { method: 'HEAD' })).status).toBe(200)
    const again = await shop.raw('GET', '/paid', { 'payment-signature': shop.sent[0] ?? '' })
    expect([again.status, JSON.parse(again.body).reason]).toEqual([409, 'aetherkit_already_used'])
  })

  test('files behind a priced folder are not served for a path that walks into it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'files-'))
    await writeFile(join(folder, 'secret.txt'), 'secret')
    const shop = await open()
    shop.app.use(shop.paid.table({ '/secret.txt': { price: '$0.10' } }))
    shop.app.use(shop.express.static(folder))
    for (const path of [
      '/secret.txt',
      '/./secret.txt',
      '/x/../secret.txt',
      '/x/%2e%2e/secret.txt',
      '/%2e/secret.txt',
    ])
      expect(await shop.raw('GET', path), path).not.toMatchObject({ body: 'secret' })
  })
})
