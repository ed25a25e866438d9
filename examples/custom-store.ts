/**
 * Your own store: events in a file that you can grep, one JSON line each, in front of the memory store. It passes the
 * contract that every store passes, and a relay runs on it.
 */
import assert from 'node:assert/strict'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '@aetherkit/client'
import { isJsonObject, parseJson, readEvent, writeEvent } from '@aetherkit/core'
import {
  createRelay,
  openMemoryStore,
  type Removal,
  type Store,
  type StoredEvent,
  StoreError,
} from '@aetherkit/relay'
import { storeContract } from '@aetherkit/relay/testing'

/** Lines: {"epoch"} once, {"reserved"} before seqs are handed out, {"seq", "event"} for each event, {"removed"}. */
async function openJsonLinesStore(path: string): Promise<Store> {
  const memory = openMemoryStore()
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []
  const file = openSync(path, 'a')
  let isOpen = true
  const write = (text: string) => {
    if (!isOpen) throw new StoreError('unavailable', 'the store is closed')
    writeSync(file, text)
    fsyncSync(file)
  }

  let epoch = memory.epoch
  for (const line of lines) {
    const parsed = parseJson(line)
    if (!parsed.ok || !isJsonObject(parsed.value))
      throw new Error(`${path}: a line that is not ours: ${line}`)
    const { epoch: kept, reserved, seq, event, removed, limit } = parsed.value
    if (typeof kept === 'string') epoch = kept
    if (typeof reserved === 'string') memory.reserve(BigInt(reserved))
    const read = event === undefined ? undefined : readEvent(event, { base64: true })
    if (read?.ok) await memory.put([{ seq: BigInt(String(seq)), event: read.event }])
    if (typeof removed === 'string') await memory.remove(readRemoval(removed), Number(limit))
  }
  if (lines.length === 0) write(`{"epoch":"${epoch}"}\n`)

  const line = ({ seq, event }: StoredEvent) =>
    `{"seq":"${seq}","event":${writeEvent(event, { base64: true })}}\n`
  return {
    epoch,
    get firstSeq() {
      return memory.firstSeq
    },
    get lastSeq() {
      return memory.lastSeq
    },
    reserve(seq) {
      if (seq <= memory.lastSeq) return memory.reserve(seq)
      const ahead = seq + 1_000n // in steps, so that it costs nothing per event
      write(`{"reserved":"${ahead}"}\n`)
      memory.reserve(ahead)
    },
    async put(batch) {
      write(batch.map(line).join('')) // on disk first: what is acknowledged is there after a crash
      return memory.put(batch)
    },
    async remove(removal, limit) {
      // What goes follows from what is there: carried out again on the same lines, it is the same.
      write(`${JSON.stringify({ removed: writeRemoval(removal), limit })}\n`)
      return memory.remove(removal, limit)
    },
    usage: () => memory.usage(),
    has: (id) => memory.has(id),
    get: (id) => memory.get(id),
    query: (filter, page) => memory.query(filter, page),
    since: (seq, limit) => memory.since(seq, limit),
    async close() {
      await memory.close()
      if (isOpen) closeSync(file)
      isOpen = false
    },
  }
}

/** As text, with `n` behind what is a bigint. */
function writeRemoval(removal: Removal): string {
  return JSON.stringify(removal, (_name, value) => (typeof value === 'bigint' ? `${value}n` : value))
}

function readRemoval(text: string): Removal {
  const revive = (_name: string, value: unknown) =>
    typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value
  return JSON.parse(text, revive) as Removal
}

// The contract that every store passes; the example's runner is a list.
const cases: [name: string, run: () => Promise<void>][] = []
storeContract('json lines', {
  test: (name, run) => cases.push([name, run]),
  open: openJsonLinesStore,
  capabilities: { durable: true, backup: false },
  randomCases: 200,
})
for (const [name, run] of cases) {
  await run().catch((error) => Promise.reject(new Error(name, { cause: error })))
}
console.log(`${cases.length} contract cases passed`)

// A relay on it, twice: what the first one acknowledged the second one serves.
const directory = await mkdtemp(join(tmpdir(), 'aether-example-'))
const path = join(directory, 'events.jsonl')
const first = await createRelay({ port: 0, store: await openJsonLinesStore(path) })
const writer = await connect(first.url)
const { id } = await writer.publish({ kind: 1, content: 'kept in a file' })
await writer.close()
await first.close()

const second = await createRelay({ port: 0, store: await openJsonLinesStore(path) })
const reader = await connect(second.url)
const [event] = await reader.query({ ids: [id] })
assert.equal(event?.text, 'kept in a file')
console.log(`${id.slice(0, 8)} is there after a restart; grep it in events.jsonl`)
await reader.close()
await second.close()
await rm(directory, { recursive: true })
