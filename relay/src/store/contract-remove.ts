/** Store contract: removal by age, count, size, expiration and id (spec 2.4, 2.6), deletion by the author, usage. */
import assert from 'node:assert/strict'
import { canonicalSize } from '@aetherkit/core'
import { ALICE, BOB, type Case, event, idOf, named, names, numbered, statuses } from './contract-case.js'
import { firstSeqFor, newestFirst, type Store } from './store.js'

const REPLACEABLE = 10_002
const PARAMETERIZED = 30_001
const SECOND = 1_000_000_000n
const ALL = { limit: 1000 }
const ANY = 1000

const at = (id: string, createdAt: bigint, kind = 1) => event(id, { createdAt, kind })
const left = (store: Store) => names(store.query({}, ALL))

export const removeCases: Readonly<Record<string, Case>> = {
  async 'a removal by age takes what was created before, and only of its kinds'(store) {
    const batch = [at('01', 1n), at('02', 2n), at('03', 3n), at('04', 1n, 2), at('05', 1n, 0)]
    await store.put(numbered(1, ...batch))
    const removed = await store.remove({ kinds: [1, 1], createdBefore: 3n }, ANY)
    assert.deepEqual(removed, { events: 2, bytes: 2 * canonicalSize(batch[0]!) })
    assert.deepEqual(left(store), ['03', '04', '05'])
    assert.deepEqual(await store.remove({ kinds: [0, 9], createdBefore: 0n }, ANY), { events: 0, bytes: 0 })
    assert.equal((await store.remove({ kinds: [0, 9], createdBefore: 2n ** 64n - 1n }, ANY)).events, 3)
  },

  async 'what was removed is gone everywhere, and can be stored again'(store) {
    const tags = [['t', 'x']] as const
    await store.put(numbered(1, event('01', { tags }), event('02', { kind: REPLACEABLE, tags })))
    await store.remove({ kinds: [0, 39_999], maxEvents: 0 }, ANY)
    assert.equal(store.has(idOf('01')), false)
    assert.equal(store.get(idOf('02')), undefined)
    const filters = [{}, { ids: [idOf('01')] }, { authors: [ALICE] }, { kinds: [1] }, { pairs: tags }]
    for (const filter of filters) assert.deepEqual(store.query(filter, ALL), [], JSON.stringify(filter))
    assert.deepEqual(store.since(0n, 10), [])
    const again = numbered(3, event('01', { tags }), event('03', { kind: REPLACEABLE, createdAt: 1n }))
    assert.deepEqual(await statuses(store, again), ['stored', 'stored'])
    assert.deepEqual(left(store), ['01', '03'])
  },

  async 'a removal by count leaves the newest, on a tie of times the lower ids'(store) {
    const ids = ['11', '12', '13', '14', '15']
    await store.put(numbered(1, ...ids.map((id) => at(id, 7n)), at('01', 8n, 3), at('02', 1n, 2)))
    assert.equal((await store.remove({ kinds: [1, 3], maxEvents: 4 }, ANY)).events, 3)
    assert.deepEqual(left(store), ['01', '11', '12', '13'])
    assert.equal((await store.remove({ kinds: [1, 3], maxEvents: 4 }, ANY)).events, 0)
    const close = [...'f3a01'].map((digit) => `${'7'.repeat(63)}${digit}`)
    await store.put(numbered(20, ...close.map((id) => event(id, { kind: 4 }))))
    await store.remove({ kinds: [4, 4], maxEvents: 2 }, ANY)
    assert.deepEqual(
      store.query({ kinds: [4] }, ALL).map(({ event }) => event.id.at(-1)),
      ['0', '1'],
    )
  },

  async 'a removal by size leaves no more bytes than it says'(store) {
    const sized = (id: string, createdAt: bigint, length: number) =>
      event(id, { createdAt, content: new Uint8Array(length) })
    const batch = [sized('01', 1n, 10), sized('02', 2n, 2000), sized('03', 3n, 30), sized('04', 4n, 40)]
    await store.put(numbered(1, ...batch))
    const bytes = canonicalSize(batch[2]!) + canonicalSize(batch[3]!)
    await store.remove({ kinds: [0, 39_999], maxBytes: bytes + 1 }, ANY)
    assert.deepEqual(left(store), ['04', '03'])
    await store.remove({ kinds: [0, 39_999], maxBytes: bytes - 1 }, ANY)
    assert.deepEqual(left(store), ['04'])
  },

  async 'a removal takes no more than its limit and goes on where it was'(store) {
    await store.put(numbered(1, ...Array.from({ length: 25 }, (_, i) => at(`${i + 10}f`, BigInt(i)))))
    const counts: number[] = []
    for (let events = 10; events === 10; counts.push(events))
      events = (await store.remove({ kinds: [1, 1], maxEvents: 2 }, 10)).events
    assert.deepEqual(counts, [10, 10, 3])
    assert.deepEqual(left(store), ['34f', '33f'])
    assert.equal((await store.remove({ kinds: [1, 1], maxEvents: 0 }, 0)).events, 0)
  },

  async 'what is over goes, with the unit of its expiration told by magnitude'(store) {
    const until = (id: string, value: string) => event(id, { tags: [['expiration', value]] })
    const values = ['100', '101', '1000000000000', '1000000000000001', 'soon', `${2n ** 64n - 1n}`]
    await store.put(numbered(1, ...values.map((value, i) => until(`0${i + 1}`, value))))
    assert.equal((await store.remove({ expiredBy: 100n * SECOND - 1n }, ANY)).events, 0)
    assert.equal((await store.remove({ expiredBy: 100n * SECOND }, ANY)).events, 1)
    assert.equal((await store.remove({ expiredBy: 1_000_000_000_000n * 1_000_000n }, ANY)).events, 3)
    assert.deepEqual(left(store), ['05', '06'])
    assert.equal(store.firstSeq, 0n)
  },

  async 'events are taken by id, and ids that are not there are nothing'(store) {
    await store.put(numbered(1, event('01'), event('02'), event('03')))
    const ids = ['02', '02', '09', '01'].map(idOf)
    assert.equal((await store.remove({ ids }, ANY)).events, 2)
    assert.deepEqual(left(store), ['03'])
    assert.equal(store.firstSeq, 0n)
  },

  async 'only age, count and size raise the first seq, above what they took'(store) {
    await store.put(numbered(5, at('01', 1n), at('02', 9n), at('03', 2n), at('04', 8n)))
    assert.equal(store.firstSeq, 0n)
    await store.remove({ kinds: [1, 1], createdBefore: 2n }, ANY)
    assert.equal(store.firstSeq, 6n)
    await store.remove({ kinds: [1, 1], maxEvents: 2 }, ANY)
    assert.equal(store.firstSeq, 8n)
    await store.remove({ kinds: [1, 1], maxEvents: 2 }, ANY)
    assert.equal(store.firstSeq, 8n)
    assert.deepEqual(names(store.since(store.firstSeq - 1n, 10)), ['04'])
  },

  async 'a removal raises the first seq of the kinds that it took of, and of no other'(store) {
    await store.put(numbered(5, at('01', 1n, 1), at('02', 2n, 2), at('03', 3n, 3), at('04', 4n, 2)))
    await store.remove({ kinds: [1, 3], maxEvents: 2 }, ANY)
    const first = (...kinds: number[]) => firstSeqFor(store, kinds)
    assert.equal(store.firstSeq, 7n)
    if (store.firstSeqOf === undefined) return
    assert.deepEqual([first(1), first(2), first(3), first(4), first()], [6n, 7n, 0n, 0n, 0n])
    assert.deepEqual([first(3, 1), first(1, 2)], [6n, 7n])
    await store.remove({ ids: [idOf('03')] }, ANY)
    await store.remove({ kinds: [2, 2], createdBefore: 9n }, ANY)
    assert.deepEqual([first(1), first(2), first(3)], [6n, 9n, 0n])
  },

  async 'usage is what is stored of each kind'(store) {
    const batch = [at('01', 1n), at('02', 2n, REPLACEABLE), at('03', 3n), at('04', 3n, REPLACEABLE)]
    await store.put(numbered(1, ...batch))
    await store.remove({ ids: [] }, ANY)
    const size = canonicalSize(batch[0]!)
    assert.deepEqual(store.usage(), [
      { kind: 1, events: 2, bytes: 2 * size },
      { kind: REPLACEABLE, events: 1, bytes: size },
    ])
    await store.remove({ kinds: [1, 1], maxEvents: 0 }, ANY)
    assert.deepEqual(store.usage(), [{ kind: REPLACEABLE, events: 1, bytes: size }])
  },

  async 'a deletion takes the events of its author that it names, and they cannot come back'(store) {
    await store.put(numbered(1, event('01'), event('02', { pubkey: BOB }), event('03')))
    const named = [['e', idOf('01')], ['e', idOf('02'), 'x'], ['e'], ['e', '01'], ['p', idOf('03')]] as const
    assert.deepEqual(await statuses(store, numbered(4, event('0d', { kind: 5, tags: named }))), ['stored'])
    assert.deepEqual(left(store), ['02', '03', '0d'])
    const again = [event('01'), event('02', { pubkey: BOB }), event('0d', { kind: 5, tags: named })]
    assert.deepEqual(await statuses(store, numbered(5, ...again)), ['deleted', 'duplicate', 'duplicate'])
    assert.deepEqual(left(store), ['02', '03', '0d'])
    assert.equal(store.firstSeq, 0n)
  },

  async 'a deletion that came first keeps away what it names'(store) {
    const deletion = event('0d', { kind: 5, tags: [['e', idOf('01')]] })
    assert.deepEqual(await statuses(store, numbered(1, deletion, event('01'))), ['stored', 'deleted'])
    assert.deepEqual(await statuses(store, numbered(3, event('01', { pubkey: BOB }))), ['stored'])
  },

  async 'within a batch a deletion takes what stands before it'(store) {
    const deletion = event('0d', { kind: 5, tags: [['e', idOf('01')]] })
    const batch = numbered(1, event('01'), deletion, event('01'))
    assert.deepEqual(await statuses(store, batch), ['stored', 'stored', 'deleted'])
    assert.deepEqual(left(store), ['0d'])
  },

  async 'a deletion cannot be deleted'(store) {
    await store.put(numbered(1, event('0d', { kind: 5, tags: [['e', idOf('01')]] })))
    const second = event('0e', { kind: 5, tags: [['e', idOf('0d')]] })
    assert.deepEqual(await statuses(store, numbered(2, second, event('01'))), ['stored', 'deleted'])
    assert.deepEqual(left(store), ['0d', '0e'])
  },

  async 'a deletion by address takes the versions up to its own time'(store) {
    const version = (id: string, createdAt: bigint, d: string) =>
      event(id, { kind: PARAMETERIZED, createdAt, tags: [['d', d]] })
    await store.put(numbered(1, version('01', 1n, 'a:b'), version('02', 9n, 'y'), version('03', 1n, 'z')))
    await store.put(numbered(4, event('04', { kind: REPLACEABLE, createdAt: 1n })))
    const addresses = [
      `${PARAMETERIZED}:${ALICE}:a:b`,
      `${PARAMETERIZED}:${ALICE}:y`,
      `${REPLACEABLE}:${ALICE}:`,
    ]
    const tags = addresses.map((address) => ['a', address] as const)
    await store.put(numbered(5, event('0d', { kind: 5, createdAt: 5n, tags })))
    assert.deepEqual(left(store), ['02', '0d', '03'])
    const late = [
      version('05', 5n, 'a:b'),
      version('06', 6n, 'a:b'),
      event('04', { kind: REPLACEABLE, createdAt: 1n }),
    ]
    assert.deepEqual(await statuses(store, numbered(6, ...late)), ['deleted', 'stored', 'deleted'])
  },

  async 'when a winner is deleted, an older version may take its place'(store) {
    await store.put(numbered(1, at('01', 1n, REPLACEABLE)))
    const deletion = event('0d', { kind: 5, tags: [['e', idOf('02')]] })
    const batch = numbered(2, at('02', 2n, REPLACEABLE), deletion, at('01', 1n, REPLACEABLE))
    assert.deepEqual(await statuses(store, batch), ['stored', 'stored', 'stored'])
    assert.deepEqual(left(store), ['0d', '01'])
  },

  async 'deletions are kept by removals that do not name their kind alone'(store) {
    const deletion = event('0d', { kind: 5, tags: [['e', idOf('01')]] })
    await store.put(numbered(1, deletion, at('02', 1n)))
    assert.equal((await store.remove({ kinds: [0, 999], maxEvents: 0 }, ANY)).events, 1)
    assert.deepEqual(await statuses(store, numbered(3, event('01'))), ['deleted'])
    assert.equal((await store.remove({ kinds: [5, 5], maxEvents: 0 }, ANY)).events, 1)
    assert.deepEqual(await statuses(store, numbered(4, event('01'))), ['stored'])
  },
}

export const removeReopenCases: Readonly<Record<string, Case>> = {
  async 'what was removed and deleted stays away after closing and opening'(store, reopen) {
    await store.put(numbered(1, at('01', 1n), at('02', 2n), at('03', 3n), at('04', 4n, REPLACEABLE)))
    await store.remove({ kinds: [1, 1], createdBefore: 2n }, ANY)
    await store.put(numbered(5, event('0d', { kind: 5, createdAt: 9n, tags: [['e', idOf('03')]] })))
    const { firstSeq } = store
    const ofOthers = store.firstSeqOf?.([2])
    const again = await reopen()
    assert.deepEqual(left(again), ['0d', '04', '02'])
    assert.equal(again.firstSeq, firstSeq)
    assert.equal(again.firstSeqOf?.([1]), store.firstSeqOf && firstSeq)
    assert.equal(again.firstSeqOf?.([2]), ofOthers)
    assert.deepEqual(await statuses(again, numbered(again.lastSeq + 1n, at('03', 3n))), ['deleted'])
  },
}

const THOUSANDS = 3000

export const manyKindsCases: Readonly<Record<string, Case>> = {
  async 'a removal over thousands of kinds takes the same as over one'(store) {
    const kindOf = (i: number) => 1000 + ((i * 7) % THOUSANDS)
    const events = Array.from({ length: THOUSANDS + 500 }, (_, i) =>
      event(`${(i + 0x1000).toString(16)}f`, { kind: kindOf(i), createdAt: BigInt(1 + ((i * 31) % 1000)) }),
    )
    await store.put(numbered(1, ...events))
    const expected = [...events].sort(newestFirst).slice(0, 700)
    for (let events = 400; events === 400; )
      events = (await store.remove({ kinds: [1000, 39_999], maxEvents: 700 }, 400)).events
    assert.deepEqual(
      store.query({}, ALL).map(({ event }) => event.id),
      expected.map(({ id }) => id),
    )
    const [oldest] = expected.slice(-1)
    await store.put(numbered(9000, event('0f', { kind: kindOf(1), createdAt: 1n })))
    assert.equal((await store.remove({ kinds: [1000, 39_999], createdBefore: 2n }, ANY)).events, 1)
    assert.equal(
      (await store.remove({ kinds: [1000, 39_999], createdBefore: oldest!.createdAt }, ANY)).events,
      0,
    )
  },
}

export const backupCases: Readonly<Record<string, Case>> = {
  async 'a backup is a store with a new epoch that has the same'(store, reopen, path) {
    assert.ok(store.backup, 'a durable store can be backed up')
    const events = Array.from({ length: 30 }, (_, i) => named({ createdAt: BigInt(i), kind: i % 10 }))
    await store.put(numbered(1, ...events))
    await store.remove({ kinds: [9, 9], maxEvents: 0 }, ANY)
    await store.remove({ ids: [events[0]!.id] }, ANY)
    const copied = await store.backup(`${path}-copy`)
    assert.equal(copied.events, 26)
    await assert.rejects(store.backup(`${path}-copy`), { name: 'StoreError', code: 'not_writable' })
    const [stored, { epoch }] = [store.since(0n, 100), store]
    const copy = await reopen(`${path}-copy`)
    assert.deepEqual(
      copy.since(0n, 100).map(({ seq, event }) => [seq, event.id]),
      stored.map(({ seq, event }) => [seq, event.id]),
    )
    assert.notEqual(copy.epoch, epoch)
    assert.ok(copy.lastSeq >= stored.at(-1)!.seq)
  },
}
