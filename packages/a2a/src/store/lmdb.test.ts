import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { TaskStore } from '../task-store.js'
import { taskStoreContract } from './contract-suite.js'
import { lmdbTaskStore } from './lmdb.js'

const folder = mkdtempSync(join(tmpdir(), 'aether-tasks-'))
afterAll(() => rmSync(folder, { recursive: true }))

const paths = new WeakMap<TaskStore, string>()
let made = 0
function openAt(path: string, options: { readonly now?: () => number } = {}): TaskStore {
  const store = lmdbTaskStore(path, options)
  paths.set(store, path)
  return store
}

taskStoreContract('LMDB', {
  test,
  open: async (options) => openAt(join(folder, `${++made}.mdb`), options),
  reopen: async (store, options) => {
    const path = paths.get(store)!
    await store.close()
    return openAt(path, options)
  },
})

test('6.2.20: LMDB keeps ids and keys of any length apart', async () => {
  const store = openAt(join(folder, 'long.mdb'))
  const long = 'x'.repeat(5000)
  const record = { hash: 'h', taskId: '', expiresAt: Number.MAX_SAFE_INTEGER }
  expect(await store.once(`${long}a`, record)).toBeUndefined()
  expect(await store.once(`${long}b`, record)).toBeUndefined()
  expect(await store.once(`${long}a`, record)).toEqual(record)
  await store.close()
})

test('7.9: LMDB holds after kill -9 everything that it acknowledged', async () => {
  for (let round = 0; round < 5; round++) {
    const path = join(folder, `kill-${round}.mdb`)
    const child = fork(new URL('../../test/task-writer.mjs', import.meta.url), [path], { stdio: 'inherit' })
    let acknowledged = -1
    await new Promise<void>((resolve) => {
      child.on('message', (n) => {
        acknowledged = Number(n)
        if (acknowledged === 20 + round * 13) child.kill('SIGKILL')
      })
      child.on('exit', () => resolve())
    })
    expect(acknowledged).toBeGreaterThanOrEqual(20)
    const store = openAt(path)
    for (let n = 0; n <= acknowledged; n++) {
      const record = await store.load(`task-${n}`, 'bearer:ann', '')
      expect(record?.task.artifacts?.[0]?.parts).toEqual([{ text: `chunk ${n}` }])
    }
    expect((await store.open()).length).toBeGreaterThan(acknowledged)
    expect(await store.count('bearer:ann', '')).toBeGreaterThan(acknowledged)
    await store.close()
  }
})
