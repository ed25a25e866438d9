import { describe, expect, test } from 'vitest'
import { clientOf, later, openAir } from '../../test/aether.js'
import { CALLER_SEED, request } from '../../test/dialect.js'
import { type Loose, metadataOf, paymentFor, say, send, useTown } from '../../test/sale.js'
import { PRICE } from '../../test/shop.js'
import { aetherTransport } from '../events/transport.js'
import type { Message, Task } from '../model.js'
import { PAYLOAD, RECEIPTS, STATUS } from './x402.js'

const town = useTown()

describe('4: one gate for every carrier', () => {
  test('4.2: a payment header pays for an A2A message too, where there are headers', async () => {
    const shop = await town.now.open()
    const before = await town.now.sold()
    const asked = await send(shop, say('hello'))
    const payload = (await paymentFor(asked, town.now)).metadata?.[PAYLOAD]
    const header = { 'payment-signature': Buffer.from(JSON.stringify(payload)).toString('base64') }
    const answers = await Promise.all([send(shop, say('hello'), header), send(shop, say('hello'), header)])
    const states = answers.map(({ status }) => status.state).sort()
    expect(states).toEqual(['TASK_STATE_COMPLETED', 'TASK_STATE_INPUT_REQUIRED'])
    expect(shop.runs.count).toBe(1)
    expect((await town.now.sold()) - before).toBe(PRICE)
  })

  test('5: over events a2a-x402 is the same, and what is paid there is used up here', async () => {
    const shop = await town.now.open()
    const before = await town.now.sold()
    const air = await openAir()
    const [server, caller] = [await clientOf(air), await clientOf(air)]
    const served = shop.agent.serveOn(server)
    await served.ready
    const transport = aetherTransport(caller, server.publicKey)
    later(async () => transport.close())
    const over = async (message: Message): Promise<Task> => {
      const answer: Loose = await transport.call({
        jsonrpc: '2.0',
        id: 1,
        method: 'SendMessage',
        params: { message },
      } as never)
      return answer.result.task
    }
    const asked = await over(say('hello'))
    expect(metadataOf(asked)[STATUS]).toBe('payment-required')
    const payment = await paymentFor(asked, town.now)
    const done = await over(payment)
    expect(done.status.state).toBe('TASK_STATE_COMPLETED')
    expect(metadataOf(done)).toMatchObject({ [STATUS]: 'payment-completed', [RECEIPTS]: [{ success: true }] })
    const here = await send(shop, say('hello', { metadata: payment.metadata }))
    expect(metadataOf(here)[STATUS]).toBe('payment-failed')
    const signed = request({ payload: {} }, new Uint8Array(32).fill(3))
    const call: Loose = await transport.call({
      jsonrpc: '2.0',
      id: 1,
      method: 'agent.request',
      params: signed,
    } as never)
    expect(call.error.code).toBe(-32600)
    expect(shop.runs.count).toBe(1)
    expect((await town.now.sold()) - before).toBe(PRICE)
  })

  test('5: over events an unpaid agent.request is payment_required, never HTTP 402', async () => {
    const shop = await town.now.open({ agent: { dialect: { http402: true } } })
    const air = await openAir()
    const [server, caller] = [await clientOf(air), await clientOf(air, { signer: CALLER_SEED })]
    await shop.agent.serveOn(server).ready
    const transport = aetherTransport(caller, server.publicKey)
    later(async () => transport.close())
    const envelope = { jsonrpc: '2.0', id: 1, method: 'agent.request', params: request() }
    const answer: Loose = await transport.call(envelope as never)
    expect(answer.result).toMatchObject({ status: 'payment_required', paymentRequired: { asset: 'USDC' } })
  })
})
