/** `paid_fetch` against a real seller on the local chain, judged by the merchant's balance. */
import { memoryJournal } from '@aetherkit/payments'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { call, context, earned, order, outputOf, PRICE, shop, shownParts, shownText } from '../test/paying.js'
import { createJournal } from './call-journal.js'
import type { JsonRecord } from './json.js'
import { paymentContext } from './payments.js'

let serve: typeof shop.serve
beforeAll(() => {
  serve = shop.serve
})
afterEach(() => {
  shop.chain.setOptions({ dropSends: 0, failSends: 0, confirmDelayMs: 0 })
  Object.assign(shop, { price: PRICE, silent: false, serve })
})

describe('paid_fetch', () => {
  it('pays once and shows the amount, the payee and the outcome, never a signature', async () => {
    const ctx = await context()
    const output = await outputOf(ctx, 'paid_fetch', order(), { callId: 'c1' })
    expect(output).toMatchObject({
      status: 200,
      paid: true,
      untrusted_text: 'goods of /goods',
      receipt: { amount: '0.10 USDC', atomic_amount: '100000', pay_to: shop.payTo },
    })
    const text = shownText('paid_fetch', output)
    expect(JSON.parse(text)).toMatchObject({ paid: true, amount: '0.10 USDC', pay_to: shop.payTo })
    const { transaction } = output.receipt as { transaction: string }
    expect(transaction).toMatch(/^\w{80,}$/)
    expect(text).not.toContain(transaction)
    expect(await earned()).toBe(1)
  })

  it('pays once for a call id, also when its journal of calls is gone, and twice for two', async () => {
    const wallet = await shop.wallet({ journal: memoryJournal() })
    const first = await outputOf(paymentContext(wallet), 'paid_fetch', order(), { callId: 'c1' })
    const restarted = paymentContext({ ...wallet }, { journal: createJournal() })
    const again = await outputOf(restarted, 'paid_fetch', order(), { callId: 'c1' })
    expect(again).toMatchObject({ paid: true, receipt: first.receipt, untrusted_text: 'goods of /goods' })
    expect(await earned()).toBe(1)
    await outputOf(restarted, 'paid_fetch', order(), { callId: 'c2' })
    await outputOf(paymentContext(wallet, { scope: 'another thread' }), 'paid_fetch', order(), {
      callId: 'c1',
    })
    expect(await earned()).toBe(3)
  })

  it('refuses the same call id with other arguments, by REJECTED', async () => {
    const ctx = await context()
    await outputOf(ctx, 'paid_fetch', order(), { callId: 'c1' })
    const edited = await call(ctx, 'paid_fetch', order('/other'), { callId: 'c1' })
    expect(edited).toMatchObject({ error: { code: 'REJECTED' } })
    expect(await earned()).toBe(1)
  })

  it('refuses a price above max_price, a price above the budget and another payee before it signs', async () => {
    const ctx = await context({ budget: { perCall: '$1', perDay: '$2' } })
    const { presented } = shop
    const cases = [
      [order('/a', { max_price: '0.09' }), 'OVER_LIMIT'],
      [order('/b', { pay_to: shop.chain.wallets.buyer.publicKey }), 'REJECTED'],
    ] as const
    for (const [input, code] of cases)
      expect(await call(ctx, 'paid_fetch', input)).toMatchObject({ error: { code, paid: false } })
    shop.price = 1_500_000n
    expect(await call(ctx, 'paid_fetch', order('/c', { max_price: '5' }), { callId: 'c1' })).toMatchObject({
      error: { code: 'OVER_LIMIT', paid: false, retryable: false, message: expect.stringContaining('$1.50') },
    })
    expect([shop.presented - presented, await earned(), await ctx.purchases.entries()]).toEqual([0, 0, []])
  })

  it('shares the budget among calls at once', async () => {
    const ctx = await context({ budget: { total: '$0.30' } })
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, (_, n) => call(ctx, 'paid_fetch', order(`/${n}`), { callId: `c${n}` })),
    )
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(3)
    expect(outcomes.find(({ ok }) => !ok)).toMatchObject({ error: { code: 'OVER_LIMIT', paid: false } })
    expect(await earned()).toBe(3)
  })

  it('pays nothing for a free route, and nothing when max_price is 0', async () => {
    const ctx = await context()
    const free = { url: `${shop.origin}/free`, max_price: '0' }
    expect(await outputOf(ctx, 'paid_fetch', free)).toMatchObject({ paid: false, untrusted_text: 'free' })
    const priced = await call(ctx, 'paid_fetch', { url: `${shop.origin}/goods`, max_price: '0' })
    expect(priced).toMatchObject({ error: { code: 'OVER_LIMIT', paid: false } })
    expect(await earned()).toBe(0)
  })

  it('answers PAYMENT_FAILED when the wallet is empty, and another call may pay later', async () => {
    const wallet = await shop.wallet({}, 0n)
    const ctx = paymentContext(wallet)
    const outcome = await call(ctx, 'paid_fetch', order(), { callId: 'c1' })
    expect(outcome).toMatchObject({ error: { code: 'PAYMENT_FAILED', paid: false } })
    await shop.chain.setTokens(ctx.address, PRICE)
    expect((await call(ctx, 'paid_fetch', order(), { callId: 'c1' })).ok).toBe(true)
    expect(await earned()).toBe(1)
  })

  it('answers PAYMENT_UNKNOWN when no answer comes, and the same call takes the payment up again', async () => {
    shop.silent = true
    const ctx = await context({ patienceMs: 500 })
    const outcome = await call(ctx, 'paid_fetch', order(), { callId: 'c1' })
    expect(outcome).toMatchObject({
      error: { code: 'PAYMENT_UNKNOWN', paid: 'unknown', retryable: false },
    })
    expect(JSON.stringify(outcome)).toContain('do not retry with a new call')
    const [open] = (await outputOf(ctx, 'payment_history', {})).payments as JsonRecord[]
    expect(open).toMatchObject({ outcome: 'unknown', amount: '0.10 USDC' })
    shop.silent = false
    const again = await outputOf(ctx, 'paid_fetch', order(), { callId: 'c1' })
    expect(again).toMatchObject({ paid: true, receipt: { payment_id: open?.payment_id } })
    expect(await earned()).toBe(1)
  })

  it('says so when the seller answers a paid request with an error', async () => {
    shop.serve = (_path, response) => void Object.assign(response, { statusCode: 410 }).end('sold out')
    const ctx = await context()
    const output = await outputOf(ctx, 'paid_fetch', order(), { callId: 'c1' })
    expect(output).toMatchObject({ status: 410, paid: true })
    expect(shownText('paid_fetch', output)).toContain('do not buy it again')
  })

  it('cuts a long answer, and paid_read_more goes on without paying', async () => {
    const ctx = await context()
    const output = await outputOf(ctx, 'paid_fetch', order('/long'), { callId: 'c1' })
    expect(output).toMatchObject({ truncated: true, complete: true, next_offset: 4_096 })
    const { answer_id, next_offset: offset } = output
    let text = String(output.untrusted_text)
    for (let next = offset; next !== undefined; ) {
      const more = await outputOf(ctx, 'paid_read_more', { answer_id, offset: next })
      text += String(more.untrusted_text)
      next = more.next_offset
    }
    expect(text).toBe('ä'.repeat(10_000))
    const unknown = await call(ctx, 'paid_read_more', { answer_id: 'nothing' })
    expect(unknown).toMatchObject({ error: { code: 'NOT_FOUND' } })
    expect(await earned()).toBe(1)
  })

  it('hands a picture over as a file, and other bytes to the application alone', async () => {
    const ctx = await context()
    const bytes = Uint8Array.from([0, 255, 7])
    for (const [type, parts] of [
      ['image/png', ['text', 'file']],
      ['application/zip', ['text']],
    ] as const) {
      shop.serve = (_path, response) => void response.setHeader('content-type', type).end(bytes)
      const output = await outputOf(ctx, 'paid_fetch', order(`/${type}`), { callId: type })
      expect(output).toMatchObject({ base64: 'AP8H', binary_bytes: 3, content_type: type })
      expect(shownParts('paid_fetch', output).map((part) => part.type)).toEqual(parts)
    }
  })

  it('refuses addresses that are no web address by INVALID_ADDRESS, and hosts off the list by REJECTED', async () => {
    const ctx = await context({ policy: { hosts: ['shop.example'] } })
    for (const url of ['goods', 'file:///etc/passwd', 'https://user:word@shop.example/'])
      expect(await call(ctx, 'paid_fetch', order('', { url }))).toMatchObject({
        error: { code: 'INVALID_ADDRESS', paid: false },
      })
    expect(await call(ctx, 'quote', { url: `${shop.origin}/goods` })).toMatchObject({
      error: { code: 'REJECTED' },
    })
    expect(
      await call(await context(), 'paid_fetch', order('', { url: 'http://127.0.0.1:1/' })),
    ).toMatchObject({
      error: { code: 'PEER_TIMEOUT', paid: false, retryable: true },
    })
  })
})
