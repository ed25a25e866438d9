import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHex, isHexDigits, parseHex, toHex } from './hex.js'

test('hex and back gives the same bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
      expect(fromHex(toHex(bytes))).toEqual(bytes)
      expect(fromHex(toHex(bytes).toUpperCase())).toEqual(bytes)
    }),
  )
})

test.each(['0', 'zz', ' 00', '0x', '0g', '００'])('fromHex refuses %j as misuse', (text) => {
  expect(() => fromHex(text)).toThrow(TypeError)
})

test.each([undefined, null, 7, '', '00', '00 1', '0000g0', `${'00'.repeat(3)}\n`])(
  'parseHex of three bytes gives nothing for %j',
  (value) => expect(parseHex(value, 3)).toBeUndefined(),
)

test('parseHex lowers the case', () => {
  expect(parseHex('ABCDEF', 3)).toBe('abcdef')
  expect(isHexDigits('abc')).toBe(true)
  expect(isHexDigits('a\n')).toBe(false)
})
