import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../canonical-json.js'
import { parseJson, writeJson } from '../json.js'
import { ORSet } from './or-set.js'

type Json = fc.JsonValue
const step = fc.record({
  remove: fc.boolean(),
  value: fc.constantFrom<Json[]>(null, 1, '1', 'é', 1.5, { b: 1, a: [2] }, [], '__proto__'),
  tags: fc.uniqueArray(fc.constantFrom('s', 't', 'u', '9', '10', '__proto__'), { maxLength: 3 }),
})
const set = fc.array(step, { maxLength: 6 }).map((steps) => {
  const made = new ORSet<Json>()
  for (const { remove, value, tags } of steps)
    if (remove) made.remove(value, tags)
    else for (const tag of tags) made.add(value, tag)
  return made
})

function merged<T>(...sets: ORSet<T>[]): ORSet<T> {
  const union = new ORSet<T>()
  for (const one of sets) union.update(one)
  return union
}

const state = (one: ORSet<unknown>) => canonicalJson(one.toJSON())

describe('ORSet', () => {
  it('holds an element while one of its tags is not removed', () => {
    const one = new ORSet<string>()
    one.add('x', '1')
    one.add('x', '2')
    one.remove('x', ['1'])
    expect([one.elements(), one.tags('x'), one.has('x'), one.has('y')]).toEqual([['x'], ['2'], true, false])
    one.remove('x', one.tags('x'))
    expect([one.elements(), one.has('x')]).toEqual([[], false])
  })

  it('keeps an addition that the remover had not seen', () => {
    const [a, b] = [new ORSet<string>(), new ORSet<string>()]
    a.add('x', '1')
    b.update(a)
    b.remove('x', b.tags('x'))
    a.add('x', '2')
    expect(merged(a, b).elements()).toEqual(['x'])
  })

  it('drops an addition whose removal came first', () => {
    const one = new ORSet<string>()
    one.remove('x', ['1'])
    one.add('x', '1')
    expect(one.elements()).toEqual([])
  })

  it('tells elements apart by canonical JSON, not by object', () => {
    const one = new ORSet<Json>()
    one.add({ a: 1, b: [2] }, '1')
    one.add({ b: [2], a: 1 }, '2')
    one.add(1, '3')
    one.add('1', '4')
    expect(one.elements()).toEqual(['1', 1, { a: 1, b: [2] }])
    expect(one.tags({ b: [2], a: 1 })).toEqual(['1', '2'])
  })

  it('writes sorted JSON', () => {
    const one = new ORSet<Json>()
    one.add('b', 'u')
    one.add('b', 't')
    one.add('a', 't')
    one.remove('b', ['t'])
    expect(JSON.stringify(one)).toBe(
      '{"type":"orset","adds":{"\\"a\\"":["t"],"\\"b\\"":["t","u"]},"removes":{"\\"b\\"":["t"]}}',
    )
  })

  it('merges commutatively, associatively and idempotently', () => {
    fc.assert(
      fc.property(set, set, set, (a, b, c) => {
        expect(state(merged(a, b))).toBe(state(merged(b, a)))
        expect(state(merged(merged(a, b), c))).toBe(state(merged(a, merged(b, c))))
        expect(state(merged(a, a))).toBe(state(a))
        expect(state(merged(a, b, a))).toBe(state(merged(a, b)))
        a.update(a)
        expect(state(merged(a))).toBe(state(a))
      }),
    )
  })

  it('survives JSON with its elements, read by either reader', () => {
    fc.assert(
      fc.property(set, (one) => {
        const parsed = parseJson(writeJson(one.toJSON()))
        for (const json of [JSON.parse(JSON.stringify(one)), parsed.ok && parsed.value]) {
          const back = ORSet.fromJSON(json)
          expect(back.ok && state(back.crdt)).toBe(state(one))
          expect(back.ok && back.crdt.elements()).toEqual(one.elements())
        }
      }),
    )
  })

  it('does not change with the object it was given, nor with what is read from it', () => {
    const value = { list: [1] }
    const one = new ORSet<typeof value>()
    one.add(value, 't')
    value.list.push(2)
    expect(one.elements()).toEqual([{ list: [1] }])
    expect(() => one.elements()[0]?.list.push(3)).toThrow(TypeError)
  })

  it('throws TypeError for values that are no JSON and for empty tags', () => {
    const one = new ORSet<unknown>()
    expect(() => one.add(undefined, 't')).toThrow(TypeError)
    expect(() => one.add(new Map(), 't')).toThrow(TypeError)
    expect(() => one.add(1, '')).toThrow(TypeError)
    expect(() => one.remove(1, ['t', '\ud800'])).toThrow(TypeError)
    expect(state(one)).toBe(state(new ORSet()))
  })

  it.each([
    'null',
    '[]',
    '{}',
    '{"type":"orset"}',
    '{"type":"orset","adds":{}}',
    '{"type":"gset","adds":{},"removes":{}}',
    '{"type":"orset","adds":[],"removes":{}}',
    '{"type":"orset","adds":{"1":"t"},"removes":{}}',
    '{"type":"orset","adds":{"1":[7]},"removes":{}}',
    '{"type":"orset","adds":{"1":[""]},"removes":{}}',
    '{"type":"orset","adds":{"x":["t"]},"removes":{}}',
    '{"type":"orset","adds":{"":["t"]},"removes":{}}',
    '{"type":"orset","adds":{" 1":["t"]},"removes":{}}',
    '{"type":"orset","adds":{"1.0":["t"]},"removes":{}}',
    '{"type":"orset","adds":{"{\\"b\\":1,\\"a\\":1}":["t"]},"removes":{}}',
    '{"type":"orset","adds":{"{\\"a\\":1,\\"a\\":1}":["t"]},"removes":{}}',
    '{"type":"orset","adds":{},"removes":{"__proto__":["t"]}}',
  ])('is refused with invalid_message from %s', (text) => {
    expect(ORSet.fromJSON(JSON.parse(text))).toMatchObject({ ok: false, code: 'invalid_message' })
  })

  it('is refused with invalid_message when an element is nested without end', () => {
    const adds = { ['['.repeat(100_000) + ']'.repeat(100_000)]: ['t'] }
    expect(ORSet.fromJSON({ type: 'orset', adds, removes: {} })).toMatchObject({ code: 'invalid_message' })
  })
})
