/** NIP-01 around any of our stores (spec 9.3): the rules, and what outlives a crash between two steps. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Event, isJsonObject, type JsonValue, parseJson } from '@aetherkit/core'
import { createRelay, openLmdbStore, openMemoryStore, openSqliteStore, type Store } from '@aetherkit/relay'
import { finalizeEvent, generateSecretKey, getPublicKey } from 'nostr-tools/pure'
import { afterEach, describe, expect, test } from 'vitest'
import { NostrPeer } from '../../test/nostr-peer.js'
import { RawPeer } from '../../test/raw-peer.js'
import { createAuthor } from '../../test/signing.js'
import { type NostrEvent, readNostrEvent } from '../nostr-event.js'
import { openNostrStore } from './nostr-store.js'

const key = generateSecretKey()
const author = getPublicKey(key)
let serial = 0
function sign(kind: number, created_at: number, tags: string[][] = []): NostrEvent {
  const event = finalizeEvent({ kind, created_at, tags, content: String(++serial) }, key)
  const parsed = parseJson(JSON.stringify(event))
  const read = parsed.ok && isJsonObject(parsed.value) ? readNostrEvent(parsed.value) : undefined
  if (read === undefined) throw new Error('no Nostr event')
  return read
}

const paths: string[] = []
function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'nostr-store-'))
  paths.push(path)
  return path
}
afterEach(() => {
  for (const path of paths.splice(0)) rmSync(path, { recursive: true, force: true })
})

const OPENERS: [string, () => Store][] = [
  ['memory', openMemoryStore],
  ['lmdb', () => openLmdbStore(directory())],
  ['sqlite', () => openSqliteStore(join(directory(), 'nostr.sqlite'))],
]

describe.each(OPENERS)('over %s', (_name, open) => {
  test('the winner of kinds 0 and 3 does not depend on the order of arrival, alone or in a batch', async () => {
    for (const kind of [0, 3])
      for (const inOne of [true, false])
        for (const order of [
          [0, 1, 2],
          [2, 1, 0],
          [1, 2, 0],
          [1, 0, 2],
        ]) {
          const store = openNostrStore(open())
          const [a, b] = [sign(kind, 1000), sign(kind, 1000)]
          // On a tie the lower id wins.
          const versions = [sign(kind, 999), ...(a.id < b.id ? [b, a] : [a, b])]
          const batch = order.map((at, i) => ({ seq: BigInt(i + 1), event: versions[at]! }))
          if (inOne) await store.put(batch)
          else for (const stored of batch) await store.put([stored])
          const page = { limit: 10 }
          expect(idsOf(store.query({}, page))).toEqual([versions[2]!.id])
          expect(idsOf(store.since(0n, 10))).toEqual([versions[2]!.id])
          expect(versions.map(({ id }) => store.has(id))).toEqual([false, false, true])
          expect(await store.put([{ seq: 9n, event: versions[2]! }])).toEqual([{ status: 'duplicate' }])
          expect(await store.put([{ seq: 10n, event: versions[0]! }])).toEqual([{ status: 'superseded' }])
          await store.close()
        }
  })

  test('pages and sequences are full although losers stand between, as after a crash', async () => {
    const inner = open()
    // Put without the rules around it: old versions that were not taken out in time.
    const profiles = [1, 2, 3, 4].map((at) => sign(0, at * 10))
    const notes = [5, 15, 25, 35].map((at) => sign(1, at))
    const all = [...profiles, ...notes].map((event, i) => ({ seq: BigInt(i + 1), event }))
    await inner.put(all)
    const store = openNostrStore(inner)
    const shown = [profiles[3]!, notes[3]!, notes[2]!, notes[1]!, notes[0]!].map(({ id }) => id)
    expect(idsOf(store.query({}, { limit: 3 }))).toEqual(shown.slice(0, 3))
    expect(idsOf(store.query({}, { limit: 9 }))).toEqual(shown)
    expect(idsOf(store.since(0n, 2))).toEqual([profiles[3]!.id, notes[0]!.id])
    expect(store.get(profiles[0]!.id)).toBeUndefined()
    // The next version takes them out.
    await store.put([{ seq: 20n, event: sign(0, 50) }])
    expect(profiles.some(({ id }) => inner.has(id))).toBe(false)
    await store.close()
  })

  test('a backup has what was stored, and finds nothing wrong with it', async () => {
    const store = openNostrStore(open())
    const event = sign(1, 10, [['ключ', ''], ['']])
    await store.put([{ seq: 1n, event }])
    const copy = join(directory(), 'copy')
    if (store.backup !== undefined) expect(await store.backup(copy)).toMatchObject({ events: 1 })
    await store.close()
  })

  test('a deletion by address takes kinds 0 and 3 too, up to its time', async () => {
    const store = openNostrStore(open())
    const [old, late] = [sign(3, 10), sign(3, 30)]
    await store.put([{ seq: 1n, event: old }])
    await store.put([{ seq: 2n, event: sign(5, 20, [['a', `3:${author}:`]]) }])
    expect(store.has(old.id)).toBe(false)
    expect(await store.put([{ seq: 3n, event: old }])).toEqual([{ status: 'deleted' }])
    expect(await store.put([{ seq: 4n, event: late }])).toEqual([{ status: 'stored' }])
    await store.close()
  })
})

test('a relay that comes back has both protocols, each in its own store, and no seq twice', async () => {
  const path = directory()
  const open = () =>
    createRelay({
      verifyWorkers: 1,
      store: openLmdbStore(path),
      nostr: { store: openLmdbStore(join(path, 'nostr')) },
    })
  const aether = createAuthor()
  let relay = await open()
  const text = (event: NostrEvent) => `["EVENT",${nostrJson(event)}]`
  const notes = [sign(1, 1000), sign(40_000, 1001)]
  const seqs: bigint[] = []
  const publish = async (event: Event) => {
    const verdict = await relay.publish(event)
    if (verdict.ok) seqs.push(verdict.seq)
  }
  await publish(aether.sign({ kind: 20_000 }))
  let peer = await NostrPeer.connect(relay)
  for (const note of notes) expect((await peer.ask(text(note)))[3]).toBe('accepted')
  await publish(aether.sign())
  await relay.close()

  relay = await open()
  peer = await NostrPeer.connect(relay)
  expect((await peer.query({})).map(({ id }) => id)).toEqual([expect.any(String), notes[1]!.id, notes[0]!.id])
  expect(await peer.query({ kinds: [40_000] })).toHaveLength(1)
  const native = await RawPeer.connect(relay.port)
  await native.ask({ type: 'subscribe', sub_id: 'a', filters: [{ replay: true }] })
  expect((await native.hearJson()).type).toBe('event')
  expect((await native.hearJson()).type).toBe('eose')
  await publish(aether.sign())
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => Number(a - b)))
  expect((await peer.ask(text(notes[0]!)))[3]).toBe('duplicate: already have this event')
  await relay.close()
})

function idsOf(stored: readonly { readonly event: Event }[]): readonly string[] {
  return stored.map(({ event }) => event.id)
}

function nostrJson({ id, pubkey, createdAt, kind, tags, content, sig }: NostrEvent): string {
  const created_at: JsonValue = Number(createdAt / 1_000_000_000n)
  return JSON.stringify({ id, pubkey, created_at, kind, tags, content: Buffer.from(content).toString(), sig })
}
