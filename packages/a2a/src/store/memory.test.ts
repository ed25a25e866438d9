import { expect, test } from 'vitest'
import { taskStoreContract } from './contract-suite.js'
import { memoryTaskStore } from './memory.js'

taskStoreContract('memory', { test, open: async (options) => memoryTaskStore(options) })

test('7.4: memory forgets the oldest message ids beyond its bound', async () => {
  const store = memoryTaskStore({ maxOnce: 2 })
  const record = { hash: 'h', taskId: '', expiresAt: Number.MAX_SAFE_INTEGER }
  for (const key of ['a', 'b', 'c']) expect(await store.once(key, record)).toBeUndefined()
  expect(await store.once('c', record)).toEqual(record)
  expect(await store.once('a', record)).toBeUndefined()
})
