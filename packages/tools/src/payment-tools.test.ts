/** The payment tools against a real seller on the local chain; what money does is in paid-fetch.test.ts. */
import { convertToOpenAITool } from '@langchain/core/utils/function_calling'
import { describe, expect, it } from 'vitest'
import { call, context, earned, order, outputOf, PRICE, shop, shownText } from '../test/paying.js'
import { approvalText, callTool } from './index.js'
import { paidFetch, paymentContext } from './payments.js'
import { paymentToolCases, type ToolSurface, toolChecks } from './testing.js'

describe('every definition', () => {
  it('passes the conformance suite, with the schema conversion of OpenAI', async () => {
    const openAi: ToolSurface = {
      name: 'OpenAI',
      convert: ({ name, description, input }) => convertToOpenAITool({ name, description, schema: input }),
      call: async (definition, ctx, input, options) =>
        callTool(definition, ctx, input, options, options.onBug),
    }
    const wallet = await shop.wallet()
    let scope = 0
    const cases = await paymentToolCases(() => paymentContext(wallet, { scope: String(scope++) }), {
      url: `${shop.origin}/long`,
      otherUrl: `${shop.origin}/other`,
      payTo: shop.payTo,
      payments: () => shop.sold,
    })
    for (const { name, run } of toolChecks(cases, [openAi])) {
      await expect(run(), name).resolves.toBeUndefined()
    }
    expect(await shop.earned()).toBe(BigInt(shop.sold) * PRICE)
  })
})

describe('the question to the human', () => {
  it('names the amount, the payee, the host and the request', async () => {
    const ctx = await context()
    const { host } = new URL(shop.origin)
    expect(approvalText(paidFetch, ctx, order())).toBe(
      `Pay up to $0.10 to ${shop.payTo} (${host}) for GET ${shop.origin}/goods?`,
    )
  })

  it('is left out up to askAbove, where no payee is needed', async () => {
    const ctx = await context({}, { askAbove: '$0.10' })
    const { pay_to: _, ...small } = order()
    expect(approvalText(paidFetch, ctx, small)).toBe(false)
    expect((await call(ctx, 'paid_fetch', small)).ok).toBe(true)
    expect(approvalText(paidFetch, ctx, order('/goods', { max_price: '0.11' }))).toContain('Pay up to $0.11')
    const { pay_to: __, ...large } = order('/goods', { max_price: '0.11' })
    expect(approvalText(paidFetch, ctx, large)).toBe(false)
    expect(await call(ctx, 'paid_fetch', large)).toMatchObject({ error: { code: 'REJECTED', paid: false } })
    expect(await earned()).toBe(1)
  })

  it('is asked by ctx.approve, and NEEDS_APPROVAL pays nothing', async () => {
    const asked: string[] = []
    const ctx = await context({}, { approve: ({ text }) => asked.push(text) > 1 })
    const denied = await call(ctx, 'paid_fetch', order(), { callId: 'c1' })
    expect(denied).toMatchObject({
      error: { code: 'NEEDS_APPROVAL', paid: false, message: expect.stringContaining('do not retry') },
    })
    expect([await earned(), asked.length]).toEqual([0, 1])
    expect((await call(ctx, 'paid_fetch', order(), { callId: 'c2' })).ok).toBe(true)
  })

  it('does not stand above the wallet: its own approve is asked last, with the true purchase', async () => {
    const seen: unknown[] = []
    const ctx = await context({ approve: (purchase) => seen.push(purchase.price) > 1 })
    const outcome = await call(ctx, 'paid_fetch', order('/goods', { max_price: '5' }), { callId: 'c1' })
    expect(outcome).toMatchObject({ error: { code: 'NEEDS_APPROVAL', paid: false } })
    expect([seen, await earned()]).toEqual([['0.10 USDC'], 0])
  })

  it('refuses a setting that is no amount', async () => {
    const wallet = await shop.wallet()
    expect(() => paymentContext(wallet, { askAbove: '5 cents' })).toThrow(RangeError)
  })
})

describe('quote', () => {
  it('tells what paid_fetch needs, and pays nothing', async () => {
    const ctx = await context()
    const output = await outputOf(ctx, 'quote', { url: `${shop.origin}/goods` })
    expect(output).toMatchObject({
      is_free: false,
      terms: {
        price: '0.10 USDC',
        max_price: '0.10',
        pay_to: shop.payTo,
        is_known_payee: false,
        pays_before_delivery: true,
        asks_human: true,
        untrusted_description: 'a good thing',
      },
    })
    expect(output).not.toHaveProperty('terms.refused_because')
    expect(await outputOf(ctx, 'quote', { url: `${shop.origin}/free` })).toMatchObject({ is_free: true })
    expect(await earned()).toBe(0)
  })

  it('says why the wallet would refuse', async () => {
    const ctx = await context({ budget: { perCall: '$0.05' } })
    const { terms } = await outputOf(ctx, 'quote', { url: `${shop.origin}/goods` })
    expect(terms).toMatchObject({ refused_because: expect.stringContaining('"error":"OVER_LIMIT"') })
  })
})

describe('wallet_status and payment_history', () => {
  it('tell what is held, what is left and what was paid', async () => {
    const ctx = await context({ budget: { perCall: '$1', total: '$2', perHost: '$1' } })
    await outputOf(ctx, 'paid_fetch', order(), { callId: 'c1' })
    const { host } = new URL(shop.origin)
    expect(await outputOf(ctx, 'wallet_status', { host })).toEqual({
      address: ctx.address,
      network: shop.chain.network,
      balances: ['4.90 USDC'],
      budget_left: { per_call: '1.00', per_host: '0.90', total: '1.90' },
      asks_human_above: '0.00',
    })
    const history = await outputOf(ctx, 'payment_history', { host })
    expect(history).toMatchObject({
      payments: [{ outcome: 'delivered', amount: '0.10 USDC', pay_to: shop.payTo, host, method: 'GET' }],
      more: false,
    })
    expect(shownText('payment_history', history)).not.toContain('transaction')
    expect(await outputOf(ctx, 'payment_history', { host: 'elsewhere' })).toMatchObject({ payments: [] })
  })

  it('leaves the balances out without a node', async () => {
    const { rpcUrl: _, ...wallet } = await shop.wallet()
    expect(await outputOf(paymentContext(wallet), 'wallet_status', {})).not.toHaveProperty('balances')
  })
})
