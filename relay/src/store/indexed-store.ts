/**
 * A durable store over an ordered key-value engine with transactions: SQLite, and any other that comes. The
 * engine keeps two tables, the event log and the index of `index-keys.ts`; everything that needs thought is here.
 */
import { randomInt } from 'node:crypto'
import { type Event, replaceKey } from '@aetherkit/core'
import { type Addition, decide } from './decide.js'
import { randomEpoch } from './epoch.js'
import { idKey, META, replaceIndexKey, seqKey, usageKey, visitEventKeys } from './index-keys.js'
import { hasDeletions, type IndexReader, isDeletedBy, queryIndex } from './indexed-query.js'
import { KindTable } from './kind-table.js'
import { prunedEntries, readPruned } from './pruned.js'
import { decodeRecord, encodeRecord } from './record.js'
import { openRecord, SEAL_LENGTH, sealRecord } from './record-seal.js'
import { type Amount, type Removal, type Store, type StoredEvent, StoreError } from './store.js'
import { UsageChange } from './usage.js'
import { type VictimReader, victims } from './victims.js'

/** Writes of one transaction; bytes given to it stay as they are until the transaction is through. */
export interface Writer {
  putIndex(key: Buffer, value: Buffer): void
  deleteIndex(key: Buffer): void
  putRecord(seq: Buffer, record: Buffer): void
  deleteRecord(seq: Buffer): void
}

export interface Engine extends Pick<VictimReader, 'keys' | 'keysBack' | 'entries' | 'value'> {
  /** For messages. */
  readonly path: string
  record(seq: Buffer): Buffer | undefined
  /** The first `limit` records from `seq` on. */
  records(seq: Buffer, limit: number): { readonly seq: Buffer; readonly record: Buffer }[]
  /** One transaction; resolves when it is on disk, rejects with StoreError when nothing of it is. `fill` never throws. */
  write(fill: (writer: Writer) => void): Promise<void>
  /** The same, on disk on return. */
  writeNow(fill: (writer: Writer) => void): void
  close(): Promise<void>
}

/** Version of the layout; a store of another one is refused. 1 had no checksums and no usage, 2 no first seq of each kind. */
const FORMAT = '3'
/** Taken over as it is. */
const FORMAT_BEFORE = '2'
const SEQ_LENGTH = 8
/** Seqs reserved at once: one synchronous write in a million. */
const RESERVE_STEP = 1n << 20n

const U64_MAX = 0xffff_ffff_ffff_ffffn
const NO_VALUE = Buffer.alloc(0)

/** `backup`: as {@link Store.backup}. */
export function openIndexedStore(engine: Engine, backup: (path: string) => Promise<Amount>): Store {
  const { epoch, hashSeed, ...identity } = openIdentity(engine)
  let { reserved } = identity
  let pruned = readPruned(engine)
  let turn: Promise<unknown> = Promise.resolve()
  let open = true

  const reader: IndexReader & VictimReader = {
    hashSeed,
    keys: (from, to, limit) => engine.keys(from, to, limit),
    keysBack: (from, to, limit) => engine.keysBack(from, to, limit),
    entries: (from, to, limit) => engine.entries(from, to, limit),
    value: (key) => engine.value(key),
    event: (seq) => eventOf(seq),
    size: (seq) => (engine.record(seq)?.length ?? SEAL_LENGTH) - SEAL_LENGTH,
    id: (seq) => eventOf(seq)?.id ?? '',
  }
  const table = new KindTable(reader)

  /** @throws StoreError `unavailable` for what is damaged: nothing that a file says of itself is believed. */
  function eventOf(seq: Buffer): Event | undefined {
    if (seq.length !== SEQ_LENGTH) throw damagedIndex()
    const record = engine.record(seq)
    return record && decodeRecord(openRecord(engine.path, seq, record, hashSeed))
  }

  function stored(seq: Buffer | undefined): StoredEvent | undefined {
    const event = seq && eventOf(seq)
    return seq && event && { seq: seq.readBigUInt64BE(), event }
  }

  /** An index that leads to another event than it says is damaged. */
  function storedById(id: string): StoredEvent | undefined {
    const found = stored(engine.value(idKey(id)))
    if (found !== undefined && found.event.id !== id) throw damagedIndex()
    return found
  }

  function damagedIndex(): StoreError {
    return new StoreError(
      'unavailable',
      `the index of store ${engine.path} is damaged: restore it from a copy`,
    )
  }

  function inTurn<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = turn.then(run)
    turn = result.catch(() => undefined)
    return result
  }

  async function putInTurn(batch: readonly StoredEvent[]) {
    const deletions = hasDeletions(reader)
    const { outcomes, additions, removals } = decide(batch, {
      has: (id) => engine.value(idKey(id)) !== undefined,
      get: storedById,
      winner: (key) => stored(engine.value(replaceIndexKey(key))),
      isDeleted: (event, key) => deletions && isDeletedBy(reader, event, key),
    })
    if (additions.length === 0) return outcomes
    const records = additions.map(({ stored }) => encodeRecord(stored.event))
    let highest = 0n
    for (const { stored } of additions) if (stored.seq > highest) highest = stored.seq
    const reserve = highest > reserved ? reservation(highest) : undefined
    const usage = new UsageChange()
    for (const { event } of removals) usage.add(event, -1)
    for (const { stored } of additions) usage.add(stored.event, 1)
    await write(usage, (writer) => {
      for (const removal of removals) remove(writer, removal)
      additions.forEach((addition, i) => {
        add(writer, addition, records[i]!)
      })
      if (reserve !== undefined) writer.putIndex(META.reserved, seqKey(reserve))
    })
    if (reserve !== undefined && reserve > reserved) reserved = reserve
    return outcomes
  }

  async function removeInTurn(removal: Removal, limit: number): Promise<Amount> {
    const taken = victims(reader, table, removal, limit).flatMap((seq) => stored(seq) ?? [])
    if (taken.length === 0) return { events: 0, bytes: 0 }
    const now = 'kinds' in removal ? pruned.and(taken) : pruned
    const usage = new UsageChange()
    for (const { event } of taken) usage.add(event, -1)
    await write(usage, (writer) => {
      for (const victim of taken) remove(writer, victim)
      for (const [key, value] of prunedEntries(pruned, now)) writer.putIndex(key, value)
    })
    pruned = now
    return { events: taken.length, bytes: 0 - usage.bytes }
  }

  async function write(usage: UsageChange, fill: (writer: Writer) => void): Promise<void> {
    const counts = usage.values((kind) => engine.value(usageKey(kind)))
    try {
      await engine.write((writer) => {
        fill(writer)
        for (const [kind, value] of counts)
          if (value === undefined) writer.deleteIndex(usageKey(kind))
          else writer.putIndex(usageKey(kind), value)
      })
    } catch (error) {
      table.forget()
      throw error
    }
    table.changed(usage)
  }

  function add(writer: Writer, { stored, replaceKey }: Addition, record: Buffer): void {
    const seq = seqKey(stored.seq)
    writer.putRecord(seq, sealRecord(seq, record, hashSeed))
    writer.putIndex(idKey(stored.event.id), seq)
    if (replaceKey !== undefined) writer.putIndex(replaceIndexKey(replaceKey), seq)
    visitEventKeys(stored, hashSeed, (key) => writer.putIndex(key, NO_VALUE))
  }

  /** Before {@link add}, which sets the replace key anew. */
  function remove(writer: Writer, stored: StoredEvent): void {
    writer.deleteRecord(seqKey(stored.seq))
    writer.deleteIndex(idKey(stored.event.id))
    const key = replaceKey(stored.event)
    if (key !== undefined) writer.deleteIndex(replaceIndexKey(key))
    visitEventKeys(stored, hashSeed, (key) => writer.deleteIndex(key))
  }

  function assertOpen(): void {
    if (!open) throw new StoreError('unavailable', `store ${engine.path} is closed`)
  }

  return {
    epoch,
    get firstSeq() {
      return pruned.firstSeq
    },
    firstSeqOf: (kinds) => pruned.firstSeqOf(kinds),
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
      return inTurn(() => putInTurn(batch))
    },
    async remove(removal, limit) {
      assertOpen()
      return inTurn(() => removeInTurn(removal, limit))
    },
    async backup(path) {
      assertOpen()
      return backup(path)
    },
    usage() {
      assertOpen()
      return table.usage()
    },
    has(id) {
      assertOpen()
      return engine.value(idKey(id)) !== undefined
    },
    get(id) {
      assertOpen()
      return storedById(id)
    },
    query(filter, page) {
      assertOpen()
      return queryIndex(reader, filter, page)
    },
    since(seq, limit) {
      assertOpen()
      if (seq >= U64_MAX || limit <= 0) return []
      return engine.records(seqKey(seq + 1n), limit).map(({ seq, record }) => ({
        seq: seq.readBigUInt64BE(),
        event: decodeRecord(openRecord(engine.path, seq, record, hashSeed)),
      }))
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

/** Of the checksums and hashes of a store; undefined when it has none, for damage. */
export function hashSeedOf(engine: Engine): number | undefined {
  return engine.value(META.hashSeed)?.readUInt32BE()
}

/** What a store is born with, written at its first opening. */
function openIdentity(engine: Engine) {
  const format = engine.value(META.format)?.toString()
  const damaged = new StoreError('wrong_format', `store ${engine.path} lacks its epoch: it is damaged`)
  if (format === undefined && engine.records(seqKey(0n), 1).length > 0) throw damaged
  if (format === undefined)
    engine.writeNow((writer) => {
      const hashSeed = Buffer.alloc(4)
      hashSeed.writeUInt32BE(randomInt(2 ** 32))
      writer.putIndex(META.epoch, Buffer.from(randomEpoch()))
      writer.putIndex(META.hashSeed, hashSeed)
      writer.putIndex(META.reserved, seqKey(0n))
      writer.putIndex(META.format, Buffer.from(FORMAT))
    })
  else if (format === FORMAT_BEFORE)
    engine.writeNow((writer) => writer.putIndex(META.format, Buffer.from(FORMAT)))
  else if (format !== FORMAT)
    throw new StoreError(
      'wrong_format',
      `store ${engine.path} has format ${format}, this version reads format ${FORMAT}: use the version that wrote it`,
    )
  const [epoch, hashSeed, reserved] = [META.epoch, META.hashSeed, META.reserved].map((key) =>
    engine.value(key),
  )
  if (epoch === undefined || hashSeed?.length !== 4 || reserved?.length !== SEQ_LENGTH) throw damaged
  return {
    epoch: epoch.toString(),
    hashSeed: hashSeed.readUInt32BE(),
    reserved: reserved.readBigUInt64BE(),
  }
}

/** Gives a copy of a store, which nobody has open yet, an epoch of its own. */
export function renewEpoch(engine: Engine): void {
  engine.writeNow((writer) => writer.putIndex(META.epoch, Buffer.from(randomEpoch())))
}
