import { expect, test } from 'vitest'
import { RecentIds } from './recent-ids.js'

test('an id is new once within the time', () => {
  let now = 0
  const recent = new RecentIds({ keepMs: 100, min: 2, max: 4, now: () => now })
  expect([recent.add('a'), recent.add('a'), recent.has('a'), recent.has('b')]).toEqual([
    true,
    false,
    true,
    false,
  ])
  now = 100
  for (const id of ['b', 'c']) recent.add(id)
  expect(recent.has('a')).toBe(true)
})

test('old ones go when there are more than the least number', () => {
  let now = 0
  const recent = new RecentIds({ keepMs: 100, min: 2, max: 4, now: () => now })
  recent.add('a')
  recent.add('b')
  now = 1000
  expect(recent.has('a')).toBe(true)
  recent.add('c')
  expect(['a', 'b', 'c'].map((id) => recent.has(id))).toEqual([false, true, true])
})

test('never more than the largest number, however young', () => {
  const recent = new RecentIds({ keepMs: 100, min: 2, max: 4, now: () => 0 })
  for (const id of ['a', 'b', 'c', 'd', 'e']) recent.add(id)
  expect(['a', 'b', 'e'].map((id) => recent.has(id))).toEqual([false, true, true])
})
