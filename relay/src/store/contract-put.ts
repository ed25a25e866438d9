/** Store contract: what becomes of an event (spec 2.2, 2.3), and sequence numbers (spec 7.4). */
import assert from 'node:assert/strict'
import { BOB, type Case, event, idOf, names, numbered, statuses } from './contract-case.js'
import { StoreError } from './store.js'

const REPLACEABLE = 10_002
const PARAMETERIZED = 30_001
const U64_MAX = 2n ** 64n - 1n
const ALL = { limit: 1000 }

export const putCases: Readonly<Record<string, Case>> = {
  async 'a new event is stored and comes back as it was'(store) {
    const [stored] = numbered(
      7,
      event('01', {
        createdAt: U64_MAX,
        kind: 999,
        tags: [['t', 'ä', '', '\u{1f600}\0'], ['d'], ['__proto__', 'x'.repeat(1024)]],
        content: Uint8Array.of(0, 255, 0xc0, 128),
      }),
    )
    assert.deepEqual(await statuses(store, [stored!]), ['stored'])
    assert.equal(store.has(idOf('01')), true)
    assert.deepEqual(plain(store.get(idOf('01'))), plain(stored))
    assert.deepEqual(plain(store.query({}, ALL)[0]), plain(stored))
    assert.deepEqual(plain(store.since(0n, 10)[0]), plain(stored))
  },

  async 'an unknown id is not there'(store) {
    await store.put(numbered(1, event('01')))
    assert.equal(store.has(idOf('02')), false)
    assert.equal(store.get(idOf('02')), undefined)
  },

  async 'the largest event comes back as it was'(store) {
    const tags = Array.from({ length: 2000 }, (_, i) => ['t', `value ${i}`] as const)
    const [stored] = numbered(1, event('01', { tags, content: new Uint8Array(480_000).fill(7) }))
    assert.deepEqual(await statuses(store, [stored!]), ['stored'])
    assert.deepEqual(plain(store.get(idOf('01'))), plain(stored))
    assert.deepEqual(names(store.query({ pairs: [['t', 'value 1999']] }, ALL)), ['01'])
  },

  async 'an empty batch has no outcomes'(store) {
    assert.deepEqual(await statuses(store, []), [])
  },

  async 'a known id is a duplicate and keeps its seq'(store) {
    await store.put(numbered(1, event('01')))
    assert.deepEqual(await statuses(store, numbered(2, event('01'), event('02'))), ['duplicate', 'stored'])
    assert.equal(store.get(idOf('01'))?.seq, 1n)
    assert.deepEqual(names(store.since(0n, 10)), ['01', '02'])
  },

  async 'the second of two equal events in a batch is a duplicate'(store) {
    assert.deepEqual(await statuses(store, numbered(1, event('01'), event('01'))), ['stored', 'duplicate'])
    assert.equal(store.get(idOf('01'))?.seq, 1n)
  },

  async 'immutable and regular kinds keep every version'(store) {
    const batch = [0, 0, 3, 3, 999, 1000, 9999].map((kind, i) => event(`0${i + 1}`, { kind }))
    assert.deepEqual(new Set(await statuses(store, numbered(1, ...batch))), new Set(['stored']))
    assert.equal(store.query({}, ALL).length, batch.length)
  },

  async 'a later replaceable event removes the earlier one everywhere'(store) {
    const tags = [['t', 'x']] as const
    await store.put(numbered(1, event('01', { kind: REPLACEABLE, tags })))
    const later = event('02', { kind: REPLACEABLE, createdAt: 1001n, tags })
    assert.deepEqual(await statuses(store, numbered(2, later)), ['stored'])
    assert.equal(store.has(idOf('01')), false)
    assert.equal(store.get(idOf('01')), undefined)
    for (const filter of [
      {},
      { ids: [idOf('01'), idOf('02')] },
      { authors: [later.pubkey] },
      { kinds: [REPLACEABLE] },
      { authors: [later.pubkey], kinds: [REPLACEABLE] },
      { pairs: [['t', 'x']] as const },
    ])
      assert.deepEqual(names(store.query(filter, ALL)), ['02'], JSON.stringify(filter))
    assert.deepEqual(names(store.since(0n, 10)), ['02'])
  },

  async 'an earlier replaceable event is superseded, also when it comes again'(store) {
    await store.put(numbered(1, event('01', { kind: REPLACEABLE })))
    await store.put(numbered(2, event('02', { kind: REPLACEABLE, createdAt: 1001n })))
    const late = [event('03', { kind: REPLACEABLE, createdAt: 999n }), event('01', { kind: REPLACEABLE })]
    assert.deepEqual(await statuses(store, numbered(3, ...late)), ['superseded', 'superseded'])
    assert.deepEqual(names(store.query({}, ALL)), ['02'])
    assert.equal(store.has(idOf('03')), false)
  },

  async 'on a tie of times the lower id wins, whatever comes first'(store) {
    const low = event('01', { kind: REPLACEABLE })
    const high = event('02', { kind: REPLACEABLE })
    assert.deepEqual(await statuses(store, numbered(1, high)), ['stored'])
    assert.deepEqual(await statuses(store, numbered(2, low)), ['stored'])
    assert.deepEqual(await statuses(store, numbered(3, high)), ['superseded'])
    const [lowOfBob, highOfBob] = [
      event('03', { ...low, pubkey: BOB }),
      event('04', { ...high, pubkey: BOB }),
    ]
    assert.deepEqual(await statuses(store, numbered(4, { ...lowOfBob, id: idOf('03') })), ['stored'])
    assert.deepEqual(await statuses(store, numbered(5, { ...highOfBob, id: idOf('04') })), ['superseded'])
    assert.deepEqual(names(store.query({}, ALL)), ['01', '03'])
  },

  async 'a batch is decided as if its events came one by one'(store) {
    const at = (id: string, createdAt: bigint) => event(id, { kind: REPLACEABLE, createdAt })
    await store.put(numbered(1, at('01', 1n)))
    const batch = numbered(
      2,
      at('03', 3n),
      at('02', 2n),
      at('01', 1n),
      at('05', 5n),
      at('03', 3n),
      at('05', 5n),
    )
    assert.deepEqual(await statuses(store, batch), [
      'stored',
      'superseded',
      'superseded',
      'stored',
      'superseded',
      'duplicate',
    ])
    assert.deepEqual(names(store.query({}, ALL)), ['05'])
    assert.deepEqual(names(store.since(0n, 10)), ['05'])
    assert.equal(store.has(idOf('01')), false)
    assert.equal(store.has(idOf('03')), false)
  },

  async 'a parameterized event is replaced by author, kind and the first d that has a value'(store) {
    const of = (id: string, ...tags: [string, ...string[]][]) => event(id, { kind: PARAMETERIZED, tags })
    const first = [
      of('11', ['d', 'x']),
      of('12', ['d', 'y']),
      of('13'),
      of('14', ['d', 'x:y'], ['d', 'z']),
      event('15', { kind: PARAMETERIZED + 1, tags: [['d', 'x']] }),
      event('16', { kind: PARAMETERIZED, tags: [['d', 'x']], pubkey: BOB }),
    ]
    assert.deepEqual(new Set(await statuses(store, numbered(1, ...first))), new Set(['stored']))
    const second = [of('01', ['d'], ['d', 'x']), of('03', ['d', '']), of('04', ['d', 'x:y', 'other'])]
    assert.deepEqual(new Set(await statuses(store, numbered(7, ...second))), new Set(['stored']))
    assert.deepEqual(names(store.since(0n, 10)), ['12', '15', '16', '01', '03', '04'])
  },

  async 'puts that overlap are carried out one after the other'(store) {
    const at = (id: string, createdAt: bigint) => event(id, { kind: REPLACEABLE, createdAt })
    const puts = [at('02', 2n), at('03', 3n), at('02', 2n), at('03', 3n)].map((event, i) =>
      statuses(store, numbered(1 + i, event)),
    )
    assert.deepEqual(await Promise.all(puts), [['stored'], ['stored'], ['superseded'], ['duplicate']])
    assert.deepEqual(names(store.query({}, ALL)), ['03'])
  },

  async 'reserved and stored seqs are never handed out again'(store) {
    const before = store.lastSeq
    store.reserve(before + 1n)
    store.reserve(before + 5n)
    assert.ok(store.lastSeq >= before + 5n)
    const far = store.lastSeq + 10_000_000n
    await store.put([{ seq: far, event: event('01') }])
    assert.ok(store.lastSeq >= far)
    store.reserve(1n)
    assert.ok(store.lastSeq >= far)
    assert.equal(store.firstSeq, 0n)
  },

  async 'seqs can be reserved while a put is under way'(store) {
    const batch = Array.from({ length: 500 }, (_, i) => event(`${i + 1000}f`))
    const put = statuses(store, numbered(1, ...batch))
    const seq = store.lastSeq + 100_000_000n
    store.reserve(seq)
    assert.ok(store.lastSeq >= seq)
    assert.deepEqual(new Set(await put), new Set(['stored']))
    assert.ok(store.lastSeq >= seq)
    assert.equal(store.query({}, ALL).length, batch.length)
  },

  async 'the epoch is 16 characters of a to z and 0 to 9'(store) {
    assert.match(store.epoch, /^[a-z0-9]{16}$/)
  },

  async 'a closed store refuses everything but to be closed'(store) {
    await store.put(numbered(1, event('01')))
    await store.close()
    const unavailable = (error: unknown) => error instanceof StoreError && error.code === 'unavailable'
    await assert.rejects(store.put(numbered(2, event('02'))), unavailable)
    for (const call of [
      () => store.has(idOf('01')),
      () => store.get(idOf('01')),
      () => store.query({}, ALL),
      () => store.since(0n, 1),
      () => store.reserve(1n),
    ])
      assert.throws(call, unavailable)
    await store.close()
  },
}

/** Content as a plain list, so that a Buffer and a Uint8Array are equal. */
function plain(stored: { seq: bigint; event: { content: Uint8Array } } | undefined) {
  return stored && { seq: stored.seq, event: { ...stored.event, content: [...stored.event.content] } }
}
