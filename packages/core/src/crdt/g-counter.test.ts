import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../canonical-json.js'
import { GCounter } from './g-counter.js'

const replica = fc.constantFrom('a', 'b', '10', '9', '__proto__', 'constructor', 'é', '\u{1f600}', '\ufb33')
const counter = fc.array(fc.tuple(fc.nat(1000), replica), { maxLength: 8 }).map((additions) => {
  const made = new GCounter()
  for (const [amount, id] of additions) made.add(amount, id)
  return made
})

function merged(...counters: GCounter[]): GCounter {
  const sum = new GCounter()
  for (const one of counters) sum.update(one)
  return sum
}

const state = (one: GCounter) => canonicalJson(one.toJSON())

describe('GCounter', () => {
  it('adds up over replicas', () => {
    const one = new GCounter()
    one.add(2, 'a')
    one.add(3, 'b')
    one.add(4, 'a')
    one.add(0, 'c')
    expect(one.value).toBe(9)
    expect(JSON.stringify(one)).toBe('{"type":"gcounter","counts":{"a":6,"b":3}}')
  })

  it('merges by the larger count of each replica', () => {
    const [a, b] = [new GCounter(), new GCounter()]
    a.add(5, 'a')
    b.add(3, 'a')
    b.add(1, 'b')
    expect(merged(a, b).value).toBe(6)
  })

  it('merges commutatively, associatively and idempotently', () => {
    fc.assert(
      fc.property(counter, counter, counter, (a, b, c) => {
        expect(state(merged(a, b))).toBe(state(merged(b, a)))
        expect(state(merged(merged(a, b), c))).toBe(state(merged(a, merged(b, c))))
        expect(state(merged(a, a))).toBe(state(a))
        a.update(a)
        expect(state(merged(a, b, a))).toBe(state(merged(a, b)))
      }),
    )
  })

  it('survives JSON', () => {
    fc.assert(
      fc.property(counter, (one) => {
        const back = GCounter.fromJSON(JSON.parse(JSON.stringify(one)))
        expect(back.ok && state(back.crdt)).toBe(state(one))
        expect(back.ok && back.crdt.value).toBe(one.value)
      }),
    )
  })

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    'throws RangeError when adding %d',
    (amount) => {
      expect(() => new GCounter().add(amount, 'a')).toThrow(RangeError)
    },
  )

  it('throws RangeError when a count would leave the exact integers, and keeps what it had', () => {
    const one = new GCounter()
    one.add(2 ** 53 - 1, 'a')
    expect(() => one.add(1, 'a')).toThrow(RangeError)
    expect(one.value).toBe(2 ** 53 - 1)
  })

  it('throws RangeError when removing anything but 0', () => {
    new GCounter().remove(0, 'a')
    expect(() => new GCounter().remove(1, 'a')).toThrow('G-Counter does not support decrements')
  })

  it.each(['', '\ud800'])('throws TypeError for the replica id %j', (id) => {
    expect(() => new GCounter().add(1, id)).toThrow(TypeError)
  })

  it.each([
    'null',
    '7',
    '[]',
    '{}',
    '{"type":"gcounter"}',
    '{"type":"pncounter","counts":{}}',
    '{"type":"gcounter","counts":[1]}',
    '{"type":"gcounter","counts":{"a":-1}}',
    '{"type":"gcounter","counts":{"a":1.5}}',
    '{"type":"gcounter","counts":{"a":"1"}}',
    '{"type":"gcounter","counts":{"a":null}}',
    '{"type":"gcounter","counts":{"a":true}}',
    '{"type":"gcounter","counts":{"a":9007199254740992}}',
    '{"type":"gcounter","counts":{"a":1e999}}',
    '{"type":"gcounter","counts":{"":1}}',
    '{"type":"gcounter","counts":{"\\ud800":1}}',
  ])('is refused with invalid_message from %s', (text) => {
    expect(GCounter.fromJSON(JSON.parse(text))).toMatchObject({ ok: false, code: 'invalid_message' })
  })

  it('leaves prototypes alone', () => {
    const read = GCounter.fromJSON(JSON.parse('{"type":"gcounter","counts":{"__proto__":3,"constructor":4}}'))
    expect(read.ok && read.crdt.value).toBe(7)
    expect(Object.hasOwn(Object.prototype, '3')).toBe(false)
  })
})
