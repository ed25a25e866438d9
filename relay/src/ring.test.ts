import { randomEvent, seededRandom } from '@aetherkit/core/testing'
import { expect, test } from 'vitest'
import { Ring } from './ring.js'

const random = seededRandom(1)
const stored = (seq: bigint, bytes = 0) => ({
  seq,
  event: { ...randomEvent(random), tags: [], content: new Uint8Array(bytes) },
})

test('holds the last events, and says from where on it holds all', () => {
  const ring = new Ring({ start: 10n, maxEvents: 3 })
  expect(ring.since(10n, 5)).toEqual([])
  expect(ring.since(9n, 5)).toBeUndefined()
  for (let seq = 11n; seq <= 20n; seq += 2n) ring.push(stored(seq), true)
  expect(ring.from).toBe(13n)
  expect(ring.last).toBe(19n)
  expect(ring.since(13n, 2)?.map(({ seq }) => seq)).toEqual([15n, 17n])
  expect(ring.since(16n, 9)?.map(({ seq }) => seq)).toEqual([17n, 19n])
  expect(ring.since(19n, 9)).toEqual([])
  expect(ring.since(12n, 9)).toBeUndefined()
})

test('remembers up to where events that are in no store may be lost', () => {
  const ring = new Ring({ start: 5n, maxEvents: 2 })
  const lost = stored(6n)
  expect([ring.start, ring.lostUnkept()]).toEqual([5n, 0n])
  ring.push(lost, false)
  ring.push(stored(7n), true)
  expect(ring.lostUnkept()).toBe(0n)
  ring.push(stored(8n), true)
  expect(ring.lostUnkept()).toBe(6n)
  ring.push(stored(9n), true)
  const { kind } = lost.event
  expect([ring.lostUnkept(), ring.lostUnkept([kind]), ring.lostUnkept([kind + 1])]).toEqual([6n, 6n, 0n])
})

test('is bounded by bytes, and lets go of what it dropped', () => {
  const ring = new Ring({ start: 0n, maxEvents: 1000, maxBytes: 10_000 })
  for (let seq = 1n; seq <= 5000n; seq++) ring.push(stored(seq, 2000), seq % 2n === 0n)
  expect(ring.since(ring.from, 9999)).toHaveLength(3)
})
