/** Against LangGraph's InMemoryStore: in the LangChain adapter. Here is what that one does not do. */
import { describe, expect, test } from 'vitest'
import { client, failure, relay } from '../test/world.js'
import { textsAt } from './document-index.js'
import { matchesFilter, matchesFolder } from './document-match.js'
import { openDocuments } from './documents.js'
import { localSigner } from './signer.js'
import { openState } from './state.js'

async function world() {
  const { url } = await relay()
  const signer = localSigner()
  const alice = await client(url, { signer })
  const state = openState(alice, { signer })
  return { state, documents: openDocuments(state) }
}

describe('a search', () => {
  test('gives the oldest first, and a document that is written again keeps its place', async () => {
    const { documents } = await world()
    for (const key of ['c', 'a', 'b', 'a']) await documents.putAll([{ folder: ['f'], key, value: { key } }])
    const keys = async () => (await documents.search(['f'])).map(({ key }) => key)
    expect(await keys()).toEqual(['c', 'a', 'b'])
    await documents.putAll([
      { folder: ['f'], key: 'c', value: null },
      { folder: ['f'], key: 'c', value: { again: true } },
    ])
    expect(await keys()).toEqual(['c', 'a', 'b'])
    await documents.putAll([{ folder: ['f'], key: 'c', value: null }])
    expect(await keys()).toEqual(['a', 'b'])
  })

  test('of what is no document is STATE_UNREADABLE', async () => {
    const { state, documents } = await world()
    await state.put(['f', 'k'], new Uint8Array(5))
    expect(await failure(documents.search(['f']))).toMatchObject({ code: 'STATE_UNREADABLE' })
    expect(await failure(documents.get(['f'], 'k'))).toMatchObject({ code: 'STATE_UNREADABLE' })
    // It can be replaced.
    await documents.putAll([{ folder: ['f'], key: 'k', value: { n: 1 } }])
    expect((await documents.get(['f'], 'k'))?.value).toEqual({ n: 1 })
  })
})

test('folders that have no documents any more are not listed', async () => {
  const { documents } = await world()
  const put = (folder: string[], value: { n: number } | null) =>
    documents.putAll([{ folder, key: 'k', value }])
  for (const folder of [['b'], ['a', 'x'], ['a']]) await put(folder, { n: 1 })
  expect(await documents.folders()).toEqual([['a'], ['a', 'x'], ['b']])
  await put(['a'], null)
  expect(await documents.folders({ matches: [{ matchType: 'prefix', path: ['a'] }] })).toEqual([['a', 'x']])
  expect(await documents.folders({ maxDepth: 1, offset: 1 })).toEqual([['b']])
})

test('a filter sees own fields only, and an unknown operator passes nothing', () => {
  expect(matchesFilter({}, { toString: { $ne: 1 } })).toBe(true)
  expect(matchesFilter({}, { toString: { $in: [undefined] } })).toBe(true)
  expect(matchesFilter({ n: 1 }, { n: { $near: 1 } })).toBe(false)
  expect(matchesFilter({ n: 1 }, { n: { constructor: 1 } })).toBe(false)
  expect(matchesFolder(['a', 'b', 'c'], { matchType: 'suffix', path: ['*', 'c'] })).toBe(true)
  expect(matchesFolder(['a'], { matchType: 'prefix', path: ['a', '*'] })).toBe(false)
})

test('the texts of a field', () => {
  const document = { title: 'T', n: 5, list: [{ t: 'a' }, { t: 'b' }], tags: ['x', 'y'], none: null }
  const texts = (field: string) => textsAt(document, field)
  expect(texts('title')).toEqual(['T'])
  expect(texts('n')).toEqual(['5'])
  expect(texts('list[*].t')).toEqual(['a', 'b'])
  expect(texts('list[-1].t')).toEqual(['b'])
  expect(texts('tags[0]')).toEqual(['x'])
  expect(texts('tags[9]')).toEqual([])
  expect(texts('none')).toEqual([])
  expect(texts('missing.deeper')).toEqual([])
  expect(texts('constructor')).toEqual([])
  expect(texts('$')).toEqual([JSON.stringify(document, null, 2)])
})
