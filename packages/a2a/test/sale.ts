/** What tests of payments share: one town for a file, and plain JSON-RPC to the shops in it. */
import { afterAll, afterEach, beforeAll } from 'vitest'
import type { JsonRecord, Message, Task } from '../src/model.js'
import { payForTask } from '../src/payment/pay-for-task.js'
import { openTown, type Shop, type Town } from './shop.js'

// biome-ignore lint/suspicious/noExplicitAny: what came over the wire, looked into by the test
export type Loose = any

/** Opens a town for the tests of this file, as `town.now`. */
export function useTown(): { readonly now: Town } {
  let town: Town | undefined
  beforeAll(async () => {
    town = await openTown()
  })
  afterEach(async () => {
    town?.chain.setOptions({ dropSends: 0, failSends: 0, confirmDelayMs: 0, delayMs: 0 })
    await town?.clear()
  })
  afterAll(() => town?.close())
  return {
    get now() {
      if (town === undefined) throw new Error('the town is not open yet')
      return town
    },
  }
}

export const say = (text: string, more: object = {}): Message => ({
  messageId: crypto.randomUUID(),
  role: 'ROLE_USER',
  parts: [{ text }],
  ...more,
})

export async function rpc(shop: Shop, method: string, params: object, headers: Record<string, string> = {}) {
  const response = await fetch(shop.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'a2a-version': '1.0', ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const body: Loose = await response.json()
  return { status: response.status, headers: response.headers, body }
}

export async function send(
  shop: Shop,
  message: Message,
  headers: Record<string, string> = {},
): Promise<Task> {
  const { body } = await rpc(shop, 'SendMessage', { message }, headers)
  if (body.error !== undefined) throw new Error(JSON.stringify(body.error))
  return body.result.task
}
export const metadataOf = ({ status }: Task): JsonRecord => status.message?.metadata ?? {}

/** The message that pays, as the buyer makes it; nothing is sent. */
export async function paymentFor(task: Task, town: Town): Promise<Message> {
  let made: Message | undefined
  await payForTask(task, {
    agent: 'http://localhost',
    buyer: town.buyer(),
    send: async (message) => {
      made ??= message
      return { ...task, status: { state: 'TASK_STATE_COMPLETED' } }
    },
  })
  if (made === undefined) throw new Error('no payment was made')
  return made
}
