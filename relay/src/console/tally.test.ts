import { expect, test } from 'vitest'
import { Tally } from './tally.js'

const peer = { id: 1, address: '::1' }

test('rates are of whole seconds, the oldest first, and quiet ones are zero', () => {
  let now = 1_000_000
  const tally = new Tally(() => now)
  const accept = () => tally.observe({ type: 'accepted', peer, status: 'stored', kind: 1 })
  accept()
  accept()
  expect(tally.rates.accepted.at(-1)).toBe(0)
  now += 1000
  expect(tally.rates.accepted.slice(-2)).toEqual([0, 2])
  accept()
  now += 3000
  expect(tally.rates.accepted.slice(-4)).toEqual([2, 1, 0, 0])
  now += 56_000
  expect(tally.rates.accepted.slice(0, 2)).toEqual([2, 1])
  now += 3_600_000
  expect(tally.rates.accepted).toEqual(Array(60).fill(0))
  expect(tally.age).toBe(3660)
})

test('verdicts are counted by status and by code', () => {
  const tally = new Tally()
  tally.observe({ type: 'accepted', peer, status: 'duplicate', kind: 1 })
  tally.observe({ type: 'rejected', peer, code: 'invalid_signature', kind: 1 })
  tally.observe({ type: 'rejected', peer, code: 'invalid_signature' })
  tally.observe({ type: 'slow_consumer', peer })
  tally.observe({ type: 'committed', events: 3, ms: 1.2345 })
  expect(tally.counts).toEqual({
    accepted: { duplicate: 1 },
    rejected: { invalid_signature: 2 },
    ...{ slow_consumers: 1, undeliverable: 0, faults: 0, store_failures: 0 },
    ...{ commits: 1, commit_us: 1235 },
  })
})
