import { expect, test } from 'vitest'
import { conversationKey, createQueue, memoryConversations, recalled } from './conversation.js'

const conversation = (text: string) => ({ turns: [{ id: text, taskId: 't', messages: [text] }] })

test('8.2: memory keeps the conversations used last, within count and size', async () => {
  const store = memoryConversations({ max: 2 })
  await store.set('a', conversation('a'))
  await store.set('b', conversation('b'))
  await store.get('a')
  await store.set('c', conversation('c'))
  expect(await store.get('b')).toBeUndefined()
  expect(await store.get('a')).toEqual(conversation('a'))
  const small = memoryConversations({ maxBytes: 100 })
  await small.set('a', conversation('a'))
  await small.set('b', conversation('x'.repeat(30)))
  expect(await small.get('a')).toBeUndefined()
  await small.set('b', conversation('x'.repeat(200)))
  expect(await small.get('b')).toBeUndefined()
})

test('8.2: owners and tenants do not meet under one context id', () => {
  const key = (owner: string, tenant: string) =>
    conversationKey({
      context: {
        caller: { owner, anonymous: false },
        tenant,
        version: '1.0',
        carrier: 'rest',
        extensions: new Set(),
      },
      task: { id: 't', contextId: 'c', status: { state: 'TASK_STATE_WORKING' } },
    })
  expect(new Set([key('a', ''), key('b', ''), key('a', 'x')]).size).toBe(3)
  expect(key('a', '')).toMatch(/^[0-9a-f]{64}$/)
})

test('8.2: one at a time of a conversation, in order, also behind one that failed', async () => {
  const queue = createQueue()
  const order: string[] = []
  const work = (name: string, fails = false) =>
    queue('k', async () => {
      order.push(`${name} in`)
      await new Promise((resolve) => setImmediate(resolve))
      order.push(`${name} out`)
      if (fails) throw new Error(name)
    })
  const settled = await Promise.allSettled([work('a', true), work('b'), work('c')])
  expect(order).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
})

test('8.2: what is left of a context is what finished tasks tell', () => {
  const message = { messageId: 'm', role: 'ROLE_USER' as const, parts: [{ text: 'hi' }] }
  const artifacts = [{ artifactId: 'result', parts: [{ text: 'A' }, { data: 1 }] }]
  const task = (id: string, state: 'TASK_STATE_COMPLETED' | 'TASK_STATE_FAILED') => ({
    id,
    contextId: 'c',
    status: { state },
    history: [message],
    artifacts,
  })
  expect(recalled([task('1', 'TASK_STATE_COMPLETED'), task('2', 'TASK_STATE_FAILED')])).toEqual([
    { taskId: '1', message, answer: 'A' },
  ])
})
