import { expect, test } from 'vitest'
import { taskStoreContract } from './contract-suite.js'
import { memoryTaskStore } from './memory.js'
import { OnceShares } from './once-shares.js'

taskStoreContract('memory', { test, open: async (options) => memoryTaskStore(options) })

const of = (owner: string) => ({ hash: 'h', taskId: '', expiresAt: Number.MAX_SAFE_INTEGER, owner })
test('[idem-bound] 7.4: memory forgets the oldest message ids of an owner beyond its bound, and nobody else’s', async () => {
  const store = memoryTaskStore({ maxOncePerOwner: 2 })
  await store.once('bob', of('bob'))
  for (const key of ['a', 'b', 'c']) await store.once(key, of('alice'))
  for (const key of ['bob', 'c', 'b']) expect(await store.once(key, of('alice'))).toBeDefined()
  expect(await store.once('a', of('alice'))).toBeUndefined()
})

test('[idem-bound] 7.4: beyond the bound of all it forgets the oldest of who has most', () => {
  const shares = new OnceShares({ perOwner: 100, all: 6 })
  const held = () =>
    ['b1', 'b2', 'a46', 'a47', 'a48', 'a49', 'carol', 'dave'].filter((key) => shares.get(key) !== undefined)
  for (const key of ['b1', 'b2']) shares.set(key, of('bob'))
  for (let n = 0; n < 50; n++) shares.set(`a${n}`, of('alice'))
  expect(held()).toEqual(['b1', 'b2', 'a46', 'a47', 'a48', 'a49'])
  for (const owner of ['carol', 'dave']) shares.set(owner, of(owner))
  expect(held()).toEqual(['b1', 'b2', 'a48', 'a49', 'carol', 'dave'])
})

test('7.4: what is finished, dropped and expired leaves the shares right', async () => {
  const shares = new OnceShares({ perOwner: 3, all: 6 })
  const random = seeded(7)
  const model = new Map<string, string>()
  for (let step = 0; step < 20_000; step++) {
    const owner = `o${Math.floor(random() * 4)}`
    const key = `${owner}/${Math.floor(random() * 6)}`
    if (random() < 0.3) {
      shares.delete(key)
      model.delete(key)
    } else {
      shares.set(key, of(owner))
      model.set(key, owner)
    }
    // What is gone beyond the bounds.
    for (const known of model.keys()) if (shares.get(known) === undefined) model.delete(known)
    const sizes = new Map<string, number>()
    for (const each of model.values()) sizes.set(each, (sizes.get(each) ?? 0) + 1)
    expect(model.size).toBeLessThanOrEqual(6)
    expect(Math.max(0, ...sizes.values())).toBeLessThanOrEqual(3)
  }
  for (const key of model.keys()) shares.delete(key)
  for (let n = 0; n < 6; n++) shares.set(`x${n}`, of(`x${n}`))
  expect([0, 1, 2, 3, 4, 5].every((n) => shares.get(`x${n}`) !== undefined)).toBe(true)
})

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
