/**
 * Agents of both frameworks buy from a real seller on the local chain. What counts is the merchant's account: a purchase
 * is paid once, or not at all, whatever is replayed, edited or resumed (spec frameworks, facts 5 to 7).
 */
import { toAiSdkTools } from '@aetherkit/ai-sdk'
import { toLangChainTools } from '@aetherkit/langchain'
import { createJournal } from '@aetherkit/tools'
import { type PaymentContextOptions, type PaymentWallet, paymentContext } from '@aetherkit/tools/payments'
import { paymentToolCases, type ToolSurface, toolChecks } from '@aetherkit/tools/testing'
import { convertToOpenAITool } from '@langchain/core/utils/function_calling'
import * as ai6 from 'ai'
import * as ai7 from 'ai7'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openShop, type Shop } from '../packages/tools/test/shop.js'
import { type Converse, inAiSdk, inLangChain } from './paid-conversation.js'

let shop: Shop
let before = 0n

beforeAll(async () => {
  shop = await openShop({ confirmTimeoutMs: 300, waitMs: 300 })
})
afterAll(() => shop?.close())
beforeEach(async () => {
  before = await shop.earned()
})

/** Purchases, by the merchant's account on the chain. */
const earned = async () => Number((await shop.earned()) - before) / Number(shop.price)
const context = async (change?: Partial<PaymentWallet>, options?: PaymentContextOptions) =>
  paymentContext(await shop.wallet(change), options)
const order = (path = '/goods', change: object = {}): Record<string, unknown> => ({
  url: `${shop.origin}${path}`,
  max_price: '0.10',
  pay_to: shop.payTo,
  ...change,
})

describe.each<[string, Converse]>([
  ['LangChain', inLangChain],
  ['ai 6', inAiSdk(6)],
  ['ai 7', inAiSdk(7)],
])('in %s', (name, converse) => {
  it('a small purchase needs no human, and the model reads amount, payee and goods', async () => {
    const ctx = await context({}, { askAbove: '0.10' })
    const talk = converse(ctx, order())
    expect(await talk.start()).toBeUndefined()
    const read = talk.read()
    for (const shown of ['0.10 USDC', shop.payTo, 'goods of /goods']) expect(read).toContain(shown)
    const [{ transaction = 'none', signature } = { signature: 'none' }] = await ctx.purchases.entries()
    expect(transaction).toMatch(/^\w{80,}$/)
    for (const hidden of [transaction, signature]) expect(read).not.toContain(hidden)
    expect(await earned()).toBe(1)
  })

  it('a human is asked with amount, payee and host, and an approval pays', async () => {
    const talk = converse(await context(), order())
    const question = await talk.start()
    expect(await earned()).toBe(0)
    // `needsApproval` of ai 6 has no place for a text.
    if (name !== 'ai 6')
      expect(question).toContain(`Pay up to $0.10 to ${shop.payTo} (${new URL(shop.origin).host})`)
    expect(await talk.answer(true)).toContain('goods of /goods')
    expect(await earned()).toBe(1)
  })

  it('a rejection pays nothing', async () => {
    const talk = converse(await context(), order())
    expect(await talk.start()).toBeDefined()
    await talk.answer(false)
    expect(await earned()).toBe(0)
  })

  it('an approval that is replayed, and a checkpoint that is resumed again, pay once', async () => {
    const talk = converse(await context(), order())
    await talk.start()
    await talk.answer(true)
    expect(await talk.answer(true)).toContain('goods of /goods')
    expect(await earned()).toBe(1)
  })

  it('a replay after a restart pays once, by the journal of the wallet', async () => {
    const wallet = await shop.wallet()
    const talk = converse(paymentContext(wallet), order())
    await talk.start()
    await talk.answer(true)
    // Another process: the wallet's journal is in a file, the calls are forgotten.
    const { purchases } = paymentContext(wallet)
    const restarted = paymentContext({ ...wallet, journal: purchases }, { journal: createJournal() })
    const again = converse(restarted, order())
    await again.start()
    expect(await again.answer(true)).toContain('goods of /goods')
    expect(await earned()).toBe(1)
  })

  it('arguments edited after the approval pay once at most, and never above the budget', async () => {
    const talk = converse(await context(), order())
    await talk.start()
    const edit = talk.answerEdited(order('/other', { max_price: '1' }))
    if (name === 'LangChain') await expect(edit).rejects.toThrow(/edit/)
    else expect(await edit).toContain('goods of /other')
    // The approval as it was: the call id is spent on other arguments, if at all.
    if (name !== 'LangChain') expect(await talk.answer(true)).toContain('REJECTED')
    expect(await earned()).toBe(name === 'LangChain' ? 0 : 1)

    const capped = converse(
      await context({ budget: { perCall: '$0.05' } }),
      order('/goods', { max_price: '0.05' }),
    )
    await capped.start()
    if (name !== 'LangChain')
      expect(await capped.answerEdited(order('/goods', { max_price: '9' }))).toContain('OVER_LIMIT')
    expect(await earned()).toBe(name === 'LangChain' ? 0 : 1)
  })

  it('a price over the cap is refused before anything is signed', async () => {
    const ctx = await context({ budget: { perCall: '$0.05' } }, { askAbove: '1' })
    const { presented } = shop
    const talk = converse(ctx, order())
    await talk.start()
    expect(talk.read()).toContain('OVER_LIMIT')
    expect([await ctx.purchases.entries(), shop.presented - presented, await earned()]).toEqual([[], 0, 0])
  })

  it('an outcome that nobody knows is told as unknown, and the same call fetches the goods later', async () => {
    shop.chain.setOptions({ failSends: 1, confirmDelayMs: 60_000 })
    const ctx = await context({ patienceMs: 900 })
    const talk = converse(ctx, order())
    await talk.start()
    const read = await talk.answer(true)
    for (const shown of ['PAYMENT_UNKNOWN', 'unknown', 'do not retry with a new call'])
      expect(read).toContain(shown)
    shop.chain.setOptions({ failSends: 0, confirmDelayMs: 0 })
    expect(await talk.answer(true)).toContain('goods of /goods')
    expect(await earned()).toBe(1)
  })
})

describe('in LangChain alone', () => {
  it('a caller who switches the gate off buys unasked, and the budget holds', async () => {
    const open = { interruptOn: { paid_fetch: false } } as const
    const talk = inLangChain(await context({ budget: { perCall: '$0.05' } }), order())
    expect(await talk.start(open)).toBeUndefined()
    expect(talk.read()).toContain('OVER_LIMIT')
    expect(await earned()).toBe(0)
  })
})

describe('every payment tool', () => {
  const surfaces: ToolSurface[] = [
    {
      name: 'LangChain',
      convert: (definition) => toLangChainTools([definition], {}).map((tool) => convertToOpenAITool(tool)),
      async call(definition, ctx, args, { onBug, callId }) {
        const [tool] = toLangChainTools([definition], ctx, { onBug })
        return tool?.invoke({ type: 'tool_call', name: definition.name, args, id: callId })
      },
    },
    {
      name: 'AI SDK',
      convert: (definition) =>
        Object.values(toAiSdkTools([definition], {})).map(({ inputSchema, outputSchema }) =>
          [ai6.asSchema(inputSchema), ai7.asSchema(inputSchema), ai6.asSchema(outputSchema)].map(
            (each) => each.jsonSchema,
          ),
        ),
      async call(definition, ctx, input, { callId, onBug }) {
        const [tool] = Object.values(toAiSdkTools([definition], ctx, { onBug }))
        return tool?.execute(input, { toolCallId: callId }).catch((error: unknown) => ({ error }))
      },
    },
  ]

  it('passes the conformance suite in both frameworks', async () => {
    const wallet = await shop.wallet()
    let conversations = 0
    const own = () => paymentContext(wallet, { scope: String(conversations++) })
    const cases = await paymentToolCases(own, {
      url: `${shop.origin}/long`,
      otherUrl: `${shop.origin}/other`,
      payTo: shop.payTo,
      payments: () => shop.sold,
    })
    for (const { name, run } of toolChecks(cases, surfaces)) {
      await expect(run(), name).resolves.toBeUndefined()
    }
  })
})
