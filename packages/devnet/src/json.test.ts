import { describe, expect, it } from 'vitest'
import { readJson, writeJson } from './json.js'

describe('JSON', () => {
  it('writes 64-bit integers bare and in full', () => {
    expect(writeJson({ a: 2n ** 64n - 1n, b: [1, -2n, 0.5], c: undefined, d: null, e: 'x"' })).toBe(
      '{"a":18446744073709551615,"b":[1,-2,0.5],"d":null,"e":"x\\""}',
    )
  })

  it('reads long integers exactly and leaves digits in text alone', () => {
    expect(readJson('{"a":18446744073709551615,"b":"18446744073709551615","c":-9007199254740993}')).toEqual({
      a: 2n ** 64n - 1n,
      b: '18446744073709551615',
      c: -9007199254740993n,
    })
    expect(
      readJson('["\\"12345678901234567890",1234567890123456,1.2345678901234567,12345678901234567e3]'),
    ).toEqual(['"12345678901234567890', 1234567890123456, 1.2345678901234567, 12345678901234567e3])
  })

  it('refuses what is not JSON', () => {
    expect(() => readJson('{"a":12345678901234567890')).toThrow(SyntaxError)
    expect(() => readJson('nothing')).toThrow(SyntaxError)
  })
})
