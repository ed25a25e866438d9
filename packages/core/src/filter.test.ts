import { describe, expect, it } from 'vitest'
import type { Event, Tag } from './event.js'
import { type Filter, matches, wantsReplay } from './filter.js'
import { compileFilter, tagValues } from './filter-compile.js'
import { randomEvent, randomFilter, seededRandom } from './testing.js'

const KEY = 'ab'.repeat(32)
const ID = `0123456789abcdef${'0'.repeat(48)}`

function event(fields: Partial<Event> = {}): Event {
  const base = { id: ID, pubkey: KEY, createdAt: 5n, kind: 1, tags: [], content: new Uint8Array(), sig: '' }
  return { ...base, ...fields }
}

function tagged(...tags: Tag[]): Event {
  return event({ tags })
}

const U64 = 2n ** 64n - 1n

/** Each row: what it shows, the filter, an event, whether it matches. */
const ROWS: readonly [name: string, filter: Filter, event: Event, verdict: boolean][] = [
  ['an empty filter matches everything', {}, event(), true],
  ['an id prefix of one digit', { ids: ['0'] }, event(), true],
  ['an id prefix of an odd number of digits, by half byte', { ids: ['012'] }, event(), true],
  ['an id prefix that differs in its last half byte', { ids: ['013'] }, event(), false],
  ['a full id', { ids: [ID] }, event(), true],
  ['any of several ids', { ids: ['ff', '01'] }, event(), true],
  ['an empty list of ids matches nothing', { ids: [] }, event(), false],
  ['a full author', { authors: [KEY] }, event(), true],
  ['an author prefix', { authors: ['aba'] }, event(), true],
  ['another author', { authors: ['ac'] }, event(), false],
  ['an empty list of authors matches nothing', { authors: [] }, event(), false],
  ['a 16-byte key prefix', { pubkeyPrefixes: [KEY.slice(0, 32)] }, event(), true],
  [
    'authors and key prefixes both hold',
    { authors: [KEY], pubkeyPrefixes: ['0'.repeat(32)] },
    event(),
    false,
  ],
  ['an empty list of key prefixes matches nothing', { pubkeyPrefixes: [] }, event(), false],
  ['one of the kinds', { kinds: [7, 1] }, event(), true],
  ['kind 0 is a kind', { kinds: [0] }, event({ kind: 0 }), true],
  ['none of the kinds', { kinds: [0] }, event(), false],
  ['an empty list of kinds matches nothing', { kinds: [] }, event(), false],
  [
    'any value of a tag counts, not only the first',
    { tags: [{ key: 't', any: ['b'] }] },
    tagged(['t', 'a', 'b']),
    true,
  ],
  ['any of the values of a key', { tags: [{ key: 't', any: ['x', 'a'] }] }, tagged(['t', 'a']), true],
  ['a later tag of the same key', { tags: [{ key: 't', any: ['b'] }] }, tagged(['t', 'a'], ['t', 'b']), true],
  [
    'all of the keys',
    {
      tags: [
        { key: 't', any: ['a'] },
        { key: 'p', any: ['a'] },
      ],
    },
    tagged(['t', 'a']),
    false,
  ],
  ['a key without values matches nothing', { tags: [{ key: 't', any: [] }] }, tagged(['t', 'a']), false],
  ['a tag without values has no value', { tags: [{ key: 't', any: [''] }] }, tagged(['t']), false],
  ['an empty value is a value', { tags: [{ key: 't', any: [''] }] }, tagged(['t', '']), true],
  ['no tag entries are no constraint', { tags: [], pairs: [] }, event(), true],
  ['every pair is there', { pairs: [['t', 'a'], ['t', 'b']] }, tagged(['t', 'b', 'a']), true], // biome-ignore format: a row
  ['one pair is missing', { pairs: [['t', 'a'], ['t', 'b']] }, tagged(['t', 'a']), false], // biome-ignore format: a row
  [
    'entries and pairs both hold',
    { tags: [{ key: 't', any: ['a', 'b'] }], pairs: [['p', 'x']] },
    tagged(['t', 'b']),
    false,
  ],
  ['pairs that join alike stay apart', { pairs: [['a:b', 'c']] }, tagged(['a', 'b:c']), false],
  [
    'a name of Object.prototype is a key',
    { pairs: [['__proto__', 'constructor']] },
    tagged(['t', 'a']),
    false,
  ],
  ['since is inclusive', { since: 5n }, event(), true],
  ['an event before since', { since: 6n }, event(), false],
  ['until is inclusive', { until: 5n }, event(), true],
  ['an event after until', { until: 4n }, event(), false],
  ['until 0 is a bound', { until: 0n }, event(), false],
  ['bounds keep all digits of a u64', { since: U64 }, event({ createdAt: U64 - 1n }), false],
  ['the last u64 is a time', { since: U64, until: U64 }, event({ createdAt: U64 }), true],
  ['limit and replay constrain no live event', { limit: 0, replay: false }, event(), true],
]

describe('a filter', () => {
  it.each(ROWS)('%s', (_, filter, subject, verdict) => {
    expect(matches(filter, subject)).toBe(verdict)
    expect(compileFilter(filter)(subject)).toBe(verdict)
    expect(compileFilter(filter)(subject, () => tagValues(subject))).toBe(verdict)
  })

  it('compiled agrees with the plain meaning on 200,000 random pairs', () => {
    const seed = Number(process.env.SEED ?? 4253346320)
    const random = seededRandom(seed)
    let matched = 0
    for (let round = 0; round < 2000; round++) {
      const events = Array.from({ length: 10 }, () => randomEvent(random))
      for (let count = 0; count < 10; count++) {
        const filter = randomFilter(random, events)
        const compiled = compileFilter(filter)
        for (const subject of events) {
          const expected = matches(filter, subject)
          if (expected) matched++
          if (compiled(subject) !== expected || compiled(subject, () => tagValues(subject)) !== expected)
            expect.fail(`seed ${seed}: ${show(filter)} and ${show(subject)} should give ${expected}`)
        }
      }
    }
    expect(matched, `seed ${seed}`).toBeGreaterThan(10_000)
  })

  it('compiled is deaf to later changes of its lists', () => {
    const kinds = [1]
    const compiled = compileFilter({ kinds: kinds, authors: [KEY] })
    kinds[0] = 2
    expect(compiled(event())).toBe(true)
  })
})

describe('stored events', () => {
  it.each([
    [{ limit: 0 }, true],
    [{ since: 0n }, true],
    [{ ids: [] }, true],
    [{ replay: true }, true],
    [{ replay: false }, false],
    [{ until: 1n, kinds: [1], authors: [KEY] }, false],
    [{}, false],
  ] as [Filter, boolean][])('%o asks for them: %s', (filter, verdict) => {
    expect(wantsReplay(filter)).toBe(verdict)
  })
})

describe('the random generators', () => {
  it('repeat themselves for the same seed', () => {
    const [a, b] = [seededRandom(7), seededRandom(7)]
    expect([randomEvent(a), randomFilter(a)]).toEqual([randomEvent(b), randomFilter(b)])
  })

  it('make events of the right shape with ids that do not repeat', () => {
    const random = seededRandom(1)
    const events = Array.from({ length: 1000 }, () => randomEvent(random))
    expect(new Set(events.map(({ id }) => id)).size).toBe(1000)
    for (const { id, pubkey, sig } of events)
      expect([id, pubkey, sig].join()).toMatch(/^[0-9a-f]{64},[0-9a-f]{64},0{128}$/)
  })
})

function show(value: unknown): string {
  return JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? member.toString() : member))
}
