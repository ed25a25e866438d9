/** One purchase step by step, in literal JSON: ask, pay, and the signed calls that are paid by header. */
import { envelope, type Loose, type Running } from './agent.js'
import { type Market, metadataOf, submitted } from './market.js'
import { AGENT, CALLER } from './wallet.js'

export const WANT_402 = { accept: 'application/vnd.x402+json' }
export const STATUS = 'x402.payment.status'

/** An unpaid task, and a payment for its terms. */
export async function ask(market: Market, agent: Running, text = 'hi') {
  const task = await agent.send(text)
  return { task, payload: await market.payloadFor(metadataOf(task)['x402.payment.required']) }
}

export const pay = (agent: Running, task: Loose, payload: Loose): Promise<Loose> =>
  agent.send('here it is', { taskId: task.id, contextId: task.contextId, ...submitted(payload) })

/** Signed params; each call differs by its nonce. */
export const request = (more: object = {}, wallet = CALLER): Loose =>
  wallet.signed({
    to: AGENT.address,
    action: 'echo',
    payload: { text: 'hi' },
    nonce: crypto.randomUUID(),
    ...more,
  })

export const call = (agent: Running, params = request(), headers: Record<string, string> = {}) =>
  agent.post(envelope('agent.request', params, 'a'), headers)

/** A header that pays for such a call, and the payment in it. */
export async function headerFor(market: Market, agent: Running) {
  const { json } = await call(agent)
  const payload = await market.payloadFor(json.result.paymentRequired.x402)
  return { payload, header: { 'payment-signature': Buffer.from(JSON.stringify(payload)).toString('base64') } }
}
