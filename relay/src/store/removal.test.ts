/** What only a segment log can get wrong when events are taken out of it: rebuilt indexes, room, crashes (spec 2.4). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { replaceKey } from '@aetherkit/core'
import { beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.js'
import { verifyStore } from '../maintenance/verify.js'
import { event, idOf, named, names, numbered } from './contract-case.js'
import { openLmdbStore } from './lmdb.js'
import type { Store } from './store.js'

const script = new URL('../../dist/store/index-worker.js', import.meta.url)
const LAZY = { script, segmentBytes: 4096, bounds: { events: 1e6, bytes: 1e9, delay: 1e6 } }
const EAGER = { script, segmentBytes: 4096, bounds: { events: 1, bytes: 1, delay: 0 } }
const REPLACEABLE = 10_002
const ALL = { limit: 1e9 }

let directory: string
let path: string
beforeEach(() => {
  directory = temporaryFolder('removal')
  path = join(directory, 'store')
})

test('what was removed, replaced or deleted stays away when the index is made again', async () => {
  const store = openLmdbStore(path, EAGER)
  const content = new Uint8Array(900)
  let seq = 1
  const put = (...events: Parameters<typeof numbered>[1][]) => store.put(numbered(seq++, ...events))
  for (let i = 0; i < 40; i++) {
    await put(event(`a${i}f`, { content, createdAt: BigInt(i) }))
    await put(event(`b${i}f`, { content, createdAt: BigInt(i), kind: REPLACEABLE }))
    await put(event(`c${i}f`, { content, createdAt: BigInt(i), kind: 3, tags: [['expiration', `${i + 1}`]] }))
  }
  await store.put(numbered(seq++, event('0d', { kind: 5, tags: [['e', idOf('a39f')]] })))
  await store.remove({ kinds: [1, 1], maxEvents: 5 }, 1e6)
  // The winner goes while records of versions that it replaced are still in the log.
  await store.remove({ kinds: [REPLACEABLE, REPLACEABLE], maxEvents: 0 }, 1e6)
  await store.remove({ expiredBy: 20_000_000_000n }, 1e6)
  const before = [names(store.query({}, ALL)), store.usage(), store.firstSeq]
  await store.close()
  expect(await damages()).toEqual([])
  for (const tuning of [LAZY, EAGER, LAZY]) {
    rmSync(join(path, 'index'), { recursive: true })
    const again = openLmdbStore(path, tuning)
    await again.remove({ ids: [] }, 1)
    expect([names(again.query({}, ALL)), again.usage(), again.firstSeq]).toEqual(before)
    await again.close()
    expect(await damages()).toEqual([])
  }
}, 600_000)

test('what is removed gives its room back', async () => {
  const store = openLmdbStore(path, { ...EAGER, segmentBytes: 1 << 16 })
  const content = new Uint8Array(1000)
  const batches = Array.from({ length: 40 }, (_, b) =>
    Array.from({ length: 20 }, (_, i) => event(`${b}a${i}f`, { content, kind: b % 2, createdAt: BigInt(b) })),
  )
  for (const [b, batch] of batches.entries()) await store.put(numbered(20 * b + 1, ...batch))
  const full = logSize()
  const kept = names(store.query({ kinds: [0] }, { limit: 100 }))
  await store.remove({ kinds: [1, 1], maxEvents: 0 }, 1e6)
  await store.remove({ kinds: [0, 0], maxEvents: 100 }, 1e6)
  await expect.poll(logSize, { timeout: 300_000 }).toBeLessThan(full / 3)
  expect(names(store.query({}, ALL))).toEqual(kept)
  await store.close()
  expect(await damages()).toEqual([])
}, 600_000)

test('the steps of a removal do not wait for the index to take in what is put meanwhile', async () => {
  const store = openLmdbStore(path, LAZY)
  const some = (from: number) =>
    Array.from({ length: 200 }, (_, i) => event(`${from + i}a`, { createdAt: BigInt(from + i) }))
  await store.put(numbered(1, ...some(0)))
  const removal = { kinds: [1, 1], maxEvents: 100 } as const
  expect((await store.remove(removal, 30)).events).toBe(30)
  await store.put(numbered(201, ...some(200)))
  expect((await store.remove(removal, 30)).events).toBe(30)
  expect(store.usage()[0]?.events).toBe(140)
  // That takes the last of what was there when it began; the next one sees the rest.
  expect((await store.remove(removal, 50)).events).toBe(40)
  expect(names(store.query({}, { limit: 1 }))).toEqual(['399a'])
  expect((await store.remove(removal, 300)).events).toBe(200)
  expect(store.usage()[0]?.events).toBe(100)
  expect(names(store.query({}, ALL))).toHaveLength(100)
  await store.close()
})

test('an index that has lost most of its keys gives their room back at the next opening', async () => {
  const tuning = { ...LAZY, segmentBytes: 1 << 20 }
  const store = openLmdbStore(path, tuning)
  const tags = Array.from({ length: 20 }, (_, i) => ['t', `${i}`] as const)
  for (let b = 0; b < 40; b++)
    await store.put(
      numbered(100 * b + 1, ...Array.from({ length: 100 }, (_, i) => event(`${b}a${i}f`, { tags }))),
    )
  await store.remove({ kinds: [1, 1], maxEvents: 100 }, 1e6)
  const kept = [names(store.query({}, ALL)), store.usage(), store.firstSeqOf?.([1])]
  await store.close()
  const size = () => statSync(join(path, 'index', 'data.mdb')).size
  const full = size()
  await openLmdbStore(path, tuning).close()
  expect(size()).toBe(full)
  const again = openLmdbStore(path, { ...tuning, shrinkBytes: 1 << 16 })
  expect(size()).toBeLessThan(full / 3)
  expect(existsSync(join(path, 'index.new'))).toBe(false)
  expect(() => openLmdbStore(path, tuning)).toThrow(expect.objectContaining({ code: 'locked' }))
  expect([names(again.query({}, ALL)), again.usage(), again.firstSeqOf?.([1])]).toEqual(kept)
  await again.put(numbered(9000, event('0e', { tags }), event('0f', { tags, createdAt: 5n })))
  await again.remove({ kinds: [1, 1], createdBefore: 6n }, 10)
  await again.close()
  expect(await damages()).toEqual([])
  const last = openLmdbStore(path, { ...tuning, shrinkBytes: 1 << 16 })
  expect([last.has(idOf('0e')), last.has(idOf('0f'))]).toEqual([true, false])
  await last.close()
})

test('puts, reads and compaction go on while a backup is made, and it has all that came before', async () => {
  const store = openLmdbStore(path, { ...EAGER, segmentBytes: 1 << 16 })
  let seq = 1
  const put = async () => {
    const batch = numbered(
      seq,
      ...Array.from({ length: 20 }, () => named({ createdAt: BigInt(seq++), kind: 1 })),
    )
    await store.put(batch)
    await store.put(numbered(seq++, named({ createdAt: BigInt(seq), kind: REPLACEABLE })))
    return batch.map(({ event }) => event.id)
  }
  const first = (await Promise.all(Array.from({ length: 20 }, put))).flat()
  const target = join(directory, 'copy')
  let isDone = false
  const backup = store.backup?.(target).finally(() => (isDone = true))
  for (let at = 0; !isDone; at++) {
    await put()
    if (at % 5 === 0) await store.remove({ kinds: [2, 9], maxEvents: 0 }, 10)
  }
  const copied = await backup
  expect(copied?.events).toBeGreaterThanOrEqual(first.length + 1)
  expect(existsSync(join(path, 'backup.pin'))).toBe(false)
  const copy = openLmdbStore(target, LAZY)
  expect(first.filter((id) => !copy.has(id))).toEqual([])
  expect(copy.epoch).not.toBe(store.epoch)
  expect(copy.query({}, ALL)).toHaveLength(copied?.events ?? 0)
  await copy.close()
  await store.close()
  expect([await damages(), await damages(target)]).toEqual([[], []])
}, 600_000)

test.each([
  ['in large segments', { ...LAZY, segmentBytes: 1 << 16, bounds: { events: 300, bytes: 1e9, delay: 0 } }],
  ['while small segments are compacted', { ...LAZY, bounds: { events: 20, bytes: 1e9, delay: 0 } }],
])(
  'after kill -9 in a storm of puts, removals and deletions %s nothing that went comes back, nothing else is lost',
  async (_, tuning) => {
    let state = { kept: [] as string[], gone: [] as string[], firstSeq: '0' }
    for (let kill = 0; kill < 8; kill++) {
      const child = run(tuning, kill)
      let lines = 0
      for await (const line of createInterface({ input: child.stdout })) {
        state = JSON.parse(line) as typeof state
        if (++lines === 12 + 9 * kill) child.kill('SIGKILL')
      }
      if (child.signalCode === null && child.exitCode === null) await once(child, 'exit')
      expect(child.signalCode).toBe('SIGKILL')
      if (kill % 3 === 2) rmSync(join(path, 'index'), { recursive: true })
      const store = openLmdbStore(path, LAZY)
      expect(state.kept.filter((id) => !store.has(id) && !isPruned(id, state.kept))).toEqual([])
      expect(state.gone.filter((id) => store.has(id))).toEqual([])
      expect(store.firstSeq).toBeGreaterThanOrEqual(BigInt(state.firstSeq))
      assertWinners(store)
      await store.close()
      expect(await damages()).toEqual([])
    }
  },
  600_000,
)

/** But for ids: those of most of these events are made up. */
async function damages(at = path): Promise<string[]> {
  const report = await verifyStore({ storage: 'lmdb', path: at, script })
  return report.damages.map(({ what }) => what).filter((what) => !what.endsWith('not what its id says'))
}

/** The removal under way may have taken the oldest ones of kind 1: their ids begin with 1. */
function isPruned(id: string, kept: readonly string[]): boolean {
  return id.startsWith('1') && kept.filter((other) => other.startsWith('1')).indexOf(id) < 30
}

function assertWinners(store: Store): void {
  const keys = store.query({ kinds: [REPLACEABLE] }, ALL).map(({ event }) => replaceKey(event))
  expect(new Set(keys).size).toBe(keys.length)
}

function logSize(): number {
  const segments = join(path, 'segments')
  return readdirSync(segments).reduce((sum, name) => sum + statSync(join(segments, name)).size, 0)
}

function run(tuning: typeof LAZY, argument: number) {
  const program = `
    import { openLmdbStore } from './lmdb.ts'
    const tuning = JSON.parse(process.argv[2])
    const store = openLmdbStore(process.argv[1], { ...tuning, script: new URL(tuning.script) })
    ${STORM}`
  const node = ['--import', 'tsx', '--input-type=module', '--eval', program, path, JSON.stringify(tuning)]
  const cwd = fileURLToPath(new URL('.', import.meta.url))
  return spawn(process.execPath, [...node, `${argument}`], { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
}

/**
 * Rounds of: ten events of kind 1 (ids 1...), one of kind 2 (2...), versions of replaceable ones (3...), a deletion of
 * an event of kind 2, a removal that leaves the newest 30 of kind 1. A line for each round: what must be there, what not.
 */
const STORM = `
  let seq = store.lastSeq
  const make = (kind, prefix, tags = []) => {
    const id = prefix + (++seq).toString(16).padStart(63, '0')
    const [pubkey, sig, content] = ['a1'.repeat(32), '5e'.repeat(64), new Uint8Array(300)]
    return { seq, event: { id, pubkey, sig, content, createdAt: seq, kind, tags } }
  }
  const idOf = ({ event }) => event.id
  const [ones, gone, twos] = [store.query({ kinds: [1] }, { limit: 1e9 }).map(idOf).reverse(), [], []]
  for (;;) {
    const batch = Array.from({ length: 10 }, () => make(1, '1'))
    await store.put(batch)
    ones.push(...batch.map(idOf))
    const [first, second] = [make(2, '2'), make(2, '2')]
    await store.put([first, second])
    const versions = [1, 2, 3].map(() => make(10002, '3'))
    for (const version of versions) await store.put([version])
    gone.push(...versions.slice(0, 2).map(idOf))
    await store.put([make(5, '5', [['e', first.event.id]])])
    gone.push(first.event.id)
    twos.push(second.event.id)
    while ((await store.remove({ kinds: [1, 1], maxEvents: 30 }, 7)).events === 7) ;
    gone.push(...ones.splice(0, Math.max(0, ones.length - 30)))
    const line = JSON.stringify({ kept: [...ones, ...twos], gone, firstSeq: String(store.firstSeq) })
    await new Promise((written) => process.stdout.write(line + '\\n', written))
  }`
