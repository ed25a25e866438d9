import { expect, test } from 'vitest'
import type { Tag } from './event.js'
import { canonicalBytes } from './id.js'
import { canonicalSize, checkLimits, DEFAULT_LIMITS } from './limits.js'
import { signEvent } from './sign.js'

const key = new Uint8Array(32).fill(1)
const event = (tags: Tag[], content = '') => signEvent({ kind: 1, createdAt: 1n, tags, content }, key)

test('the size of an event is its canonical bytes, its id and its signature, whatever the script', () => {
  for (const text of ['', 'plain', 'größe', '日本語', '👩‍🚀']) {
    const sample = event([['t', text, text]], text)
    expect(canonicalSize(sample)).toBe(canonicalBytes(sample).length + 32 + 64)
  }
})

test('each limit is met exactly and refused one beyond', () => {
  const { maxTags, maxTagKey, maxTagValues, maxTagValue, maxSize } = DEFAULT_LIMITS
  const tags = (count: number): Tag[] => Array.from({ length: count }, () => ['t'] as const)
  expect(checkLimits(event(tags(maxTags)))).toBeUndefined()
  expect(checkLimits(event(tags(maxTags + 1)))).toMatchObject({ code: 'tag_limits' })
  expect(checkLimits(event([['k'.repeat(maxTagKey)]]))).toBeUndefined()
  expect(checkLimits(event([['k'.repeat(maxTagKey + 1)]]))).toMatchObject({ code: 'tag_limits' })
  expect(checkLimits(event([['t', ...Array<string>(maxTagValues).fill('v')]]))).toBeUndefined()
  expect(checkLimits(event([['t', ...Array<string>(maxTagValues + 1).fill('v')]]))).toMatchObject({
    code: 'tag_limits',
  })
  expect(checkLimits(event([['t', 'é'.repeat(maxTagValue / 2)]]))).toBeUndefined()
  expect(checkLimits(event([['t', `é${'é'.repeat(maxTagValue / 2)}`]]))).toMatchObject({ code: 'tag_limits' })
  const room = maxSize - canonicalSize(event([]))
  expect(checkLimits(event([], 'x'.repeat(room)))).toBeUndefined()
  expect(checkLimits(event([], 'x'.repeat(room + 1)))).toMatchObject({ code: 'too_large' })
})
