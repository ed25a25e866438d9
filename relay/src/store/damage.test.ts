/** Flipped bits and cut files at random places: found and named, and never wrong data under a right-looking id. */
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { writeEvent } from '@aetherkit/core'
import { type Random, seededRandom } from '@aetherkit/core/testing'
import { beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.js'
import { verifyStore } from '../maintenance/verify.js'
import { named, numbered } from './contract-case.js'
import { openLmdbStore } from './lmdb.js'
import { openSqliteStore } from './sqlite.js'
import { type Store, StoreError } from './store.js'

const seed = Number(process.env.SEED ?? 4253346320)
const script = new URL('../../dist/store/index-worker.js', import.meta.url)
const ROUNDS = 30
const ALL = { limit: 1e9 }

const ENGINES = [
  {
    storage: 'lmdb' as const,
    open: (path: string) =>
      openLmdbStore(path, { script, segmentBytes: 1 << 15, bounds: { events: 50, bytes: 1e9, delay: 0 } }),
  },
  { storage: 'sqlite' as const, open: openSqliteStore },
]

let directory: string
beforeEach(() => {
  directory = temporaryFolder('damage')
})

test.each(ENGINES)(
  `$storage: a bit flipped or a file cut at random is found, or harms nothing (${ROUNDS} times, seed ${seed})`,
  async ({ storage, open }) => {
    const random = seededRandom(seed)
    const whole = join(directory, 'whole')
    const lines = await fill(open(whole), random)
    expect(await verifyStore({ storage, path: whole, script })).toMatchObject({ damages: [] })
    for (let round = 0; round < ROUNDS; round++) {
      const path = join(directory, `${round}`)
      cpSync(whole, path, { recursive: true })
      const { file, what } = damage(path, random)
      const at = `${what}, round ${round}, seed ${seed}`
      const found = await findings(storage, path)
      // What is nothing to the store is nothing to its reader. Only LMDB cannot be trusted to survive its damage.
      if (found.length === 0) expect(await contents(open(path)), at).toEqual(lines)
      else if (!file.startsWith('index')) await assertNothingWrong(() => open(path), lines, at)
      if (/segments|identity/.test(file)) expect(found, at).not.toEqual([])
      if (file.startsWith('index')) {
        rmSync(join(path, 'index'), { recursive: true })
        expect(await contents(open(path)), at).toEqual(lines)
      }
      rmSync(path, { recursive: true, force: true })
    }
  },
  600_000,
)

/** Events of several kinds, some replaced, deleted and removed; their lines by id. */
async function fill(store: Store, random: Random): Promise<Map<string, string>> {
  for (let seq = 1; seq < 400; seq += 10) {
    const batch = Array.from({ length: 10 }, (_, i) =>
      named({
        createdAt: BigInt(Math.floor(random() * 1e9)),
        kind: [1, 2, 5, 10_002, 30_001][i % 5] ?? 1,
        tags: [
          ['t', `${i}`],
          ['d', `${seq % 7}`],
          ...(i === 3 ? [['expiration', '9999999999'] as const] : []),
        ],
        content: new Uint8Array(200 + i).fill(seq),
      }),
    )
    await store.put(numbered(seq, ...batch))
  }
  await store.remove({ kinds: [2, 2], maxEvents: 40 }, 1000)
  const lines = new Map(store.query({}, ALL).map(({ event }) => [event.id, line(event)]))
  await store.close()
  return lines
}

function damage(path: string, random: Random): { file: string; what: string } {
  const files = filesOf(path).filter((file) => !file.endsWith('lock.mdb') && statSync(file).size > 0)
  const file = files[Math.floor(random() * files.length)] ?? path
  const bytes = readFileSync(file)
  const offset = Math.floor(random() * bytes.length)
  const isCut = random() < 0.3
  if (!isCut) bytes[offset]! ^= 1 << Math.floor(random() * 8)
  writeFileSync(file, isCut ? bytes.subarray(0, offset) : bytes)
  return {
    file: relative(path, file),
    what: `${relative(path, file)} ${isCut ? 'cut' : 'flipped'} at ${offset}`,
  }
}

function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesOf(join(path, name)))
}

async function findings(storage: 'lmdb' | 'sqlite', path: string): Promise<string[]> {
  try {
    return (await verifyStore({ storage, path, script })).damages.map(({ file, what }) => `${file}: ${what}`)
  } catch (error) {
    if (error instanceof StoreError) return [error.message]
    throw error
  }
}

async function contents(store: Store): Promise<Map<string, string>> {
  const found = new Map(store.query({}, ALL).map(({ event }) => [event.id, line(event)]))
  await store.close()
  return found
}

/** Every answer is right, missing, or a refusal. */
async function assertNothingWrong(
  open: () => Store,
  lines: ReadonlyMap<string, string>,
  at: string,
): Promise<void> {
  const attempt = <Result>(act: () => Result): Result | undefined => {
    try {
      return act()
    } catch (error) {
      expect(error, at).toBeInstanceOf(StoreError)
      return undefined
    }
  }
  const store = attempt(open)
  if (store === undefined) return
  for (const [id, expected] of lines) {
    const found = attempt(() => store.get(id))
    if (found !== undefined) expect(line(found.event), at).toBe(expected)
  }
  for (const { event } of attempt(() => store.query({}, ALL)) ?? [])
    expect(line(event), at).toBe(lines.get(event.id))
  await store.close()
}

function line(event: Parameters<typeof writeEvent>[0]): string {
  return writeEvent(event, { base64: true }) ?? ''
}
