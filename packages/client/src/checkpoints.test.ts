import { expect, test } from 'vitest'
import { client, failure, relay } from '../test/world.js'
import { checkpointTime } from './checkpoint-head.js'
import {
  type CheckpointDraft,
  type Checkpoints,
  openCheckpoints,
  type StoredCheckpoint,
} from './checkpoints.js'
import type { Client } from './client.js'
import { localSigner } from './signer.js'
import { openState } from './state.js'
import { STATE_KIND } from './state-names.js'

const typed = (value: string | Uint8Array) => ({
  type: 'raw',
  bytes: typeof value === 'string' ? new TextEncoder().encode(value) : value,
})
const read = ({ bytes }: { bytes: Uint8Array }) => new TextDecoder().decode(bytes)

/** A UUID of version 6 at a time, ms, with a sequence behind it. */
function id(ms: number, sequence = 0): string {
  const ticks = (BigInt(ms) * 10_000n + 0x01b21dd213814000n).toString(16).padStart(15, '0')
  const [high, middle, low] = [ticks.slice(0, 8), ticks.slice(8, 12), ticks.slice(12)]
  return `${high}-${middle}-6${low}-8${sequence.toString(16).padStart(3, '0')}-000000000000`
}

function draft(name: string, more: Partial<CheckpointDraft> = {}): CheckpointDraft {
  const place = { thread: 't', namespace: '', id: name }
  return { place, parent: undefined, head: typed(`head ${name}`), metadata: typed('{}'), parts: [], ...more }
}

async function world(): Promise<{ alice: Client; checkpoints: Checkpoints; again(): Promise<Checkpoints> }> {
  const { url } = await relay()
  const signer = localSigner()
  const alice = await client(url, { signer })
  const open = (of: Client) => openCheckpoints(openState(of, { signer }))
  return { alice, checkpoints: open(alice), again: async () => open(await client(url, { signer })) }
}

async function ids(checkpoints: AsyncIterable<StoredCheckpoint>): Promise<string[]> {
  const all: string[] = []
  for await (const { place } of checkpoints) all.push(place.id)
  return all
}

const stored = (alice: Client) =>
  alice.query({ kinds: [STATE_KIND], authors: [alice.publicKey], limit: 5000 })

test('the time of an id is that of its UUID, to 100 ns', () => {
  expect(checkpointTime(id(1_700_000_000_123))).toBe(1_700_000_000_123_000_000n)
  // RFC 9562, A.5.
  expect(checkpointTime('1ec9414c-232a-6b00-b3c8-9f6bdeced846')).toBe(1_645_557_742_000_000_000n)
  for (const other of ['', 'one', id(1).toUpperCase(), crypto.randomUUID()])
    expect(checkpointTime(other)).toBeUndefined()
})

test('the latest is the one with the highest id, in whatever order they were saved', async () => {
  const { checkpoints, again } = await world()
  const names = Array.from({ length: 30 }, (_, n) => id(1_700_000_000_000 + n * 1000))
  for (const name of [...names].reverse()) await checkpoints.save(draft(name))
  expect((await checkpoints.latest('t', ''))?.place.id).toBe(names.at(-1))
  // Dropped, and brought back from a copy, newest first.
  await checkpoints.drop('t')
  expect(await checkpoints.latest('t', '')).toBeUndefined()
  for (const name of [...names].reverse()) await checkpoints.save(draft(name))
  expect((await checkpoints.latest('t', ''))?.place.id).toBe(names.at(-1))
  // Saved again, it is still where its id puts it.
  await checkpoints.save(draft(names[3]!, { head: typed('again') }))
  const other = await again()
  expect((await other.latest('t', ''))?.place.id).toBe(names.at(-1))
  expect(read((await other.load(draft(names[3]!).place))!.head)).toBe('again')
  expect(await ids(other.list({ thread: 't' }))).toEqual([...names].reverse())
  expect(await ids(other.list({ thread: 't', before: names[20] }))).toEqual(names.slice(0, 20).reverse())
})

test('ids of one tick, and ids that carry no time, are ordered as text', async () => {
  const { checkpoints } = await world()
  const names = [id(1_700_000_000_000, 1), id(1_700_000_000_000, 2), 'a', 'zz', 'm'].sort()
  for (const name of names) await checkpoints.save(draft(name))
  expect((await checkpoints.latest('t', ''))?.place.id).toBe('zz')
  expect(await ids(checkpoints.list({}))).toEqual([...names].reverse())
  expect(await ids(checkpoints.list({ before: 'm' }))).toEqual(names.filter((name) => name < 'm').reverse())
  expect(await ids(checkpoints.list({ id: 'a' }))).toEqual(['a'])
  expect(await ids(checkpoints.list({ namespace: 'sub' }))).toEqual([])
})

test('an id from a clock that is ahead is saved', async () => {
  const { checkpoints } = await world()
  const ahead = id(Date.now() + 600_000)
  await checkpoints.save(draft(id(Date.now())))
  await checkpoints.save(draft(ahead))
  expect((await checkpoints.latest('t', ''))?.place.id).toBe(ahead)
})

test('a large part is written once, whichever checkpoints and processes have it', async () => {
  const { alice, checkpoints, again } = await world()
  const value = typed(crypto.getRandomValues(new Uint8Array(20_000)))
  const part = { name: 'messages', version: 1, value, fresh: true }
  await checkpoints.save(draft(id(1), { parts: [part] }))
  const before = (await stored(alice)).length
  await checkpoints.save(draft(id(2), { parent: id(1), parts: [{ ...part, fresh: false }] }))
  expect((await stored(alice)).length).toBe(before + 1)
  const other = await again()
  const second = await other.latest('t', '')
  expect(await second?.parts()).toEqual([{ name: 'messages', version: 1, value }])
  await other.save(draft(id(3), { parent: id(2), parts: [{ ...part, fresh: false }] }))
  expect((await stored(alice)).length).toBe(before + 2)
  expect((await stored(alice)).every(({ content }) => content.length > 0)).toBe(true)
})

test('without a parent, a part that is not fresh is kept only where the thread has its version', async () => {
  const { checkpoints } = await world()
  const part = (name: string, version: number, fresh: boolean) => ({
    name,
    version,
    fresh,
    value: typed(name),
  })
  const names = async (of: string) => {
    const parts = await (await checkpoints.load(draft(of).place))?.parts()
    return parts?.map(({ name }) => name)
  }
  await checkpoints.save(draft('1', { parts: [part('a', 1, false)] }))
  expect(await names('1')).toEqual([])
  await checkpoints.save(draft('2', { parts: [part('a', 1, true), part('b', 1, false)] }))
  expect(await names('2')).toEqual(['a'])
  await checkpoints.save(draft('3', { parts: [part('a', 1, false), part('b', 2, true)] }))
  expect(await names('3')).toEqual(['a', 'b'])
})

test('of a write the first one stays, of a special one the last', async () => {
  const { checkpoints, again } = await world()
  const { place } = draft(id(1))
  const write = (task: string, index: number, text: string) => ({
    task,
    index,
    channel: 'c',
    value: typed(text),
  })
  await checkpoints.addWrites(place, [write('b', 0, 'b0'), write('b', 10, 'b10'), write('b', 2, 'b2')])
  await (await again()).addWrites(place, [
    write('a', 0, 'a0'),
    write('b', 0, 'late'),
    write('b', -1, 'error'),
  ])
  await checkpoints.addWrites(place, [write('b', -1, 'other error')])
  const writes = await checkpoints.writes(place)
  expect(writes.map(({ value }) => read(value))).toEqual(['a0', 'other error', 'b0', 'b2', 'b10'])
})

test('a dropped thread leaves tombstones only, and other threads alone', async () => {
  const { alice, checkpoints } = await world()
  const value = typed(new Uint8Array(700_000).fill(7))
  for (const thread of ['t', 'u']) {
    const place = { thread, namespace: 'ns', id: id(1) }
    const parts = [{ name: 'a', version: 1, value, fresh: true }]
    await checkpoints.save(draft('', { place, parts }))
    await checkpoints.addWrites(place, [{ task: 'x', index: 0, channel: 'c', value }])
  }
  await checkpoints.save(draft('odd'))
  const length = async (of: StoredCheckpoint | undefined) => (await of?.parts())?.[0]?.value.bytes.length
  const full = async () => (await stored(alice)).filter(({ content }) => content.length > 0).length
  const before = await full()
  await checkpoints.drop('t')
  expect(await full()).toBe((before - 1) / 2)
  expect(await checkpoints.latest('t', 'ns')).toBeUndefined()
  expect(await length(await checkpoints.latest('u', 'ns'))).toBe(700_000)
  // The thread can begin anew, with the same parts.
  const place = { thread: 't', namespace: 'ns', id: id(1) }
  await checkpoints.save(draft('', { place, parts: [{ name: 'a', version: 1, value, fresh: true }] }))
  expect(await length(await checkpoints.latest('t', 'ns'))).toBe(700_000)
  expect(await checkpoints.writes(place)).toEqual([])
})

test('a checkpoint whose part is gone is STATE_UNREADABLE, one that was dropped meanwhile has no parts', async () => {
  const { alice, checkpoints } = await world()
  const value = typed(new Uint8Array(20_000))
  await checkpoints.save(draft(id(1), { parts: [{ name: 'a', version: 1, value, fresh: true }] }))
  const one = await checkpoints.latest('t', '')
  const blob = (await stored(alice)).find(({ content }) => content.length > 20_000)
  await alice.publish({ kind: STATE_KIND, tags: blob!.tags })
  expect(await failure(one!.parts())).toMatchObject({ code: 'STATE_UNREADABLE' })
  await checkpoints.drop('t')
  expect(await one!.parts()).toBeUndefined()
})
