/** Payments over a real local chain (spec a2a 4), in literal JSON: the flow on every surface, and once for all. */
import { describe, expect, test } from 'vitest'
import { codeOf, type Loose, say, V1 } from './agent.js'
import { decode, metadataOf, PRICE, submitted, useMarket } from './market.js'
import { ask, call, headerFor, request, STATUS, WANT_402 } from './purchase.js'

const market = useMarket()
const URIS = [
  'https://github.com/google-agentic-commerce/a2a-x402/blob/main/spec/v0.2',
  'https://github.com/google-a2a/a2a-x402/v0.1',
]

describe('payments', () => {
  test.each<Record<string, string>>([V1, {}])(
    '[pay-x402-flow, pay-order] unpaid, submitted, completed with receipts (%o)',
    async (headers) => {
      const agent = await market.now.open()
      const before = await market.now.sold()
      const isOld = !('a2a-version' in headers)
      const send = async (text: string, more: object = {}) => {
        const old = {
          kind: 'message',
          messageId: crypto.randomUUID(),
          role: 'user',
          parts: [{ kind: 'text', text }],
          ...more,
        }
        const answer = isOld
          ? await agent.rpc('message/send', { message: old }, headers)
          : await agent.rpc('SendMessage', say(text, more), headers)
        return answer.json.result.task ?? answer.json.result
      }
      const task = await send('hi')
      expect(task.status.state).toBe(isOld ? 'input-required' : 'TASK_STATE_INPUT_REQUIRED')
      const terms = metadataOf(task)
      expect(terms[STATUS]).toBe('payment-required')
      expect(terms['x402.payment.required']).toMatchObject({
        x402Version: 2,
        accepts: [{ scheme: 'exact', amount: '10000', network: 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1' }],
      })
      expect(agent.runs).toEqual([])
      const payload = await market.now.payloadFor(terms['x402.payment.required'])
      const done = await send('here it is', { taskId: task.id, ...submitted(payload) })
      expect(done.status.state).toBe(isOld ? 'completed' : 'TASK_STATE_COMPLETED')
      expect(metadataOf(done)).toMatchObject({
        [STATUS]: 'payment-completed',
        'x402.payment.receipts': [
          { success: true, transaction: expect.any(String), network: expect.any(String) },
        ],
      })
      // The message that was held is what was executed.
      expect(agent.runs).toEqual(['hi'])
      expect((await market.now.sold()) - before).toBe(PRICE)
    },
  )

  test('[pay-x402-flow] the stream of a paid message tells working with payment-verified or submitted, then completed', async () => {
    const agent = await market.now.open()
    const { task, payload } = await ask(market.now, agent)
    const params = say('here it is', { taskId: task.id, ...submitted(payload) })
    const events = await (await agent.stream('SendStreamingMessage', params)).rest()
    const said = events.flatMap(({ data }) => {
      const { status } = data.result.statusUpdate ?? {}
      const word = status?.message?.metadata?.[STATUS]
      return word === undefined ? [] : [[status.state, word]]
    })
    expect(said.at(-1)).toEqual(['TASK_STATE_COMPLETED', 'payment-completed'])
    for (const [state, word] of said.slice(0, -1)) {
      expect(state).toBe('TASK_STATE_WORKING')
      expect(['payment-submitted', 'payment-verified', 'payment-completed']).toContain(word)
    }
  })

  test('[pay-both-uris] the card declares both extension URIs, and either is echoed when it is asked for', async () => {
    const agent = await market.now.open()
    const { json } = await agent.rest('GET', '/.well-known/agent-card.json')
    expect(json.capabilities.extensions.map(({ uri }: Loose) => uri)).toEqual(expect.arrayContaining(URIS))
    for (const uri of URIS) {
      const { headers } = await agent.rpc('SendMessage', say('hi'), { ...V1, 'a2a-extensions': uri })
      expect(headers['a2a-extensions']).toBe(uri)
    }
  })

  test('[pay-dialect, pay-order] an unpaid dialect call is payment_required on 200 and has delivered nothing', async () => {
    const agent = await market.now.open()
    const { status, json } = await call(agent)
    expect(status).toBe(200)
    expect(json.result).toMatchObject({
      status: 'payment_required',
      data: null,
      paymentRequired: {
        amount: '10000',
        asset: 'USDC',
        payTo: market.now.chain.wallets.merchant.publicKey,
        network: 'solana-devnet',
        x402: { x402Version: 2, accepts: [{ amount: '10000' }] },
        x402v1: { x402Version: 1, accepts: [{ maxAmountRequired: '10000' }] },
      },
    })
    expect(agent.runs).toEqual([])
  })

  test('[pay-402] HTTP 402 on request satisfies readers of v2, of v1 and of the docs', async () => {
    const agent = await market.now.open()
    const { status, headers, json } = await call(agent, request(), WANT_402)
    expect(status).toBe(402)
    expect(decode(headers['payment-required'])).toMatchObject({
      x402Version: 2,
      accepts: [{ amount: '10000' }],
    })
    expect(json).toMatchObject({
      x402Version: 1,
      error: 'payment_required',
      accepts: [{ maxAmountRequired: '10000' }],
    })
    expect(json.requirements).toMatchObject({
      scheme: 'exact',
      network: 'solana-devnet',
      asset: market.now.chain.mint,
      payTo: market.now.chain.wallets.merchant.publicKey,
      maxAmountRequired: '10000',
      resource: expect.stringContaining('https://'),
      description: expect.any(String),
      maxTimeoutSeconds: expect.any(Number),
    })
    expect(decode(headers['x-payment-requirements'])).toEqual(json.requirements)
    expect(agent.runs).toEqual([])
  })

  test('[pay-header] PAYMENT-SIGNATURE pays, and so does X-PAYMENT; both receipts come back', async () => {
    const agent = await market.now.open()
    const before = await market.now.sold()
    const { header } = await headerFor(market.now, agent)
    const paid = await call(agent, request(), header)
    expect(paid.json.result.status).toBe('success')
    const second = await headerFor(market.now, agent)
    const v1 = { x402Version: 1, scheme: 'exact', network: 'solana-devnet', payload: second.payload.payload }
    const old = await call(agent, request(), {
      'x-payment': Buffer.from(JSON.stringify(v1)).toString('base64'),
    })
    expect(old.json.result.status).toBe('success')
    for (const { headers } of [paid, old]) {
      expect(decode(headers['payment-response'])).toMatchObject({
        success: true,
        transaction: expect.any(String),
      })
      expect(decode(headers['x-payment-response'])).toMatchObject({ success: true, network: 'solana-devnet' })
    }
    expect((await market.now.sold()) - before).toBe(2n * PRICE)
  })

  test('[pay-once] one payment in copies, at once, later, and over all surfaces settles once and is served once', async () => {
    const agent = await market.now.open()
    const before = await market.now.sold()
    const { header, payload } = await headerFor(market.now, agent)
    const same = request()
    const answers = await Promise.all([
      call(agent, same, header),
      call(agent, same, header),
      call(agent, request(), header),
    ])
    answers.push(await call(agent, request(), header))
    for (const { json } of answers) expect(json.result).toEqual(answers[0]?.json.result)
    expect(answers[0]?.json.result.status).toBe('success')
    const elsewhere = await agent.send('hi', submitted(payload))
    expect(metadataOf(elsewhere)[STATUS]).toBe('payment-failed')
    expect(agent.runs).toHaveLength(1)
    expect((await market.now.sold()) - before).toBe(PRICE)
  })

  test('[pay-once] a paid message twice, and once more under another id: one settlement, one run', async () => {
    const agent = await market.now.open()
    const before = await market.now.sold()
    const { task, payload } = await ask(market.now, agent)
    const message = say('here it is', { taskId: task.id, ...submitted(payload) })
    const both = await Promise.all([
      agent.rpc('SendMessage', message),
      agent.rest('POST', '/message:send', message),
    ])
    expect(both[1].json.task).toEqual(both[0].json.result.task)
    expect(both[1].json.task.status.state).toBe('TASK_STATE_COMPLETED')
    const again = await agent.rpc('SendMessage', say('again', { taskId: task.id, ...submitted(payload) }))
    expect(codeOf(again)[0]).toBe(-32004)
    expect(agent.runs).toEqual(['hi'])
    expect((await market.now.sold()) - before).toBe(PRICE)
  })
})
