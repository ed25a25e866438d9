import { expect, test } from 'vitest'
import { kindClass, replaceKey, supersedes, tagValue } from './kind.js'
import { createClock, signEvent } from './sign.js'

const key = new Uint8Array(32).fill(7)

test.each([
  [0, 'immutable'],
  [999, 'immutable'],
  [1000, 'regular'],
  [9999, 'regular'],
  [10000, 'replaceable'],
  [19999, 'replaceable'],
  [20000, 'ephemeral'],
  [29999, 'ephemeral'],
  [30000, 'parameterized'],
  [39999, 'parameterized'],
  [40000, undefined],
  [65535, undefined],
  [-1, undefined],
])('kind %i is %s', (kind, name) => expect(kindClass(kind)).toBe(name))

test('d is the first value of the first d tag that has values, else empty', () => {
  const event = signEvent({ kind: 30000, createdAt: 1n, tags: [['d'], ['d', 'x', 'y'], ['d', 'z']] }, key)
  expect(tagValue(event, 'd')).toBe('x')
  expect(replaceKey(event)).toBe(`${event.pubkey}:30000:x`)
  expect(replaceKey(signEvent({ kind: 30000, createdAt: 1n }, key))).toBe(`${event.pubkey}:30000:`)
  expect(replaceKey(signEvent({ kind: 10000, createdAt: 1n }, key))).toBe(`${event.pubkey}:10000`)
  expect(replaceKey(signEvent({ kind: 1, createdAt: 1n }, key))).toBeUndefined()
})

test('the later event wins, on a tie the lower id, in either order', () => {
  const [a, b] = [
    signEvent({ kind: 10000, createdAt: 5n, content: 'a' }, key),
    signEvent({ kind: 10000, createdAt: 5n, content: 'b' }, key),
  ]
  const [low, high] = a.id < b.id ? [a, b] : [b, a]
  expect([supersedes(low, high), supersedes(high, low)]).toEqual([true, false])
  const later = signEvent({ kind: 10000, createdAt: 6n }, key)
  expect([supersedes(later, low), supersedes(low, later)]).toEqual([true, false])
})

test('the clock never repeats nor goes back', () => {
  const times = [5, 5, 3, 6]
  const clock = createClock(() => times.shift()!)
  expect([clock(), clock(), clock(), clock()]).toEqual([5_000_000n, 5_000_001n, 5_000_002n, 6_000_000n])
})
