/**
 * What is stored of each kind, in memory: counts, and the oldest place. Made from the index when it is first asked for,
 * then kept by the one that writes; so a rule over thousands of kinds costs no read of each of them at every step.
 */
import { BEHIND_ALL, createdAtOf, kindDimension, PLACE_LENGTH } from './index-keys.js'
import { ALL_KINDS, type KindRange, type KindUsage } from './store.js'
import { type UsageChange, usageOf } from './usage.js'
import type { VictimReader } from './victims.js'

interface Row {
  events: number
  bytes: number
  /** The last place in query order; undefined: it has to be looked up. */
  oldest: Buffer | undefined
}

export class KindTable {
  readonly #reader: VictimReader
  #rows: Map<number, Row> | undefined

  constructor(reader: VictimReader) {
    this.#reader = reader
  }

  /** Of the kinds of the range that have events, rising. */
  usage([from, to]: KindRange = ALL_KINDS): KindUsage[] {
    const kinds = [...this.#load()].filter(([kind]) => kind >= from && kind <= to)
    return kinds.map(([kind, { events, bytes }]) => ({ kind, events, bytes })).sort((a, b) => a.kind - b.kind)
  }

  /** The last place of the kind in query order, undefined when it has none. */
  oldest(kind: number): Buffer | undefined {
    const row = this.#load().get(kind)
    if (row === undefined) return undefined
    const dimension = kindDimension(kind)
    row.oldest ??= this.#reader
      .keysBack(dimension, Buffer.concat([dimension, BEHIND_ALL]), 1)[0]
      ?.subarray(dimension.length, dimension.length + PLACE_LENGTH)
    return row.oldest
  }

  /** A transaction is through. */
  changed(usage: UsageChange): void {
    const rows = this.#rows
    if (rows === undefined) return
    for (const [kind, change] of usage.byKind) {
      const row = rows.get(kind) ?? { events: 0, bytes: 0, oldest: undefined }
      row.events += change.events
      row.bytes += change.bytes
      const isYoung = row.oldest !== undefined && change.earliest > createdAtOf(row.oldest)
      if (change.hasRemovals || !isYoung) row.oldest = undefined
      if (row.events <= 0) rows.delete(kind)
      else rows.set(kind, row)
    }
  }

  /** Nothing is known any more: a transaction has failed. */
  forget(): void {
    this.#rows = undefined
  }

  #load(): Map<number, Row> {
    this.#rows ??= new Map(
      usageOf(this.#reader).map(({ kind, ...amount }) => [kind, { ...amount, oldest: undefined }]),
    )
    return this.#rows
  }
}
