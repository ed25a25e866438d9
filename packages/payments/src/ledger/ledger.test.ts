import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { ledgerContract } from './contract-suite.js'
import { createLedger } from './ledger.js'
import { lmdbStore } from './lmdb.js'
import { memoryStore } from './memory.js'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const directory = mkdtempSync(join(tmpdir(), 'aether-ledger-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
let files = 0
const newFile = () => join(directory, `ledger-${++files}`)

ledgerContract('memory', { test, open: async () => ({ store: memoryStore() }) })
ledgerContract('LMDB', { test, open: async () => ({ store: lmdbStore(newFile()) }) })

test('what is past its time is gone from every store', async () => {
  for (const make of [
    (now: () => number) => memoryStore({ now }),
    (now: () => number) => lmdbStore(newFile(), { now }),
  ]) {
    let time = 1_000
    const store = make(() => time)
    expect(await store.swap('key', undefined, 'text', 100)).toBe(true)
    expect(await store.get('key')).toBe('text')
    time += 100
    expect(await store.get('key')).toBeUndefined()
    expect(await store.keys('k')).toEqual([])
    expect(await store.swap('key', 'text', 'other', 100)).toBe(false)
    expect(await store.swap('key', undefined, 'other', 100)).toBe(true)
    await store.close()
  }
})

test('an LMDB ledger opened again knows what was sent and what was settled', async () => {
  const path = newFile()
  const first = createLedger(lmdbStore(path))
  await first.claim('a', 60_000, { claimant: 'one', resource: 'GET /paid' })
  await first.finish('a', { transaction: 'tx', payer: 'payer', received: 5n })
  await first.close()
  const second = createLedger(lmdbStore(path))
  expect(await second.claim('a', 60_000)).toEqual({ transaction: 'tx', payer: 'payer', received: 5n })
  expect(await second.find('tx')).toMatchObject({ paymentId: 'a', state: 'settled', resource: 'GET /paid' })
  await second.close()
})

test('a ledger file that cannot be opened is invalid_option', () => {
  expect(() => lmdbStore(join(directory, 'missing', 'deeper', 'x'.repeat(300)))).toThrow(
    expect.objectContaining({ code: 'invalid_option' }),
  )
})
