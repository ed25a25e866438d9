import { expect, test } from 'vitest'
import { codeOf, collect } from '../../test/engine.js'
import type { Numbered } from '../engine.js'
import { Subscription } from './subscription.js'

const item = (seq: number): Numbered => ({
  seq,
  event: { task: { id: 't', contextId: 'c', status: { state: 'TASK_STATE_WORKING' } } },
})

function opened(bytes = 100) {
  const clock = { time: 0 }
  return { clock, reader: new Subscription({ bytes, stallMs: 1000, now: () => clock.time }) }
}

test('[stream-stall] 7.7: a reader that takes nothing for longer than it may is cut, one that takes something is not', async () => {
  const { clock, reader } = opened()
  const items = reader.read()
  clock.time = 5000
  reader.push(item(1), 10)
  reader.push(item(2), 10)
  clock.time = 6000
  reader.checkStall()
  expect((await items.next()).value?.seq).toBe(1)
  clock.time = 7000
  reader.checkStall()
  expect(reader.open).toBe(true)
  clock.time = 7001
  reader.checkStall()
  expect(reader.open).toBe(false)
  expect(await codeOf(items.next())).toBe('RATE_LIMITED')
})

test('a reader without anything to take is never cut', () => {
  const { clock, reader } = opened()
  clock.time = 1e9
  reader.checkStall()
  expect(reader.open).toBe(true)
})

test('7.7: a queue holds at most its bound', async () => {
  const { reader } = opened()
  for (let seq = 1; seq <= 10; seq++) reader.push(item(seq), 10)
  expect(reader.open).toBe(true)
  reader.push(item(11), 1)
  expect(await codeOf(collect(reader.read()))).toBe('RATE_LIMITED')
})

test('an update larger than the bound is taken by a reader that keeps up', async () => {
  const { reader } = opened()
  reader.push(item(1), 50)
  reader.push(item(2), 500)
  expect(reader.open).toBe(true)
  reader.push(item(3), 1)
  expect(reader.open).toBe(false)
})

test('what is queued is read before the end', async () => {
  const { reader } = opened()
  for (let seq = 1; seq <= 3; seq++) reader.push(item(seq), 10)
  reader.end()
  reader.push(item(4), 10)
  expect((await collect(reader.read())).map(({ seq }) => seq)).toEqual([1, 2, 3])
})

test('relief comes at half of the bound, and when the reader leaves', async () => {
  const { reader } = opened()
  for (let seq = 1; seq <= 8; seq++) reader.push(item(seq), 10)
  let relieved = 0
  void reader.relieved().then(() => relieved++)
  const items = reader.read()
  await items.next()
  await items.next()
  expect(relieved).toBe(0)
  await items.next()
  await Promise.resolve()
  expect(relieved).toBe(1)
  for (let seq = 9; seq <= 11; seq++) reader.push(item(seq), 10)
  void reader.relieved().then(() => relieved++)
  await items.return()
  expect(relieved).toBe(2)
})
