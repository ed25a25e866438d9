import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readParcel, writeParcel } from './parcel.js'

test('a parcel reads as what was written', () => {
  const part = fc.uint8Array({ maxLength: 50 })
  fc.assert(
    fc.property(fc.json(), fc.array(part, { maxLength: 5 }), (json, parts) => {
      const header: unknown = JSON.parse(json)
      const read = readParcel(writeParcel(header, parts))
      expect(JSON.stringify(read?.header)).toBe(JSON.stringify(header))
      expect(read?.parts.map((bytes) => [...bytes])).toEqual(parts.map((bytes) => [...bytes]))
    }),
  )
})

test('a parcel that was cut, extended or made up is none', () => {
  const whole = writeParcel({ v: 1 }, [new Uint8Array(3), new Uint8Array(0)])
  for (let length = 0; length < whole.length; length++)
    expect(readParcel(whole.subarray(0, length))).toBeUndefined()
  expect(readParcel(Uint8Array.of(...whole, 0))).toBeUndefined()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(() => readParcel(bytes)).not.toThrow()
    }),
  )
  // Lengths near 2^32 do not wrap.
  const huge = Uint8Array.from(whole)
  huge.fill(0xff, 5, 9)
  expect(readParcel(huge)).toBeUndefined()
})
