/** Store contract: what a filter finds and in which order (spec 2.7, 6). */
import assert from 'node:assert/strict'
import type { Event, Filter } from '@aetherkit/core'
import { ALICE, BOB, type Case, event, idOf, names, numbered } from './contract-case.js'
import { newestFirst, type Position, type Store } from './store.js'

const U64_MAX = 2n ** 64n - 1n
const ALL = { limit: 1000 }

export const queryCases: Readonly<Record<string, Case>> = {
  async 'a query gives the newest first and on a tie the lower id'(store) {
    const at = (id: string, createdAt: bigint) => event(id, { createdAt })
    await store.put(
      numbered(
        1,
        at('01', 5n),
        at('03', 7n),
        at('02', 7n),
        at('04', U64_MAX),
        at('05', 0n),
        at('06', 2n ** 63n),
      ),
    )
    assert.deepEqual(names(store.query({}, ALL)), ['04', '06', '02', '03', '01', '05'])
    assert.deepEqual(names(store.query({}, { limit: 3 })), ['04', '06', '02'])
    assert.deepEqual(names(store.query({ limit: 1 }, { limit: 2 })), ['04', '06'])
    assert.deepEqual(names(store.query({}, { limit: 0 })), [])
  },

  async 'ids that agree in all but the last digit are told apart'(store) {
    const ids = [...'f3a01'].map((digit) => `${'7'.repeat(63)}${digit}`)
    await store.put(numbered(1, ...ids.map((id) => event(id))))
    for (const limit of [1, 2, 3, 5])
      assert.deepEqual(
        store.query({ authors: [ALICE] }, { limit }).map(({ event }) => event.id),
        ids.toSorted().slice(0, limit),
      )
    assert.deepEqual(pages(store, {}, 2), ids.toSorted())
  },

  async 'bounds are inclusive over the whole of u64'(store) {
    const times = [0n, 1n, 2n ** 63n - 1n, 2n ** 63n, U64_MAX - 1n, U64_MAX]
    await store.put(numbered(1, ...times.map((createdAt, i) => event(`0${i + 1}`, { createdAt }))))
    const found = (filter: Filter) => store.query(filter, ALL).map(({ event }) => event.createdAt)
    assert.deepEqual(found({ until: 0n }), [0n])
    assert.deepEqual(found({ since: U64_MAX }), [U64_MAX])
    assert.deepEqual(found({ since: 0n, until: U64_MAX }), times.toReversed())
    assert.deepEqual(found({ since: 1n, until: 2n ** 63n }), [2n ** 63n, 2n ** 63n - 1n, 1n])
    assert.deepEqual(found({ since: 2n, until: 1n }), [])
    assert.deepEqual(found({ kinds: [1], since: U64_MAX - 1n }), [U64_MAX, U64_MAX - 1n])
  },

  async 'an empty list matches nothing, an empty filter everything'(store) {
    await store.put(numbered(1, event('01', { tags: [['t', 'x']] })))
    for (const filter of [
      { ids: [] },
      { authors: [] },
      { pubkeyPrefixes: [] },
      { kinds: [] },
      { tags: [{ key: 't', any: [] }] },
      { authors: [ALICE], kinds: [] },
    ])
      assert.deepEqual(names(store.query(filter, ALL)), [], JSON.stringify(filter))
    for (const filter of [{}, { tags: [] }, { pairs: [] }])
      assert.deepEqual(names(store.query(filter, ALL)), ['01'], JSON.stringify(filter))
  },

  async 'prefixes of any length match by half byte'(store) {
    const authors = [ALICE, `a1a${'f'.repeat(61)}`, `a2${'0'.repeat(62)}`, BOB]
    await store.put(numbered(1, ...authors.map((pubkey, i) => event(`1${i}${'8'.repeat(62)}`, { pubkey }))))
    const found = (filter: Filter) =>
      store.query(filter, ALL).map(({ event }) => authors.indexOf(event.pubkey))
    assert.deepEqual(found({ authors: ['a'] }), [0, 1, 2])
    assert.deepEqual(found({ authors: ['a1a'] }), [0, 1])
    assert.deepEqual(found({ authors: ['a1a1', 'b'] }), [0, 3])
    for (let length = 4; length <= 64; length++)
      assert.deepEqual(found({ authors: [ALICE.slice(0, length)] }), [0], `author prefix of ${length} digits`)
    assert.deepEqual(found({ authors: [`${ALICE.slice(0, 63)}0`] }), [])
    assert.deepEqual(found({ pubkeyPrefixes: [BOB.slice(0, 32)], authors: ['b'] }), [3])
    assert.deepEqual(found({ ids: ['1'] }), [0, 1, 2, 3])
    for (let length = 2; length <= 64; length++)
      assert.deepEqual(
        found({ ids: [`12${'8'.repeat(62)}`.slice(0, length)] }),
        [2],
        `id prefix of ${length} digits`,
      )
    assert.deepEqual(found({ ids: ['10', '1'], kinds: [1] }), [0, 1, 2, 3])
  },

  async 'any value of a tag counts, and keys and values are not joined'(store) {
    await store.put(
      numbered(
        1,
        event('01', {
          tags: [
            ['t', 'a', 'b'],
            ['p', 'x'],
          ],
        }),
        event('02', {
          tags: [
            ['t', 'b'],
            ['t', 'b', 'c'],
          ],
        }),
        event('03', { tags: [['a', 'b:c']] }),
        event('04', { tags: [['a:b', 'c']] }),
        event('05', { tags: [['t']] }),
      ),
    )
    const found = (filter: Filter) => names(store.query(filter, ALL))
    assert.deepEqual(found({ tags: [{ key: 't', any: ['b'] }] }), ['01', '02'])
    assert.deepEqual(found({ tags: [{ key: 't', any: ['a', 'c', 'b'] }] }), ['01', '02'])
    assert.deepEqual(
      found({
        tags: [
          { key: 't', any: ['b'] },
          { key: 'p', any: ['x', 'y'] },
        ],
      }),
      ['01'],
    )
    assert.deepEqual(
      found({
        pairs: [
          ['t', 'b'],
          ['t', 'c'],
        ],
      }),
      ['02'],
    )
    assert.deepEqual(found({ pairs: [['a', 'b:c']] }), ['03'])
    assert.deepEqual(found({ pairs: [['a:b', 'c']] }), ['04'])
  },

  async 'pages behind a position give every event once'(store) {
    const events = Array.from({ length: 100 }, (_, i) =>
      event(`e${`${(i * 37) % 100}`.padStart(2, '0')}e`, {
        createdAt: BigInt(1000 + (i % 7)),
        pubkey: i % 3 === 0 ? ALICE : BOB,
        tags: [['t', `${i % 2}`]],
      }),
    )
    await store.put(numbered(1, ...events))
    const all = events.toSorted(newestFirst).map(({ id }) => id)
    for (const limit of [1, 3, 7, 100]) {
      assert.deepEqual(pages(store, {}, limit), all)
      assert.deepEqual(pages(store, { authors: [ALICE, BOB] }, limit), all)
      assert.deepEqual(pages(store, { tags: [{ key: 't', any: ['0', '1'] }] }, limit), all)
      assert.deepEqual(pages(store, { ids: all }, limit), all)
    }
  },

  async 'a position need not be that of a stored event'(store) {
    await store.put(numbered(1, event('03'), event('05'), event('01', { createdAt: 999n })))
    const behind = (after: Position) => names(store.query({}, { limit: 10, after }))
    assert.deepEqual(behind({ createdAt: U64_MAX, id: idOf('') }), ['03', '05', '01'])
    assert.deepEqual(behind({ createdAt: 1000n, id: idOf('04') }), ['05', '01'])
    assert.deepEqual(behind({ createdAt: 1000n, id: 'f'.repeat(64) }), ['01'])
    assert.deepEqual(behind({ createdAt: 0n, id: idOf('') }), [])
  },

  async 'since gives what was stored behind a seq in rising order'(store) {
    const events = ['09', '02', '05', '01'].map((id, i) => event(id, { createdAt: BigInt(9 - i) }))
    await store.put(numbered(10, ...events.slice(0, 2)))
    await store.put(numbered(2n ** 40n, ...events.slice(2)))
    assert.deepEqual(names(store.since(0n, 10)), ['09', '02', '05', '01'])
    assert.deepEqual(names(store.since(10n, 2)), ['02', '05'])
    assert.deepEqual(names(store.since(11n, 10)), ['05', '01'])
    assert.deepEqual(names(store.since(2n ** 40n + 1n, 10)), [])
    assert.deepEqual(names(store.since(U64_MAX, 10)), [])
    assert.deepEqual(names(store.since(0n, 0)), [])
  },
}

/** All ids the filter finds, page by page. */
function pages(store: Store, filter: Filter, limit: number): string[] {
  const ids: string[] = []
  let after: Event | undefined
  for (;;) {
    const page = store.query(filter, { limit, ...(after && { after }) })
    ids.push(...page.map(({ event }) => event.id))
    if (page.length < limit) return ids
    after = page.at(-1)?.event
  }
}
