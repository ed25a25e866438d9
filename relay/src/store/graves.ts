/**
 * Which records of a segment log are dead: what a removal took and what was replaced, deleted or moved. The index knows
 * it too; this file is for the day when the index has to be made again, since what killed a record may have left the
 * log before it. A file `graves` of entries:
 *
 *   0    segment    4   ff000000 + kind: the next is the first seq of the kind, see `pruned.ts`; 0: of all kinds;
 *                       fffffffe, of the first entry: the next is the length of the file, so that a cut is seen
 *   4    offset     8   of the record
 *   12   checksum   4   CRC-32 of what stands before it, begun with the seed of the store
 *
 * All numbers are big-endian. An entry whose segment is gone means nothing and goes when enough of them have come together.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { syncDirectory } from './identity.js'
import type { LogPosition } from './log-record.js'
import { Pruned } from './pruned.js'
import { StoreError } from './store.js'

const ENTRY = 16
const LENGTH = 0xfffffffe
const KIND = 0xff000000
const ANY_KIND = 0
/** Below it nobody minds what is in it. */
const TIDY_BYTES = 1 << 20

export class Graves {
  readonly path: string
  readonly #seed: number
  /** It was tidied when it was so long. */
  #tidied = TIDY_BYTES / 2

  constructor(path: string, seed: number) {
    this.path = path
    this.#seed = seed
  }

  get length(): number {
    return existsSync(this.path) ? statSync(this.path).size : 0
  }

  /** Nothing is dead. */
  get isEmpty(): boolean {
    return this.length <= ENTRY
  }

  grave({ segment, offset }: LogPosition): Buffer {
    return this.#entry(segment, BigInt(offset))
  }

  /** Of those of `now` that `before` has not. */
  marks(now: Pruned, before = new Pruned()): Buffer[] {
    const floor = now.floor === before.floor ? [] : [this.#entry(ANY_KIND, now.floor)]
    return [...floor, ...now.since(before).map(([kind, seq]) => this.#entry(KIND + kind, seq))]
  }

  /** What stands behind `length` was not whole and goes; on disk on return. */
  append(length: number, entries: Buffer): void {
    const file = openSync(this.path, existsSync(this.path) ? 'r+' : 'w+')
    try {
      ftruncateSync(file, length)
      for (let at = 0; at < entries.length; )
        at += writeSync(file, entries, at, entries.length - at, length + at)
      // After the entries: whoever is killed between the two leaves more than the file says, never less.
      if (this.#said(file) !== undefined)
        writeSync(file, this.#entry(LENGTH, BigInt(length + entries.length)), 0, ENTRY, 0)
      fdatasyncSync(file)
    } finally {
      closeSync(file)
    }
    if (length === 0) syncDirectory(dirname(this.path))
  }

  /** Whether it says how long it is, as all do but those of older versions. */
  get isMeasured(): boolean {
    return this.#look((file) => this.#said(file)) !== undefined
  }

  /** What is missing of a file that says how long it is, in one line. */
  loss(): string | undefined {
    if (!existsSync(this.path)) return 'is missing'
    const said = this.#look((file) => this.#said(file))
    if (said === undefined) return 'has lost its beginning'
    return this.length < said ? `ends at offset ${this.length} of ${said}` : undefined
  }

  /** @throws StoreError `unavailable` at damage; the message names the offset. */
  read(): { isDead(position: LogPosition): boolean; readonly pruned: Pruned } {
    const { entries, bad } = this.#entries()
    // A write that a crash tore is the last one.
    const damage = bad.find((offset) => offset < (entries.at(-1)?.at ?? 0))
    if (damage !== undefined)
      throw new StoreError(
        'unavailable',
        `${this.path} is corrupt at offset ${damage}: restore it from a copy`,
      )
    const dead = new Map<number, Set<number>>()
    for (const { segment, value } of entries)
      if (isSegment(segment)) dead.set(segment, (dead.get(segment) ?? new Set()).add(Number(value)))
    return {
      pruned: prunedOf(entries),
      isDead: ({ segment, offset }) => dead.get(segment)?.has(offset) === true,
    }
  }

  /** Offsets of entries that are not what was written. */
  damage(): number[] {
    return this.#entries().bad
  }

  /** Whether it is worth the work, see {@link tidy}. */
  get isUntidy(): boolean {
    return this.length > 2 * this.#tidied
  }

  /** Leaves only what is about these segments. */
  tidy(segments: ReadonlySet<number>): void {
    const { entries } = this.#entries()
    const kept = entries.filter(({ segment }) => segments.has(segment)).map(({ bytes }) => bytes)
    this.replace([...this.marks(prunedOf(entries)), ...kept])
  }

  /** What an older version has written, as this one would have. */
  measure(): void {
    this.replace(this.#entries().entries.map(({ bytes }) => bytes))
  }

  /** On disk on return. */
  replace(entries: readonly Buffer[]): void {
    const draft = `${this.path}.new`
    const head = this.#entry(LENGTH, BigInt(ENTRY * (1 + entries.length)))
    writeFileSync(draft, Buffer.concat([head, ...entries]), { flush: true })
    renameSync(draft, this.path)
    syncDirectory(dirname(this.path))
    this.#tidied = Math.max(this.length, TIDY_BYTES / 2)
  }

  #entry(segment: number, value: bigint): Buffer {
    const entry = Buffer.allocUnsafe(ENTRY)
    entry.writeUInt32BE(segment, 0)
    entry.writeBigUInt64BE(value, 4)
    entry.writeUInt32BE(crc32(entry.subarray(0, 12), this.#seed), 12)
    return entry
  }

  /** All but the first one, which says the length. */
  #entries(): { entries: Entry[]; bad: number[] } {
    const bytes = existsSync(this.path) ? readFileSync(this.path) : Buffer.alloc(0)
    const entries: Entry[] = []
    const bad: number[] = []
    for (let at = 0; at < bytes.length; at += ENTRY) {
      const entry = bytes.subarray(at, at + ENTRY)
      const segment = this.#isTrue(entry) ? entry.readUInt32BE(0) : undefined
      if (segment === undefined) bad.push(at)
      else if (segment !== LENGTH)
        entries.push({ at, segment, value: entry.readBigUInt64BE(4), bytes: entry })
    }
    return { entries, bad }
  }

  #isTrue(entry: Buffer): boolean {
    return entry.length === ENTRY && crc32(entry.subarray(0, 12), this.#seed) === entry.readUInt32BE(12)
  }

  /** How long the file says that it is. */
  #said(file: number): number | undefined {
    const entry = Buffer.alloc(ENTRY)
    const isWhole = readSync(file, entry, 0, ENTRY, 0) === ENTRY && this.#isTrue(entry)
    return isWhole && entry.readUInt32BE(0) === LENGTH ? Number(entry.readBigUInt64BE(4)) : undefined
  }

  #look<Result>(look: (file: number) => Result): Result | undefined {
    if (!existsSync(this.path)) return undefined
    const file = openSync(this.path, 'r')
    try {
      return look(file)
    } finally {
      closeSync(file)
    }
  }
}

interface Entry {
  readonly at: number
  readonly segment: number
  readonly value: bigint
  readonly bytes: Buffer
}

function isSegment(segment: number): boolean {
  return segment !== ANY_KIND && segment < KIND
}

/** Later marks are the higher ones. */
function prunedOf(entries: readonly Entry[]): Pruned {
  const marks = entries.filter(({ segment }) => !isSegment(segment))
  const floor = marks.findLast(({ segment }) => segment === ANY_KIND)?.value
  const byKind = marks.filter(({ segment }) => segment !== ANY_KIND)
  return new Pruned(floor, new Map(byKind.map(({ segment, value }) => [segment - KIND, value])))
}
