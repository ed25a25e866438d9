import { describe, expect, test } from 'vitest'
import { type Loose, metadataOf, paymentFor, rpc, say, send, useTown } from '../../test/sale.js'
import { PRICE } from '../../test/shop.js'
import type { JsonRecord, Message } from '../model.js'
import { declinePayment, payForTask } from './pay-for-task.js'
import {
  ERROR,
  PAYLOAD,
  paymentRequiredOf,
  RECEIPTS,
  REQUIRED,
  STATUS,
  USED_FOR,
  X402_EXTENSIONS,
} from './x402.js'

const town = useTown()

describe('4.3: a2a-x402 in message metadata', () => {
  test('unpaid: input-required with terms; paid: the held message is executed once, with a receipt', async () => {
    const shop = await town.now.open()
    const before = await town.now.sold()
    const asked = await send(shop, say('hello'))
    expect(asked.status.state).toBe('TASK_STATE_INPUT_REQUIRED')
    expect(metadataOf(asked)).toMatchObject({
      [STATUS]: 'payment-required',
      [REQUIRED]: {
        x402Version: 2,
        resource: { url: 'https://agent.example' },
        accepts: [{ scheme: 'exact', amount: String(PRICE), extra: { paymentFlow: 'upfront' } }],
      },
    })
    expect(shop.runs.count).toBe(0)
    const done = await payForTask(asked, {
      agent: shop.url,
      buyer: town.now.buyer(),
      send: (message) => send(shop, message),
    })
    expect(done.status.state).toBe('TASK_STATE_COMPLETED')
    expect(metadataOf(done)).toMatchObject({
      [STATUS]: 'payment-completed',
      [RECEIPTS]: [
        { success: true, network: expect.stringContaining('solana:'), transaction: expect.any(String) },
      ],
    })
    expect(done.artifacts?.[0]?.parts).toEqual([{ data: { said: 'hello' } }])
    expect(shop.runs.count).toBe(1)
    expect((await town.now.sold()) - before).toBe(PRICE)
  })

  test('the card declares both URIs', async () => {
    const shop = await town.now.open()
    const uris = shop.agent.card().capabilities.extensions?.map(({ uri }) => uri)
    expect(uris).toEqual(expect.arrayContaining([...X402_EXTENSIONS]))
  })

  test.each(X402_EXTENSIONS)('the activated extension is echoed, and no other: %s', async (uri) => {
    const shop = await town.now.open()
    const { headers } = await rpc(shop, 'SendMessage', { message: say('hello') }, { 'a2a-extensions': uri })
    expect(headers.get('a2a-extensions')).toBe(uri)
  })

  test('0.3 speaks the same keys', async () => {
    const shop = await town.now.open()
    const ask = async (message: object) => {
      const response = await fetch(shop.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'message/send', params: { message } }),
      })
      return ((await response.json()) as Loose).result
    }
    const old = (text: string, more: object = {}) => ({
      kind: 'message',
      messageId: crypto.randomUUID(),
      role: 'user',
      parts: [{ kind: 'text', text }],
      ...more,
    })
    const asked = await ask(old('hello'))
    expect(asked.status.state).toBe('input-required')
    const { metadata } = asked.status.message
    expect(metadata[STATUS]).toBe('payment-required')
    const task = { ...asked, status: { ...asked.status, state: 'TASK_STATE_INPUT_REQUIRED' } }
    const payment = await paymentFor(task, town.now)
    const done = await ask(old('payment', { taskId: asked.id, metadata: payment.metadata }))
    expect(done.status.state).toBe('completed')
    expect(done.status.message.metadata[STATUS]).toBe('payment-completed')
  })

  test('a stream tells each payment status with its task state', async () => {
    const shop = await town.now.open()
    const steps = async (message: Message) => {
      const reply = await shop.agent.dispatch({
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'SendStreamingMessage', params: { message } }),
        version: '1.0',
        extensions: undefined,
        caller: { owner: 'bearer:alice', anonymous: false },
        tenant: '',
        carrier: 'jsonrpc',
      })
      const seen: unknown[] = []
      if (reply.kind !== 'stream') throw new Error('no stream')
      for await (const { envelope } of reply.events) {
        const { statusUpdate, task } = (envelope as Loose).result
        const status = (statusUpdate ?? task)?.status
        if (status !== undefined) seen.push([status.state, status.message?.metadata?.[STATUS]])
      }
      return seen
    }
    const first = say('hello')
    expect(await steps(first)).toContainEqual(['TASK_STATE_INPUT_REQUIRED', 'payment-required'])
    const asked = await send(shop, first)
    const paid = await steps(await paymentFor(asked, town.now))
    expect(paid).toContainEqual(['TASK_STATE_WORKING', 'payment-verified'])
    expect(paid.at(-1)).toEqual(['TASK_STATE_COMPLETED', 'payment-completed'])
  })

  test('a price of undefined is free, and the price is asked of the action', async () => {
    const shop = await town.now.open({
      payment: { price: ({ action }) => (action === 'dear' ? '2.01' : undefined) },
    })
    expect((await send(shop, say('hello'))).status.state).toBe('TASK_STATE_COMPLETED')
    const asked = await send(shop, say('', { parts: [{ data: { action: 'dear', payload: {} } }] }))
    // 2.01 * 1_000_000 in floating point is 2009999.9999999998.
    expect(metadataOf(asked)).toMatchObject({ [REQUIRED]: { accepts: [{ amount: '2010000' }] } })
  })

  test('a payment sent twice, and once more under another message id: one settlement, one run', async () => {
    const shop = await town.now.open()
    const before = await town.now.sold()
    const asked = await send(shop, say('hello'))
    const payment = await paymentFor(asked, town.now)
    const both = await Promise.all([send(shop, payment), send(shop, payment)])
    expect(both.map(({ status }) => status.state)).toEqual(['TASK_STATE_COMPLETED', 'TASK_STATE_COMPLETED'])
    const again = await rpc(shop, 'SendMessage', { message: { ...payment, messageId: 'another' } })
    expect(again.body.error.code).toBe(-32004)
    expect(shop.runs.count).toBe(1)
    expect((await town.now.sold()) - before).toBe(PRICE)
  })

  test('the same payment on another task of the same caller is used already, and says where', async () => {
    const shop = await town.now.open()
    const [one, two] = [await send(shop, say('hello')), await send(shop, say('hello'))]
    const payment = await paymentFor(one, town.now)
    await send(shop, payment)
    const other = await send(shop, { ...payment, messageId: 'm2', taskId: two.id, contextId: two.contextId })
    expect(other.status.state).toBe('TASK_STATE_INPUT_REQUIRED')
    expect(metadataOf(other)).toMatchObject({
      [STATUS]: 'payment-failed',
      [ERROR]: 'DUPLICATE_NONCE',
      [USED_FOR]: one.id,
    })
    expect(metadataOf(other)[REQUIRED]).toBeUndefined()
    expect(shop.runs.count).toBe(1)
  })

  test('the same payment is nothing to another caller, and nothing for another message', async () => {
    const shop = await town.now.open()
    const asked = await send(shop, say('hello'))
    const payment = await paymentFor(asked, town.now)
    const foreign = await send(shop, say('hello'), { authorization: 'mallory' })
    const taken = { ...payment, messageId: 'm3', taskId: foreign.id, contextId: foreign.contextId }
    const refused = await send(shop, taken, { authorization: 'mallory' })
    expect(metadataOf(refused)[STATUS]).toBe('payment-failed')
    const dearer = await send(shop, say('something else'))
    const moved = { ...payment, messageId: 'm4', taskId: dearer.id, contextId: dearer.contextId }
    expect(metadataOf(await send(shop, moved))[STATUS]).toBe('payment-failed')
    expect(shop.runs.count).toBe(0)
    await send(shop, payment)
    expect(shop.runs.count).toBe(1)
  })

  test('a refused payment is input-required again with new terms, and another try is lawful', async () => {
    const shop = await town.now.open()
    const asked = await send(shop, say('hello'))
    const payment = await paymentFor(asked, town.now)
    const payload = payment.metadata?.[PAYLOAD] as JsonRecord
    const accepted = { ...(payload.accepted as JsonRecord), amount: '1' }
    const forged = {
      ...payment,
      messageId: 'bad',
      metadata: { ...payment.metadata, [PAYLOAD]: { ...payload, accepted } },
    }
    const refused = await send(shop, forged)
    expect(refused.status.state).toBe('TASK_STATE_INPUT_REQUIRED')
    expect(metadataOf(refused)).toMatchObject({ [STATUS]: 'payment-failed', [ERROR]: expect.any(String) })
    expect(paymentRequiredOf(refused)).toBeDefined()
    expect((await send(shop, payment)).status.state).toBe('TASK_STATE_COMPLETED')
  })

  test.each([
    ['no payment at all', {}],
    ['a version nobody knows', { x402Version: 9 }],
    ['no transaction', { x402Version: 1, scheme: 'exact', network: 'solana-devnet', payload: {} }],
  ])('a payload that cannot be read is payment-failed and never runs: %s', async (_name, payload) => {
    const shop = await town.now.open()
    const asked = await send(shop, say('hello'))
    const metadata = { [STATUS]: 'payment-submitted', [PAYLOAD]: payload }
    const refused = await send(shop, say('payment', { taskId: asked.id, metadata }))
    expect(metadataOf(refused)[STATUS]).toBe('payment-failed')
    expect(shop.runs.count).toBe(0)
  })

  test('a client that declines fails the task', async () => {
    const shop = await town.now.open()
    const asked = await send(shop, say('hello'))
    const declined = await send(shop, declinePayment(asked))
    expect(declined.status.state).toBe('TASK_STATE_FAILED')
    expect(metadataOf(declined)[STATUS]).toBe('payment-rejected')
  })

  test('what is said while the payment is awaited asks for the same payment again', async () => {
    const shop = await town.now.open()
    const asked = await send(shop, say('hello'))
    const still = await send(shop, say('are you there?', { taskId: asked.id }))
    expect(metadataOf(still)[STATUS]).toBe('payment-required')
    const done = await send(shop, await paymentFor(still, town.now))
    expect(done.artifacts?.[0]?.parts).toEqual([{ data: { said: 'hello' } }])
  })

  test('a paid task goes on free, and its last message has the receipts', async () => {
    const shop = await town.now.open()
    const before = await town.now.sold()
    const asked = await send(shop, say('ask me'))
    const open = await send(shop, await paymentFor(asked, town.now))
    expect(open.status.state).toBe('TASK_STATE_INPUT_REQUIRED')
    expect(metadataOf(open)[STATUS]).toBe('payment-completed')
    expect(paymentRequiredOf(open)).toBeUndefined()
    const done = await send(shop, say('the red one', { taskId: asked.id }))
    expect(done.status.state).toBe('TASK_STATE_COMPLETED')
    expect(metadataOf(done)).toMatchObject({ [STATUS]: 'payment-completed', [RECEIPTS]: [{ success: true }] })
    expect((await town.now.sold()) - before).toBe(PRICE)
  })

  test('receipts that a caller wrote pay for nothing', async () => {
    const shop = await town.now.open()
    const metadata = { [STATUS]: 'payment-completed', [RECEIPTS]: [{ success: true }] }
    const asked = await send(shop, say('hello', { metadata }))
    expect(metadataOf(asked)[STATUS]).toBe('payment-required')
    const again = await send(shop, say('hello', { taskId: asked.id, metadata }))
    expect(metadataOf(again)[STATUS]).toBe('payment-required')
    expect(shop.runs.count).toBe(0)
  })
})
