/** A disk that is full (spec 2.4): refused, not acknowledged; reads go on, and so do puts when there is room, without restart. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { verifyStore } from '../maintenance/verify.js'
import { event, named, numbered, statuses } from './contract-case.js'
import { openLmdbStore } from './lmdb.js'
import { openSqliteStore } from './sqlite.js'
import { type Store, StoreError } from './store.js'

const script = new URL('../../dist/store/index-worker.js', import.meta.url)
const MOUNT_BYTES = 24 << 20

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'aether-full-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('a write that the system refuses for lack of room is refused with storage_full, and the next one works', async () => {
  const store = openLmdbStore(join(directory, 'store'), { script })
  await store.put(numbered(1, event('01')))
  const file = await openFile(join(directory, 'any'), 'w')
  const handle: typeof file = Object.getPrototypeOf(file)
  await file.close()
  const full = Object.assign(new Error('no space left on device, write'), { code: 'ENOSPC' })
  const write = vi.spyOn(handle, 'write').mockRejectedValue(full)
  await expect(store.put(numbered(2, event('02')))).rejects.toMatchObject({ code: 'storage_full' })
  expect([store.has(event('01').id), store.has(event('02').id)]).toEqual([true, false])
  write.mockRestore()
  expect(await statuses(store, numbered(3, event('02')))).toEqual(['stored'])
  await store.close()
})

describe.skipIf(!canMount())('on a small tmpfs (skipped unless root may mount)', () => {
  let mount: string
  beforeEach(() => {
    mount = join(directory, 'mount')
    mkdirSync(mount)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${MOUNT_BYTES}`, 'tmpfs', mount])
  })
  afterEach(() => {
    execFileSync('umount', ['-l', mount])
  })

  test.each([
    [
      'lmdb',
      (path: string) =>
        openLmdbStore(path, { script, segmentBytes: 1 << 20, bounds: { events: 500, bytes: 1e9, delay: 0 } }),
    ],
    ['sqlite', openSqliteStore],
  ] as const)(
    '%s loses nothing acknowledged, reads, and goes on when there is room',
    async (storage, open) => {
      const ballast = join(mount, 'ballast')
      writeFileSync(ballast, Buffer.alloc(MOUNT_BYTES / 2))
      const path = join(mount, 'store')
      const store = open(path)
      const acked: string[] = []
      const codes = await fillUp(store, acked)
      expect(codes).toEqual(['storage_full', 'storage_full', 'storage_full'])
      expect(acked.filter((id) => !store.has(id))).toEqual([])
      expect(store.query({}, { limit: 1e9 })).toHaveLength(acked.length)
      rmSync(ballast)
      const late = named({ kind: 2, createdAt: 5n })
      await expect.poll(() => putOne(store, late), { timeout: 300_000, interval: 200 }).toBe('stored')
      const removed = await store.remove({ kinds: [1, 1], maxEvents: 10 }, 1e6)
      expect(removed.events).toBe(acked.length - 10)
      await store.close()
      const report = await verifyStore({ storage, path, script })
      expect(report).toMatchObject({ events: 11, damages: [] })
    },
    600_000,
  )
})

/** Codes of three refusals. */
async function fillUp(store: Store, acked: string[]): Promise<string[]> {
  const codes: string[] = []
  for (let seq = 1; codes.length < 3; seq += 50) {
    const batch = Array.from({ length: 50 }, (_, i) =>
      named({
        kind: 1,
        createdAt: BigInt(seq + i),
        tags: [['t', `${seq + i}`]],
        content: new Uint8Array(500),
      }),
    )
    try {
      await store.put(numbered(seq, ...batch))
      acked.push(...batch.map(({ id }) => id))
    } catch (error) {
      codes.push(error instanceof StoreError ? error.code : String(error))
    }
  }
  return codes
}

async function putOne(store: Store, late: ReturnType<typeof named>): Promise<string> {
  try {
    return (await store.put(numbered(1_000_000, late)))[0]?.status ?? ''
  } catch (error) {
    return error instanceof StoreError ? error.code : String(error)
  }
}

function canMount(): boolean {
  const at = mkdtempSync(join(tmpdir(), 'aether-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', at], { stdio: 'ignore' })
    execFileSync('umount', [at], { stdio: 'ignore' })
    return true
  } catch {
    return false
  } finally {
    rmSync(at, { recursive: true, force: true })
  }
}
