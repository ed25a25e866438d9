import { test } from 'vitest'
import { storeContract } from './contract-suite.js'
import { openLmdbStore } from './lmdb.js'
import { openMemoryStore } from './memory.js'
import { openSqliteStore } from './sqlite.js'

const seed = Number(process.env.SEED ?? 4253346320)
/** The threads run what was built: they are started by node itself. */
const script = new URL('../../dist/store/index-worker.js', import.meta.url)
const slow = (name: string, run: () => Promise<void>) => test(name, run, 600_000)

storeContract('memory', {
  test: slow,
  open: openMemoryStore,
  capabilities: { durable: false, backup: false },
  seed,
  randomCases: 20_000,
})
storeContract('lmdb', {
  test: slow,
  open: (path) => openLmdbStore(path, { script }),
  capabilities: { durable: true, backup: true },
  seed,
  randomCases: 20_000,
})
storeContract('lmdb, indexed at once in small segments', {
  test: slow,
  open: (path) =>
    openLmdbStore(path, {
      segmentBytes: 4096,
      bounds: { events: 8, bytes: 1 << 16, delay: 0 },
      script,
    }),
  capabilities: { durable: true, backup: true },
  seed,
  randomCases: 4000,
})
storeContract('sqlite', {
  test: slow,
  open: (path) => openSqliteStore(path, { script }),
  capabilities: { durable: true, backup: true },
  seed,
  randomCases: 20_000,
})
