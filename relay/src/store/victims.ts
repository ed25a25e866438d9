/**
 * What a removal takes (see {@link Removal}), told by the index alone: by age, count and size a merge of the kinds of
 * the range, the last in query order first, so that the work is that of what goes, however much is stored.
 */
import { DELETION } from './deletion.js'
import { expiredKeys, idKey, kindDimension, PLACE_LENGTH, timePlace } from './index-keys.js'
import type { KindTable } from './kind-table.js'
import type { KeyReader } from './scan.js'
import type { Removal } from './store.js'
import { sumOf } from './usage.js'

export interface VictimReader extends KeyReader {
  value(key: Buffer): Buffer | undefined
  /** As {@link KeyReader.keys}, with their values. */
  entries(from: Buffer, to: Buffer, limit: number): [key: Buffer, value: Buffer][]
  /** As {@link KeyReader.keys}, but the last ones, falling. */
  keysBack(from: Buffer, to: Buffer, limit: number): Buffer[]
  /** Of the event with this seq: canonical bytes, and its id. */
  size(seq: Buffer): number
  id(seq: Buffer): string
}

/** Keys read at once of a kind: a few at first, since of most of many kinds none or one goes. */
const FIRST_CHUNK = 4
const MAX_CHUNK = 256
const MAX_EXPIRED = 0xffff_ffff_ffff_ffffn

/** Seqs of at most `limit` events to take; `table`: of the same index. */
export function victims(reader: VictimReader, table: KindTable, removal: Removal, limit: number): Buffer[] {
  if ('ids' in removal) {
    const seqs = [...new Set(removal.ids)].map((id) => reader.value(idKey(id)))
    return seqs.filter((seq) => seq !== undefined).slice(0, limit)
  }
  if ('expiredBy' in removal) {
    const now = removal.expiredBy < MAX_EXPIRED ? removal.expiredBy : MAX_EXPIRED
    return reader.keys(...expiredKeys(now), limit).map((key) => key.subarray(-8))
  }
  const { kinds, createdBefore = 0n, maxEvents = Infinity, maxBytes = Infinity } = removal
  const usage = table.usage(kinds).filter(({ kind }) => kind !== DELETION || kinds[0] === kinds[1])
  let { events, bytes } = sumOf(usage)
  const young = timePlace(createdBefore > 0n ? createdBefore - 1n : 0n)
  const isOld = (place: Buffer) => createdBefore > 0n && place.compare(young, 0, 8, 0, 8) >= 0
  const isOver = () => events > maxEvents || bytes > maxBytes
  const lanes = usage.flatMap(({ kind }) => {
    const head = table.oldest(kind)
    return head !== undefined && (isOver() || isOld(head)) ? [new Lane(reader, kind, head)] : []
  })
  const found: Buffer[] = []
  for (const place of oldestFirst(reader, lanes)) {
    if (found.length === limit || !(isOld(place) || isOver())) break
    const seq = place.subarray(12)
    events--
    bytes -= reader.size(seq)
    found.push(seq)
  }
  return found
}

/** The reverse of query order: where places agree in all but the seq, the ids decide. */
function* oldestFirst(reader: VictimReader, lanes: Lane[]): Generator<Buffer, void, void> {
  let tied: Buffer[] = []
  for (const place of falling(lanes)) {
    if (tied.length > 0 && place.compare(tied[0]!, 0, 12, 0, 12) !== 0) {
      yield* byFallingId(reader, tied)
      tied = []
    }
    tied.push(place)
  }
  yield* byFallingId(reader, tied)
}

function byFallingId(reader: VictimReader, places: readonly Buffer[]): readonly Buffer[] {
  if (places.length < 2) return places
  const withIds = places.map((place) => ({ place, id: reader.id(place.subarray(12)) }))
  return withIds.sort((a, b) => (a.id < b.id ? 1 : -1)).map(({ place }) => place)
}

/** A merge: the lanes are a heap, the one with the last place at the top. */
function* falling(lanes: Lane[]): Generator<Buffer, void, void> {
  const heap = lanes.sort((a, b) => b.head.compare(a.head))
  while (heap.length > 0) {
    yield heap[0]!.head
    if (!heap[0]!.advance()) {
      const last = heap.pop()!
      if (heap.length > 0) heap[0] = last
    }
    sink(heap)
  }
}

/** Restores the order after the top of the heap has changed. */
function sink(heap: Lane[]): void {
  const top = heap[0]
  if (top === undefined) return
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && heap[child + 1]!.head.compare(heap[child]!.head) > 0) child++
    if (top.head.compare(heap[child]!.head) >= 0) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = top
}

/** The places of one kind, falling. */
class Lane {
  head: Buffer
  readonly #reader: VictimReader
  readonly #dimension: Buffer
  #keys: Buffer[] = []
  #at = 0
  #asked = FIRST_CHUNK

  constructor(reader: VictimReader, kind: number, head: Buffer) {
    this.#reader = reader
    this.#dimension = kindDimension(kind)
    this.head = head
  }

  /** False at the end. */
  advance(): boolean {
    if (this.#at === this.#keys.length) {
      const behind = Buffer.concat([this.#dimension, this.head])
      this.#keys = this.#reader.keysBack(this.#dimension, behind, this.#asked)
      this.#asked = Math.min(this.#asked * 4, MAX_CHUNK)
      this.#at = 0
    }
    const key = this.#keys[this.#at++]
    if (key === undefined) return false
    this.head = key.subarray(this.#dimension.length, this.#dimension.length + PLACE_LENGTH)
    return true
  }
}
