import { expect, test } from 'vitest'
import { citations, citedIn } from './citations.js'
import { REQUIREMENTS } from './requirements.js'

const cited = citations()

test('every requirement is cited by a test', () => {
  const covered = new Set(cited.map(({ id }) => id))
  expect(Object.keys(REQUIREMENTS).filter((id) => !covered.has(id))).toEqual([])
})

test('every citation names a requirement', () => {
  expect(cited.filter(({ id }) => !Object.hasOwn(REQUIREMENTS, id))).toEqual([])
})

test('a citation is the bracket at the start of a title', () => {
  expect(citedIn("test('[op-send] answers', () => {})\n  test(`[op-get, op-list] both`, f)")).toEqual([
    'op-send',
    'op-get',
    'op-list',
  ])
  expect(citedIn('[op-send] as a reporter prints it')).toEqual(['op-send'])
  expect(citedIn("const first = ids['op-send'] + list[index] ")).toEqual([])
})
