/** Payments that do not go as they should (spec a2a 4), over a real local chain. */
import {
  createLedger,
  createSolanaSettler,
  DEVNET,
  keypairSigner,
  memoryStore,
  parseNetwork,
} from '@aetherkit/payments'
import { describe, expect, test } from 'vitest'
import type { Loose } from './agent.js'
import { metadataOf, PRICE, submitted, useMarket } from './market.js'
import { ask, call, headerFor, pay, request, STATUS, WANT_402 } from './purchase.js'
import { walletOf } from './wallet.js'

const market = useMarket()

describe('payments that do not go as they should', () => {
  test('[pay-unknown] an unknown outcome asks for no fresh payment: the same one decides it', async () => {
    const agent = await market.now.open({ gate: market.now.hasty(), payment: { patienceMs: 100 } })
    const before = await market.now.sold()
    const { task, payload } = await ask(market.now, agent)
    market.now.chain.setOptions({ confirmDelayMs: 60_000 })
    const open = await pay(agent, task, payload)
    expect(metadataOf(open)[STATUS]).toBe('payment-submitted')
    expect(metadataOf(open)['x402.payment.required']).toBeUndefined()
    expect(agent.runs).toEqual([])
    market.now.chain.setOptions({ confirmDelayMs: 0 })
    const state = async () => (await pay(agent, task, payload)).status.state
    await expect.poll(state, { timeout: 20_000 }).toBe('TASK_STATE_COMPLETED')
    expect(agent.runs).toEqual(['hi'])
    expect((await market.now.sold()) - before).toBe(PRICE)
  })

  test.each([
    [
      'another amount',
      (payload: Loose) => ({ ...payload, accepted: { ...payload.accepted, amount: '1' } }),
      /AMOUNT|SIGNATURE|SETTLEMENT/,
    ],
    [
      'another network',
      (payload: Loose) => ({
        ...payload,
        accepted: { ...payload.accepted, network: 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp' },
      }),
      /NETWORK|SIGNATURE|SETTLEMENT/,
    ],
    [
      'a broken transaction',
      (payload: Loose) => ({ ...payload, payload: { transaction: 'AAAA' } }),
      /SIGNATURE|SETTLEMENT/,
    ],
  ])(
    '[pay-rejected] %s is payment-failed with an error code, nothing runs, and another try is lawful',
    async (_name, forge, code) => {
      const agent = await market.now.open()
      const { task, payload } = await ask(market.now, agent)
      const refused = await pay(agent, task, forge(payload))
      expect(refused.status.state).toBe('TASK_STATE_INPUT_REQUIRED')
      expect(metadataOf(refused)).toMatchObject({
        [STATUS]: 'payment-failed',
        'x402.payment.error': expect.stringMatching(code),
      })
      expect(agent.runs).toEqual([])
      expect((await pay(agent, task, payload)).status.state).toBe('TASK_STATE_COMPLETED')
    },
  )

  test('[pay-rejected] a client that declines ends the task as failed', async () => {
    const agent = await market.now.open()
    const { id: taskId } = await agent.send('hi')
    const declined = await agent.send('no', { taskId, metadata: { [STATUS]: 'payment-rejected' } })
    expect([declined.status.state, metadataOf(declined)[STATUS]]).toEqual([
      'TASK_STATE_FAILED',
      'payment-rejected',
    ])
    expect(agent.runs).toEqual([])
  })

  test.each([
    ['2.01', '2010000'],
    ['$1.1', '1100000'],
    ['0.000001', '1'],
    ['1000.29 USDC', '1000290000'],
  ])('[pay-decimals] %s is %s micro-units on every surface', async (price, amount) => {
    const agent = await market.now.open({ payment: { price } })
    const task = await agent.send('hi')
    expect(metadataOf(task)['x402.payment.required'].accepts[0].amount).toBe(amount)
    expect((await call(agent)).json.result.paymentRequired.amount).toBe(amount)
    expect((await call(agent, request(), WANT_402)).json.requirements.maxAmountRequired).toBe(amount)
  })

  test('[pay-cancel] the last message of a cancelled task states its payment', async () => {
    const agent = await market.now.open()
    const before = await market.now.sold()
    const unpaid = await agent.send('hi')
    const { json } = await agent.rpc('CancelTask', { id: unpaid.id })
    expect([json.result.status.state, metadataOf(json.result)[STATUS]]).toEqual([
      'TASK_STATE_CANCELED',
      'payment-required',
    ])
    const { task, payload } = await ask(market.now, agent, 'wait')
    const paying = pay(agent, task, payload)
    await expect.poll(() => agent.runs, { timeout: 10_000 }).toEqual(['wait'])
    const paid = (await agent.rpc('CancelTask', { id: task.id })).json.result
    expect(metadataOf(paid)).toMatchObject({
      [STATUS]: 'payment-completed',
      'x402.payment.receipts': [{ success: true }],
    })
    await paying
    expect((await market.now.sold()) - before).toBe(PRICE)
  })

  test('[pay-binding] a payment buys nothing for another caller or another request', async () => {
    const agent = await market.now.open()
    const before = await market.now.sold()
    const { header } = await headerFor(market.now, agent)
    for (const params of [
      request({ payload: { text: 'something dearer' } }),
      request({}, walletOf(new Uint8Array(32).fill(5))),
    ])
      expect((await call(agent, params, header)).json.result.status).toBe('payment_required')
    const { payload } = await ask(market.now, agent)
    const other = await agent.as('mallory').send('hi')
    const stolen = { taskId: other.id, ...submitted(payload) }
    expect(metadataOf(await agent.as('mallory').send('mine', stolen))[STATUS]).toBe('payment-failed')
    expect(agent.runs).toEqual([])
    expect((await market.now.sold()) - before).toBe(0n)
  })

  test('[pay-order] a process that dies between settling and answering: the next one serves the same payment', async () => {
    const store = memoryStore()
    let isSettled = false
    let die = () => {}
    const dead = new Promise<void>((resolve) => {
      die = resolve
    })
    const dying = await market.now.open({
      gate: {
        ledger: createLedger(store),
        onSettled: () => {
          isSettled = true
          return dead
        },
      },
    })
    const next = await market.now.open({ gate: { ledger: createLedger(store) } })
    const before = await market.now.sold()
    const { task, payload } = await ask(market.now, dying)
    const lost = pay(dying, task, payload)
    await expect.poll(() => isSettled, { timeout: 10_000 }).toBe(true)
    expect(dying.runs).toEqual([])
    expect((await next.send('hi', submitted(payload))).status.state).toBe('TASK_STATE_COMPLETED')
    die()
    await lost
    expect([dying.runs, next.runs]).toEqual([[], ['hi']])
    expect((await market.now.sold()) - before).toBe(PRICE)
  })

  test.each([
    ['solana-devnet', 'solana-devnet', 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1'],
    ['solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1', 'solana-devnet', 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1'],
    ['solana-mainnet-beta', 'solana', 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp'],
    ['solana', 'solana', 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp'],
  ])('[pay-alias] the network %s is %s in v1 and %s in v2', async (network, v1, v2) => {
    const { rpcUrl, wallets } = market.now.chain
    const sponsors = [keypairSigner(wallets.facilitator.secretKey)]
    const settler = createSolanaSettler({ rpcUrl, network: parseNetwork(v2) ?? DEVNET, sponsors })
    const agent = await market.now.open({ gate: { settler }, payment: { network } })
    const { paymentRequired } = (await call(agent)).json.result
    expect([paymentRequired.x402v1.accepts[0].network, paymentRequired.x402.accepts[0].network]).toEqual([
      v1,
      v2,
    ])
  })
})
