import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../canonical-json.js'
import { PNCounter } from './pn-counter.js'

const replica = fc.constantFrom('a', 'b', '10', '9', '__proto__')
const counter = fc.array(fc.tuple(fc.boolean(), fc.nat(1000), replica), { maxLength: 8 }).map((steps) => {
  const made = new PNCounter()
  for (const [up, amount, id] of steps) up ? made.add(amount, id) : made.remove(amount, id)
  return made
})

function merged(...counters: PNCounter[]): PNCounter {
  const sum = new PNCounter()
  for (const one of counters) sum.update(one)
  return sum
}

const state = (one: PNCounter) => canonicalJson(one.toJSON())

describe('PNCounter', () => {
  it('counts up and down', () => {
    const one = new PNCounter()
    one.add(2, 'a')
    one.remove(5, 'b')
    expect(one.value).toBe(-3)
    expect(JSON.stringify(one)).toBe('{"type":"pncounter","positive":{"a":2},"negative":{"b":5}}')
  })

  it('merges commutatively, associatively and idempotently', () => {
    fc.assert(
      fc.property(counter, counter, counter, (a, b, c) => {
        expect(state(merged(a, b))).toBe(state(merged(b, a)))
        expect(state(merged(merged(a, b), c))).toBe(state(merged(a, merged(b, c))))
        expect(state(merged(a, a))).toBe(state(a))
        expect(state(merged(a, b, a))).toBe(state(merged(a, b)))
      }),
    )
  })

  it('survives JSON', () => {
    fc.assert(
      fc.property(counter, (one) => {
        const back = PNCounter.fromJSON(JSON.parse(JSON.stringify(one)))
        expect(back.ok && state(back.crdt)).toBe(state(one))
        expect(back.ok && back.crdt.value).toBe(one.value)
      }),
    )
  })

  it.each([-1, 0.5, Number.NaN])('throws RangeError for the amount %d either way', (amount) => {
    expect(() => new PNCounter().add(amount, 'a')).toThrow(RangeError)
    expect(() => new PNCounter().remove(amount, 'a')).toThrow(RangeError)
  })

  it.each([
    'null',
    '[]',
    '{"type":"pncounter"}',
    '{"type":"pncounter","positive":{}}',
    '{"type":"gcounter","positive":{},"negative":{}}',
    '{"type":"pncounter","positive":{"a":1},"negative":{"a":-1}}',
    '{"type":"pncounter","positive":7,"negative":{}}',
    '{"type":"pncounter","positive":{"type":"gcounter","counts":{}},"negative":{}}',
  ])('is refused with invalid_message from %s', (text) => {
    expect(PNCounter.fromJSON(JSON.parse(text))).toMatchObject({ ok: false, code: 'invalid_message' })
  })
})
