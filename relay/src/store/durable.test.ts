/** What only durable stores can get wrong: crashes, full disks, other processes, foreign files (spec 2.3, 2.4, 13.2). */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import Database from 'libsql'
import { beforeEach, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.js'
import { event, idOf, numbered } from './contract-case.js'
import { META } from './index-keys.js'
import { openLmdbStore } from './lmdb.js'
import { openSqliteStore } from './sqlite.js'
import { type Store, StoreError } from './store.js'

/** The thread that indexes runs what was built: it is started by node itself. */
const SCRIPT = new URL('../../dist/store/index-worker.js', import.meta.url)

const ENGINES = [
  {
    name: 'lmdb',
    format: '4',
    open: (path: string) => openLmdbStore(path, { script: SCRIPT }),
    child: `import { openLmdbStore } from './lmdb.ts'; const open = (path) => openLmdbStore(path, { script: new URL('${SCRIPT}') })`,
    async setFormat(path: string, format: string) {
      const file = join(path, 'identity.json')
      writeFileSync(file, readFileSync(file, 'utf8').replace(/"format":\d+/, `"format":${format}`))
    },
  },
  {
    name: 'sqlite',
    format: '3',
    open: (path: string) => openSqliteStore(path),
    child: `import { openSqliteStore as open } from './sqlite.ts'`,
    async setFormat(path: string, format: string) {
      const db = new Database(path)
      db.prepare('UPDATE event_index SET value = ? WHERE key = ?').run([Buffer.from(format), META.format])
      db.close()
    },
  },
]

const hasPrlimit = spawnSync('sh', ['-c', 'command -v prlimit']).status === 0
const isRoot = process.getuid?.() === 0

let directory: string
let path: string
beforeEach(() => {
  directory = temporaryFolder('durable')
  path = join(directory, 'store')
})

describe.each(ENGINES)('$name', ({ open, child: opening, format, setFormat }) => {
  test('after kill -9 every acknowledged event is there, no batch in part, and a replaceable key has its winner', async () => {
    const acked = new Set<string>()
    let winner = 0
    let lastSeq = 0n
    for (let kill = 0; kill < 6; kill++) {
      const child = run(opening, WRITE_UNTIL_KILLED, `${kill}`)
      let lines = 0
      for await (const line of createInterface({ input: child.stdout })) {
        const { ids, version } = JSON.parse(line) as { ids: string[]; version: number }
        for (const id of ids) acked.add(id)
        winner = version
        if (++lines === 15 + 7 * kill) child.kill('SIGKILL')
      }
      expect(await exit(child)).toBe('SIGKILL')
      const store = open(path)
      expect([...acked].filter((id) => !store.has(id))).toEqual([])
      const winners = store.query({ kinds: [10_002] }, { limit: 10 })
      expect(winners).toHaveLength(1)
      expect(Number(winners[0]?.event.createdAt)).toBeGreaterThanOrEqual(winner)
      const batches = new Map<number, number>()
      for (const { event } of store.query({ kinds: [1] }, { limit: 1e9 }))
        batches.set(Number(event.createdAt), (batches.get(Number(event.createdAt)) ?? 0) + 1)
      for (const [version, count] of batches) expect(count).toBe(1 + (version % 40))
      expect(store.lastSeq).toBeGreaterThan(lastSeq)
      lastSeq = store.lastSeq
      const all = store.query({}, { limit: 1e9 }).map(({ seq }) => seq)
      const bySeq = store.since(0n, 1e9).map(({ seq }) => seq)
      expect(all.toSorted(ascending)).toEqual(bySeq)
      expect(bySeq.at(-1)).toBeLessThanOrEqual(lastSeq)
      await store.close()
    }
    expect(acked.size).toBeGreaterThan(500)
  }, 600_000)

  test.skipIf(!hasPrlimit)(
    'a full disk rejects with storage_full, keeps nothing of the batch, and a later put works',
    async () => {
      const child = run(opening, FILL_AND_RECOVER)
      let output = ''
      for await (const chunk of child.stdout) output += chunk
      expect(await exit(child)).toBe(0)
      expect(JSON.parse(output)).toEqual({
        codes: ['storage_full', 'storage_full', 'storage_full'],
        messages: true,
        nothingOfIt: true,
        readsGoOn: true,
        laterPut: ['stored'],
      })
      const store = open(path)
      expect(store.has(idOf('1a7e'))).toBe(true)
      await store.close()
    },
    600_000,
  )

  test('a store that another live process has open is locked', async () => {
    const child = run(opening, `console.log('open'); process.stdin.on('end', () => store.close()).resume()`)
    await once(child.stdout, 'data')
    expect(failureOf(() => open(path))).toEqual({ code: 'locked', naming: true })
    child.stdin.end()
    expect(await exit(child)).toBe(0)
    await open(path).close()
  }, 600_000)

  test('a store that is open in this process is locked', async () => {
    const store = open(path)
    expect(failureOf(() => open(path))).toEqual({ code: 'locked', naming: true })
    await store.put(numbered(1, event('01')))
    await store.close()
    const again = open(path)
    expect(again.has(idOf('01'))).toBe(true)
    await again.close()
  })

  test('a path below a file is not writable', () => {
    writeFileSync(join(directory, 'file'), '')
    path = join(directory, 'file', 'store')
    expect(failureOf(() => open(path))).toEqual({ code: 'not_writable', naming: true })
  })

  test.skipIf(isRoot)('a path without permission is not writable', () => {
    mkdirSync(join(directory, 'closed'), { mode: 0o500 })
    path = join(directory, 'closed', 'store')
    expect(failureOf(() => open(path))).toEqual({ code: 'not_writable', naming: true })
    chmodSync(join(directory, 'closed'), 0o700)
  })

  test('a store of a newer format is refused and left as it is', async () => {
    const store = open(path)
    await store.put(numbered(1, event('01')))
    await store.close()
    await setFormat(path, `${Number(format) + 1}`)
    for (let attempt = 0; attempt < 2; attempt++)
      expect(failureOf(() => open(path))).toEqual({ code: 'wrong_format', naming: true })
    await setFormat(path, format)
    const again = open(path)
    expect(again.has(idOf('01'))).toBe(true)
    await again.close()
  })

  test('a missing directory is made', async () => {
    path = join(directory, 'a', 'b', 'store')
    await open(path).close()
    expect(readdirSync(join(directory, 'a', 'b'))).toContain('store')
  })
})

test('sqlite: the file of another program is refused and left as it is', () => {
  const db = new Database(path)
  db.exec('CREATE TABLE theirs (a)')
  db.close()
  expect(failureOf(() => openSqliteStore(path))).toEqual({ code: 'wrong_format', naming: true })
  const again = new Database(path)
  expect(again.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'theirs' }])
  again.close()
  rmSync(path)
  writeFileSync(path, 'no database at all'.repeat(100))
  expect(failureOf(() => openSqliteStore(path))).toEqual({ code: 'wrong_format', naming: true })
})

test('a directory is no file for sqlite, a file no directory for lmdb', () => {
  path = directory
  expect(failureOf(() => openSqliteStore(path))).toEqual({ code: 'not_writable', naming: true })
  path = join(directory, 'file')
  writeFileSync(path, '')
  expect(failureOf(() => openLmdbStore(path))).toEqual({ code: 'not_writable', naming: true })
})

const SOURCE = fileURLToPath(new URL('.', import.meta.url))

/** Runs code in another process, with `store` open at `path`. */
function run(opening: string, code: string, argument = '') {
  const program = `${opening}; const store = open(process.argv[1]); const argument = process.argv[2]; ${code}`
  const node = ['--import', 'tsx', '--input-type=module', '--eval', program, path, argument]
  return spawn(process.execPath, node, { cwd: SOURCE, stdio: ['pipe', 'pipe', 'inherit'] })
}

/** The exit code, or the signal that ended it. */
async function exit(child: ReturnType<typeof run>): Promise<number | string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.signalCode ?? child.exitCode
}

function failureOf(open: () => Store): { code: string; naming: boolean } {
  try {
    void open().close()
  } catch (error) {
    if (error instanceof StoreError)
      return { code: error.code, naming: error.message.includes(path) && !error.message.includes('\n') }
    throw error
  }
  throw new Error('the store opened')
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Batches of 1 to 40 regular events and one version of a replaceable one; a line for each batch that is through. */
const WRITE_UNTIL_KILLED = `
  let seq = store.lastSeq
  for (let version = Number(argument) * 1e6; ; version++) {
    const fields = { pubkey: 'a1'.repeat(32), sig: '5e'.repeat(64), content: new Uint8Array(400), createdAt: BigInt(version) }
    const batch = Array.from({ length: 1 + (version % 40) }, (_, i) => ({
      seq: ++seq,
      event: { ...fields, id: seq.toString(16).padStart(64, '0'), kind: 1, tags: [['t', 'topic ' + i]] },
    }))
    const ids = batch.map(({ event }) => event.id)
    batch.push({ seq: ++seq, event: { ...fields, id: seq.toString(16).padStart(64, '0'), kind: 10002, tags: [] } })
    await store.put(batch)
    await new Promise((written) => process.stdout.write(JSON.stringify({ ids, version }) + '\\n', written))
  }`

/** Limits the size of files, writes until it is refused, lifts the limit, writes again. */
const FILL_AND_RECOVER = `
  import { execFileSync } from 'node:child_process'
  process.on('SIGXFSZ', () => {})
  const limit = (bytes) => execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=' + bytes + ':'])
  let seq = 0n
  const make = () => {
    seq++
    const id = seq.toString(16).padStart(64, '0')
    const [pubkey, sig, content] = ['a1'.repeat(32), '5e'.repeat(64), new Uint8Array(400)]
    return { seq, event: { id, pubkey, sig, content, createdAt: seq, kind: 1, tags: [] } }
  }
  const acked = []
  const refused = []
  const errors = []
  limit(2_000_000)
  while (errors.length < 3) {
    const batch = Array.from({ length: 100 }, make)
    const ids = batch.map(({ event }) => event.id)
    try {
      await store.put(batch)
      acked.push(...ids)
    } catch (error) {
      errors.push(error)
      refused.push(...ids)
    }
  }
  const readsGoOn =
    acked.length > 100 &&
    acked.every((id) => store.has(id)) &&
    store.query({ kinds: [1] }, { limit: 1e9 }).length === acked.length
  limit('unlimited')
  const late = make()
  const outcomes = await store.put([{ ...late, event: { ...late.event, id: '1a7e'.padEnd(64, '0') } }])
  console.log(JSON.stringify({
    codes: errors.map(({ code }) => code),
    messages: errors.every(({ message }) => message.includes(process.argv[1]) && !message.includes('\\n')),
    nothingOfIt: refused.length > 0 && !refused.some((id) => store.has(id)),
    readsGoOn,
    laterPut: outcomes.map(({ status }) => status),
  }))
  await store.close()`
