import type { Event } from '@aetherkit/core'
import { randomEvent, seededRandom } from '@aetherkit/core/testing'
import { expect, test } from 'vitest'
import { Buckets, maxAge, maxFutureSkew, proofOfWork, rateLimit, saneDefaults } from './policy.js'

const random = seededRandom(3)
const made = (fields: Partial<Event>): Event => ({ ...randomEvent(random), kind: 1, ...fields })
const peer = { id: 1, address: '10.0.0.1' }
const SECOND = 1_000_000_000n

test('the window of the defaults: 60 s ahead for all, 60 s back for ephemeral kinds, both ends inside', () => {
  const now = 1000n * SECOND
  const verdict = (fields: Partial<Event>) =>
    saneDefaults()
      .map((policy) => policy(made(fields), peer, now)?.code)
      .find((code) => code !== undefined)
  expect(verdict({ createdAt: now + 60n * SECOND })).toBeUndefined()
  expect(verdict({ createdAt: now + 60n * SECOND + 1n })).toBe('created_at_out_of_window')
  expect(verdict({ createdAt: 0n })).toBeUndefined()
  expect(verdict({ kind: 20000, createdAt: now - 60n * SECOND })).toBeUndefined()
  expect(verdict({ kind: 29999, createdAt: now - 60n * SECOND - 1n })).toBe('created_at_out_of_window')
  expect(saneDefaults().map(({ stage }) => stage)).toEqual(['time', 'time'])
})

test('time policies take any u64 without wrapping', () => {
  const last = 2n ** 64n - 1n
  expect(maxFutureSkew(1n)(made({ createdAt: last }), peer, 0n)?.code).toBe('created_at_out_of_window')
  expect(maxAge(1n)(made({ createdAt: 0n }), peer, last)?.code).toBe('created_at_out_of_window')
  expect(maxAge(last)(made({ createdAt: 0n }), peer, last)).toBeUndefined()
})

test('proof of work counts leading zero bits, and its difficulty is 0 to 256', () => {
  const id = (hex: string) => made({ id: hex.padEnd(64, 'f') })
  expect(proofOfWork(15)(id('0001'), peer, 0n)).toBeUndefined()
  expect(proofOfWork(16)(id('0001'), peer, 0n)?.code).toBe('pow_required')
  expect(proofOfWork(256)(id('0'.repeat(64)), peer, 0n)).toBeUndefined()
  expect(proofOfWork(0)(id('f'), peer, 0n)).toBeUndefined()
  for (const bits of [-1, 257, 1.5, Number.NaN]) expect(() => proofOfWork(bits)).toThrow(RangeError)
})

test('a bucket gives back what was taken at its rate and says how long to wait', () => {
  const buckets = new Buckets({ capacity: 2, perSecond: 4 })
  expect([buckets.take('a', 0), buckets.take('a', 0), buckets.take('a', 0)]).toEqual([
    undefined,
    undefined,
    250,
  ])
  expect(buckets.take('b', 0)).toBeUndefined()
  expect(buckets.take('a', 100)).toBe(150)
  expect(buckets.take('a', 250)).toBeUndefined()
  expect(buckets.take('a', 250)).toBe(250)
  expect([buckets.take('a', 9000), buckets.take('a', 9000), buckets.take('a', 9000)]).toEqual([
    undefined,
    undefined,
    250,
  ])
  expect(() => new Buckets({ capacity: 0, perSecond: 1 })).toThrow(RangeError)
  expect(() => new Buckets({ capacity: 1, perSecond: Number.NaN })).toThrow(RangeError)
})

test('a million fresh keys take bounded memory, and the one in use is kept', () => {
  const buckets = new Buckets({ capacity: 1, perSecond: 0.001, maxBuckets: 1000 })
  buckets.take('busy', 0)
  for (let i = 0; i < 1_000_000; i++) {
    buckets.take(`key ${i}`, 0)
    if (i % 500 === 0) expect(buckets.take('busy', 0)).toBeGreaterThan(0)
  }
  expect(buckets.size).toBe(1000)
})

test('the limit per public key runs where the key is proven, the others at the start', () => {
  const rate = { capacity: 1, perSecond: 1 }
  expect(rateLimit('pubkey', rate).stage).toBe('key')
  expect(rateLimit('ip', rate).stage).toBe('rate')
  const perIp = rateLimit('ip', rate)
  expect(perIp(made({}), peer, 0n)).toBeUndefined()
  expect(perIp(made({}), { id: 2, address: '10.0.0.1' }, 0n)?.code).toBe('rate_limited')
  expect(perIp(made({}), { id: 3, address: '10.0.0.2' }, 0n)).toBeUndefined()
})
