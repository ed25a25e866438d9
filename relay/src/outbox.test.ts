import { expect, test } from 'vitest'
import { Chain } from './outbox.js'
import { binaryFrame, textFrame } from './websocket-frame.js'

test('connections that were given the same frames share one joined buffer', () => {
  const [a, b, c] = ['a', 'b', 'c'].map(textFrame) as [Buffer, Buffer, Buffer]
  const start = Chain.start()
  let [one, two, three] = [start, start, start]
  for (const frame of [a, b]) {
    one = one.append(frame)
    two = two.append(frame)
  }
  three = three.append(a).append(c)
  expect(one).toBe(two)
  expect(one.join()).toBe(two.join())
  expect(one.join()).toEqual(Buffer.concat([a, b]))
  expect(three.join()).toEqual(Buffer.concat([a, c]))
  expect([one.count, one.bytes]).toEqual([2, a.length + b.length])
  expect(start.append(a).join()).toBe(a)
})

test('frames are whole, unmasked and have the shortest length form', () => {
  for (const [length, header] of [
    [0, '8200'],
    [125, '827d'],
    [126, '827e007e'],
    [65_535, '827effff'],
    [65_536, '827f0000000000010000'],
  ] as const) {
    const frame = binaryFrame(Buffer.alloc(length, 7))
    expect(frame.toString('hex', 0, header.length / 2)).toBe(header)
    expect(frame).toHaveLength(header.length / 2 + length)
  }
  expect(textFrame('é')).toEqual(Buffer.from([0x81, 2, 0xc3, 0xa9]))
})
