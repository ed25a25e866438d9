/**
 * What a removal takes (see {@link Removal}), told by the index alone: by age, count and size a merge of the kinds of
 * the range, the last in query order first, so that the work is that of what goes, however much is stored.
 */
import { DELETION } from './deletion.js'
import {
  BEHIND_ALL,
  expiredKeys,
  idKey,
  kindDimension,
  kindOfUsage,
  PLACE_LENGTH,
  timePlace,
  usageKeys,
} from './index-keys.js'
import type { KeyReader } from './scan.js'
import type { KindRange, KindUsage, Removal } from './store.js'
import { sumOf } from './usage.js'

export interface VictimReader extends KeyReader {
  value(key: Buffer): Buffer | undefined
  /** As {@link KeyReader.keys}, but the last ones, falling. */
  keysBack(from: Buffer, to: Buffer, limit: number): Buffer[]
  /** Of the event with this seq: canonical bytes, and its id. */
  size(seq: Buffer): number
  id(seq: Buffer): string
}

const ALL: KindRange = [0, 0xffff]
const CHUNK = 256
const MAX_EXPIRED = 0xffff_ffff_ffff_ffffn

/** Seqs of at most `limit` events to take. */
export function victims(reader: VictimReader, removal: Removal, limit: number): Buffer[] {
  if ('ids' in removal) {
    const seqs = [...new Set(removal.ids)].map((id) => reader.value(idKey(id)))
    return seqs.filter((seq) => seq !== undefined).slice(0, limit)
  }
  if ('expiredBy' in removal) {
    const now = removal.expiredBy < MAX_EXPIRED ? removal.expiredBy : MAX_EXPIRED
    return reader.keys(...expiredKeys(now), limit).map((key) => key.subarray(-8))
  }
  const { kinds, createdBefore = 0n, maxEvents = Infinity, maxBytes = Infinity } = removal
  const usage = usageOf(reader, kinds).filter(({ kind }) => kind !== DELETION || kinds[0] === kinds[1])
  let { events, bytes } = sumOf(usage)
  const young = timePlace(createdBefore > 0n ? createdBefore - 1n : 0n)
  const found: Buffer[] = []
  for (const place of oldestFirst(reader, usage)) {
    if (found.length === limit) break
    const isOld = createdBefore > 0n && place.compare(young, 0, 8, 0, 8) >= 0
    if (!isOld && events <= maxEvents && bytes <= maxBytes) break
    const seq = place.subarray(12)
    events--
    bytes -= reader.size(seq)
    found.push(seq)
  }
  return found
}

/** Of the kinds that have events, rising. */
export function usageOf(reader: Pick<VictimReader, 'keys' | 'value'>, kinds: KindRange = ALL): KindUsage[] {
  return reader.keys(...usageKeys(kinds), 0x10000).map((key) => {
    const value = reader.value(key)
    return {
      kind: kindOfUsage(key),
      events: Number(value?.readBigUInt64BE(0) ?? 0n),
      bytes: Number(value?.readBigUInt64BE(8) ?? 0n),
    }
  })
}

/** The reverse of query order: where places agree in all but the seq, the ids decide. */
function* oldestFirst(reader: VictimReader, usage: readonly KindUsage[]): Generator<Buffer, void, void> {
  let tied: Buffer[] = []
  for (const place of falling(reader, usage)) {
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

function* falling(reader: VictimReader, usage: readonly KindUsage[]): Generator<Buffer, void, void> {
  const lanes = usage.map(({ kind }) => lane(reader, kindDimension(kind)))
  const heads = lanes.map((places) => places.next().value ?? undefined)
  for (;;) {
    let last = -1
    for (const [i, head] of heads.entries())
      if (head !== undefined && (last < 0 || head.compare(heads[last]!) > 0)) last = i
    const head = heads[last]
    if (head === undefined) return
    yield head
    heads[last] = lanes[last]!.next().value ?? undefined
  }
}

function* lane(reader: VictimReader, dimension: Buffer): Generator<Buffer, void, void> {
  let to: Buffer = Buffer.concat([dimension, BEHIND_ALL])
  for (;;) {
    const keys = reader.keysBack(dimension, to, CHUNK)
    for (const key of keys) yield key.subarray(dimension.length, dimension.length + PLACE_LENGTH)
    const last = keys.at(-1)
    if (keys.length < CHUNK || last === undefined) return
    to = last
  }
}
