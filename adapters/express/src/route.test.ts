/** What a route may ask for and what becomes of it, on real Express 4 and 5. */
import { createCredits, creditGrant, creditOnFailure, memoryStore, type Paid } from '@aetherkit/payments'
import { describe, expect, test, vi } from 'vitest'
import { VERSIONS } from '../test/shop.js'
import { useShops } from '../test/shops.js'
import { paymentOf } from './index.js'

vi.setConfig({ testTimeout: 30_000 })

const shops = useShops()

describe.each(VERSIONS)('on Express %s', (_version, express) => {
  const open = shops.on(express)

  test("the seed's receipt is in JSON bodies for X-Payment, never for PAYMENT-SIGNATURE, never over one", async () => {
    const shop = await open()
    shop.app.get('/json', shop.paid({ price: '$0.25' }), (_request, response) => void response.json({ a: 1 }))
    shop.app.get('/list', shop.paid({ price: '$0.25' }), (_request, response) => void response.json([1]))
    shop.app.get(
      '/own',
      shop.paid({ price: '$0.25' }),
      (_request, response) => void response.json({ receipt: 7 }),
    )
    const seed = await shop.fetchV1(`${shop.base}/json`)
    expect(seed.headers.get('x-payment-response')).not.toBeNull()
    expect(await seed.json()).toEqual({
      a: 1,
      receipt: { txHash: expect.any(String), amount: 0.25, amountAtomic: '250000' },
    })
    expect(await (await shop.fetchV1(`${shop.base}/list`)).json()).toEqual([1])
    expect(await (await shop.fetchV1(`${shop.base}/own`)).json()).toEqual({ receipt: 7 })
    expect(await (await shop.fetch(`${shop.base}/json`)).json()).toEqual({ a: 1 })
    const plain = await open({ seedReceipts: false })
    plain.app.get(
      '/json',
      plain.paid({ price: '$0.25' }),
      (_request, response) => void response.json({ a: 1 }),
    )
    expect(await (await plain.fetchV1(`${plain.base}/json`)).json()).toEqual({ a: 1 })
  })

  test('a route may say more in its 402, and cannot take the terms away', async () => {
    const shop = await open()
    const unpaidBody = (request: { url?: string | undefined }) => ({
      preview: request.url ?? '',
      accepts: [],
    })
    shop.app.get('/paid', shop.paid({ price: '$0.10', unpaidBody }), (_request, response) => {
      response.end('goods')
    })
    const { status, body } = await shop.raw('GET', '/paid')
    expect([status, JSON.parse(body)]).toMatchObject([
      402,
      { preview: '/paid', accepts: [{ maxAmountRequired: '100000' }], error: 'payment_required' },
    ])
    expect((await shop.fetchV1(`${shop.base}/paid`)).status).toBe(200)
  })

  test('the receipt of a payment is found by transaction; anything else is 404 not_found', async () => {
    const shop = await open()
    let paid: Paid | undefined
    shop.app.use(shop.paid.receipts)
    shop.app.get('/paid', shop.paid({ price: '$0.10' }), (request, response) => {
      paid = paymentOf(request)
      response.end()
    })
    await shop.fetch(`${shop.base}/paid`)
    for (const key of [paid?.transaction, paid?.paymentId]) {
      const { status, body } = await shop.raw('GET', `/.well-known/x402/receipts/${key}`)
      expect([status, JSON.parse(body)]).toMatchObject([
        200,
        {
          success: true,
          transaction: paid?.transaction,
          amount: '100000',
          payer: shops.devnet.wallets.buyer.publicKey,
        },
      ])
    }
    const missing = await shop.raw('GET', '/.well-known/x402/receipts/nothing')
    expect([missing.status, missing.body]).toEqual([404, '{"error":"not_found"}'])
  })

  test('extensions beyond 6 KiB of header go to the body; terms beyond 12 KiB are a fault of the shop', async () => {
    const shop = await open()
    const extensions = { bazaar: { info: { text: 'x'.repeat(8000) } } }
    shop.app.get('/much', shop.paid({ price: '$0.10', extensions }), (_request, response) => {
      response.end('goods')
    })
    shop.app.get(
      '/more',
      shop.paid({ price: '$0.10', description: 'x'.repeat(12_000) }),
      (_request, response) => {
        response.end(String(++shop.runs))
      },
    )
    shop.app.use(
      (
        error: { code: string },
        _request: unknown,
        response: { status(code: number): { end(text: string): void } },
        _next: unknown,
      ) => {
        response.status(500).end(error.code)
      },
    )
    const { headers, body } = await shop.raw('GET', '/much')
    expect(String(headers['payment-required']).length).toBeLessThan(6 * 1024)
    expect(JSON.parse(body).extensions.bazaar.info.text).toHaveLength(8000)
    expect((await shop.fetch(`${shop.base}/much`)).status).toBe(200)
    expect(await shop.raw('GET', '/more')).toMatchObject({ status: 500, body: 'invalid_option' })
  })

  test('each hook fires once for one payment, and onBeforeSettle stops the money', async () => {
    const seen: string[] = []
    let veto: string | undefined
    const shop = await open({
      gates: {
        onBeforeSettle: (paid) => {
          seen.push(`before ${paid.amount}`)
          return veto
        },
        onSettled: (paid) => void seen.push(`settled ${paid.transaction !== ''}`),
        onRefused: (reason) => void seen.push(`refused ${reason}`),
      },
    })
    shop.app.get('/paid', shop.paid({ price: '$0.10' }), (_request, response) => void response.end('goods'))
    await shop.fetch(`${shop.base}/paid`)
    expect(seen).toEqual(['before 100000', 'settled true'])
    veto = 'closed on Sundays'
    const before = await shop.earned()
    await expect(shop.fetch(`${shop.base}/paid`)).rejects.toMatchObject({ code: 'payment_refused' })
    expect(seen.filter((word) => word.startsWith('settled'))).toHaveLength(1)
    expect(seen).toContain('refused invalid_payment')
    expect((await shop.earned()) - before).toBe(0n)
  })

  test('a handler that fails after the payment gives credit in its answer, and the credit buys later', async () => {
    const credits = createCredits({
      store: memoryStore(),
      keys: [crypto.getRandomValues(new Uint8Array(32))],
    })
    const shop = await open({
      gates: { onHandlerFailure: creditOnFailure(credits), onRequest: creditGrant(credits) },
    })
    let isBroken = true
    shop.app.get('/paid', shop.paid({ price: '$0.10' }), (_request, response) => {
      shop.runs++
      if (isBroken) response.status(500).json({ error: 'out of paper' })
      else response.json({ ok: true })
    })
    await shop.fetch(`${shop.base}/paid`).catch(() => {})
    const copy = await shop.raw('GET', '/paid', { 'payment-signature': shop.sent[0] ?? '' })
    expect([copy.status, JSON.parse(copy.body).returned]).toEqual([409, 'credited'])
    const [failed] = shop.answers
    expect(failed?.status).toBe(500)
    const token = failed?.headers.get('x-credit') ?? ''
    isBroken = false
    const before = await shop.earned()
    const later = await shop.raw('GET', '/paid', { 'x-credit': token })
    expect([later.status, later.body, await shop.earned()]).toEqual([200, '{"ok":true}', before])
    expect(shop.runs).toBe(2)
  })

  test.each([
    ['retry', 200, 2],
    ['charge', 409, 1],
  ] as const)(
    'a client that leaves a handler that does not finish: onDisconnect %s',
    async (onDisconnect, status, runs) => {
      const shop = await open()
      let started = () => {}
      const running = new Promise<void>((resolve) => {
        started = resolve
      })
      let hasLeft = () => {}
      const left = new Promise<void>((resolve) => {
        hasLeft = resolve
      })
      shop.app.get(
        '/slow',
        shop.paid({ price: '$0.10', onDisconnect, finishMs: 50 }),
        (_request, response) => {
          if (++shop.runs > 1) {
            response.end('goods')
            return
          }
          response.on('close', () => hasLeft())
          started()
        },
      )
      const leaving = new AbortController()
      const asked = shop
        .fetch(`${shop.base}/slow`, { signal: leaving.signal })
        .catch((error: unknown) => error)
      await running
      leaving.abort()
      await Promise.all([asked, left])
      const again = () => shop.raw('GET', '/slow', { 'payment-signature': shop.sent[0] ?? '' })
      await expect.poll(async () => (await again()).status, { timeout: 10_000 }).toBe(status)
      expect(shop.runs).toBe(runs)
    },
  )

  test('bound to the route, one payment is good for any URL of its pattern, once', async () => {
    const shop = await open()
    shop.app.get('/item/:id', shop.paid({ price: '$0.10', bind: 'route' }), (request, response) => {
      response.end(`item ${request.params.id}`)
    })
    shop.app.get('/other/:id', shop.paid({ price: '$0.10', bind: 'route' }), (_request, response) => {
      response.end(String(++shop.runs))
    })
    expect(await (await shop.fetch(`${shop.base}/item/1`)).text()).toBe('item 1')
    const header = { 'payment-signature': shop.sent[0] ?? '' }
    expect((await shop.raw('GET', '/item/2', header)).body).toBe('item 1')
    expect((await shop.raw('GET', '/other/1', header)).status).toBe(402)
    expect(shop.runs).toBe(0)
  })

  test('a price that cannot be told fails closed and hangs nothing', async () => {
    const shop = await open()
    const price = async () => Promise.reject(new Error('the price list is away'))
    shop.app.get(
      '/paid',
      shop.paid({ price }),
      (_request, response) => void response.end(String(++shop.runs)),
    )
    shop.app.get('/zero', shop.paid({ price: () => '$0' }), (_request, response) => {
      response.end(String(++shop.runs))
    })
    shop.app.use(
      (_error: unknown, _request: unknown, response: { sendStatus(code: number): void }, _next: unknown) => {
        response.sendStatus(500)
      },
    )
    expect((await shop.raw('GET', '/paid')).status).toBe(500)
    expect((await shop.raw('GET', '/zero')).status).toBe(500)
    expect(shop.runs).toBe(0)
  })
})
