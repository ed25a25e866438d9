import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hasDuplicateKeys, isJsonObject, JsonFraction, parseJson, writeJson } from './json.js'

const value = (text: string) => {
  const parsed = parseJson(text)
  if (!parsed.ok) throw new Error(parsed.detail)
  return parsed.value
}

describe('parseJson', () => {
  test('agrees with JSON.parse on whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (original) => {
        const text = JSON.stringify(original)
        expect(JSON.parse(writeJson(value(text)))).toEqual(JSON.parse(text))
      }),
    )
  })

  test('accepts and refuses the same texts as JSON.parse', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"\\u0041"',
      '"\\x"',
      '1',
      '-0',
      '01',
      '1.5',
      'e3',
      '.5',
      'true',
      'nul',
      'null',
      ' ',
      '\n',
      '\u00a0',
      '"\t"',
      '"',
    ]
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...pieces), { maxLength: 9 }).map((list) => list.join('')),
        (text) => {
          let expected = true
          try {
            // JSON.parse rounds 1e999 to Infinity; here it is refused
            expected = !JSON.stringify([JSON.parse(text)], (_, v) =>
              v === Infinity ? 'Infinity' : v,
            ).includes('Infinity')
          } catch {
            expected = false
          }
          expect(parseJson(text).ok, text).toBe(expected)
        },
      ),
      { numRuns: 5000 },
    )
  })

  test('keeps every digit of an integer and tells a fraction from an integer', () => {
    expect(value('18446744073709551615')).toBe(18446744073709551615n)
    expect(value('9007199254740991')).toBe(9007199254740991)
    expect(value('1.0')).toBeInstanceOf(JsonFraction)
    expect(value('1e3')).toBeInstanceOf(JsonFraction)
  })

  test('remembers a member named twice and keeps the last', () => {
    const object = value('{"a":1,"b":{"c":1,"c":2}}')
    if (!isJsonObject(object) || !isJsonObject(object.b)) throw new Error('objects expected')
    expect(hasDuplicateKeys(object)).toBe(false)
    expect(hasDuplicateKeys(object.b)).toBe(true)
    expect(object.b.c).toBe(2)
  })

  test('treats __proto__ as a member and touches no prototype', () => {
    const object = value('{"__proto__":{"polluted":true},"constructor":1}')
    if (!isJsonObject(object)) throw new Error('object expected')
    expect(Object.keys(object)).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test.each([
    '',
    '\ufeff{}',
    '{}x',
    'NaN',
    'Infinity',
    '1e999',
    '{"a":1,}',
    '[1 2]',
    '"\u0001"',
    "'a'",
    '+1',
    '0x10',
  ])('refuses %j as invalid_message', (text) =>
    expect(parseJson(text)).toMatchObject({
      ok: false,
      code: 'invalid_message',
    }),
  )

  test('caps depth without recursing into the excess', () => {
    expect(parseJson('['.repeat(100_000))).toMatchObject({
      ok: false,
      code: 'invalid_message',
    })
    expect(parseJson('{"a":'.repeat(100_000))).toMatchObject({
      ok: false,
      code: 'invalid_message',
    })
    expect(parseJson(`${'['.repeat(32)}${']'.repeat(32)}`).ok).toBe(true)
    expect(parseJson(`${'['.repeat(33)}${']'.repeat(33)}`).ok).toBe(false)
  })
})

test('writeJson prints bigint digits, drops undefined members and refuses what JSON cannot say', () => {
  expect(writeJson({ a: 18446744073709551615n, b: undefined, c: [undefined, 'é'] })).toBe(
    '{"a":18446744073709551615,"c":[null,"é"]}',
  )
  expect(() => writeJson(Number.NaN)).toThrow(TypeError)
  expect(() => writeJson({ f: () => 1 })).toThrow(TypeError)
})
