/**
 * A durable store over an ordered key-value engine with transactions: SQLite, and any other that comes. The
 * engine keeps two tables, the event log and the index of `index-keys.ts`; everything that needs thought is here.
 */
import { randomInt } from 'node:crypto'
import type { Event } from '@aetherkit/core'
import { type Addition, decide } from './decide.js'
import { randomEpoch } from './epoch.js'
import { idKey, META, replaceIndexKey, seqKey, visitPlaceKeys } from './index-keys.js'
import { type IndexReader, queryIndex } from './indexed-query.js'
import { decodeRecord, encodeRecord } from './record.js'
import type { KeyReader } from './scan.js'
import { type Store, type StoredEvent, StoreError } from './store.js'

/** Writes of one transaction; bytes given to it stay as they are until the transaction is through. */
export interface Writer {
  putIndex(key: Buffer, value: Buffer): void
  deleteIndex(key: Buffer): void
  putRecord(seq: Buffer, record: Buffer): void
  deleteRecord(seq: Buffer): void
}

export interface Engine extends KeyReader {
  /** For messages. */
  readonly path: string
  value(key: Buffer): Buffer | undefined
  record(seq: Buffer): Buffer | undefined
  /** The first `limit` records from `seq` on. */
  records(seq: Buffer, limit: number): { readonly seq: Buffer; readonly record: Buffer }[]
  /** One transaction; resolves when it is on disk, rejects with StoreError when nothing of it is. `fill` never throws. */
  write(fill: (writer: Writer) => void): Promise<void>
  /** The same, on disk on return. */
  writeNow(fill: (writer: Writer) => void): void
  close(): Promise<void>
}

/** Version of the layout; a store of a newer one is refused. */
const FORMAT = 1
/** Seqs reserved at once: one synchronous write in a million. */
const RESERVE_STEP = 1n << 20n

const U64_MAX = 0xffff_ffff_ffff_ffffn
const NO_VALUE = Buffer.alloc(0)

export function openIndexedStore(engine: Engine): Store {
  const { epoch, hashSeed, ...identity } = openIdentity(engine)
  let reserved = identity.reserved
  let turn: Promise<unknown> = Promise.resolve()
  let open = true

  const reader: IndexReader = {
    hashSeed,
    keys: (from, to, limit) => engine.keys(from, to, limit),
    value: (key) => engine.value(key),
    event: (seq) => decoded(engine.record(seq)),
  }

  function stored(seq: Buffer | undefined): StoredEvent | undefined {
    const event = seq && reader.event(seq)
    return seq && event && { seq: seq.readBigUInt64BE(), event }
  }

  async function putInTurn(batch: readonly StoredEvent[]) {
    const { outcomes, additions, removals } = decide(batch, {
      has: (id) => engine.value(idKey(id)) !== undefined,
      winner: (key) => stored(engine.value(replaceIndexKey(key))),
    })
    if (additions.length === 0) return outcomes
    const records = additions.map(({ stored }) => encodeRecord(stored.event))
    let highest = 0n
    for (const { stored } of additions) if (stored.seq > highest) highest = stored.seq
    const reserve = highest > reserved ? reservation(highest) : undefined
    await engine.write((writer) => {
      for (const removal of removals) remove(writer, removal)
      additions.forEach((addition, i) => {
        add(writer, addition, records[i]!)
      })
      if (reserve !== undefined) writer.putIndex(META.reserved, seqKey(reserve))
    })
    if (reserve !== undefined && reserve > reserved) reserved = reserve
    return outcomes
  }

  function add(writer: Writer, { stored, replaceKey }: Addition, record: Buffer): void {
    const seq = seqKey(stored.seq)
    writer.putRecord(seq, record)
    writer.putIndex(idKey(stored.event.id), seq)
    if (replaceKey !== undefined) writer.putIndex(replaceIndexKey(replaceKey), seq)
    visitPlaceKeys(stored, hashSeed, (key) => writer.putIndex(key, NO_VALUE))
  }

  /** The replace key stays: whoever removes a winner has a new one. */
  function remove(writer: Writer, stored: StoredEvent): void {
    writer.deleteRecord(seqKey(stored.seq))
    writer.deleteIndex(idKey(stored.event.id))
    visitPlaceKeys(stored, hashSeed, (key) => writer.deleteIndex(key))
  }

  function assertOpen(): void {
    if (!open) throw new StoreError('unavailable', `store ${engine.path} is closed`)
  }

  return {
    epoch,
    firstSeq: 0n,
    get lastSeq() {
      return reserved
    },
    reserve(seq) {
      assertOpen()
      if (seq <= reserved) return
      const next = reservation(seq)
      engine.writeNow((writer) => writer.putIndex(META.reserved, seqKey(next)))
      reserved = next
    },
    async put(batch) {
      assertOpen()
      const result = turn.then(() => putInTurn(batch))
      turn = result.catch(() => undefined)
      return result
    },
    has(id) {
      assertOpen()
      return engine.value(idKey(id)) !== undefined
    },
    get(id) {
      assertOpen()
      return stored(engine.value(idKey(id)))
    },
    query(filter, page) {
      assertOpen()
      return queryIndex(reader, filter, page)
    },
    since(seq, limit) {
      assertOpen()
      if (seq >= U64_MAX || limit <= 0) return []
      return engine
        .records(seqKey(seq + 1n), limit)
        .map(({ seq, record }) => ({ seq: seq.readBigUInt64BE(), event: decodeRecord(record) }))
    },
    async close() {
      if (!open) return
      open = false
      await turn
      await engine.close()
    },
  }
}

function reservation(seq: bigint): bigint {
  return seq > U64_MAX - RESERVE_STEP ? U64_MAX : seq + RESERVE_STEP
}

function decoded(record: Buffer | undefined): Event | undefined {
  return record && decodeRecord(record)
}

/** What a store is born with, written at its first opening. */
function openIdentity(engine: Engine): { epoch: string; hashSeed: number; reserved: bigint } {
  const format = engine.value(META.format)?.toString()
  if (format === undefined)
    engine.writeNow((writer) => {
      const hashSeed = Buffer.alloc(4)
      hashSeed.writeUInt32BE(randomInt(2 ** 32))
      writer.putIndex(META.epoch, Buffer.from(randomEpoch()))
      writer.putIndex(META.hashSeed, hashSeed)
      writer.putIndex(META.reserved, seqKey(0n))
      writer.putIndex(META.format, Buffer.from(`${FORMAT}`))
    })
  else if (format !== `${FORMAT}`)
    throw new StoreError(
      'wrong_format',
      `store ${engine.path} has format ${format}, this version reads format ${FORMAT}: use the version that wrote it`,
    )
  const [epoch, hashSeed, reserved] = [META.epoch, META.hashSeed, META.reserved].map((key) =>
    engine.value(key),
  )
  if (epoch === undefined || hashSeed === undefined || reserved === undefined)
    throw new StoreError('wrong_format', `store ${engine.path} lacks its epoch: it is damaged`)
  return { epoch: epoch.toString(), hashSeed: hashSeed.readUInt32BE(), reserved: reserved.readBigUInt64BE() }
}
