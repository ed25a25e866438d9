/** A segment log whose process is killed, or whose index meets a full disk (spec 2.4). */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.js'
import { type LmdbStoreTuning, openLmdbStore } from './lmdb.js'

const script = new URL('../../dist/store/index-worker.js', import.meta.url)
/** Nothing is indexed by itself. */
const LAZY = { script, segmentBytes: 4096, bounds: { events: 1e6, bytes: 1e9, delay: 1e6 } }
const ALL = { limit: 1e9 }
const hasPrlimit = spawnSync('sh', ['-c', 'command -v prlimit']).status === 0

let directory: string
let path: string
beforeEach(() => {
  directory = temporaryFolder('segments')
  path = join(directory, 'store')
})

test.each([
  ['while the index lags', { ...LAZY, bounds: { events: 300, bytes: 1e9, delay: 1e6 } }],
  ['while segments are compacted', { ...LAZY, bounds: { events: 20, bytes: 1e9, delay: 0 } }],
])(
  'kill -9 %s loses nothing that was acknowledged',
  async (_, tuning) => {
    const kept = new Set<string>()
    let winner = 0
    let compacted = 0
    for (let kill = 0; kill < 12; kill++) {
      const child = run(tuning, CHURN, kill)
      let lines = 0
      for await (const line of createInterface({ input: child.stdout })) {
        const { id, version } = JSON.parse(line) as { id: string; version: number }
        kept.add(id)
        winner = version
        if (++lines === 20 + 13 * kill) child.kill('SIGKILL')
      }
      if (child.signalCode === null && child.exitCode === null) await once(child, 'exit')
      expect(child.signalCode).toBe('SIGKILL')
      const segments = readdirSync(join(path, 'segments'))
      compacted += Number(segments.length < Number.parseInt(segments.toSorted().at(-1)!, 10))
      if (kill % 4 === 3) rmSync(join(path, 'index'), { recursive: true })
      const store = openLmdbStore(path, LAZY)
      expect([...kept].filter((id) => !store.has(id))).toEqual([])
      const winners = store.query({ kinds: [10_002] }, ALL)
      expect(winners).toHaveLength(1)
      expect(Number(winners[0]!.event.createdAt)).toBeGreaterThanOrEqual(winner)
      const bySeq = store.since(0n, 1e9).map(({ seq }) => seq)
      expect(
        store
          .query({}, ALL)
          .map(({ seq }) => seq)
          .toSorted(falling),
      ).toEqual(bySeq.toReversed())
      await store.close()
    }
    if (tuning.bounds.delay === 0) expect(compacted).toBeGreaterThan(0)
  },
  600_000,
)

test.skipIf(!hasPrlimit)(
  'an index that meets a full disk stops puts at the bound, not reads, and goes on when there is room',
  async () => {
    const child = run({ ...LAZY, bounds: { events: 200, bytes: 1e9, delay: 0 } }, FILL_INDEX)
    let output = ''
    for await (const chunk of child.stdout) output += chunk
    expect(JSON.parse(output)).toEqual({
      codes: ['storage_full', 'storage_full', 'storage_full'],
      readsGoOn: true,
      nothingOfIt: true,
      late: [{ status: 'stored' }],
    })
    await openLmdbStore(path, LAZY).close()
  },
  600_000,
)

function falling(a: bigint, b: bigint): number {
  return a < b ? 1 : a > b ? -1 : 0
}

/** Runs code in another process, with `store` open at `path`. */
function run(tuning: Omit<LmdbStoreTuning, 'shrinkBytes'>, code: string, argument = 0) {
  const program = `
    import { openLmdbStore } from './lmdb.ts'
    const tuning = JSON.parse(process.argv[2])
    const argument = Number(process.argv[3])
    const store = openLmdbStore(process.argv[1], { ...tuning, script: new URL(tuning.script) })
    let seq = store.lastSeq
    const make = (kind, createdAt, tags = [['t', 'x']]) => {
      const id = (++seq).toString(16).padStart(64, '0')
      const [pubkey, sig, content] = ['a1'.repeat(32), '5e'.repeat(64), new Uint8Array(400)]
      return { seq, event: { id, pubkey, sig, content, createdAt: BigInt(createdAt), kind, tags } }
    }
    ${code}`
  const node = ['--import', 'tsx', '--input-type=module', '--eval', program, path, JSON.stringify(tuning)]
  const cwd = fileURLToPath(new URL('.', import.meta.url))
  return spawn(process.execPath, [...node, `${argument}`], { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
}

/** A regular event, then many versions of a replaceable one, again and again; a line for each round. */
const CHURN = `
  for (let version = argument * 1e6; ; version++) {
    const regular = make(1, version)
    await store.put([regular])
    for (let i = 0; i < 5; i++) await store.put([make(10002, version)])
    await new Promise((written) =>
      process.stdout.write(JSON.stringify({ id: regular.event.id, version }) + '\\n', written))
  }`

/** Limits the size of files, so that the index, which is larger than a segment, cannot grow; then lifts the limit. */
const FILL_INDEX = `
  import { execFileSync } from 'node:child_process'
  process.on('SIGXFSZ', () => {})
  const limit = (bytes) => execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=' + bytes + ':'])
  const many = () => Array.from({ length: 100 }, (_, i) => ['t', seq + ' ' + i])
  const [acked, refused, codes] = [[], [], []]
  limit(1_500_000)
  while (codes.length < 3) {
    const batch = Array.from({ length: 20 }, (_, i) => make(1, i, many()))
    await store.put(batch).then(
      () => acked.push(...batch),
      ({ code }) => { codes.push(code); refused.push(...batch) },
    )
  }
  const readsGoOn =
    acked.length > 100 && acked.every(({ event }) => store.has(event.id)) &&
    store.query({}, { limit: 1e9 }).length === acked.length
  const nothingOfIt = refused.every(({ event }) => !store.has(event.id))
  limit('unlimited')
  const late = await store.put([make(1, 1)])
  console.log(JSON.stringify({ codes, readsGoOn, nothingOfIt, late }))
  await store.close()`
