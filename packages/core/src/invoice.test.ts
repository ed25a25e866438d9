import { describe, expect, it } from 'vitest'
import { type Invoice, readInvoice, writeInvoice } from './invoice.js'

describe('invoice attachment', () => {
  it.each<[string, Invoice]>([
    ['{"invoice":"lnbc1"}', { invoice: 'lnbc1' }],
    ['{"invoice":"lnbc1","memo":""}', { invoice: 'lnbc1', memo: '' }],
    ['{"invoice":"x","amount_msat":0}', { invoice: 'x', amountMsat: 0n }],
    [
      '{"invoice":"x","memo":"für dich","amount_msat":1000}',
      { invoice: 'x', memo: 'für dich', amountMsat: 1000n },
    ],
    ['{"invoice":"x","amount_msat":18446744073709551615}', { invoice: 'x', amountMsat: 2n ** 64n - 1n }],
    ['{"invoice":"x","amount_msat":9007199254740993}', { invoice: 'x', amountMsat: 9007199254740993n }],
  ])('reads and writes %s', (text, invoice) => {
    expect(readInvoice(text)).toEqual({ ok: true, invoice })
    expect(writeInvoice(invoice)).toBe(text)
  })

  it('takes null as absent and skips members it does not know', () => {
    expect(readInvoice('{"invoice":"x","memo":null,"amount_msat":null,"more":[1]}')).toEqual({
      ok: true,
      invoice: { invoice: 'x' },
    })
  })

  it.each([
    ['', 'invoice is required'],
    ['{', 'invoice is required'],
    ['null', 'invoice is required'],
    ['[]', 'invoice is required'],
    ['"lnbc1"', 'invoice is required'],
    ['{}', 'invoice is required'],
    ['{"invoice":""}', 'invoice is required'],
    ['{"invoice":7}', 'invoice is required'],
    ['{"invoice":null}', 'invoice is required'],
    ['{"__proto__":{"invoice":"x"}}', 'invoice is required'],
    ['{"invoice":"x","invoice":"y"}', 'invoice is required'],
    ['{"invoice":"x","memo":7}', 'memo must be str'],
    ['{"invoice":"x","memo":{}}', 'memo must be str'],
    ['{"invoice":"x","amount_msat":"1"}', 'amount_msat must be int'],
    ['{"invoice":"x","amount_msat":true}', 'amount_msat must be int'],
    ['{"invoice":"x","amount_msat":-1}', 'amount_msat must be int'],
    ['{"invoice":"x","amount_msat":1.5}', 'amount_msat must be int'],
    ['{"invoice":"x","amount_msat":1.0}', 'amount_msat must be int'],
    ['{"invoice":"x","amount_msat":1e3}', 'amount_msat must be int'],
    ['{"invoice":"x","amount_msat":18446744073709551616}', 'amount_msat must be int'],
  ])('refuses %s with invalid_event: %s', (text, error) => {
    expect(readInvoice(text)).toMatchObject({ ok: false, code: 'invalid_event', error })
  })

  it('throws when asked to write what it would not read', () => {
    expect(() => writeInvoice({ invoice: '' })).toThrow(TypeError)
    expect(() => writeInvoice({ invoice: 'x', amountMsat: -1n })).toThrow(RangeError)
    expect(() => writeInvoice({ invoice: 'x', amountMsat: 2n ** 64n })).toThrow(RangeError)
  })
})
