/** Clients that leave, handlers that take long, responses that grow (spec payments 10), judged by the chain. */
import { createCredits, creditOnFailure, memoryStore } from '@aetherkit/payments'
import { describe, expect, test } from 'vitest'
import { type Shop, VERSIONS } from '../test/shop.js'
import { useShops } from '../test/shops.js'
import type { Route } from './index.js'

const shops = useShops()

function signal(): { readonly promise: Promise<void>; readonly give: () => void } {
  let give = () => {}
  const promise = new Promise<void>((resolve) => {
    give = resolve
  })
  return { promise, give }
}

describe.each(VERSIONS)('on Express %s', (_version, express) => {
  const open = shops.on(express)

  /** Buys from a handler that waits, and leaves it waiting; `finish` lets it go on. */
  async function leave(shop: Shop, route: Partial<Route>, body: string) {
    const [started, left, finish] = [signal(), signal(), signal()]
    shop.app.get('/slow', shop.paid({ price: '$0.10', ...route } as Route), async (_request, response) => {
      shop.runs++
      response.once('close', left.give)
      started.give()
      await finish.promise
      response.type('text').send(body)
    })
    const leaving = new AbortController()
    const asked = shop.fetch(`${shop.base}/slow`, { signal: leaving.signal }).catch(() => {})
    await started.promise
    leaving.abort()
    await Promise.all([asked, left.promise])
    // What ends in the turn of the close is an answer to it, and no result.
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
    const again = () => shop.raw('GET', '/slow', { 'payment-signature': shop.sent[0] ?? '' })
    return { finish: finish.give, again }
  }

  test.each(['upfront', 'authorization'] as const)(
    'what a handler finishes after its client has left is kept for the payment: %s',
    async (flow) => {
      const shop = await open()
      const before = await shop.earned()
      const { finish, again } = await leave(shop, { flow }, 'the goods')
      const waiting = again()
      finish()
      expect(await waiting).toMatchObject({ status: 200, body: 'the goods' })
      const { status, body, headers } = await again()
      expect([status, body, headers['content-type']]).toEqual([200, 'the goods', 'text/plain; charset=utf-8'])
      expect(headers['payment-response']).toBeDefined()
      expect([shop.runs, (await shop.earned()) - before]).toEqual([1, 100_000n])
    },
  )

  test('with authorization a result that nobody got and that is too long to keep is not paid', async () => {
    const shop = await open({ keepBytes: 10 })
    const before = await shop.earned()
    const { finish, again } = await leave(shop, { flow: 'authorization' }, 'x'.repeat(11))
    finish()
    await expect.poll(async () => (await again()).status, { timeout: 10_000 }).toBe(200)
    expect([shop.runs, (await shop.earned()) - before]).toEqual([2, 100_000n])
  })

  test('with authorization a response beyond holdBytes is paid there and then, streamed on, and not kept', async () => {
    const shop = await open({ holdBytes: 1_000 })
    const earned: bigint[] = [await shop.earned()]
    shop.app.get(
      '/long',
      shop.paid({ price: '$0.10', flow: 'authorization' }),
      async (_request, response) => {
        shop.runs++
        response.write('a'.repeat(1_001))
        await new Promise((resolve) => response.once('drain', resolve))
        earned.push(await shop.earned())
        response.end('b')
      },
    )
    const response = await shop.fetch(`${shop.base}/long`)
    expect(response.headers.get('payment-response')).not.toBeNull()
    expect(await response.text()).toBe(`${'a'.repeat(1_001)}b`)
    expect((earned[1] ?? 0n) - (earned[0] ?? 0n)).toBe(100_000n)
    const copy = await shop.raw('GET', '/long', { 'payment-signature': shop.sent[0] ?? '' })
    expect([copy.status, JSON.parse(copy.body).reason]).toEqual([409, 'aetherkit_already_used'])
    expect(shop.runs).toBe(1)
  })

  test('a handler that takes longer than timeoutMs is 504 with what the failure gives back', async () => {
    const credits = createCredits({ store: memoryStore(), keys: [new Uint8Array(32).fill(3)] })
    const shop = await open({ gates: { onHandlerFailure: creditOnFailure(credits) } })
    const late = signal()
    shop.app.get('/never', shop.paid({ price: '$0.10', timeoutMs: 50 }), async (_request, response) => {
      await late.promise
      response.json({ late: true })
    })
    const { status, headers, body } = await (async () => {
      const response = await shop.fetch(`${shop.base}/never`)
      return { status: response.status, headers: response.headers, body: await response.json() }
    })()
    late.give()
    expect([status, body]).toEqual([504, { error: 'handler_timeout' }])
    expect(headers.get('x-credit')).toMatch(/^c1\./)
    expect(headers.get('payment-response')).not.toBeNull()
  })

  test.each([
    [{ holdBytes: Number.NaN }, {}],
    [{ keepBytes: -1 }, {}],
    [{}, { finishMs: 1.5 }],
    [{}, { timeoutMs: 0 }],
  ])('a limit that is none is invalid_option: %j %j', async (options, route) => {
    const made = open(options).then((shop) => shop.paid({ price: '$0.10', ...route }))
    await expect(made).rejects.toMatchObject({ code: 'invalid_option' })
  })
})
