import { createGate, createLedger, DEVNET, type Gate, memoryStore } from '@aetherkit/payments'
import { describe, expect, test } from 'vitest'
import { alice } from '../../test/engine.js'
import { metadataOf, paymentFor, rpc, say, send, useTown } from '../../test/sale.js'
import { PRICE } from '../../test/shop.js'
import type { Message, Task } from '../model.js'
import { createPaymentAdmit } from './admit.js'
import { payForTask } from './pay-for-task.js'
import { RECEIPTS, REQUIRED, RETURNED, STATUS } from './x402.js'

const town = useTown()

test('[pay-confirmation] 4: the confirmation level that the agent asks for goes to the gate, and one that there is not is refused', async () => {
  const asked: unknown[] = []
  const gate = createGate(town.now.gateOptions())
  const counting: Gate = {
    ...gate,
    decide(request, terms) {
      asked.push(terms.confirmation)
      return gate.decide(request, terms)
    },
  }
  const seller = { network: DEVNET, payTo: town.now.chain.wallets.merchant.publicKey.toString() }
  const options = { ...seller, gate: counting, price: '$0.01', url: 'https://agent.example' } as const
  const task: Task = { id: 't', contextId: 'c', status: { state: 'TASK_STATE_SUBMITTED' } }
  const message: Message = { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'hi' }] }
  for (const confirmation of ['finalized', undefined] as const) {
    const admit = createPaymentAdmit({ ...options, ...(confirmation && { confirmation }) })
    expect(await admit({ message }, alice, task)).toMatchObject({ kind: 'hold' })
  }
  expect(asked).toEqual(['finalized', undefined])
  const confirmation = JSON.parse('"rooted"')
  expect(() => createPaymentAdmit({ ...options, confirmation })).toThrow(
    expect.objectContaining({ code: 'invalid_option' }),
  )
})

describe('4: outcomes', () => {
  test('a node that takes the payment and answers with an error: working, then completed, paid once', async () => {
    const shop = await town.now.open()
    const before = await town.now.sold()
    const asked = await send(shop, say('hello'))
    const payment = await paymentFor(asked, town.now)
    town.now.chain.setOptions({ failSends: 1 })
    expect((await send(shop, payment)).status.state).toBe('TASK_STATE_COMPLETED')
    expect((await town.now.sold()) - before).toBe(PRICE)
  })

  test('unknown never becomes payment-required: the same payment is asked for, and decides it', async () => {
    const shop = await town.now.open({ gate: town.now.hasty(), payment: { patienceMs: 200 } })
    const before = await town.now.sold()
    const asked = await send(shop, say('hello'))
    const payment = await paymentFor(asked, town.now)
    town.now.chain.setOptions({ confirmDelayMs: 60_000 })
    const open = await send(shop, payment)
    expect(open.status.state).toBe('TASK_STATE_INPUT_REQUIRED')
    expect(metadataOf(open)[STATUS]).toBe('payment-submitted')
    expect(metadataOf(open)[REQUIRED]).toBeUndefined()
    expect(shop.runs.count).toBe(0)
    town.now.chain.setOptions({ confirmDelayMs: 0 })
    const poll = async () => {
      const task = await send(shop, { ...payment, messageId: crypto.randomUUID() })
      return task.status.state
    }
    await expect.poll(poll, { timeout: 20_000 }).toBe('TASK_STATE_COMPLETED')
    expect(shop.runs.count).toBe(1)
    expect((await town.now.sold()) - before).toBe(PRICE)
  })

  test('the buyer presents a payment of unknown fate again by itself', async () => {
    const shop = await town.now.open({ gate: town.now.hasty(), payment: { patienceMs: 50 } })
    const asked = await send(shop, say('hello'))
    town.now.chain.setOptions({ confirmDelayMs: 60_000 })
    const hidden = setTimeout(() => town.now.chain.setOptions({ confirmDelayMs: 0 }), 1_000)
    const done = await payForTask(asked, {
      agent: shop.url,
      buyer: town.now.buyer(),
      send: (message) => send(shop, message),
    })
    clearTimeout(hidden)
    expect(done.status.state).toBe('TASK_STATE_COMPLETED')
    expect(shop.runs.count).toBe(1)
  })

  test('a failed execution gives the money back by the hook, and says so; the payment may try again by default', async () => {
    const refunds: string[] = []
    const shop = await town.now.open({
      gate: {
        onHandlerFailure: ({ paymentId }) => {
          refunds.push(paymentId)
          return { returned: 'refunded' }
        },
      },
    })
    const asked = await send(shop, say('fail'))
    const failed = await send(shop, await paymentFor(asked, town.now))
    expect(failed.status.state).toBe('TASK_STATE_FAILED')
    expect(metadataOf(failed)).toMatchObject({ [STATUS]: 'payment-completed', [RETURNED]: 'refunded' })
    expect(refunds.length).toBe(1)
    expect(JSON.stringify(failed)).not.toContain('secret')
  })

  test('a process that dies between settling and answering: the next one serves the same payment, paid once', async () => {
    const store = memoryStore()
    let die = () => {}
    const dead = new Promise<void>((resolve) => {
      die = resolve
    })
    let isSettled = false
    const dying = await town.now.open({
      gate: {
        ledger: createLedger(store),
        onSettled: () => {
          isSettled = true
          return dead
        },
      },
    })
    const next = await town.now.open({ gate: { ledger: createLedger(store) } })
    const before = await town.now.sold()
    const asked = await send(dying, say('hello'))
    const payment = await paymentFor(asked, town.now)
    const lost = send(dying, payment)
    await expect.poll(() => isSettled, { timeout: 10_000 }).toBe(true)
    const served = await send(next, say('hello', { metadata: payment.metadata }))
    expect(served.status.state).toBe('TASK_STATE_COMPLETED')
    expect(next.runs.count).toBe(1)
    die()
    expect(metadataOf(await lost)[STATUS]).toBe('payment-failed')
    expect(dying.runs.count).toBe(0)
    expect((await town.now.sold()) - before).toBe(PRICE)
  })

  test('without a hook the same payment is good for the same request in a new task', async () => {
    let broken = true
    const shop = await town.now.open({
      executor: {
        async execute({ artifact }) {
          if (broken) throw new Error('not now')
          artifact({ parts: [{ text: 'done' }] })
        },
      },
    })
    const before = await town.now.sold()
    const asked = await send(shop, say('hello'))
    const payment = await paymentFor(asked, town.now)
    expect(metadataOf(await send(shop, payment))[RETURNED]).toBe('retry')
    broken = false
    const { taskId: _task, contextId: _context, ...free } = payment
    const again = await send(shop, say('hello', { metadata: free.metadata }))
    expect(again.status.state).toBe('TASK_STATE_COMPLETED')
    expect((await town.now.sold()) - before).toBe(PRICE)
  })

  test('a cancelled task states its payment and refunds nothing', async () => {
    const shop = await town.now.open()
    const before = await town.now.sold()
    const asked = await send(shop, say('wait'))
    const payment = await paymentFor(asked, town.now)
    const running = send(shop, payment)
    await expect.poll(() => shop.runs.count, { timeout: 10_000 }).toBe(1)
    const { body } = await rpc(shop, 'CancelTask', { id: asked.id })
    expect(body.result.status.state).toBe('TASK_STATE_CANCELED')
    expect(metadataOf(body.result)).toMatchObject({
      [STATUS]: 'payment-completed',
      [RECEIPTS]: [{ success: true }],
    })
    await running
    expect((await town.now.sold()) - before).toBe(PRICE)
  })

  test('a task that is cancelled unpaid says that payment was required', async () => {
    const shop = await town.now.open()
    const asked = await send(shop, say('hello'))
    const { body } = await rpc(shop, 'CancelTask', { id: asked.id })
    expect(body.result.status.state).toBe('TASK_STATE_CANCELED')
    expect(metadataOf(body.result)[STATUS]).toBe('payment-required')
  })

  test('a budget that is too small keeps the wallet shut', async () => {
    const shop = await town.now.open()
    const asked = await send(shop, say('hello'))
    const buyer = town.now.buyer({ budget: { perCall: '$0.001' } })
    const paying = payForTask(asked, { agent: shop.url, buyer, send: (message) => send(shop, message) })
    await expect(paying).rejects.toMatchObject({ code: 'budget_exceeded' })
    expect(shop.runs.count).toBe(0)
  })
})
