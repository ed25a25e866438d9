import { createHash } from 'node:crypto'
import { type Event, type Filter, matches } from '@aetherkit/core'
import { describe, expect, test } from 'vitest'
import { pagesOf, prefixesAbove } from './export-pages.js'

const SEED = Number(process.env.SEED ?? 4253346320)

/** Numbers from 0 to `below`, the same for the same seed. */
function random(seed: number): (below: number) => number {
  let n = 0
  return (below) => createHash('sha256').update(`${seed}.${n++}`).digest().readUInt32BE() % below
}

function makeEvent(name: string, createdAt: bigint): Event {
  const id = createHash('sha256').update(name).digest('hex')
  return { id, pubkey: '0'.repeat(64), createdAt, kind: 1, tags: [], content: new Uint8Array(), sig: '' }
}

const inOrder = (a: Event, b: Event) =>
  a.createdAt === b.createdAt ? (a.id < b.id ? -1 : 1) : a.createdAt < b.createdAt ? 1 : -1

/** A relay that gives at most `cap` at once, whatever is asked for. */
function relayOf(events: readonly Event[], cap: number) {
  return async (filter: Filter) => {
    expect(filter.ids?.length ?? 0).toBeLessThanOrEqual(1000)
    const found = events.filter((event) => matches(filter, event)).sort(inOrder)
    return found.slice(0, Math.min(cap, filter.limit ?? 500))
  }
}

async function all(events: readonly Event[], cap: number, filter: Filter, limit = 500): Promise<string[]> {
  const ids: string[] = []
  for await (const page of pagesOf(relayOf(events, cap), filter, { limit }))
    ids.push(...page.map(({ id }) => id))
  return ids
}

describe(`pages, seed ${SEED}`, () => {
  const next = random(SEED)
  test.each(Array.from({ length: 60 }, (_, i) => i))(
    'give what a look at everything gives: world %i',
    async (world) => {
      const instants = 1 + next(5)
      const events = Array.from({ length: next(60) }, (_, i) =>
        makeEvent(`${world}.${i}`, BigInt(next(instants))),
      )
      const digit = () => next(16).toString(16)
      const filter: Filter = {
        ...(next(3) === 0 && {
          ids: Array.from({ length: 1 + next(12) }, () => digit() + (next(2) === 0 ? digit() : '')),
        }),
        ...(next(3) === 0 && { since: BigInt(next(instants)) }),
        ...(next(3) === 0 && { until: BigInt(next(instants)) }),
      }
      const wanted = events.filter((event) => matches(filter, event)).sort(inOrder)
      const cap = 1 + next(7)
      expect(await all(events, cap, filter)).toEqual(wanted.map(({ id }) => id))
      expect(await all(events, 500, filter, cap)).toEqual(wanted.map(({ id }) => id))
    },
  )

  test('continue behind any position', async () => {
    const events = Array.from({ length: 30 }, (_, i) => makeEvent(`p${i}`, BigInt(i % 3))).sort(inOrder)
    for (const [i, { createdAt, id }] of events.entries()) {
      const ids: string[] = []
      const pages = pagesOf(relayOf(events, 4), {}, { limit: 9, after: { createdAt, id } })
      for await (const page of pages) ids.push(...page.map((event) => event.id))
      expect(ids).toEqual(events.slice(i + 1).map((event) => event.id))
    }
  })
})

test('the prefixes above an id match exactly the ids above it, in rising order', () => {
  const ids = Array.from({ length: 200 }, (_, i) => createHash('sha256').update(`${i}`).digest('hex')).sort()
  for (const id of ['0'.repeat(64), 'f'.repeat(64), ...ids]) {
    const prefixes = prefixesAbove(id)
    expect(prefixes).toEqual([...prefixes].sort())
    expect(ids.filter((other) => prefixes.some((prefix) => other.startsWith(prefix)))).toEqual(
      ids.filter((other) => other > id),
    )
  }
  expect(prefixesAbove('0'.repeat(64))).toHaveLength(960)
})
