import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../canonical-json.js'
import { parseJson, writeJson } from '../json.js'
import { LWWRegister } from './lww-register.js'

type Json = fc.JsonValue
// Few timestamps, replicas and values, so that ties at every level are common.
const write = fc.record({
  remove: fc.boolean(),
  value: fc.constantFrom<Json[]>(null, 1, '1', 'é', { b: 1, a: [2] }, [], {}),
  timestamp: fc.constantFrom(0n, 1n, 2n ** 53n + 1n, 2n ** 64n - 1n),
  replica: fc.constantFrom('a', 'ab', '\ufb33', '\u{1f600}'),
})
const register = fc.array(write, { maxLength: 4 }).map((writes) => {
  const made = new LWWRegister<Json>()
  for (const { remove, value, timestamp, replica } of writes)
    remove ? made.remove(timestamp, replica) : made.update(value, timestamp, replica)
  return made
})

function merged<T>(...registers: LWWRegister<T>[]): LWWRegister<T> {
  const result = new LWWRegister<T>()
  for (const one of registers) result.merge(one)
  return result
}

const state = (one: LWWRegister<unknown>) => canonicalJson(one.toJSON())

function winner(first: (one: LWWRegister<Json>) => void, second: (one: LWWRegister<Json>) => void): unknown {
  const results = [
    [first, second],
    [second, first],
  ].map((order) => {
    const one = new LWWRegister<Json>()
    for (const step of order) step(one)
    return state(one)
  })
  expect(results[0]).toBe(results[1])
  return JSON.parse(results[0]!)
}

describe('LWWRegister', () => {
  it('is null before the first write, and any write beats that', () => {
    const one = new LWWRegister<number>()
    expect(one.value).toBeNull()
    expect(JSON.stringify(one)).toBe(
      '{"type":"lww","value":null,"timestamp":0,"replica":"","tombstone":false}',
    )
    one.update(5, 0, 'a')
    expect([one.value, one.timestamp, one.replica, one.tombstone]).toEqual([5, 0n, 'a', false])
  })

  it('lets the higher timestamp win in either order', () => {
    expect(
      winner(
        (r) => r.update('old', 1, 'z'),
        (r) => r.add('new', 2n, 'a'),
      ),
    ).toMatchObject({ value: 'new' })
  })

  it('tells nanoseconds apart that a double cannot', () => {
    const now = 1_750_000_000_000_000_000n
    expect(
      winner(
        (r) => r.update('old', now, 'z'),
        (r) => r.update('new', now + 1n, 'a'),
      ),
    ).toMatchObject({
      value: 'new',
      timestamp: '1750000000000000001',
    })
  })

  it('then the replica id higher in UTF-8 bytes, where UTF-16 would say otherwise', () => {
    expect(
      winner(
        (r) => r.update(1, 1, '\ufb33'),
        (r) => r.update(2, 1, '\u{1f600}'),
      ),
    ).toMatchObject({ value: 2 })
    expect(
      winner(
        (r) => r.update(1, 1, 'a'),
        (r) => r.update(2, 1, 'ab'),
      ),
    ).toMatchObject({ value: 2 })
  })

  it('then a tombstone over a value', () => {
    expect(
      winner(
        (r) => r.update('x', 1, 'a'),
        (r) => r.remove(1, 'a'),
      ),
    ).toMatchObject({
      value: null,
      tombstone: true,
    })
  })

  it('then the higher canonical JSON of the value', () => {
    expect(
      winner(
        (r) => r.update('b', 1, 'a'),
        (r) => r.update('a', 1, 'a'),
      ),
    ).toMatchObject({ value: 'b' })
  })

  it('merges commutatively, associatively and idempotently', () => {
    fc.assert(
      fc.property(register, register, register, (a, b, c) => {
        expect(state(merged(a, b))).toBe(state(merged(b, a)))
        expect(state(merged(merged(a, b), c))).toBe(state(merged(a, merged(b, c))))
        expect(state(merged(a, a))).toBe(state(a))
        expect(state(merged(a, b, a))).toBe(state(merged(a, b)))
      }),
    )
  })

  it('survives JSON, read by either reader', () => {
    fc.assert(
      fc.property(register, (one) => {
        const plain = LWWRegister.fromJSON(JSON.parse(JSON.stringify(one)))
        expect(plain.ok && state(plain.crdt)).toBe(state(one))
        const parsed = parseJson(writeJson(one.toJSON()))
        const lossless = LWWRegister.fromJSON(parsed.ok && parsed.value)
        expect(lossless.ok && state(lossless.crdt)).toBe(state(one))
      }),
    )
  })

  it('does not change with the object it was given', () => {
    const value = { list: [1] }
    const one = new LWWRegister<typeof value>()
    one.update(value, 1, 'a')
    value.list.push(2)
    expect(one.value).toEqual({ list: [1] })
    expect(() => one.value?.list.push(3)).toThrow(TypeError)
  })

  it('throws for arguments it could not write as JSON', () => {
    const one = new LWWRegister<unknown>()
    expect(() => one.update(undefined, 1, 'a')).toThrow(TypeError)
    expect(() => one.update(new Date(0), 1, 'a')).toThrow(TypeError)
    expect(() => one.update(1, 1, '')).toThrow(TypeError)
    for (const timestamp of [-1, 0.5, Number.NaN, 2 ** 53, 2n ** 64n, -1n]) {
      expect(() => one.update(1, timestamp, 'a')).toThrow(RangeError)
      expect(() => one.remove(timestamp, 'a')).toThrow(RangeError)
    }
    expect(one.replica).toBe('')
  })

  it.each([
    'null',
    '[]',
    '{}',
    '{"type":"orset","value":1,"timestamp":1,"replica":"a","tombstone":false}',
    '{"type":"lww","timestamp":1,"replica":"a","tombstone":false}',
    '{"type":"lww","value":1,"replica":"a","tombstone":false}',
    '{"type":"lww","value":1,"timestamp":1,"tombstone":false}',
    '{"type":"lww","value":1,"timestamp":1,"replica":"a"}',
    '{"type":"lww","value":1,"timestamp":1,"replica":"a","tombstone":0}',
    '{"type":"lww","value":1,"timestamp":1,"replica":"a","tombstone":true}',
    '{"type":"lww","value":1,"timestamp":1,"replica":"","tombstone":false}',
    '{"type":"lww","value":null,"timestamp":1,"replica":"","tombstone":false}',
    '{"type":"lww","value":1,"timestamp":1,"replica":7,"tombstone":false}',
    '{"type":"lww","value":1,"timestamp":-1,"replica":"a","tombstone":false}',
    '{"type":"lww","value":1,"timestamp":1.5,"replica":"a","tombstone":false}',
    '{"type":"lww","value":1,"timestamp":9007199254740992,"replica":"a","tombstone":false}',
    '{"type":"lww","value":1,"timestamp":"18446744073709551616","replica":"a","tombstone":false}',
    '{"type":"lww","value":1,"timestamp":" 1","replica":"a","tombstone":false}',
    '{"type":"lww","value":1,"timestamp":null,"replica":"a","tombstone":false}',
    '{"type":"lww","value":"\\ud800","timestamp":1,"replica":"a","tombstone":false}',
  ])('is refused with invalid_message from %s', (text) => {
    expect(LWWRegister.fromJSON(JSON.parse(text))).toMatchObject({ ok: false, code: 'invalid_message' })
  })

  it('is refused with invalid_message when its value is nested without end', () => {
    const value: unknown = JSON.parse('['.repeat(5000) + ']'.repeat(5000))
    const json = { type: 'lww', value, timestamp: 1, replica: 'a', tombstone: false }
    expect(LWWRegister.fromJSON(json)).toMatchObject({ code: 'invalid_message' })
  })
})
