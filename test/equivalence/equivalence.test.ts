/** One bus (spec 7.1): the comparison of all surfaces; `npm run equivalence` prints it. */
import { type Event, writeEvent } from '@aetherkit/core'
import { createRelay } from '@aetherkit/relay'
import { beforeAll, describe, expect, test } from 'vitest'
import { createAuthor } from '../../relay/test/signing.js'
import { type Comparison, compare, isEquivalent } from './compare.js'
import { SURFACES } from './surfaces.js'

let comparison: Comparison
beforeAll(async () => {
  comparison = await compare()
}, 180_000)

describe.each(SURFACES.map(({ name }) => name))('%s', (name) => {
  test('gives each step of the scenario its verdict, and what it takes is read on all surfaces', () => {
    const own = comparison.published.filter(({ surface }) => surface === name)
    expect(own.length).toBeGreaterThan(20)
    expect(own.filter(({ isRight }) => !isRight)).toEqual([])
  })

  test('reads what every surface took, once and in order, and finds the same stored', () => {
    const own = comparison.read.find(({ surface }) => surface === name)
    const whole = { once: true, inOrder: true }
    expect(own).toMatchObject({ live: whole, atOnce: whole, sameAnswers: own?.queries })
    expect(own?.live.delivered).toBe(own?.live.expected)
    expect(own?.atOnce.delivered).toBe(own?.atOnce.expected)
    expect(own?.live.delivered).toBeGreaterThan(9 * SURFACES.length)
  })
})

test('the comparison as a whole holds, and nothing went wrong inside the relay', () => {
  expect(comparison.faults).toEqual([])
  expect(isEquivalent(comparison)).toBe(true)
})

test('a difference is found: another verdict, an event that is missing, twice, or out of order', () => {
  const [first] = comparison.published
  const [reader] = comparison.read
  if (first === undefined || reader === undefined) throw new Error('nothing was compared')
  const change = (live: Partial<typeof reader.live>): Comparison => ({
    ...comparison,
    read: [{ ...reader, live: { ...reader.live, ...live } }],
  })
  expect(isEquivalent({ ...comparison, published: [{ ...first, isRight: false }] })).toBe(false)
  expect(isEquivalent(change({ delivered: reader.live.delivered - 1 }))).toBe(false)
  expect(isEquivalent(change({ once: false }))).toBe(false)
  expect(isEquivalent(change({ inOrder: false }))).toBe(false)
  expect(isEquivalent({ ...comparison, read: [{ ...reader, sameAnswers: 0 }] })).toBe(false)
})

test('a relay that says no on one surface says it on all: the codes of a policy', {
  timeout: 60_000,
}, async () => {
  const refuse = (event: Event) =>
    event.kind === 7 ? ({ ok: false, code: 'blocked', error: 'blocked' } as const) : undefined
  const relay = await createRelay({ verifyWorkers: 1, policies: [refuse], http: { wsPort: 0 }, nostr: {} })
  try {
    const author = createAuthor()
    for (const surface of SURFACES) {
      const events = [author.sign({ kind: 7 }), author.sign({ kind: 8 })]
      expect([surface.name, await surface.publish(relay, events)]).toEqual([
        surface.name,
        ['blocked', 'accepted'],
      ])
      expect((await surface.query(relay, { ids: [events[1]!.id] }))[0]).toBe(writeEvent(events[1]!))
    }
  } finally {
    await relay.close()
  }
})
