/**
 * The store over a segment log (spec 2.4): an event is acknowledged when the log has it on disk. From then on it is in
 * the overlay, until the index has it. Whoever reads asks both; what the overlay says counts.
 */
import { Compaction } from './compaction.js'
import { type Current, decide } from './decide.js'
import { failure } from './failure.js'
import { type Identity, writeIdentity } from './identity.js'
import { idKey, replaceIndexKey } from './index-keys.js'
import type { IndexThread } from './index-thread.js'
import { type Bounds, IndexWriter } from './index-writer.js'
import { hasDeletions, type IndexReader, isDeletedBy, queryIndex } from './indexed-query.js'
import type { LogIndex } from './log-index.js'
import type { LogIndexWriter } from './log-index-writer.js'
import type { LogPosition, LogRecord } from './log-record.js'
import { type Chunk, tail } from './log-recovery.js'
import { byNewest, bySeq, merge, narrowed, Overlay } from './overlay.js'
import { readPruned } from './pruned.js'
import { decodeRecord, encodeRecord } from './record.js'
import type { SegmentLog } from './segment-log.js'
import { type Amount, type Removal, type Store, type StoredEvent, StoreError } from './store.js'
import { usageOf } from './usage.js'

/** Seqs reserved at once: one write of the identity in a million. */
const RESERVE_STEP = 1n << 20n
const U64_MAX = 0xffff_ffff_ffff_ffffn

export interface SegmentStoreParts {
  /** Of the directory, for messages too. */
  readonly path: string
  readonly identity: Identity
  readonly log: SegmentLog
  readonly index: LogIndex
  readonly thread: IndexThread
  readonly bounds: Bounds
  /** Indexes what was appended before the thread begins; `isDead` as `LogIndexWriter.apply` takes it. */
  readonly recovery: { readonly writer: LogIndexWriter; isDead?(position: LogPosition): boolean }
  /** Whether no segment may go, because a backup copies them. */
  isPinned(): boolean
  backup(path: string): Promise<Amount>
  closed(): void
}

/** Reads what the index lacks of the log, which is little unless the index is new. */
export function openSegmentStore(parts: SegmentStoreParts): Store {
  const { path, identity, log, index, thread, bounds, closed } = parts
  let maintenance: Promise<unknown> = Promise.resolve()
  const overlay = new Overlay()
  let reserved = BigInt(identity.reserved)
  let turn: Promise<unknown> = Promise.resolve()
  let open = true

  const reader: IndexReader = {
    hashSeed: identity.seed,
    keys: (from, to, limit) => index.keys(from, to, limit),
    value: (key) => index.value(key),
    event: (seq) => indexed(seq)?.event,
    isHidden: (id) => overlay.covers(id),
  }
  let deletionsIndexed = hasDeletions(index)
  const current: Current = {
    has: (id) =>
      overlay.get(id) !== undefined || (!overlay.hasRemoved(id) && index.value(idKey(id)) !== undefined),
    get: (id) => overlay.get(id) ?? (overlay.hasRemoved(id) ? undefined : indexedById(id)),
    winner(key) {
      const newest = overlay.winner(key)
      if (newest !== undefined) return newest
      const winner = indexed(index.value(replaceIndexKey(key)))
      return winner === undefined || overlay.hasRemoved(winner.event.id) ? undefined : winner
    },
    isDeleted: (event, key) =>
      overlay.isDeleted(event, key) || (deletionsIndexed && isDeletedBy(index, event, key)),
  }
  recover(parts, overlay, current)
  const indexWriter = new IndexWriter(
    {
      ...{ overlay, index, thread, bounds },
      indexed() {
        deletionsIndexed = hasDeletions(index)
        compaction.check()
      },
    },
    log.end,
  )
  const compaction = new Compaction({
    log,
    index,
    overlay,
    through: () => indexWriter.through(),
    move: (records, isWanted) => alone(() => inTurn(() => move(records.filter(isWanted)))),
    isPinned: parts.isPinned,
  })
  let pruned = readPruned(index)
  /** The last one took all that it might, so its caller goes on with it. */
  let removing: Removal | undefined

  function indexed(seq: Buffer | undefined): StoredEvent | undefined {
    const location = seq && index.location(seq)
    if (seq === undefined || location === undefined) return undefined
    const record = log.record(location, seq.readBigUInt64BE())
    return { seq: record.seq, event: decodeRecord(record.event) }
  }

  /** An index that leads to another event than it says is damaged. */
  function indexedById(id: string): StoredEvent | undefined {
    const found = indexed(index.value(idKey(id)))
    if (found !== undefined && found.event.id !== id)
      throw new StoreError('unavailable', `the index of store ${path} is damaged: remove ${path}/index`)
    return found
  }

  /** Compaction and removal, one step after the other: the index must not lose what a step has just moved. */
  function alone<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = maintenance.then(run)
    maintenance = result.catch(() => undefined)
    return result
  }

  function inTurn<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = turn.then(run)
    turn = result.catch(() => undefined)
    return result
  }

  async function putInTurn(batch: readonly StoredEvent[]) {
    await indexWriter.room()
    const decision = decide(batch, current)
    const { outcomes, additions, passing } = decision
    if (additions.length === 0) return outcomes
    const logged = [...additions.map(({ stored }) => stored), ...passing]
    if (passing.length > 0) logged.sort(bySeq)
    for (const { seq } of logged) reserveUpTo(seq)
    const entries = logged.map(({ seq, event }) => ({ seq, event: encodeRecord(event) }))
    overlay.add(decision, await append(entries))
    indexWriter.added(log.end)
    return outcomes
  }

  async function remove(removal: Removal, limit: number): Promise<Amount> {
    // Once for all its steps: to index a few events for each would take longer than the steps.
    if (removal !== removing) await indexWriter.through()
    removing = undefined
    try {
      const removed = await thread.remove(removal, limit)
      if (removed.events === limit) removing = removal
      return removed
    } finally {
      // Also when it failed half way: a full disk wants the room of segments that are wholly dead.
      index.refresh()
      pruned = readPruned(index)
      deletionsIndexed = hasDeletions(index)
      compaction.check()
    }
  }

  /** To the end of the log; the index then finds them there. */
  async function move(records: readonly LogRecord[]): Promise<void> {
    if (records.length === 0) return
    await indexWriter.room()
    overlay.add({ additions: [], removals: [] }, await append(records))
    indexWriter.added(log.end)
  }

  /** Resolves to the bytes it took. */
  async function append(entries: Parameters<SegmentLog['append']>[0]): Promise<number> {
    try {
      return await log.append(entries)
    } catch (error) {
      throw failure(path, error, 'unavailable')
    }
  }

  function reserveUpTo(seq: bigint): void {
    if (seq <= reserved) return
    const next = seq > U64_MAX - RESERVE_STEP ? U64_MAX : seq + RESERVE_STEP
    try {
      writeIdentity(path, { ...identity, reserved: `${next}`, end: log.end })
    } catch (error) {
      throw failure(path, error, 'unavailable')
    }
    reserved = next
  }

  /** So that the next opening can tell damage at the end from a write that a crash tore. */
  function sealIdentity(): void {
    try {
      writeIdentity(path, { ...identity, reserved: `${reserved}`, end: log.end })
    } catch {
      // A full disk: then it cannot tell.
    }
  }

  function assertOpen(): void {
    if (!open) throw new StoreError('unavailable', `store ${path} is closed`)
  }

  return {
    epoch: identity.epoch,
    get firstSeq() {
      return pruned.firstSeq
    },
    firstSeqOf: (kinds) => pruned.firstSeqOf(kinds),
    get lastSeq() {
      return reserved
    },
    reserve(seq) {
      assertOpen()
      reserveUpTo(seq)
    },
    async put(batch) {
      assertOpen()
      return inTurn(() => putInTurn(batch))
    },
    async remove(removal, limit) {
      assertOpen()
      return alone(() => remove(removal, limit))
    },
    async backup(path) {
      assertOpen()
      return parts.backup(path)
    },
    usage() {
      assertOpen()
      return usageOf(index)
    },
    has(id) {
      assertOpen()
      return current.has(id)
    },
    get(id) {
      assertOpen()
      return current.get(id)
    },
    query(filter, page) {
      assertOpen()
      const newest = overlay.query(filter, page)
      return merge(newest, queryIndex(reader, narrowed(filter, newest, page), page), byNewest, page.limit)
    },
    since(seq, limit) {
      assertOpen()
      if (seq >= U64_MAX || limit <= 0) return []
      const found: StoredEvent[] = []
      for (let from = seq + 1n; ; ) {
        const page = index.locations(from, limit)
        for (const { seq, location } of page) {
          const event = decodeRecord(log.record(location, seq).event)
          if (!overlay.covers(event.id)) found.push({ seq, event })
        }
        const last = page.at(-1)
        if (page.length < limit || last === undefined || found.length >= limit || last.seq === U64_MAX) break
        from = last.seq + 1n
      }
      return merge(found, overlay.since(seq, limit), bySeq, limit)
    },
    async close() {
      if (!open) return
      open = false
      await compaction.close()
      await maintenance
      await turn
      await indexWriter.close()
      await index.close()
      await log.close()
      sealIdentity()
      closed()
    },
  }
}

/**
 * Fills the overlay with what the index lacks; what is too much for it goes into the index right away, and so does
 * everything as long as the graves must be asked.
 */
function recover(
  { identity, log, index, bounds, recovery: { writer, isDead } }: SegmentStoreParts,
  overlay: Overlay,
  current: Current,
): void {
  for (const segment of index.live().keys())
    if (!log.sizes.has(segment)) throw log.corrupt({ segment, offset: 0 })
  let waiting: Chunk[] = []
  for (const chunk of tail(log, index.watermark, identity.end)) {
    waiting.push(chunk)
    // Twice: a bound may be passed by one batch.
    const isSmall = waiting.reduce((sum, { records }) => sum + records.length, 0) <= 2 * bounds.events
    if (isSmall && isDead === undefined) continue
    for (const { segment, records, end } of waiting) writer.apply(segment, records, end, isDead)
    waiting = []
  }
  for (const { records } of waiting) {
    const batch = records.map(({ seq, event }) => ({ seq, event: decodeRecord(event) }))
    overlay.add(
      decide(batch, current),
      records.reduce((sum, { length }) => sum + length, 0),
    )
  }
}
