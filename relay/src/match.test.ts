import { type Event, type Filter, matches } from '@aetherkit/core'
import { randomEvent, randomFilter, seededRandom } from '@aetherkit/core/testing'
import { describe, expect, it } from 'vitest'
import { SubscriptionIndex } from './match.js'

const KEY = 'ab'.repeat(32)

function event(fields: Partial<Event> = {}): Event {
  const base = {
    id: '01'.repeat(32),
    pubkey: KEY,
    createdAt: 5n,
    kind: 1,
    tags: [],
    content: new Uint8Array(),
  }
  return { ...base, sig: '', ...fields }
}

function found<T>(index: SubscriptionIndex<T>, subject: Event): T[] {
  return index.match(subject).flatMap((members) => [...members])
}

describe('the index of live subscriptions', () => {
  it('agrees with the plain meaning on 300,000 random pairs while subscriptions come, change and go', () => {
    const seed = Number(process.env.SEED ?? 4253346320)
    const random = seededRandom(seed)
    const index = new SubscriptionIndex<number>()
    const filtersOf = new Map<number, readonly Filter[]>()
    const recent: Event[] = []
    let matched = 0
    for (let round = 0; round < 3000; round++) {
      for (let change = 0; change < 8; change++) {
        const subscription = Math.floor(random() * 150)
        if (random() < 0.4) {
          expect(index.remove(subscription), `seed ${seed}`).toBe(filtersOf.delete(subscription))
        } else {
          const filters = Array.from({ length: Math.floor(random() * 4) }, () => randomFilter(random, recent))
          index.add(subscription, filters)
          filtersOf.set(subscription, filters)
        }
      }
      const subject =
        random() < 0.3 && recent.length > 0 ? recent[round % recent.length]! : randomEvent(random)
      recent[round % 16] = subject
      const expected = [...filtersOf].filter(([, filters]) =>
        filters.some((filter) => matches(filter, subject)),
      )
      matched += expected.length
      const numbers = expected.map(([subscription]) => subscription)
      expect(found(index, subject).sort(ascending), `seed ${seed}, round ${round}`).toEqual(
        numbers.sort(ascending),
      )
      expect(index.size).toBe(filtersOf.size)
    }
    expect(matched, `seed ${seed}`).toBeGreaterThan(10_000)
    for (const subscription of filtersOf.keys()) index.remove(subscription)
    expectEmpty(index, `seed ${seed}`)
  })

  it('gives one set for all subscriptions with the same filters, in whatever order they were written', () => {
    const index = new SubscriptionIndex<string>()
    index.add('a', [{ kinds: [1, 2] }, { authors: [KEY], limit: 5 }])
    index.add('b', [{ authors: [KEY, KEY] }, { kinds: [2, 1, 1] }])
    expect(index.match(event()).map((members) => [...members])).toEqual([['a', 'b']])
    expect(index.census).toEqual({ groups: 1, idle: 0, filters: 2, slots: 3 })
  })

  it('gives a subscription once when several of its filters, or several slots of one, hit', () => {
    const index = new SubscriptionIndex<string>()
    index.add('a', [{ kinds: [1] }, { authors: ['a'] }, {}, { tags: [{ key: 't', any: ['x', 'y'] }] }])
    index.add('b', [{}])
    expect(found(index, event({ tags: [['t', 'x', 'y'], ['t', 'x']] })).sort()).toEqual(['a', 'b']) // biome-ignore format: one line
  })

  it('gives nothing to a subscription without filters, and counts it', () => {
    const index = new SubscriptionIndex<string>()
    index.add('a', [])
    expect(found(index, event())).toEqual([])
    expect(index.size).toBe(1)
    expect(index.remove('a')).toBe(true)
    expect(index.size).toBe(0)
  })

  it('replaces the filters of a subscription that is added again', () => {
    const index = new SubscriptionIndex<string>()
    index.add('a', [{ kinds: [1] }])
    index.add('a', [{ kinds: [2] }])
    expect(found(index, event({ kind: 1 }))).toEqual([])
    expect(found(index, event({ kind: 2 }))).toEqual(['a'])
    expect(index.census).toEqual({ groups: 2, idle: 1, filters: 2, slots: 2 })
  })

  it('says false when a subscription to remove is not there', () => {
    expect(new SubscriptionIndex<string>().remove('a')).toBe(false)
  })

  it('lets a subscription be removed while the recipients of an event are read', () => {
    const index = new SubscriptionIndex<string>()
    for (const name of ['a', 'b', 'c']) index.add(name, [{ kinds: [1] }])
    const read: string[] = []
    for (const members of index.match(event()))
      for (const name of members) {
        read.push(name)
        index.remove('b')
      }
    expect(read).toEqual(['a', 'c'])
  })

  it('does not join tag keys and values', () => {
    const index = new SubscriptionIndex<string>()
    index.add('a', [{ pairs: [['a:b', 'c']] }])
    index.add('b', [{ pairs: [['__proto__', 'constructor']] }])
    expect(found(index, event({ tags: [['a', 'b:c']] }))).toEqual([])
    expect(found(index, event({ tags: [['__proto__', 'constructor']] }))).toEqual(['b'])
  })

  it('counts replay and limit for nothing: live events go on after the limit', () => {
    const index = new SubscriptionIndex<string>()
    index.add('a', [{ kinds: [1], limit: 0, replay: true }])
    expect(found(index, event())).toEqual(['a'])
  })

  it('looks only at filters the event can match, however many share another field', () => {
    const index = new SubscriptionIndex<number>()
    for (let number = 0; number < 5000; number++)
      index.add(number, [{ authors: [KEY], kinds: [number % 40_000], pairs: [['p', `${number}`]] }])
    expect(found(index, event({ kind: 17, tags: [['p', '17']] }))).toEqual([17])
    expect(found(index, event({ kind: 17, tags: [['p', '18']] }))).toEqual([])
  })

  it('is empty again after 20,000 subscriptions of all shapes came and went', () => {
    const seed = Number(process.env.SEED ?? 4253346320)
    const random = seededRandom(seed)
    const index = new SubscriptionIndex<number>()
    for (let number = 0; number < 20_000; number++) {
      index.add(number, [randomFilter(random), randomFilter(random)])
      if (number >= 100) index.remove(number - 100)
    }
    expect(index.size).toBe(100)
    for (let number = 19_900; number < 20_000; number++) index.remove(number)
    expectEmpty(index, `seed ${seed}`)
  })

  it('keeps at most 64 small groups that nobody is in, and no large one', () => {
    const index = new SubscriptionIndex<number>()
    for (let number = 0; number < 200; number++) {
      index.add(number, [{ kinds: [number] }])
      index.remove(number)
    }
    expect(index.census).toEqual({ groups: 64, idle: 64, filters: 64, slots: 64 })
    index.add(1, [{ authors: Array.from({ length: 100 }, (_, author) => `${author}`.padStart(64, '0')) }])
    index.remove(1)
    expect(index.census).toEqual({ groups: 64, idle: 64, filters: 64, slots: 64 })
    expect(index.match(event({ kind: 199 }))).toEqual([])
    index.add(2, [{ kinds: [199] }])
    expect(found(index, event({ kind: 199 }))).toEqual([2])
    expect(index.census).toEqual({ groups: 64, idle: 63, filters: 64, slots: 64 })
  })
})

/** Nothing is left but the groups kept for another try, and those make way for others. */
function expectEmpty(index: SubscriptionIndex<number>, message: string): void {
  expect(index.size, message).toBe(0)
  expect(index.census.groups, message).toBe(index.census.idle)
  for (let number = 0; number < 64; number++) {
    index.add(number, [{ ids: [`abcdef${number}`] }])
    index.remove(number)
  }
  expect(index.census, message).toEqual({ groups: 64, idle: 64, filters: 64, slots: 64 })
}

function ascending(a: number, b: number): number {
  return a - b
}
