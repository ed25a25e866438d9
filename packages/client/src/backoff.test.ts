import { expect, test } from 'vitest'
import { backoffMs } from './backoff.js'

test('the wait doubles from half a second to a minute', () => {
  const waits = [1, 2, 3, 4, 7, 8, 9, 1000].map((failures) => backoffMs(failures, {}, () => 1))
  expect(waits).toEqual([500, 1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000])
})

test('jitter takes away up to half of it', () => {
  expect(backoffMs(3, {}, () => 0)).toBe(1000)
  expect(backoffMs(3, { minMs: 10, maxMs: 15 }, () => 0)).toBe(7.5)
})
