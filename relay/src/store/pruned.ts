/**
 * What removals by age, count and size have taken, as far as who resumes must know it (spec 7.4): for each kind, the
 * first seq behind all that went. There are no more marks than kinds, so they are bounded however much goes.
 */
import { allFirstSeqKeys, firstSeqKey, kindOfKey, META, seqKey } from './index-keys.js'
import type { StoredEvent } from './store.js'
import type { VictimReader } from './victims.js'

export class Pruned {
  /** Of every kind: all that is known of what an older version took. */
  readonly floor: bigint
  readonly byKind: ReadonlyMap<number, bigint>
  /** See {@link Store.firstSeq}. */
  readonly firstSeq: bigint

  constructor(floor = 0n, byKind: ReadonlyMap<number, bigint> = new Map()) {
    this.floor = floor
    this.byKind = byKind
    this.firstSeq = [...byKind.values()].reduce(max, floor)
  }

  /** See {@link Store.firstSeqOf}. */
  firstSeqOf(kinds: readonly number[]): bigint {
    return kinds.reduce((first, kind) => max(first, this.byKind.get(kind) ?? 0n), this.floor)
  }

  /** With what is taken now. */
  and(taken: readonly StoredEvent[]): Pruned {
    const byKind = new Map(this.byKind)
    for (const { seq, event } of taken) byKind.set(event.kind, max(byKind.get(event.kind) ?? 0n, seq + 1n))
    return new Pruned(this.floor, byKind)
  }

  /** With what is known elsewhere. */
  or(other: Pruned): Pruned {
    const byKind = new Map(this.byKind)
    for (const [kind, seq] of other.byKind) byKind.set(kind, max(byKind.get(kind) ?? 0n, seq))
    return new Pruned(max(this.floor, other.floor), byKind)
  }

  /** The marks that are not those of `before`. */
  since(before: Pruned): [kind: number, seq: bigint][] {
    return [...this.byKind].filter(([kind, seq]) => before.byKind.get(kind) !== seq)
  }
}

export function readPruned(reader: Pick<VictimReader, 'entries' | 'value'>): Pruned {
  const marks = reader.entries(...allFirstSeqKeys, 0x10000)
  const byKind = marks.map(([key, value]) => [kindOfKey(key), value.readBigUInt64BE()] as const)
  return new Pruned(reader.value(META.firstSeq)?.readBigUInt64BE() ?? 0n, new Map(byKind))
}

/** What to put into the index so that it says `now`. */
export function prunedEntries(before: Pruned, now: Pruned): [key: Buffer, value: Buffer][] {
  const marks = now.since(before).map(([kind, seq]) => [firstSeqKey(kind), seqKey(seq)] as [Buffer, Buffer])
  return now.floor === before.floor ? marks : [[META.firstSeq, seqKey(now.floor)], ...marks]
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
