/**
 * One bus (spec 7.1): one scenario, published on each surface and read on all. Verdicts do not depend on where an event
 * came in, and every reader gets every event that was taken, once, in one order, whatever surface it reads on.
 */
import { type Event, writeEvent } from '@aetherkit/core'
import { createRelay, type Relay, type RelayEvent } from '@aetherkit/relay'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createAuthor } from '../../test/signing.js'
import { SURFACES } from '../../test/surfaces.js'

// A busy machine may take its time.
vi.setConfig({ testTimeout: 60_000 })

let relay: Relay
const faults: RelayEvent[] = []
beforeEach(async () => {
  faults.length = 0
  relay = await createRelay({
    ...{ verifyWorkers: 1, http: {}, nostr: {} },
    onEvent: (event) => void (event.type === 'fault' && faults.push(event)),
  })
})
afterEach(async () => {
  await relay.close()
  expect(faults).toEqual([])
})

/** Events of one author, each with the verdict it must get. */
function scenario(): readonly (readonly [Event, string])[] {
  const { sign } = createAuthor()
  const [old, kept, newer] = [sign({ kind: 10_500 }), sign({ content: 'kept' }), sign({ kind: 10_500 })]
  const [oldPart, newPart] = [
    sign({ kind: 30_001, tags: [['d', 'x']] }),
    sign({ kind: 30_001, tags: [['d', 'x']] }),
  ]
  const ephemeral = sign({ kind: 20_500 })
  const now = kept.createdAt
  const seconds = now / 1_000_000_000n
  return [
    [kept, 'accepted'],
    [sign({ kind: 0, content: '{"name":"é \u2028 \\"quoted\\" \u{1f600}"}' }), 'accepted'],
    [
      sign({ content: '\n\r\0\t\u001f', tags: [['t', 'a', 'b'], ['t'], ['e', ''], ['p', 'x'.repeat(1024)]] }),
      'accepted',
    ],
    [kept, 'duplicate'],
    [newer, 'accepted'],
    [old, 'superseded'],
    [newPart, 'accepted'],
    [oldPart, 'superseded'],
    [sign({ kind: 30_001, tags: [['d', 'y']] }), 'accepted'],
    [ephemeral, 'accepted'],
    [ephemeral, 'duplicate'],
    [sign({ kind: 5000, createdAt: 1n }), 'accepted'],
    [sign({ kind: 39_999, tags: [['expiration', String(seconds + 3600n)]] }), 'accepted'],
    [sign({ tags: [['expiration', String(seconds - 60n)]] }), 'event expired'],
    [sign({ createdAt: now + 3_600_000_000_000n }), 'created_at outside allowed window'],
    [sign({ kind: 20_500, createdAt: now - 3_600_000_000_000n }), 'created_at outside allowed window'],
    [{ ...sign(), sig: '00'.repeat(64) }, 'invalid signature'],
    [{ ...sign(), content: Buffer.from('tampered') }, 'event_id mismatch'],
    [sign({ kind: 40_000 }), 'kind out of range'],
    [sign({ tags: [['k'.repeat(33), 'v']] }), 'tag limits exceeded'],
    [sign({ content: 'x'.repeat(525_000) }), 'event exceeds maximum size'],
    [sign({ content: 'last' }), 'accepted'],
  ]
}

const text = (event: Event | undefined) => (event === undefined ? '' : (writeEvent(event) ?? ''))

describe.each(SURFACES)('what is published on $name', (publisher) => {
  test('gets the same verdicts, and reaches readers on all surfaces once and in order', async () => {
    const readers = await Promise.all(SURFACES.map((surface) => surface.subscribe(relay, {})))
    const cases = scenario()
    const verdicts = await publisher.publish(
      relay,
      cases.map(([event]) => event),
    )
    expect(verdicts).toEqual(cases.map(([, verdict]) => verdict))
    const accepted = cases.filter(([, verdict]) => verdict === 'accepted').map(([event]) => text(event))
    for (const [i, reader] of readers.entries()) {
      const seen: string[] = []
      while (seen.length < accepted.length) seen.push(await reader.next())
      expect(seen, SURFACES[i]?.name).toEqual(accepted)
    }
  })
})

test('what is published on all surfaces at once reaches every reader once, in one order', async () => {
  const readers = await Promise.all(
    SURFACES.map((surface) => surface.subscribe(relay, { kinds: [1, 20_001] })),
  )
  const sent = new Set<string>()
  await Promise.all(
    SURFACES.map(async (surface) => {
      const author = createAuthor()
      const events = Array.from({ length: 30 }, (_, i) => author.sign({ kind: i % 2 === 0 ? 1 : 20_001 }))
      for (const event of events) sent.add(text(event))
      const verdicts = await surface.publish(relay, events)
      expect(new Set(verdicts)).toEqual(new Set(['accepted']))
    }),
  )
  const orders = await Promise.all(
    readers.map(async (reader) => {
      const seen: string[] = []
      while (seen.length < sent.size) seen.push(await reader.next())
      return seen
    }),
  )
  expect(new Set(orders[0])).toEqual(sent)
  for (const order of orders) expect(order).toEqual(orders[0])
})

test('what is stored is the same on all surfaces, in the same order', async () => {
  for (const surface of SURFACES)
    await surface.publish(
      relay,
      scenario().map(([event]) => event),
    )
  for (const filter of [
    {},
    { kinds: [10_500, 30_001] },
    { tags: [{ key: 't', any: ['b'] }] },
    { limit: 3 },
    { until: 5n },
  ]) {
    const [first, ...others] = await Promise.all(SURFACES.map((surface) => surface.query(relay, filter)))
    expect(first?.length).toBeGreaterThan(0)
    for (const [i, other] of others.entries()) expect(other, SURFACES[i + 1]?.name).toEqual(first)
  }
})
