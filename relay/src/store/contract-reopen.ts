/** Store contract: what is left when a durable store is opened again (spec 2.4, 7.4). */
import assert from 'node:assert/strict'
import { type Case, event, idOf, names, numbered, statuses } from './contract-case.js'

const REPLACEABLE = 10_002
const ALL = { limit: 1000 }

export const reopenCases: Readonly<Record<string, Case>> = {
  async 'events are there after closing and opening'(store, reopen) {
    const tags = [['t', 'x']] as const
    await store.put(
      numbered(1, event('01', { tags }), event('02', { kind: REPLACEABLE, createdAt: 2n ** 64n - 1n })),
    )
    const again = await reopen()
    assert.deepEqual(names(again.query({}, ALL)), ['02', '01'])
    assert.deepEqual(names(again.query({ pairs: [['t', 'x']] }, ALL)), ['01'])
    assert.equal(again.get(idOf('02'))?.seq, 2n)
    const late = [event('01', { tags }), event('03', { kind: REPLACEABLE })]
    assert.deepEqual(await statuses(again, numbered(again.lastSeq + 1n, ...late)), [
      'duplicate',
      'superseded',
    ])
  },

  async 'the epoch stays and the seqs go on above all that were reserved or stored'(store, reopen) {
    const { epoch } = store
    await store.put(numbered(1_000, event('01')))
    store.reserve(5_000_000n)
    const again = await reopen()
    assert.equal(again.epoch, epoch)
    assert.ok(again.lastSeq >= 5_000_000n)
  },

  async 'what was replaced stays away when the same batch deletes what replaced it'(store, reopen) {
    const older = event('01', { kind: REPLACEABLE })
    await store.put(numbered(1, older))
    const newer = event('02', { kind: REPLACEABLE, createdAt: 1001n })
    const deletion = event('03', { kind: 5, createdAt: 1002n, tags: [['e', newer.id]] })
    assert.deepEqual(await statuses(store, numbered(2, newer, deletion)), ['stored', 'stored'])
    // A removal lets stores that index behind catch up.
    await store.remove({ kinds: [9, 9], maxEvents: 0 }, 1)
    assert.deepEqual(names(store.query({}, ALL)), ['03'])
    const again = await reopen()
    assert.deepEqual(names(again.query({}, ALL)), ['03'])
    assert.equal(again.has(older.id), false)
  },

  async 'closing waits for the puts under way'(store, reopen) {
    const put = store.put(numbered(1, event('01')))
    const again = await reopen()
    assert.deepEqual(await put, [{ status: 'stored' }])
    assert.equal(again.has(idOf('01')), true)
  },
}
