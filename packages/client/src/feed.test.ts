import { type EventTemplate, generateSecretKey, signEvent, type VerifiedEvent, verify } from '@aetherkit/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Feed, type FeedOptions, type RelayState } from './feed.js'

const url = 'ws://relay'
const secret = generateSecretKey()
let created = 1n

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

function event(template: Partial<EventTemplate> = {}): VerifiedEvent {
  const verified = verify(signEvent({ kind: 1, createdAt: created++, ...template }, secret))
  if (!verified.ok) throw new Error(verified.code)
  return verified.event
}

function open(options: Partial<FeedOptions> = {}) {
  const heard: string[] = []
  const feed = new Feed(1, {
    filters: [{ kinds: [1] }],
    now: 0n,
    sink: {
      event: ({ text }, { cursor }) => heard.push(`event ${text} ${cursor}`),
      moved: (_, cursor) => heard.push(`moved ${cursor}`),
      gap: () => heard.push('gap'),
      stored: () => heard.push('stored'),
      failed: ({ code }) => heard.push(`failed ${code}`),
    },
    ...options,
  })
  const take = (
    seq: bigint,
    { ordered = true, stored = false, template = {} as Partial<EventTemplate> } = {},
  ) => feed.take(event({ content: `${seq}`, ...template }), { relay: url, epoch: 'e', seq, stored, ordered })
  const settle = (state: RelayState) => feed.settle(new Map([[url, state]]))
  return { feed, heard, take, settle }
}

test('a live subscription asks for an end mark and no stored events', () => {
  const { feed } = open()
  expect(feed.ask(url, false)).toEqual({ filters: [{ kinds: [1], limit: 0 }] })
  expect(feed.ask(url, true)).toEqual({ filters: [{ kinds: [1] }] })
})

test('a session after the first goes on behind the cursor', () => {
  const { feed, heard, take } = open()
  feed.ask(url, false)
  feed.ended(url, 'e-5', 'e')
  take(6n)
  expect(heard).toEqual(['moved e-5', 'event 6 e-6'])
  expect(feed.ask(url, false).after).toBe('e-6')
})

test('before the end mark no cursor is known: the stored part comes newest first', () => {
  const { feed, heard, take } = open({ filters: [{ kinds: [1], replay: true }] })
  feed.ask(url, false)
  take(9n, { stored: true })
  take(3n, { stored: true })
  expect(feed.ask(url, false).after).toBeUndefined()
  feed.ended(url, undefined, 'e')
  expect(heard).toEqual(['event 9 undefined', 'event 3 undefined'])
  take(12n, { stored: true })
  feed.ended(url, undefined, 'e')
  expect(heard.at(-1)).toBe('event 12 e-12')
})

test('after the end mark other feeds may overtake: the cursor waits until the relay must have caught up', () => {
  const { feed, take } = open()
  feed.ask(url, false)
  feed.ended(url, 'e-5', 'e')
  take(9n, { ordered: false })
  feed.passed(url, 'e', 10n)
  expect(feed.ask(url, false).after).toBe('e-5')
  feed.ended(url, 'e-5', 'e')
  vi.advanceTimersByTime(5_000)
  take(11n, { ordered: false })
  expect(feed.ask(url, false).after).toBe('e-11')
})

test('an event that comes late moves the cursor back to it', () => {
  const { feed, take } = open()
  feed.ask(url, false)
  feed.ended(url, 'e-5', 'e')
  vi.advanceTimersByTime(5_000)
  take(20n, { ordered: false })
  take(7n, { ordered: false })
  take(21n, { ordered: false })
  expect(feed.ask(url, false).after).toBe('e-7')
})

test('a session without a known place is a gap', () => {
  const { feed, heard } = open()
  feed.ask(url, false)
  feed.ask(url, false)
  expect(heard).toEqual(['gap'])
})

test('a relay that says gap begins anew', () => {
  const { feed, heard } = open({ after: { [url]: 'old-7' } })
  expect(feed.ask(url, false)).toEqual({ filters: [{ kinds: [1] }], after: 'old-7' })
  feed.subscribed(url, true)
  feed.ended(url, 'e-2', 'e')
  expect(heard).toEqual(['gap', 'moved e-2'])
})

test('the stored part is complete when no connected relay is missing', () => {
  const { feed, heard } = open()
  const states = new Map<string, RelayState>([
    [url, 'up'],
    ['ws://other', 'first'],
    ['ws://dead', 'down'],
  ])
  feed.settle(states)
  feed.ask(url, false)
  feed.ended(url, undefined, 'e')
  feed.settle(states)
  expect(heard).toEqual([])
  feed.settle(states.set('ws://other', 'down'))
  feed.settle(states)
  expect(heard).toEqual(['stored'])
})

test('an event comes once, an older version of a replaceable one never, a closed feed gives nothing', () => {
  const { feed, heard, take } = open({ filters: [{}] })
  feed.ask(url, false)
  feed.ended(url, 'e-0', 'e')
  take(1n, { template: { kind: 10_001, createdAt: 5n } })
  take(2n, { template: { kind: 10_001, createdAt: 4n } })
  take(3n, { template: { kind: 30_001, createdAt: 4n, tags: [['d', 'a']] } })
  take(4n, { template: { kind: 30_001, createdAt: 3n, tags: [['d', 'b']] } })
  expect(heard.slice(1)).toEqual(['event 1 e-1', 'moved e-2', 'event 3 e-3', 'event 4 e-4'])
  const same = event({ content: 'same' })
  const origin = { relay: url, epoch: 'e', seq: 5n, stored: false, ordered: true }
  feed.take(same, origin)
  feed.take(same, { ...origin, seq: 6n })
  expect(heard.slice(5)).toEqual(['event same e-5', 'moved e-6'])
  feed.closed = true
  take(7n)
  expect(heard).toHaveLength(7)
})
