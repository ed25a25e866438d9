import { expect, test } from 'vitest'
import { codeByNumber, isRejectCode, REJECTS, reject } from './codes.js'

test('every number of the table leads back to its code and no number is used twice', () => {
  const numbers = Object.values(REJECTS).map(({ n }) => n)
  expect(new Set(numbers).size).toBe(numbers.length)
  for (const [code, { n }] of Object.entries(REJECTS)) expect(codeByNumber(n)).toBe(code)
  expect(codeByNumber(7)).toBeUndefined()
})

test('names from Object.prototype are no codes', () => {
  expect(isRejectCode('constructor')).toBe(false)
  expect(isRejectCode('expired')).toBe(true)
})

test('a reject has the kept text of its row unless another is given', () => {
  expect(reject('pow_required')).toEqual({
    ok: false,
    code: 'pow_required',
    error: 'pow difficulty not met',
  })
  expect(reject('noise_error', 'noise replay', 'counter 3')).toEqual({
    ok: false,
    code: 'noise_error',
    error: 'noise replay',
    detail: 'counter 3',
  })
})
