/** What only a log of segments can get wrong: torn writes, damage, an index that lags or is gone, compaction (spec 2.4). */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.js'
import { event, idOf, names, numbered, statuses } from './contract-case.js'
import { openLmdbStore } from './lmdb.js'
import { type Store, StoreError } from './store.js'

const script = new URL('../../dist/store/index-worker.js', import.meta.url)
/** Nothing is indexed by itself. */
const LAZY = { script, segmentBytes: 4096, bounds: { events: 1e6, bytes: 1e9, delay: 1e6 } }
/** A put waits until all before it is indexed. */
const EAGER = { script, segmentBytes: 4096, bounds: { events: 1, bytes: 1, delay: 0 } }
const ALL = { limit: 1e9 }

let directory: string
let path: string
beforeEach(() => {
  directory = temporaryFolder('segments')
  path = join(directory, 'store')
})

test('a last record that is cut off, zeroed or garbled anywhere goes, and the store goes on', async () => {
  const store = openLmdbStore(path, LAZY)
  await store.put(numbered(1, event('01')))
  const whole = statSync(segment(1)).size
  await store.put(numbered(2, event('02'), event('03', { content: Uint8Array.of(1) })))
  const bytes = readFileSync(segment(1))
  crash()
  await store.close()
  const damage = [
    (at: number) => bytes.subarray(0, at),
    (at: number) => Buffer.concat([bytes.subarray(0, at), Buffer.alloc(9000)]),
    (at: number) => Buffer.concat([bytes.subarray(0, at), Buffer.from([bytes[at]! ^ 0x10])]),
  ]
  const identity = readFileSync(join(path, 'identity.json'))
  for (let at = whole; at < bytes.length; at++) {
    writeFileSync(join(path, 'identity.json'), identity)
    writeFileSync(segment(1), damage[at % damage.length]!(at))
    const store = openLmdbStore(path, LAZY)
    expect(names(store.query({}, ALL)), `at ${at}`).toEqual(['01'])
    if (at % 10 === 0) {
      await store.put(numbered(2, event('04')))
      crash()
    }
    await store.close()
    if (at % 10 === 0) {
      const again = openLmdbStore(path, LAZY)
      expect(names(again.since(0n, 10)), `at ${at}`).toEqual(['01', '04'])
      await again.close()
    }
  }
}, 600_000)

test('a flipped bit before other batches is damage, named by segment and offset', async () => {
  const store = openLmdbStore(path, LAZY)
  await store.put(numbered(1, event('01')))
  const first = statSync(segment(1)).size
  await store.put(numbered(2, event('02')))
  const second = statSync(segment(1)).size
  await store.put(numbered(3, event('03')))
  crash()
  await store.close()
  const bytes = readFileSync(segment(1))
  for (let at = first; at < second; at += 7) {
    const flipped = Buffer.from(bytes)
    flipped[at]! ^= 1 << (at % 8)
    writeFileSync(segment(1), flipped)
    expect(refusal(() => openLmdbStore(path, LAZY))).toMatch(
      RegExp(`^unavailable: .*0000000001\\.log .* offset ${first},`),
    )
  }
  writeFileSync(segment(1), bytes)
  const again = openLmdbStore(path, LAZY)
  expect(names(again.query({}, ALL))).toEqual(['01', '02', '03'])
  await again.close()
})

test('a flipped bit in a sealed segment is found when the event is read, and the others are not hurt', async () => {
  const store = openLmdbStore(path, EAGER)
  const content = new Uint8Array(3000)
  for (const [i, id] of ['01', '02', '03'].entries()) await store.put(numbered(i + 1, event(id, { content })))
  await store.close()
  const bytes = readFileSync(segment(1))
  for (let at = 0; at < bytes.length; at += 61) {
    const flipped = Buffer.from(bytes)
    flipped[at]! ^= 1 << (at % 8)
    writeFileSync(segment(1), flipped)
    const again = openLmdbStore(path, LAZY)
    const named = /^unavailable: .*0000000001\.log .* offset 0,/
    expect(refusal(() => again.get(idOf('01')))).toMatch(named)
    expect(refusal(() => again.query({}, ALL))).toMatch(named)
    expect(refusal(() => again.since(0n, 10))).toMatch(named)
    expect(names(again.since(1n, 10))).toEqual(['02', '03'])
    await again.close()
  }
  rmSync(join(path, 'index'), { recursive: true })
  expect(refusal(() => openLmdbStore(path, LAZY))).toMatch(/^unavailable: .*0000000001\.log .* offset 0,/)
})

test('after an orderly end the last record is no torn write: damage of it is said', async () => {
  const store = openLmdbStore(path, LAZY)
  await store.put(numbered(1, event('01')))
  await store.close()
  const bytes = readFileSync(segment(1))
  writeFileSync(
    segment(1),
    bytes.map((byte, i) => (i === 99 ? byte ^ 1 : byte)),
  )
  expect(refusal(() => openLmdbStore(path, LAZY))).toMatch(/^unavailable: .*0000000001\.log .* offset 0,/)
  truncateSync(segment(1), 99)
  expect(refusal(() => openLmdbStore(path, LAZY))).toMatch(/^unavailable: .*lost events.*0000000001\.log/)
  writeFileSync(segment(1), bytes)
  const again = openLmdbStore(path, LAZY)
  expect(again.has(idOf('01'))).toBe(true)
  await again.close()
})

test('a segment that is missing is said', async () => {
  const store = openLmdbStore(path, EAGER)
  const content = new Uint8Array(3000)
  for (const [i, id] of ['01', '02', '03'].entries()) await store.put(numbered(i + 1, event(id, { content })))
  await store.close()
  rmSync(segment(1))
  expect(refusal(() => openLmdbStore(path, LAZY))).toMatch(/^unavailable: .*0000000001\.log/)
})

test('a log that ends before what the index knows of it has lost events', async () => {
  const store = openLmdbStore(path, EAGER)
  await store.put(numbered(1, event('01')))
  await store.put(numbered(2, event('02')))
  await store.close()
  truncateSync(segment(1), 100)
  expect(refusal(() => openLmdbStore(path, LAZY))).toMatch(/^unavailable: .*lost events.*0000000001\.log/)
})

test('without its index folder the store is as it was', async () => {
  const store = openLmdbStore(path, LAZY)
  await churn(store, 300)
  const before = contents(store)
  await store.close()
  for (const tuning of [LAZY, EAGER, { ...EAGER, segmentBytes: 1 << 20 }]) {
    rmSync(join(path, 'index'), { recursive: true })
    const again = openLmdbStore(path, tuning)
    expect(contents(again)).toEqual(before)
    await again.close()
  }
})

test('an index made for another log is made anew', async () => {
  const other = openLmdbStore(join(directory, 'other'), EAGER)
  for (const [i, id] of ['07', '08', '09'].entries()) await other.put(numbered(i + 1, event(id)))
  await other.close()
  const store = openLmdbStore(path, LAZY)
  await store.put(numbered(1, event('01')))
  await store.close()
  rmSync(join(path, 'index'), { recursive: true })
  cpSync(join(directory, 'other', 'index'), join(path, 'index'), { recursive: true })
  const again = openLmdbStore(path, LAZY)
  expect(names(again.query({}, ALL))).toEqual(['01'])
  expect(again.has(idOf('07'))).toBe(false)
  await again.close()
})

test('what is replaced, duplicate or superseded is so before, while and after it is indexed', async () => {
  let store = openLmdbStore(path, LAZY)
  const at = (id: string, createdAt: bigint) => event(id, { kind: 10_002, createdAt })
  expect(await statuses(store, numbered(1, at('02', 2n), event('0a')))).toEqual(['stored', 'stored'])
  for (const tuning of [LAZY, EAGER, LAZY]) {
    const late = numbered(store.lastSeq + 1n, at('01', 1n), event('0a'), at('02', 2n))
    expect(await statuses(store, late)).toEqual(['superseded', 'duplicate', 'duplicate'])
    await store.close()
    store = openLmdbStore(path, tuning)
  }
  expect(await statuses(store, numbered(store.lastSeq + 1n, at('03', 3n)))).toEqual(['stored'])
  expect(store.has(idOf('02'))).toBe(false)
  expect(names(store.query({}, ALL))).toEqual(['0a', '03'])
  await store.close()
})

test('an index that cannot be written lets puts wait no longer than the bound, then refuses', async () => {
  const broken = {
    ...EAGER,
    bounds: { events: 3, bytes: 1e9, delay: 0 },
    script: new URL('file:///nowhere.js'),
  }
  const store = openLmdbStore(path, broken)
  await store.put(numbered(1, event('01'), event('02'), event('03')))
  await expect(store.put(numbered(4, event('04')))).rejects.toMatchObject({ code: 'unavailable' })
  expect(names(store.query({}, ALL))).toEqual(['01', '02', '03'])
  expect(store.has(idOf('04'))).toBe(false)
  await store.close()
  const again = openLmdbStore(path, EAGER)
  expect(await statuses(again, numbered(4, event('04')))).toEqual(['stored'])
  expect(names(again.since(0n, 10))).toEqual(['01', '02', '03', '04'])
  await again.close()
})

test('segments that are mostly dead are compacted, and nothing else changes', async () => {
  const store = openLmdbStore(path, EAGER)
  await churn(store, 400)
  await expect.poll(() => size() < 60_000, { timeout: 300_000 }).toBe(true)
  const before = contents(store)
  expect(before.map(({ seq }) => seq)).toEqual(
    store
      .since(0n, 1e9)
      .map(({ seq }) => seq)
      .toSorted(falling),
  )
  expect(before).toHaveLength(400 / 10 + 4)
  await store.close()
  const again = openLmdbStore(path, LAZY)
  expect(contents(again)).toEqual(before)
  await again.close()
  rmSync(join(path, 'index'), { recursive: true })
  const anew = openLmdbStore(path, EAGER)
  expect(contents(anew)).toEqual(before)
  await anew.close()
}, 600_000)

test('the directory of the format that had everything in LMDB is refused', () => {
  mkdirSync(path)
  writeFileSync(join(path, 'data.mdb'), '')
  expect(refusal(() => openLmdbStore(path))).toMatch(/^wrong_format: store .* has format 1/)
})

test('a log without its identity is refused', async () => {
  await openLmdbStore(path, LAZY).close()
  rmSync(join(path, 'identity.json'))
  expect(refusal(() => openLmdbStore(path))).toMatch(/^wrong_format: .*identity\.json/)
})

function segment(number: number): string {
  return join(path, 'segments', `${number}`.padStart(10, '0').concat('.log'))
}

/** From here on the store is what a crash at this moment would leave. */
function crash(): void {
  const left = `${path}-left`
  rmSync(left, { recursive: true, force: true })
  mkdirSync(left)
  for (const name of ['identity.json', 'segments', 'graves'])
    cpSync(join(path, name), join(left, name), { recursive: true })
  path = left
}

function size(): number {
  const segments = join(path, 'segments')
  return readdirSync(segments).reduce((sum, name) => sum + statSync(join(segments, name)).size, 0)
}

/** Versions of four replaceable events, and one regular event in ten batches. */
async function churn(store: Store, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const fields = { createdAt: BigInt(i), content: new Uint8Array(500).fill(i) }
    const batch = [event(`a${i}f`, { ...fields, kind: 10_000 + (i % 4), tags: [['t', `${i % 3}`]] })]
    if (i % 10 === 0) batch.push(event(`b${i}f`, fields))
    await store.put(numbered(2 * i + 1, ...batch))
  }
}

/** Everything a store says of its events, but the bytes of their content. */
function contents(store: Store) {
  const all = store.query({}, ALL)
  for (const { seq, event } of all) expect(store.get(event.id)?.seq).toBe(seq)
  expect(store.query({ tags: [{ key: 't', any: ['0', '1', '2'] }] }, ALL)).toHaveLength(4)
  return all
    .map(({ seq, event }) => ({ seq, id: event.id, content: event.content[0], length: event.content.length }))
    .sort((a, b) => falling(a.seq, b.seq))
}

function refusal(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof StoreError) return `${error.code}: ${error.message}`
    throw error
  }
  return 'nothing was refused'
}

function falling(a: bigint, b: bigint): number {
  return a < b ? 1 : a > b ? -1 : 0
}
