/** Every factory with what it takes and what it refuses, and the bounds of what it remembers. */
import type { Event } from '@aetherkit/core'
import { writeMessage } from '@aetherkit/core'
import { randomEvent, seededRandom } from '@aetherkit/core/testing'
import {
  adaptiveWork,
  allowAddresses,
  allowKinds,
  allowPubkeys,
  blockAddresses,
  blockKinds,
  blockPubkeys,
  blockTags,
  createRelay,
  maxContent,
  maxTags,
  type Policy,
  rateLimit,
  requireTags,
  saneDefaults,
} from '@aetherkit/relay'
import { expect, test, vi } from 'vitest'
import { RawPeer } from '../../test/raw-peer.js'
import { createAuthor } from '../../test/signing.js'
import { Buckets } from '../policy.js'

vi.setConfig({ testTimeout: 30_000 })

const SEED = Number(process.env.SEED ?? 7)
const random = seededRandom(SEED)
const made = (fields: Partial<Event> = {}): Event => ({
  ...randomEvent(random),
  kind: 1,
  tags: [],
  ...fields,
})
const peer = { id: 1, address: '10.1.2.3' }
const code = (policy: Policy, fields: Partial<Event> = {}, from = peer, now = 0n) =>
  policy(made(fields), from, now)?.code
const bytes = (length: number) => new Uint8Array(length)
const id = (hex: string) => hex.padEnd(64, 'f')

test('kinds by number and range, both ends inside', () => {
  const allow = allowKinds([1, [20000, 29999]])
  expect([0, 1, 2, 19999, 20000, 29999, 30000].map((kind) => code(allow, { kind }))).toEqual([
    'kind_unsupported',
    undefined,
    'kind_unsupported',
    'kind_unsupported',
    undefined,
    undefined,
    'kind_unsupported',
  ])
  expect(allow.info).toEqual({ allowed_kinds: [1, [20000, 29999]] })
  const block = blockKinds([[1, 2]])
  expect([0, 1, 2, 3].map((kind) => code(block, { kind }))).toEqual([
    undefined,
    'kind_unsupported',
    'kind_unsupported',
    undefined,
  ])
  expect(code(allowKinds([]))).toBe('kind_unsupported')
})

test('content and tags by size, for all kinds or some', () => {
  expect(code(maxContent(4), { content: bytes(4) })).toBeUndefined()
  expect(code(maxContent(4), { content: bytes(5) })).toBe('too_large')
  expect(code(maxContent(0), { content: bytes(0) })).toBeUndefined()
  expect(code(maxContent(4, [[7, 9]]), { content: bytes(5) })).toBeUndefined()
  expect(code(maxContent(4, [[7, 9]]), { kind: 9, content: bytes(5) })).toBe('too_large')
  expect(code(maxTags(1), { tags: [['t']] })).toBeUndefined()
  expect(code(maxTags(1), { tags: [['t'], ['t']] })).toBe('tag_limits')
  for (const bad of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => maxContent(bad)).toThrow(RangeError)
    expect(() => maxTags(bad)).toThrow(RangeError)
  }
})

test('tags that must be there and tags that must not, also under names of prototypes', () => {
  expect(code(requireTags(['t', 'd']), { tags: [['d'], ['t', 'x']] })).toBeUndefined()
  expect(code(requireTags(['t', 'd']), { tags: [['t', 'd']] })).toBe('blocked')
  expect(code(requireTags(['__proto__']), { tags: [] })).toBe('blocked')
  expect(code(blockTags(['constructor']), { tags: [['constructor', 'x']] })).toBe('blocked')
  expect(code(blockTags(['constructor']), { tags: [['t', 'constructor']] })).toBeUndefined()
})

test('keys and addresses by list, in either case and form', () => {
  const pubkey = 'ab'.repeat(32)
  expect(code(allowPubkeys([pubkey.toUpperCase()]), { pubkey })).toBeUndefined()
  expect(code(allowPubkeys([pubkey]), { pubkey: 'cd'.repeat(32) })).toBe('restricted')
  expect(code(blockPubkeys([pubkey]), { pubkey })).toBe('blocked')
  for (const bad of ['', 'zz', 'ab', `${pubkey}00`]) expect(() => blockPubkeys([bad])).toThrow(TypeError)
  const at = (policy: Policy, address: string) => code(policy, {}, { id: 1, address })
  const block = blockAddresses(['10.0.0.0/8', '192.168.1.7', '2001:db8::/32'])
  expect(['10.255.0.1', '192.168.1.7', '2001:db8:1::5'].map((address) => at(block, address))).toEqual([
    'blocked',
    'blocked',
    'blocked',
  ])
  expect(['11.0.0.1', '192.168.1.8', '2001:db9::1', 'inside'].map((address) => at(block, address))).toEqual(
    Array(4).fill(undefined),
  )
  expect(at(allowAddresses(['127.0.0.1']), '127.0.0.1')).toBeUndefined()
  expect(at(allowAddresses(['127.0.0.1']), '127.0.0.2')).toBe('blocked')
  expect(at(allowAddresses(['127.0.0.1']), 'inside')).toBeUndefined()
  expect(at(blockAddresses(['0.0.0.0/0']), '9.9.9.9')).toBe('blocked')
  for (const bad of ['', 'localhost', '10.0.0.0/33', '10.0.0.0/x', '1.2.3.4/8/8', '::1/129', '10.0.0.0/'])
    expect(() => blockAddresses([bad])).toThrow(TypeError)
})

test('rates by connection, address and kind, each with the time to wait; other kinds are not counted', () => {
  const rate = { capacity: 1, perSecond: 2 }
  const perKind = rateLimit('kind', rate, [[1, 9]])
  expect(perKind.stage).toBe('kind')
  expect(perKind(made({ kind: 1 }), peer, 0n)).toBeUndefined()
  expect(perKind(made({ kind: 1 }), peer, 0n)).toMatchObject({ code: 'rate_limited', retryAfterMs: 500 })
  expect(perKind(made({ kind: 2 }), peer, 0n)).toBeUndefined()
  expect([1, 2, 3].map(() => code(perKind, { kind: 10 }))).toEqual([undefined, undefined, undefined])
  const perConnection = rateLimit('connection', rate)
  expect(perConnection(made(), { id: 1, address: 'a' }, 0n)).toBeUndefined()
  expect(perConnection(made(), { id: 2, address: 'a' }, 0n)).toBeUndefined()
  expect(perConnection(made(), { id: 2, address: 'a' }, 0n)?.code).toBe('rate_limited')
})

test(`buckets never hold more than their bound nor lose the one in use, whatever comes (seed ${SEED})`, () => {
  for (let round = 0; round < 50; round++) {
    const maxBuckets = 1 + Math.floor(random() * 40)
    const capacity = 1 + Math.floor(random() * 5)
    const buckets = new Buckets({ capacity, perSecond: 0.000_001, maxBuckets })
    // A plain model: keys in the order of their last use, and what is left in each.
    let model: { key: string; left: number }[] = []
    for (let step = 0; step < 400; step++) {
      const key = `k${Math.floor(random() * maxBuckets * 2)}`
      const left = model.find((each) => each.key === key)?.left ?? capacity
      model = [...model.filter((each) => each.key !== key), { key, left: Math.max(0, left - 1) }].slice(
        -maxBuckets,
      )
      expect(buckets.take(key, 0) === undefined).toBe(left > 0)
      expect(buckets.size).toBe(model.length)
    }
  }
})

test(`a bucket gives at most its capacity and its rate over any time (seed ${SEED})`, () => {
  for (let round = 0; round < 100; round++) {
    const [capacity, perSecond] = [1 + Math.floor(random() * 20), 0.5 + random() * 50]
    const buckets = new Buckets({ capacity, perSecond })
    let [now, taken] = [1_000_000, 0]
    const start = now
    for (let step = 0; step < 300; step++) {
      // A clock that steps back gives nothing.
      now += random() < 0.1 ? -random() * 1000 : random() * 100
      if (buckets.take('k', now) === undefined) taken++
    }
    const seconds = (now - start) / 1000
    // What a step back costs comes again when the clock goes on, at most once for each step.
    expect(taken).toBeLessThanOrEqual(capacity + Math.max(0, seconds + 30) * perSecond + 1)
  }
})

test('difficulty rises by a bit with each doubling of load, up to its bound, and falls again', () => {
  const [ask, count] = adaptiveWork({ bits: 4, maxBits: 7, eventsPerSecond: 10 })
  const at = (seconds: number) => BigInt(Math.round(seconds * 1e9)) + 10n ** 18n
  const asked = (seconds: number) => ask(made({ id: id('f') }), peer, at(seconds))?.detail
  expect([ask.stage, count.stage]).toEqual(['work', 'key'])
  expect(asked(0)).toBe('4 bits')
  expect(ask(made({ id: id('0') }), peer, at(0))).toBeUndefined()
  const load = (from: number, seconds: number, perSecond: number) => {
    for (let i = 0; i < seconds * perSecond; i++) count(made(), peer, at(from + i / perSecond))
  }
  load(0, 60, 9)
  expect(asked(60)).toBe('4 bits')
  load(60, 60, 35)
  expect(asked(120)).toBe('6 bits')
  expect(ask.info?.pow_difficulty).toBe(6)
  load(120, 60, 1000)
  expect(asked(180)).toBe('7 bits')
  expect(asked(400)).toBe('4 bits')
  // What is only claimed costs nothing to make, and makes nothing dearer.
  for (let i = 0; i < 100_000; i++) ask(made({ id: id('0000') }), peer, at(400))
  expect(asked(400)).toBe('4 bits')
  // A clock that steps back keeps nothing dear until it is where it was.
  load(400, 60, 1000)
  expect([asked(460), asked(460 - 3600), asked(560 - 3600)]).toEqual(['7 bits', '7 bits', '4 bits'])
  for (const bad of [
    { bits: 5, maxBits: 4, eventsPerSecond: 1 },
    { bits: -1, maxBits: 4, eventsPerSecond: 1 },
    { bits: 0, maxBits: 257, eventsPerSecond: 1 },
    { bits: 0, maxBits: 1, eventsPerSecond: 0 },
    { bits: 0, maxBits: 1, eventsPerSecond: Number.NaN },
  ])
    expect(() => adaptiveWork(bad)).toThrow(RangeError)
})

test('over a socket: what a relay asks for under load is in the refusal and in the info document', async () => {
  let now = BigInt(Date.now()) * 1_000_000n
  const policies = [...saneDefaults(), ...adaptiveWork({ bits: 0, maxBits: 30, eventsPerSecond: 0.05 })]
  const relay = await createRelay({ verifyWorkers: 1, policies, now: () => now })
  const author = createAuthor()
  const client = await RawPeer.connect(relay.port)
  const publish = () => client.ask(writeMessage({ type: 'publish', event: author.sign({ createdAt: now }) }))
  expect(relay.info.pow_difficulty).toBe(0)
  const codes = new Set<unknown>()
  for (let i = 0; i < 200 && !codes.has('pow_required'); i++) {
    now += 1_000_000n
    const answer = await publish()
    codes.add(answer.status ?? answer.code)
    if (answer.code === 'pow_required') expect(answer.detail).toMatch(/^\d+ bits$/)
  }
  expect([...codes]).toEqual(['stored', 'pow_required'])
  expect(relay.info.pow_difficulty).toBeGreaterThan(0)
  await relay.close()
})

test('over a socket: shape, list and rate policies answer with their codes', async () => {
  const author = createAuthor()
  const relay = await createRelay({
    verifyWorkers: 1,
    policies: [
      ...saneDefaults(),
      maxContent(3),
      blockTags(['x']),
      blockAddresses(['10.0.0.0/8']),
      rateLimit('kind', { capacity: 1, perSecond: 0.001 }, [[5000, 5000]]),
    ],
  })
  const client = await RawPeer.connect(relay.port)
  const say = async (fields: object) => {
    const answer = await client.ask(writeMessage({ type: 'publish', event: author.sign(fields) }))
    return answer.status ?? answer.code
  }
  expect(await say({ content: 'abcd' })).toBe('too_large')
  expect(await say({ tags: [['x']] })).toBe('blocked')
  expect(await say({ kind: 5000 })).toBe('stored')
  expect(await say({ kind: 5000 })).toBe('rate_limited')
  expect(await say({})).toBe('stored')
  await relay.close()
})
