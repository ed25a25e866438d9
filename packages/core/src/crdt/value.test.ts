import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../json.js'
import { compareText, isName, keyed, readKeyed } from './value.js'

const text = fc.string({
  unit: fc.constantFrom('a', 'b', 'é', '\u20ac', '\ufb33', '\u{1f600}'),
  maxLength: 4,
})

describe('values in CRDTs', () => {
  it('order texts as their UTF-8 bytes', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
        expect(Math.sign(compareText(a, `${a}${b}`))).toBe(b === '' ? 0 : -1)
      }),
    )
  })

  it('are copied, frozen and keyed by canonical text, fractions as plain numbers', () => {
    const parsed = parseJson('{"b":[1.5,1750000000000000001],"a":null}')
    const { key, value } = keyed(parsed.ok && parsed.value)
    expect(key).toBe('{"a":null,"b":[1.5,1750000000000000001]}')
    expect(value).toEqual({ a: null, b: [1.5, 1_750_000_000_000_000_001n] })
    expect(Object.isFrozen(value)).toBe(true)
  })

  it('are undefined when hostile input has no canonical text', () => {
    for (const value of [undefined, Number.NaN, '\ud800', new Date(0), [undefined]])
      expect(readKeyed(value)).toBeUndefined()
  })

  it('take well-formed, non-empty text as a name', () => {
    expect(['a', '__proto__', '', '\ud800', 7, null].map(isName)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ])
  })
})
