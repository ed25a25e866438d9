import { expect, test } from 'vitest'
import { RecentIds } from './recent.js'

const hex = (n: number, bytes: number) => n.toString(16).padStart(2 * bytes, '0')

test('knows an id with its signature for a minute and forgets it within two', () => {
  const recent = new RecentIds(60_000)
  recent.add(hex(1, 32), hex(9, 64), 0)
  expect(recent.find(hex(1, 32))).toBe(hex(9, 64))
  expect(recent.find(hex(2, 32))).toBeUndefined()
  recent.expire(59_999)
  expect(recent.find(hex(1, 32))).toBeDefined()
  recent.expire(60_000)
  expect(recent.find(hex(1, 32))).toBeDefined()
  recent.expire(120_000)
  expect(recent.find(hex(1, 32))).toBeUndefined()
})

test('is bounded whatever comes in, and keeps the newest', () => {
  const recent = new RecentIds(60_000, 100)
  for (let i = 0; i < 10_000; i++) recent.add(hex(i, 32), hex(i, 64), 0)
  expect(recent.size).toBeLessThanOrEqual(200)
  for (let i = 9_900; i < 10_000; i++) expect(recent.find(hex(i, 32))).toBeDefined()
})

test('forgets all after a long silence', () => {
  const recent = new RecentIds(1000)
  recent.add(hex(1, 32), hex(1, 64), 0)
  recent.add(hex(2, 32), hex(2, 64), 5000)
  expect(recent.find(hex(1, 32))).toBeUndefined()
  expect(recent.size).toBe(1)
})
