/** Everything that an operator must not lose: backed up under load, exported, imported, verified (spec 2.4, 9.3). */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { createClock, type Event, generateSecretKey, signEvent, writeMessage } from '@aetherkit/core'
import { open } from 'lmdb'
import { finalizeEvent, generateSecretKey as nostrKey } from 'nostr-tools/pure'
import { beforeEach, expect, test } from 'vitest'
import { RawPeer } from '../../test/raw-peer.js'
import { RelayProcess } from '../../test/relay-process.js'
import { temporaryFolder } from '../../test/temporary-folder.js'
import { openNostrStore } from '../gateway/nostr-store.js'
import { readNostrEvent } from '../nostr-event.js'
import { openCapabilityUses } from '../policy/capability-uses.js'
import { numbered } from '../store/contract-case.js'
import { openLmdbStore } from '../store/lmdb.js'
import { openSqliteStore } from '../store/sqlite.js'
import type { Store } from '../store/store.js'
import { nostrPath, placeAt } from './place.js'

const script = new URL('../../dist/store/index-worker.js', import.meta.url)
const author = generateSecretKey()
const clock = createClock()

const STORAGES = [
  { storage: 'lmdb' as const, open: (path: string) => openLmdbStore(path, { script }) },
  { storage: 'sqlite' as const, open: (path: string) => openSqliteStore(path, { script }) },
]

let directory: string
beforeEach(() => {
  directory = temporaryFolder('data')
})

test.each(STORAGES)(
  '$storage: a backup in a publish storm has every event that was acknowledged before it began, and all else',
  async ({ storage, open }) => {
    const [data, copy] = [join(directory, 'data'), join(directory, 'copy')]
    const at = ['--storage', storage, '--storage-path', data]
    const mailboxes = storage === 'lmdb' ? 'mailboxes.mdb' : 'aether.mailboxes.mdb'
    const relay = new RelayProcess(directory, [
      '--ws-port',
      '0',
      '--gateway',
      'nostr',
      '--nostr-port',
      '0',
      ...at,
    ])
    const peer = await RawPeer.connect(await relay.port())
    const acked: string[] = []
    let isOver = false
    const storm = publishUntil(peer, acked, () => isOver)
    await expect.poll(() => acked.length, { timeout: 100_000 }).toBeGreaterThan(300)
    const before = [...acked]
    const backup = await command('backup', ...at, '--to', copy)
    const during = acked.length - before.length
    isOver = true
    await storm
    expect(backup).toMatchObject({
      code: 0,
      said: { nostr: { events: 0 }, files: [mailboxes, 'relay.key'] },
    })
    expect(during).toBeGreaterThan(0)
    relay.child.kill('SIGTERM')
    expect(await relay.exit).toBe(0)
    const verified = await command('verify-store', '--storage', storage, '--storage-path', copy)
    expect(verified).toMatchObject({
      code: 0,
      said: { events: backup.said.events, damages: [], nostr: { events: 0 }, files: [mailboxes] },
    })
    const [store, whole] = [open(placeAt(storage, copy).path), open(placeAt(storage, data).path)]
    expect(before.filter((id) => !store.has(id))).toEqual([])
    expect(acked.filter((id) => !whole.has(id))).toEqual([])
    expect(store.epoch).not.toBe(whole.epoch)
    await Promise.all([store.close(), whole.close()])
    for (const name of ['relay.key', mailboxes]) expect(statSync(join(copy, name)).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(copy, 'relay.key'))).toEqual(readFileSync(join(data, 'relay.key')))
    const again = await command('backup', ...at, '--to', copy)
    expect(again.code).toBe(4)
    const elsewhere = join(directory, 'moved', 'other.sqlite')
    if (storage === 'sqlite') {
      mkdirSync(dirname(elsewhere))
      for (const name of ['.sqlite', '.nostr.sqlite', '.mailboxes.mdb'])
        cpSync(join(copy, `aether${name}`), join(dirname(elsewhere), `other${name}`))
      const named = await command(
        'backup',
        '--storage',
        storage,
        '--storage-path',
        elsewhere,
        '--to',
        join(directory, 'third'),
      )
      expect(named).toMatchObject({ code: 0, said: { events: backup.said.events, nostr: { events: 0 } } })
      expect(readdirSync(join(directory, 'third')).sort()).toEqual([
        'other.mailboxes.mdb',
        'other.nostr.sqlite',
        'other.sqlite',
      ])
    }
    const restored = new RelayProcess(directory, [
      '--ws-port',
      '0',
      '--storage',
      storage,
      '--storage-path',
      copy,
    ])
    await restored.port()
    restored.child.kill('SIGTERM')
    expect(await restored.exit).toBe(0)
  },
)

test.each(STORAGES)(
  '$storage: genuine Nostr events are exported, imported and verified with the others, under their own rules',
  async ({ storage, open }) => {
    const [data, copy, lines] = ['data', 'copy', 'lines'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ]
    const aether = signEvent({ kind: 1, createdAt: clock(), content: 'ours' }, author)
    const key = nostrKey()
    const nostr = [1, 2].map((created_at) =>
      finalizeEvent({ kind: 0, created_at, tags: [], content: `version ${created_at}` }, key),
    )
    const note = finalizeEvent({ kind: 40_001, created_at: 5, tags: [['t', 'x']], content: 'theirs' }, key)
    const path = placeAt(storage, data).path
    await fill(open(path), [aether])
    await fill(openNostrStore(open(nostrPath(storage, path))), [...nostr, note].map(asNostr), 10)
    const exported = await command('export', '--storage', storage, '--storage-path', data, '--to', lines)
    expect(exported).toMatchObject({ code: 0, said: { events: 1, nostr: 2 } })
    const ids = readFileSync(lines, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id?: string; event_id?: string })
      .map(({ id, event_id }) => event_id ?? `nostr ${id}`)
    expect(ids).toEqual([aether.id, `nostr ${nostr[1]?.id}`, `nostr ${note.id}`])
    const bad = JSON.stringify({
      ...note,
      sig: note.sig.replace(/^../, (byte) => (byte === '00' ? '11' : '00')),
    })
    writeFileSync(lines, `${JSON.stringify(nostr[0])}\n${readFileSync(lines, 'utf8')}${bad}\n`)
    const imported = await command('import', '--storage', storage, '--storage-path', copy, '--from', lines)
    expect(imported).toMatchObject({ code: 5, said: { stored: 4, invalid: { invalid_signature: 1 } } })
    expect(await contents(open(placeAt(storage, copy).path))).toEqual([aether.id])
    const theirs = openNostrStore(open(placeAt(storage, copy).nostr))
    expect(await contents(theirs)).toEqual([nostr[1]?.id, note.id])
    const verified = await command('verify-store', '--storage', storage, '--storage-path', copy)
    expect(verified).toMatchObject({ code: 0, said: { events: 1, nostr: { events: 2 }, damages: [] } })
  },
)

test('damage of the store of Nostr events and of a file beside is found', async () => {
  await fill(openLmdbStore(directory, { script }), [signEvent({ kind: 1, createdAt: clock() }, author)])
  const nostr = join(directory, 'nostr')
  const note = finalizeEvent({ kind: 1, created_at: 5, tags: [], content: 'find me' }, nostrKey())
  await fill(openNostrStore(openLmdbStore(nostr, { script })), [asNostr(note)])
  const uses = openCapabilityUses(join(directory, 'capability-uses.mdb'))
  await uses.take([{ id: 'a', max: 5n }])
  await uses.close()
  const whole = await command('verify-store', '--storage-path', directory)
  expect(whole).toMatchObject({ code: 0, said: { damages: [], files: ['capability-uses.mdb'] } })
  const segment = join(nostr, 'segments', '0000000001.log')
  const bytes = readFileSync(segment)
  bytes[bytes.indexOf('find me')]! ^= 1
  writeFileSync(segment, bytes)
  truncateSync(join(directory, 'capability-uses.mdb'), 100)
  const { code, said } = await command('verify-store', '--storage-path', directory)
  expect(code).toBe(5)
  const damages = said.damages as { file: string }[]
  expect(damages.some(({ file }) => file.startsWith(nostr))).toBe(true)
  expect(damages.some(({ file }) => file.endsWith('capability-uses.mdb'))).toBe(true)
})

test('counters are copied as they are while they are counted', async () => {
  await fill(openLmdbStore(directory, { script }), [signEvent({ kind: 1, createdAt: 5n }, author)])
  const uses = openCapabilityUses(join(directory, 'capability-uses.mdb'))
  for (let i = 0; i < 50; i++) uses.takeNow([{ id: `${i % 5}`, max: 99n }])
  const copy = join(directory, 'copy')
  const backup = await command('backup', '--storage-path', directory, '--to', copy)
  expect(backup).toMatchObject({ code: 0, said: { events: 1, files: ['capability-uses.mdb'] } })
  await uses.close()
  expect(readdirSync(copy).sort()).toEqual([
    'capability-uses.mdb',
    'graves',
    'identity.json',
    'index',
    'segments',
  ])
  const copied = open<number, string>({ path: join(copy, 'capability-uses.mdb'), noSubdir: true })
  expect(['0', '4'].map((id) => copied.get(id))).toEqual([10, 10])
  await copied.close()
})

test('a store that lost its index and a part of its graves opens only when what was removed may come back', async () => {
  const store = openLmdbStore(directory, { script })
  await store.put(numbered(1, ...[1n, 2n, 3n].map((createdAt) => signEvent({ kind: 1, createdAt }, author))))
  await store.remove({ kinds: [1, 1], maxEvents: 1 }, 10)
  await store.close()
  const graves = join(directory, 'graves')
  const bytes = readFileSync(graves)
  // With its index nothing is lost: it is said, and mended.
  truncateSync(graves, bytes.length - 16)
  expect(await command('verify-store', '--storage-path', directory)).toMatchObject({
    code: 5,
    said: { events: 1, damages: [{ file: graves, what: expect.stringContaining('ends at offset') }] },
  })
  expect(readFileSync(graves)).toHaveLength(bytes.length)
  expect((await command('verify-store', '--storage-path', directory)).code).toBe(0)
  for (const cut of [0, 5, 16, bytes.length - 16]) {
    writeFileSync(graves, bytes.subarray(0, cut))
    rmSync(join(directory, 'index'), { recursive: true, force: true })
    expect(() => openLmdbStore(directory, { script })).toThrow(
      expect.objectContaining({ code: 'unavailable', message: expect.stringContaining('--forget-graves') }),
    )
  }
  rmSync(graves)
  expect(await command('verify-store', '--storage-path', directory)).toMatchObject({ code: 5 })
  const forgotten = await command('verify-store', '--forget-graves', '--storage-path', directory)
  expect(forgotten).toMatchObject({ code: 0, said: { events: 3 } })
  expect(existsSync(graves)).toBe(true)
  // Where they are whole, they are not forgotten.
  const again = openLmdbStore(directory, { script })
  await again.remove({ kinds: [1, 1], maxEvents: 1 }, 10)
  await again.close()
  await command('verify-store', '--forget-graves', '--storage-path', directory)
  rmSync(join(directory, 'index'), { recursive: true })
  expect(await contents(openLmdbStore(directory, { script }))).toHaveLength(1)
})

test('a store that a relay has open is refused with what to do instead', async () => {
  const relay = new RelayProcess(directory, ['--ws-port', '0', '--storage-path', directory])
  await relay.port()
  for (const name of ['import', 'export']) {
    const refused = await command(name, '--storage-path', directory)
    expect(refused.code).toBe(4)
    expect(refused.err).toContain(`\`aether ${name}\``)
  }
  relay.child.kill('SIGTERM')
  await relay.exit
})

/** Publishes fifty at a time, until it is over. */
async function publishUntil(peer: RawPeer, acked: string[], isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const events = Array.from({ length: 50 }, () =>
      signEvent({ kind: 1, createdAt: clock(), content: 'x'.repeat(300) }, author),
    )
    for (const event of events) peer.say(writeMessage({ type: 'publish', event }))
    for (const { id } of events) {
      expect(await peer.hearJson()).toMatchObject({ type: 'ack', event_id: id })
      acked.push(id)
    }
  }
  await peer.close()
}

function asNostr(event: object): Event {
  const read = readNostrEvent(JSON.parse(JSON.stringify(event)))
  if (read === undefined) throw new Error('no Nostr event')
  return read
}

async function fill(store: Store, events: readonly Event[], seq = 1): Promise<void> {
  await store.put(numbered(seq, ...events))
  await store.close()
}

async function contents(store: Store): Promise<string[]> {
  const ids = store.since(0n, 100).map(({ event }) => event.id)
  await store.close()
  return ids
}

async function command(...args: string[]) {
  const process = new RelayProcess(directory, args)
  const code = await process.exit
  const line = process.out.split('\n').find((text) => text.startsWith('{')) ?? '{}'
  return { code, said: JSON.parse(line) as Record<string, unknown>, err: process.err }
}
