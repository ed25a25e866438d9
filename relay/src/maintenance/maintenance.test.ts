/** Export and import, as a library and as subcommands; an import that is killed (spec 1.4, 3.1). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Event, generateSecretKey, signEvent, writeEvent } from '@aetherkit/core'
import { beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.js'
import { event } from '../store/contract-case.js'
import { openMemoryStore } from '../store/memory.js'
import { openSqliteStore } from '../store/sqlite.js'
import { VerifyPool } from '../verify-pool.js'
import { exportEvents } from './export.js'
import { importEvents } from './import.js'
import { linesOf } from './lines.js'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const workers = { workers: 1, script: new URL('../../dist/verify-worker.js', import.meta.url) }
const author = generateSecretKey()
const NOW = 1_700_000_000n * 1_000_000_000n

let directory: string
beforeEach(() => {
  directory = temporaryFolder('maintenance')
})

test('an export gives every event once, oldest acceptance first, and an import makes the same store of it', async () => {
  const store = openMemoryStore()
  const events = Array.from({ length: 600 }, (_, i) =>
    signed(i % 3, BigInt((i * 7919) % 1000), i % 5 === 0 ? Uint8Array.of(255, i % 256) : `text ${i}`),
  )
  await store.put(events.map((event, i) => ({ seq: BigInt(i + 1), event })))
  const text = await textOf(exportEvents(store))
  expect(text.trimEnd().split('\n').map(idOf)).toEqual(events.map(({ id }) => id))
  const some = await textOf(exportEvents(store, { filter: { kinds: [2] }, after: 300n }))
  expect(some.trimEnd().split('\n')).toHaveLength(100)
  const again = openMemoryStore()
  expect(await importText(again, text)).toMatchObject({ lines: 600, stored: 600, invalid: {}, refused: [] })
  expect(await textOf(exportEvents(again))).toBe(text)
  expect(await importText(again, text)).toMatchObject({ stored: 0, duplicate: 600 })
})

test('an import names what is no event by code and line, and takes the rest', async () => {
  const good = signed(1, 5n, 'good')
  const lines = [
    'no json',
    line(good),
    '',
    line({ ...good, content: Buffer.from('bad') }),
    line({ ...good, sig: '0'.repeat(128) }),
    line(signed(20_001, 5n, 'ephemeral')),
    line(signed(1, 5n, 'over', [['expiration', '1600000000']])),
    line({ ...event('01'), kind: 50_000 }),
    '[]',
    'x'.repeat(5 << 20),
    line(signed(1, 6n, 'last')),
  ]
  const store = openMemoryStore()
  const report = await importText(store, lines.join('\n'))
  expect(report).toMatchObject({ lines: 11, stored: 2, duplicate: 0 })
  expect(report.refused).toEqual([
    { line: 1, code: 'invalid_message' },
    { line: 4, code: 'id_mismatch' },
    { line: 5, code: 'invalid_signature' },
    { line: 6, code: 'kind_unsupported' },
    { line: 7, code: 'expired' },
    { line: 8, code: 'kind_out_of_range' },
    { line: 9, code: 'invalid_event' },
    { line: 10, code: 'too_large' },
  ])
  expect(await importText(openMemoryStore(), lines.join('\n'), 10)).toMatchObject({ lines: 11, stored: 1 })
})

test('an import that is killed goes on where it was, and nothing is missing or twice', async () => {
  const events = Array.from({ length: 20_000 }, (_, i) => signed(1, BigInt(i), `event ${i}`))
  const [file, resume, path] = ['events.ndjson', 'resume.json', 'store'].map((name) => join(directory, name))
  writeFileSync(file!, `${events.map(line).join('\n')}\n`)
  const args = ['import', '--storage-path', path!, '--from', file!, '--resume', resume!]
  for (let kill = 0; kill < 2; kill++) {
    const child = spawn(process.execPath, [main, ...args], { stdio: 'ignore' })
    const before = progress(resume!)
    await expect.poll(() => progress(resume!), { timeout: 120_000, interval: 5 }).toBeGreaterThan(before)
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const done = progress(resume!)
  const report = JSON.parse((await command(...args)).lines.at(-1) ?? '')
  expect(report).toMatchObject({ lines: 20_000, superseded: 0, invalid: {} })
  expect(report.stored + report.duplicate).toBe(20_000 - done)
  const verified = await command('verify-store', '--storage-path', path!)
  expect(verified.code).toBe(0)
  expect(JSON.parse(verified.lines[0] ?? '')).toMatchObject({ events: 20_000, damages: [] })
}, 300_000)

test('the subcommands say what they did, and end with the codes of their help', async () => {
  const at = (name: string) => join(directory, name)
  writeFileSync(at('events'), `${[signed(1, 1n, 'a'), signed(2, 2n, 'b')].map(line).join('\n')}\nbad\n`)
  const imported = await command('import', '--storage-path', at('lmdb'), '--from', at('events'))
  expect([imported.code, JSON.parse(imported.lines[0] ?? '')]).toMatchObject([
    5,
    { stored: 2, invalid: { invalid_message: 1 } },
  ])
  const exported = await command('export', '--storage-path', at('lmdb'), '--filter', '{"kinds":[2]}')
  expect([exported.code, exported.lines.length]).toEqual([0, 1])
  const backup = await command('backup', '--storage-path', at('lmdb'), '--to', at('copy'))
  expect([backup.code, JSON.parse(backup.lines[0] ?? '')]).toMatchObject([0, { events: 2 }])
  expect((await command('backup', '--storage-path', at('lmdb'), '--to', at('copy'))).code).toBe(4)
  expect((await command('verify-store', '--storage-path', at('nowhere'))).code).toBe(4)
  expect((await command('export', '--filter', '[')).code).toBe(2)
  const store = openSqliteStore(at('lite.sqlite'))
  await store.put([{ seq: 1n, event: signed(1, 1n, 'find me in the file') }])
  await store.close()
  const bytes = readFileSync(at('lite.sqlite'))
  bytes[bytes.indexOf('find me')]! ^= 1
  writeFileSync(at('lite.sqlite'), bytes)
  const verified = await command('verify-store', '--storage', 'sqlite', '--storage-path', at('lite.sqlite'))
  expect([verified.code, verified.lines[0]]).toEqual([5, expect.stringContaining('seq 1')])
}, 300_000)

test('a backup is made of an lmdb store that a relay has open', async () => {
  const path = join(directory, 'store')
  const relay = spawn(process.execPath, [main, '--ws-port', '0', '--storage-path', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const text of createInterface({ input: relay.stdout })) if (text.includes('listening')) break
  const backup = await command('backup', '--storage-path', path, '--to', join(directory, 'copy'))
  expect(backup.code).toBe(0)
  expect((await command('verify-store', '--storage-path', path)).code).toBe(4)
  expect((await command('verify-store', '--storage-path', join(directory, 'copy'))).code).toBe(0)
  relay.kill('SIGTERM')
  await once(relay, 'exit')
}, 300_000)

function signed(
  kind: number,
  createdAt: bigint,
  content: string | Uint8Array,
  tags: Event['tags'] = [],
): Event {
  return signEvent({ kind, createdAt, content, tags }, author)
}

function line(event: Event): string {
  return writeEvent(event) ?? writeEvent(event, { base64: true }) ?? ''
}

function idOf(text: string): string {
  return (JSON.parse(text) as { event_id: string }).event_id
}

async function textOf(chunks: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const chunk of chunks) text += chunk
  return text
}

async function importText(store: ReturnType<typeof openMemoryStore>, text: string, skipLines = 0) {
  const pool = new VerifyPool(workers)
  const halves = [text.slice(0, text.length >> 1), text.slice(text.length >> 1)]
  const chunks = (async function* () {
    yield* halves
  })()
  try {
    return await importEvents(store, linesOf(chunks), { pool, now: NOW, skipLines, batch: 100 })
  } finally {
    await pool.close()
  }
}

function progress(resume: string): number {
  return existsSync(resume)
    ? ((JSON.parse(readFileSync(resume, 'utf8')) as { lines?: number }).lines ?? 0)
    : 0
}

async function command(...args: string[]): Promise<{ code: number | null; lines: string[] }> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  for await (const chunk of child.stdout) text += chunk
  if (child.exitCode === null) await once(child, 'exit')
  return { code: child.exitCode, lines: text.split('\n').filter((part) => part !== '') }
}
