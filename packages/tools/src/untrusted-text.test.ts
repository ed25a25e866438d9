import { describe, expect, it } from 'vitest'
import { cutText, MAX_TEXT_BYTES, shortText } from './untrusted-text.js'

describe('text of other agents', () => {
  it('passes whole, unmarked, up to the limit', () => {
    const text = 'a'.repeat(MAX_TEXT_BYTES)
    expect(cutText(text, 0)).toEqual({ untrusted_text: text, truncated: false })
  })

  it('is cut by bytes and never inside a character, and the parts join to the whole', () => {
    const text = 'é€😀'.repeat(2_000)
    let joined = ''
    for (let offset: number | undefined = 0; offset !== undefined; ) {
      const part = cutText(text, offset)
      expect(new TextEncoder().encode(part.untrusted_text).length).toBeLessThanOrEqual(MAX_TEXT_BYTES)
      expect(part.untrusted_text).not.toMatch(/^[\udc00-\udfff]|[\ud800-\udbff]$/)
      expect(part.truncated).toBe(part.next_offset !== undefined)
      joined += part.untrusted_text
      offset = part.next_offset
    }
    expect(joined).toBe(text)
  })

  it('is empty past its end', () => {
    expect(cutText('abc', 99)).toEqual({ untrusted_text: '', truncated: false })
  })

  it('is marked when a label is cut', () => {
    expect(shortText('abc', 2)).toBe('ab [truncated]')
    expect(shortText('ab', 2)).toBe('ab')
  })
})
