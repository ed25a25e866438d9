import { type Event, REJECTS } from '@aetherkit/core'
import {
  allowKinds,
  blockKinds,
  blockPubkeys,
  openMemoryStore,
  proofOfWork,
  type RelayOptions,
  rateLimit,
  type Store,
  StoreError,
  saneDefaults,
} from '@aetherkit/relay'
import { describe, expect, test } from 'vitest'
import { RawPeer } from '../test/raw-peer.js'
import { createAuthor, publishing as publish } from '../test/signing.js'
import { startRelay } from '../test/start-relay.js'

const { sign } = createAuthor()
const subscribe = (filters: unknown, sub_id: unknown = 'a') => ({ type: 'subscribe', sub_id, filters })

const connect = async (options: RelayOptions = {}) => RawPeer.connect((await startRelay(options)).port)

describe('a message is refused with its code and kept text, and the connection lives', () => {
  const event = {
    event_id: 'a'.repeat(64),
    pubkey: 'b'.repeat(64),
    kind: 1,
    created_at: 1,
    sig: 'c'.repeat(128),
  }
  const bad = (fields: object) => ({ type: 'publish', event: { ...event, ...fields } })
  const cases: [name: string, message: string | object, code: string, error: string][] = [
    ['no JSON', '{', 'invalid_message', 'message must be object'],
    ['a byte order mark', '\ufeff{"type":"x"}', 'invalid_message', 'message must be object'],
    ['a list', '[]', 'invalid_message', 'message must be object'],
    ['a number', '1', 'invalid_message', 'message must be object'],
    ['no type', '{}', 'invalid_message', 'message type missing'],
    ['an unknown type', { type: 'x' }, 'invalid_message', 'unknown message type'],
    ['a message of the relay', { type: 'welcome' }, 'invalid_message', 'unknown message type'],
    [
      '100,000 levels',
      `{"type":"publish","event":${'['.repeat(100_000)}`,
      'invalid_message',
      'message must be object',
    ],
    ['33 levels', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`, 'invalid_message', 'message must be object'],
    ['no event', { type: 'publish' }, 'invalid_message', 'publish event must be mapping'],
    ['no sub_id', { type: 'subscribe', filters: [] }, 'invalid_message', 'subscribe requires sub_id'],
    ['an empty sub_id', subscribe([], ''), 'invalid_message', 'subscribe requires sub_id'],
    ['no sub_id to end', { type: 'unsubscribe' }, 'invalid_message', 'unsubscribe requires sub_id'],
    ['filters that are no list', subscribe({}), 'invalid_message', 'filters must be list'],
    [
      'auth with an event of another kind',
      { type: 'auth', event },
      'kind_unsupported',
      'kind out of supported range',
    ],
    ['noise that was not agreed on', { type: 'noise', payload_hex: '00' }, 'noise_error', 'noise expected'],
    ['a short pubkey', bad({ pubkey: 'ab' }), 'invalid_event', 'pubkey must be 32 bytes'],
    ['a kind that is no integer', bad({ kind: true }), 'invalid_event', 'kind must be int'],
    ['kinds that are no list', subscribe([{ kinds: 1 }]), 'invalid_filter', 'kinds must be a list'],
    [
      'a short prefix',
      subscribe([{ pubkey_prefixes: ['ab'] }]),
      'invalid_filter',
      'pubkey_prefix must be 16 bytes',
    ],
    ['tags that are a text', subscribe([{ tags: 'x' }]), 'invalid_filter', 'tags must be list or dict'],
    ['an unknown filter key', subscribe([{ search: 'x' }]), 'unsupported', 'unsupported'],
    ['33 filters', subscribe(Array(33).fill({})), 'limit_exceeded', 'limit exceeded'],
    ['1001 values', subscribe([{ kinds: Array(1001).fill(1) }]), 'limit_exceeded', 'limit exceeded'],
    ['a sub_id of 129 bytes', subscribe([], `${'é'.repeat(64)}x`), 'limit_exceeded', 'limit exceeded'],
    ['version 0', { type: 'hello', version: 0, formats: ['json'] }, 'unsupported', 'unsupported'],
    ['an unknown format', { type: 'hello', version: 1, formats: ['xml'] }, 'unsupported', 'unsupported'],
    [
      'noise without a key',
      { type: 'hello', version: 1, formats: ['json'], noise: { required: true } },
      'noise_error',
      'noise pubkey required',
    ],
  ]
  test.each(cases)('%s', async (_name, message, code, error) => {
    const peer = await connect()
    expect(await peer.ask(message)).toMatchObject({ type: 'error', code, error })
    expect((await peer.ask(subscribe([{}]))).type).toBe('subscribed')
  })

  test('a message about a subscription or an event names it', async () => {
    const peer = await connect()
    expect(await peer.ask(subscribe([{ x: 1 }], 'mine'))).toMatchObject({
      code: 'unsupported',
      sub_id: 'mine',
    })
    expect(await peer.ask(bad({ kind: 'x' }))).toMatchObject({
      code: 'invalid_event',
      event_id: event.event_id,
    })
  })

  test('prototype names are members like any other', async () => {
    const peer = await connect()
    expect(
      (await peer.ask('{"type":"subscribe","sub_id":"__proto__","filters":[{"__proto__":1}]}')).code,
    ).toBe('unsupported')
    expect((await peer.ask('{"type":"subscribe","sub_id":"__proto__","filters":[{}]}')).sub_id).toBe(
      '__proto__',
    )
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  test('a second hello in clear', async () => {
    const peer = await connect()
    const hello = { type: 'hello', version: 1, formats: ['json'] }
    expect((await peer.ask(hello)).type).toBe('welcome')
    expect((await peer.ask(hello)).code).toBe('invalid_message')
    expect((await peer.ask(publish(sign()))).status).toBe('stored')
  })

  test('subscription 257', async () => {
    const peer = await connect()
    for (let i = 0; i < 256; i++) expect((await peer.ask(subscribe([{}], `${i}`))).type).toBe('subscribed')
    expect(await peer.ask(subscribe([{}], '256'))).toMatchObject({ code: 'limit_exceeded', sub_id: '256' })
    expect((await peer.ask(subscribe([{ kinds: [1] }], '0'))).type).toBe('subscribed')
  })
})

describe('an event is refused with its code and kept text', () => {
  const now = 1_700_000_000_000_000_000n
  const cases: [code: keyof typeof REJECTS, event: () => Event, options?: RelayOptions][] = [
    ['too_large', () => sign({ content: 'x'.repeat(512 * 1024) })],
    ['too_large', () => sign({ content: '\u0001'.repeat(100_000) })],
    ['tag_limits', () => sign({ tags: [['t', 'x'.repeat(1025)]] })],
    ['kind_out_of_range', () => ({ ...sign(), kind: 40_000 })],
    ['kind_unsupported', () => sign({ kind: 2 }), { policies: [allowKinds([1])] }],
    ['kind_unsupported', () => sign({ kind: 2 }), { policies: [blockKinds([2])] }],
    ['created_at_out_of_window', () => sign({ createdAt: now + 60_000_000_001n }), { now: () => now }],
    [
      'created_at_out_of_window',
      () => sign({ kind: 20000, createdAt: now - 60_000_000_001n }),
      { now: () => now },
    ],
    ['expired', () => sign({ createdAt: now, tags: [['expiration', '1700000000']] }), { now: () => now }],
    ['pow_required', () => sign(), { policies: [proofOfWork(200)] }],
    ['id_mismatch', () => ({ ...sign(), kind: 2 })],
    ['invalid_signature', () => ({ ...sign(), sig: 'ab'.repeat(64) })],
    ['blocked', () => sign(), { policies: [blockPubkeys([sign().pubkey.toUpperCase()])] }],
  ]
  test.each(cases)('%s', async (code, event, options) => {
    const peer = await connect(options)
    const refused = event()
    expect(await peer.ask(publish(refused))).toMatchObject({
      type: 'error',
      code,
      error: REJECTS[code].error,
      event_id: refused.id,
    })
  })

  test('cheap checks come first: nothing but the kind is judged when all is wrong', async () => {
    const policies = [...saneDefaults(), proofOfWork(200), blockPubkeys([sign().pubkey])]
    const peer = await connect({ policies, now: () => now })
    const wrong = { id: 'f'.repeat(64), sig: 'f'.repeat(128) }
    expect((await peer.ask(publish({ ...sign(), ...wrong, kind: 50_000 }))).code).toBe('kind_out_of_range')
    expect((await peer.ask(publish({ ...sign(), ...wrong, createdAt: 2n ** 62n }))).code).toBe(
      'created_at_out_of_window',
    )
    expect((await peer.ask(publish({ ...sign({ createdAt: now }), ...wrong }))).code).toBe('pow_required')
  })

  test('rate_limited says how long to wait, and counts only events whose key is proven', async () => {
    const peer = await connect({
      policies: [rateLimit('pubkey', { capacity: 2, perSecond: 0.5 })],
      now: () => now,
    })
    for (let i = 0; i < 5; i++) await peer.ask(publish({ ...sign(), sig: '00'.repeat(64) }))
    expect((await peer.ask(publish(sign()))).status).toBe('stored')
    expect((await peer.ask(publish(sign()))).status).toBe('stored')
    expect(await peer.ask(publish(sign()))).toMatchObject({
      code: 'rate_limited',
      error: 'rate limit exceeded',
      retry_after_ms: 2000,
    })
  })

  test('rate_limited per connection counts everything offered', async () => {
    const policies = [
      rateLimit('connection', { capacity: 2, perSecond: 1 }),
      rateLimit('ip', { capacity: 3, perSecond: 1 }),
    ]
    const relay = await startRelay({ policies, now: () => now })
    const [one, two] = [await RawPeer.connect(relay.port), await RawPeer.connect(relay.port)]
    for (let i = 0; i < 2; i++)
      expect((await one.ask(publish({ ...sign(), kind: 2 }))).code).toBe('id_mismatch')
    expect((await one.ask(publish(sign()))).code).toBe('rate_limited')
    expect((await two.ask(publish(sign()))).status).toBe('stored')
    expect((await two.ask(publish(sign()))).code).toBe('rate_limited')
  })
})

describe('a store that fails', () => {
  function failing(code: 'storage_full' | 'unavailable', fails: { now: boolean }): Store {
    const store = openMemoryStore()
    return {
      ...store,
      get lastSeq() {
        return store.lastSeq
      },
      put: (batch) => (fails.now ? Promise.reject(new StoreError(code, 'disk')) : store.put(batch)),
    }
  }
  test.each(['storage_full', 'unavailable'] as const)(
    '%s reaches the publisher, ephemeral events go on',
    async (code) => {
      const fails = { now: true }
      const peer = await connect({ store: failing(code, fails) })
      await peer.ask(subscribe([{}]))
      const event = sign()
      expect(await peer.ask(publish(event))).toMatchObject({
        code,
        error: REJECTS[code].error,
        retry_after_ms: 1000,
      })
      expect((await peer.ask(publish(sign({ kind: 20001 })))).status).toBe('forwarded')
      expect((await peer.hearJson()).event).toMatchObject({ kind: 20001 })
      fails.now = false
      expect((await peer.ask(publish(event))).status).toBe('stored')
    },
  )
})

test('a policy that throws and a store that cannot be read cost one answer, not the relay', async () => {
  const faults: unknown[] = []
  const store = openMemoryStore()
  let broken = true
  const fail = () => {
    throw new StoreError('unavailable', 'SECRET path')
  }
  const peer = await connect({
    store: {
      ...store,
      has: (id) => (broken ? fail() : store.has(id)),
      query: (filter, page) => (broken ? fail() : store.query(filter, page)),
    },
    policies: [
      (event) => {
        if (event.kind === 7) throw new Error('SECRET')
        return undefined
      },
    ],
    onEvent: (event) => event.type === 'fault' && faults.push(event.error),
  })
  expect(await peer.ask(publish(sign()))).toMatchObject({ code: 'unavailable', retry_after_ms: 1000 })
  peer.say(subscribe([{ limit: 1 }]))
  expect((await peer.hearJson()).type).toBe('subscribed')
  expect(await peer.hearJson()).toEqual({
    type: 'closed',
    sub_id: 'a',
    code: 'unavailable',
    error: 'temporarily unavailable',
  })
  broken = false
  const answer = await peer.ask(publish(sign({ kind: 7 })))
  expect(answer).toMatchObject({ code: 'internal', error: 'internal error' })
  expect(JSON.stringify({ ...answer })).not.toContain('SECRET')
  expect((await peer.ask(publish(sign()))).status).toBe('stored')
  expect(faults).toHaveLength(3)
})
