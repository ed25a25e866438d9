import { describe, expect, it } from 'vitest'
import type { Filter } from './filter.js'
import { readFilter } from './filter-read.js'
import { writeFilter } from './filter-write.js'
import { parseJson, writeJson } from './json.js'
import { randomFilter, seededRandom } from './testing.js'

const HALF = '0123456789abcdef0123456789abcdef'

function read(text: string, maxValues?: number): ReturnType<typeof readFilter> {
  const json = parseJson(text)
  if (!json.ok) throw new TypeError(`test text is not JSON: ${text}`)
  return maxValues === undefined ? readFilter(json.value) : readFilter(json.value, { maxValues })
}

describe('reading a filter', () => {
  it.each([
    ['an empty filter', '{}', {}],
    ['hex prefixes, upper case and odd lengths', '{"ids":["ABC"],"authors":["F"]}', { ids: ['abc'], authors: ['f'] }],
    ['16-byte prefixes', `{"pubkey_prefixes":["${HALF.toUpperCase()}"]}`, { pubkeyPrefixes: [HALF] }],
    ['kinds', '{"kinds":[0,39999,65535]}', { kinds: [0, 39999, 65535] }],
    ['empty lists as lists', '{"ids":[],"authors":[],"pubkey_prefixes":[],"kinds":[]}', { ids: [], authors: [], pubkeyPrefixes: [], kinds: [] }],
    ['a tags object', '{"tags":{"t":["a","b"],"p":[]}}', { tags: [{ key: 't', any: ['a', 'b'] }, { key: 'p', any: [] }] }],
    ['# members', '{"#t":["a","b"]}', { tags: [{ key: 't', any: ['a', 'b'] }] }],
    ['# members beside a tags object of the same key', '{"#t":["a"],"tags":{"t":["b"]}}', { tags: [{ key: 't', any: ['a'] }, { key: 't', any: ['b'] }] }],
    ['a list of pairs', '{"tags":[["t","a"],["t","b"]]}', { pairs: [['t', 'a'], ['t', 'b']] }],
    ['pairs beside # members', '{"tags":[["t","a"]],"#expiration":["b"]}', { pairs: [['t', 'a']], tags: [{ key: 'expiration', any: ['b'] }] }],
    ['empty tags as no constraint', '{"tags":[]}', {}],
    ['an empty tags object as no constraint', '{"tags":{}}', {}],
    ['a key named __proto__', '{"tags":{"__proto__":["a"]}}', { tags: [{ key: '__proto__', any: ['a'] }] }],
    ['times as integers', '{"since":0,"until":18446744073709551615}', { since: 0n, until: 2n ** 64n - 1n }],
    ['times as digits', '{"since":"00000000000000000007","until":"9007199254740993"}', { since: 7n, until: 9007199254740993n }],
    ['limit and replay', '{"limit":0,"replay":false}', { limit: 0, replay: false }],
    ['a limit beyond u32 as u32', '{"limit":99999999999999999999}', { limit: 2 ** 32 - 1 }],
    ['null as absent', '{"ids":null,"kinds":null,"tags":null,"#t":null,"since":null,"limit":null,"replay":null}', {}],
    ['null as absent in a tags object', '{"tags":{"t":null}}', {}],
  ] as [string, string, Filter][])('takes %s', (_, text, filter) => {
    expect(read(text)).toStrictEqual({ ok: true, filter })
  }) // biome-ignore format: a table

  it.each([
    ['invalid_message', 'filter must be object', '[]'],
    ['invalid_message', 'filter must be object', 'null'],
    ['invalid_message', 'filter must be object', '1.5'],
    ['unsupported', 'unsupported', '{"search":"x"}'],
    ['unsupported', 'unsupported', '{"pubkeys":[]}'],
    ['unsupported', 'unsupported', '{"#":["a"]}'],
    ['unsupported', 'unsupported', '{"__proto__":{"kinds":[1]}}'],
    ['unsupported', 'unsupported', '{"constructor":[]}'],
    ['unsupported', 'unsupported', '{"search":null}'],
    ['invalid_filter', 'duplicate key in filter', '{"kinds":[1],"kinds":[2]}'],
    ['invalid_filter', 'duplicate key in filter', '{"tags":{"t":["a"],"t":["b"]}}'],
    ['invalid_filter', 'ids must be a list', '{"ids":"ab"}'],
    ['invalid_filter', 'ids must be bytes or hex string', '{"ids":[1]}'],
    ['invalid_filter', 'ids must be hex', '{"ids":[""]}'],
    ['invalid_filter', 'ids must be hex', '{"ids":["0x1"]}'],
    ['invalid_filter', 'ids must be hex', '{"ids":["a b"]}'],
    ['invalid_filter', 'ids must be hex', '{"ids":["ab\\n"]}'],
    ['invalid_filter', 'ids must be hex', `{"ids":["${HALF}${HALF}0"]}`],
    ['invalid_filter', 'authors must be a list', '{"authors":{"0":"ab"}}'],
    ['invalid_filter', 'authors must be hex', '{"authors":["xyz"]}'],
    ['invalid_filter', 'authors must be bytes or hex string', '{"authors":[null]}'],
    ['invalid_filter', 'pubkey_prefixes must be a list', '{"pubkey_prefixes":"ab"}'],
    ['invalid_filter', 'pubkey_prefix must be 16 bytes', '{"pubkey_prefixes":["abcd"]}'],
    ['invalid_filter', 'pubkey_prefix must be hex', '{"pubkey_prefixes":["abc"]}'],
    ['invalid_filter', 'pubkey_prefix must be hex', '{"pubkey_prefixes":["zz"]}'],
    ['invalid_filter', 'pubkey_prefix must be bytes or hex string', '{"pubkey_prefixes":[5]}'],
    ['invalid_filter', 'kinds must be a list', '{"kinds":1}'],
    ['invalid_filter', 'kind must be int', '{"kinds":["1"]}'],
    ['invalid_filter', 'kind must be int', '{"kinds":[true]}'],
    ['invalid_filter', 'kind must be int', '{"kinds":[1.0]}'],
    ['invalid_filter', 'kind must be int', '{"kinds":[null]}'],
    ['invalid_filter', 'kind must be uint16', '{"kinds":[-1]}'],
    ['invalid_filter', 'kind must be uint16', '{"kinds":[65536]}'],
    ['invalid_filter', 'kind must be uint16', '{"kinds":[18446744073709551617]}'],
    ['invalid_filter', 'tags must be list or dict', '{"tags":"t"}'],
    ['invalid_filter', 'tags must be list or dict', '{"tags":1.5}'],
    ['invalid_filter', 'tag filter entries must be (key, value)', '{"tags":["t"]}'],
    ['invalid_filter', 'tag filter entries must be (key, value)', '{"tags":[["t"]]}'],
    ['invalid_filter', 'tag filter entries must be (key, value)', '{"tags":[["t","a","b"]]}'],
    ['invalid_filter', 'tag filter entries must be (key, value)', '{"tags":[["t",1]]}'],
    ['invalid_filter', 'tag filter entries must be (key, value)', '{"tags":[["t","\\ud800"]]}'],
    ['invalid_filter', 'tag key must be str', '{"tags":[[1,"a"]]}'],
    ['invalid_filter', 'tag key must be str', '{"#\\udfff":["a"]}'],
    ['invalid_filter', 'tag values must be list', '{"tags":{"t":"a"}}'],
    ['invalid_filter', 'tag values must be list', '{"tags":{"t":[true]}}'],
    ['invalid_filter', 'tag values must be list', '{"#t":"a"}'],
    ['invalid_filter', 'tag values must be list', '{"#t":["\\ud800"]}'],
    ['invalid_filter', 'filter must be int', '{"since":true}'],
    ['invalid_filter', 'filter must be int', '{"since":1.5}'],
    ['invalid_filter', 'filter must be int', '{"since":1e9}'],
    ['invalid_filter', 'filter must be int', '{"since":""}'],
    ['invalid_filter', 'filter must be int', '{"until":" 1"}'],
    ['invalid_filter', 'filter must be int', '{"until":"-1"}'],
    ['invalid_filter', 'filter must be int', '{"until":"1_000"}'],
    ['invalid_filter', 'filter must be int', '{"until":"\\u0661"}'],
    ['invalid_filter', 'filter must be int', '{"until":"000000000000000000001"}'],
    ['invalid_filter', 'since must be uint64', '{"since":-1}'],
    ['invalid_filter', 'until must be uint64', '{"until":18446744073709551616}'],
    ['invalid_filter', 'until must be uint64', '{"until":"99999999999999999999"}'],
    ['invalid_filter', 'limit must be int', '{"limit":-1}'],
    ['invalid_filter', 'limit must be int', '{"limit":"5"}'],
    ['invalid_filter', 'limit must be int', '{"limit":1.0}'],
    ['invalid_filter', 'limit must be int', '{"limit":-99999999999999999999}'],
    ['invalid_filter', 'replay must be bool', '{"replay":1}'],
  ])('refuses with %s, "%s": %s', (code, error, text) => {
    expect(read(text)).toMatchObject({ ok: false, code, error })
  })

  it.each([
    '{"ids":["a","b","c"]}',
    '{"authors":["a","b","c"]}',
    `{"pubkey_prefixes":["${HALF}","${HALF}","${HALF}"]}`,
    '{"kinds":[1,2,3]}',
    '{"tags":[["t","a"],["t","b"],["t","c"]]}',
    '{"tags":{"t":["a","b","c"]}}',
    '{"#t":["a","b","c"]}',
    '{"tags":{"a":[],"b":[],"c":[]}}',
    '{"#a":[],"#b":[],"#c":[]}',
    '{"#a":[],"tags":{"b":[],"c":[]}}',
  ])('refuses with limit_exceeded what has one value too many: %s', (text) => {
    expect(read(text, 2)).toMatchObject({ ok: false, code: 'limit_exceeded', error: 'limit exceeded' })
    expect(read(text, 3)).toMatchObject({ ok: true })
  })

  it('allows 1000 values in a list and refuses 1001 with limit_exceeded', () => {
    const kinds = Array.from({ length: 1000 }, (_, kind) => kind)
    expect(read(JSON.stringify({ kinds }))).toMatchObject({ ok: true })
    expect(read(JSON.stringify({ kinds: [...kinds, 1000] }))).toMatchObject({ code: 'limit_exceeded' })
  })

  it('echoes at most 64 characters of an unknown member', () => {
    const result = read(JSON.stringify({ ['x'.repeat(100_000)]: 1 }))
    expect(result).toMatchObject({ code: 'unsupported', detail: `unknown filter key "${'x'.repeat(64)}"` })
  })
})

describe('writing a filter', () => {
  it('puts tag entries into a tags object, which older relays understand', () => {
    expect(
      writeFilter({ tags: [{ key: 't', any: ['a'] }], since: 5n, pubkeyPrefixes: [HALF] }),
    ).toStrictEqual({
      pubkey_prefixes: [HALF],
      tags: { t: ['a'] },
      since: 5n,
    })
  })

  it('puts tag entries into # members beside pairs', () => {
    expect(writeFilter({ tags: [{ key: 't', any: ['a'] }], pairs: [['p', 'b']] })).toStrictEqual({
      '#t': ['a'],
      tags: [['p', 'b']],
    })
  })

  it('throws RangeError for what has no JSON form', () => {
    const list = { key: 't', any: ['a', 'b'] }
    expect(() => writeFilter({ tags: [list, list, list] })).toThrow(RangeError)
    expect(() => writeFilter({ tags: [list, list], pairs: [['t', 'a']] })).toThrow(RangeError)
  })

  it('is read back as the same filter, for 20,000 random ones', () => {
    const seed = Number(process.env.SEED ?? 4253346320)
    const random = seededRandom(seed)
    for (let round = 0; round < 20_000; round++) {
      const filter = randomFilter(random)
      const keys = (filter.tags ?? []).map(({ key }) => key)
      if (filter.pairs?.length && new Set(keys).size < keys.length) continue
      const text = writeJson(writeFilter(filter))
      const expected = { ...filter }
      if (expected.tags?.length === 0) delete (expected as { tags?: unknown }).tags
      if (expected.pairs?.length === 0) delete (expected as { pairs?: unknown }).pairs
      expect(sortedTags(read(text)), `seed ${seed}: ${text}`).toEqual(
        sortedTags({ ok: true, filter: expected }),
      )
    }
  })
})

/** The order of tag entries means nothing and JSON does not keep it. */
function sortedTags(result: ReturnType<typeof readFilter>): unknown {
  if (!result.ok || result.filter.tags === undefined) return result
  const tags = result.filter.tags.map((entry) => JSON.stringify(entry)).sort()
  return { ok: true, filter: { ...result.filter, tags } }
}
