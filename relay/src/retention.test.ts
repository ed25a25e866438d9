/** Rules, sweeps, and what a relay does with what they no longer keep (spec 2.4, 2.6). */
import { type Event, generateSecretKey, signEvent } from '@aetherkit/core'
import { createRelay, type Relay } from '@aetherkit/relay'
import { afterEach, expect, test, vi } from 'vitest'
import { isPastRetention, Retention, readRetention, sweep } from './retention.js'
import { event, numbered } from './store/contract-case.js'
import { openMemoryStore } from './store/memory.js'
import { StoreError } from './store/store.js'

const SECOND = 1_000_000_000n
const NOW = 1_700_000_000n * SECOND
const author = generateSecretKey()

let relay: Relay | undefined
afterEach(async () => {
  vi.useRealTimers()
  await relay?.close()
  relay = undefined
})

test.each([
  [7, 'TypeError: retention must be a list of rules, got 7'],
  [[null], 'TypeError: retention[0] must be a rule'],
  [[{ kinds: [1, 1] }], 'TypeError: retention[0] needs one of maxAgeSeconds, maxCount, maxBytes'],
  [[{ maxCount: 1 }], 'TypeError: retention[0].kinds must be [from, to], got undefined'],
  [[{ kinds: [2, 1], maxCount: 1 }], 'RangeError: retention[0].kinds must rise within 0 to 65535, got [2,1]'],
  [[{ kinds: [0, 70_000], maxCount: 1 }], 'RangeError: retention[0].kinds must rise'],
  [
    [{ kinds: [0, 1], maxCount: -1 }],
    'RangeError: retention[0].maxCount must be an integer of 0 or more, got -1',
  ],
  [[{ kinds: [0, 1], maxBytes: '5' }], 'TypeError: retention[0].maxBytes must be a number, got "5"'],
  [[{ kinds: [0, 1], maxAgeSeconds: 0 }], 'RangeError: retention[0].maxAgeSeconds must be more than 0'],
  [[{ kinds: [0, 1], maxAge: 5 }], 'TypeError: retention[0].maxAge is no key of a rule'],
  [[{ kinds: [0, 1], maxCount: 1 }, { kinds: [0, 1] }], 'TypeError: retention[1] needs one of'],
])('rules that cannot be are refused with the key: %j', (rules, message) => {
  expect(() => readRetention(rules)).toThrow(
    expect.toSatisfy((error: unknown) => `${String(error)}`.startsWith(message)),
  )
})

test('rules are read as they are', () => {
  const rules = [
    { kinds: [0, 5], maxAgeSeconds: 0.5 },
    { kinds: [5, 5], maxCount: 0, maxBytes: 9 },
  ]
  expect(readRetention(rules)).toEqual(rules)
})

test('a sweep takes what is over and what the rules no longer keep, in steps', async () => {
  const store = openMemoryStore()
  const old = Array.from({ length: 25 }, (_, i) => event(`${i + 10}f`, { createdAt: NOW - 100n * SECOND }))
  const over = event('0e', { kind: 2, createdAt: NOW, tags: [['expiration', '1700000000']] })
  const kept = event('0f', { createdAt: NOW - 10n * SECOND })
  await store.put(numbered(1, ...old, over, kept))
  const steps: number[] = []
  const rules = [{ kinds: [1, 1], maxAgeSeconds: 10 }] as const
  const removed = await sweep(store, {
    rules,
    now: NOW,
    step: 10,
    onStep: ({ events }) => steps.push(events),
  })
  expect(removed.events).toBe(26)
  expect(steps).toEqual([1, 10, 10, 5])
  expect(store.since(0n, 100)).toHaveLength(1)
  expect(isPastRetention(rules, kept, NOW)).toBe(false)
  expect(isPastRetention(rules, kept, NOW + 1n)).toBe(true)
  expect(isPastRetention(rules, { ...kept, kind: 2 }, NOW + SECOND)).toBe(false)
})

test('others have their turn between the steps of a sweep, and it ends at once when it is told to', async () => {
  const store = openMemoryStore()
  await store.put(numbered(1, ...Array.from({ length: 400 }, (_, i) => event(`${i + 1000}f`))))
  let turns = 0
  let isOver = false
  const count = () => {
    turns++
    if (!isOver) setImmediate(count)
  }
  count()
  const rules = [{ kinds: [1, 1], maxCount: 100 }] as const
  await sweep(store, { rules, now: NOW, step: 10 })
  isOver = true
  expect(turns).toBeGreaterThan(25)
  const ended = new AbortController()
  const onStep = () => ended.abort()
  const none = [{ kinds: [1, 1], maxCount: 0 }] as const
  const removed = await sweep(store, { rules: none, now: NOW, step: 10, signal: ended.signal, onStep })
  expect(removed.events).toBe(10)
})

test('a sweep without a step takes all, however its steps grow and shrink', async () => {
  const store = openMemoryStore()
  await store.put(numbered(1, ...Array.from({ length: 3000 }, (_, i) => event(`${i + 10_000}f`))))
  const steps: number[] = []
  const rules = [{ kinds: [1, 1], maxCount: 7 }] as const
  const onStep = ({ events }: { events: number }) => void steps.push(events)
  expect((await sweep(store, { rules, now: NOW, onStep })).events).toBe(2993)
  expect(steps[0]).toBe(50)
  for (const [i, step] of steps.slice(1, -1).entries()) expect(step).toBeLessThanOrEqual(2 * (steps[i] ?? 0))
})

test('a sweep that fails is told and tried again', async () => {
  vi.useFakeTimers()
  const store = openMemoryStore()
  await store.put(numbered(1, event('01')))
  let full = true
  const failing = {
    ...store,
    remove: async (...args: Parameters<typeof store.remove>) => {
      if (full) throw new StoreError('storage_full', 'full')
      return store.remove(...args)
    },
  }
  const [swept, failed] = [vi.fn(), vi.fn()]
  const rules = [{ kinds: [1, 1], maxCount: 0 }] as const
  const retention = new Retention({
    store: failing,
    rules: () => rules,
    now: () => NOW,
    everyMs: 1000,
    swept,
    failed,
  })
  await vi.advanceTimersByTimeAsync(1000)
  expect(failed.mock.calls).toMatchObject([[{ code: 'storage_full' }]])
  full = false
  await vi.advanceTimersByTimeAsync(1000)
  expect(swept.mock.calls).toMatchObject([[{ events: 1 }]])
  await retention.close()
  await vi.advanceTimersByTimeAsync(5000)
  expect(swept).toHaveBeenCalledTimes(1)
})

test('a relay forwards what is past retention, stores the rest, and says so in its info', async () => {
  const store = openMemoryStore()
  const retention = [{ kinds: [1, 1], maxAgeSeconds: 60 }] as const
  relay = await createRelay({ store, retention, now: () => NOW, verifyWorkers: 1 })
  const publish = async (age: bigint, kind: number) =>
    (await relay?.publish(signed({ kind, createdAt: NOW - age * SECOND }))) ?? {}
  expect(await publish(61n, 1)).toMatchObject({ ok: true, status: 'forwarded' })
  expect(await publish(60n, 1)).toMatchObject({ ok: true, status: 'stored' })
  expect(await publish(61n, 2)).toMatchObject({ ok: true, status: 'stored' })
  expect(relay.info.retention).toEqual([{ kinds: [[1, 1]], time: 60, count: null, bytes: null }])
})

test('a relay sweeps its store by itself', async () => {
  const store = openMemoryStore()
  const swept = new Promise((resolve) => {
    const onEvent = (event: { type: string }) => event.type === 'swept' && resolve(event)
    void createRelay({ store, now: () => time, sweepMs: 5, verifyWorkers: 1, onEvent }).then(
      (it) => (relay = it),
    )
  })
  let time = NOW
  await store.put(numbered(1, event('01', { tags: [['expiration', '1700000001']] }), event('02')))
  time += 2n * SECOND
  expect(await swept).toMatchObject({ events: 1 })
  expect(store.has(event('02').id)).toBe(true)
})

test('an event that its author has deleted is refused with blocked', async () => {
  relay = await createRelay({ now: () => NOW, verifyWorkers: 1 })
  const first = signed({ kind: 1, createdAt: NOW })
  expect(await relay.publish(first)).toMatchObject({ status: 'stored' })
  const deletion = signed({ kind: 5, createdAt: NOW, tags: [['e', first.id]] })
  expect(await relay.publish(deletion)).toMatchObject({ status: 'stored' })
  expect(await relay.publish(first)).toMatchObject({ ok: false, code: 'blocked' })
})

function signed(template: Parameters<typeof signEvent>[0]): Event {
  return signEvent(template, author)
}
