/**
 * Which records of a segment log are dead: what a removal took and what was replaced, deleted or moved. The index knows
 * it too; this file is for the day when the index has to be made again, since what killed a record may have left the
 * log before it. A file `graves` of entries:
 *
 *   0    segment    4   0: the next is a seq, see `Store.firstSeq`
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
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { syncDirectory } from './identity.js'
import type { LogPosition } from './log-record.js'
import { StoreError } from './store.js'

const ENTRY = 16
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

  grave({ segment, offset }: LogPosition): Buffer {
    return this.#entry(segment, BigInt(offset))
  }

  firstSeq(seq: bigint): Buffer {
    return this.#entry(0, seq)
  }

  /** What stands behind `length` was not whole and goes; on disk on return. */
  append(length: number, entries: Buffer): void {
    const file = openSync(this.path, existsSync(this.path) ? 'r+' : 'w+')
    try {
      ftruncateSync(file, length)
      for (let at = 0; at < entries.length; )
        at += writeSync(file, entries, at, entries.length - at, length + at)
      fdatasyncSync(file)
    } finally {
      closeSync(file)
    }
    if (length === 0) syncDirectory(dirname(this.path))
  }

  /** @throws StoreError `unavailable` at damage; the message names the offset. */
  read(): { isDead(position: LogPosition): boolean; readonly firstSeq: bigint } {
    const { entries, bad } = this.#entries()
    // A write that a crash tore is the last one.
    const damage = bad.find((offset) => offset < (entries.at(-1)?.at ?? 0))
    if (damage !== undefined)
      throw new StoreError(
        'unavailable',
        `${this.path} is corrupt at offset ${damage}: restore it from a copy`,
      )
    const dead = new Map<number, Set<number>>()
    let firstSeq = 0n
    for (const { segment, value } of entries) {
      if (segment === 0) firstSeq = value > firstSeq ? value : firstSeq
      else dead.set(segment, (dead.get(segment) ?? new Set()).add(Number(value)))
    }
    return { firstSeq, isDead: ({ segment, offset }) => dead.get(segment)?.has(offset) === true }
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
    const marks = entries.filter(({ segment }) => segment === 0).map(({ value }) => value)
    const firstSeq = marks.sort((a, b) => (a > b ? -1 : 1))[0] ?? 0n
    const kept = entries.filter(({ segment }) => segments.has(segment)).map(({ bytes }) => bytes)
    this.replace([...(firstSeq > 0n ? [this.firstSeq(firstSeq)] : []), ...kept])
  }

  /** On disk on return. */
  replace(entries: readonly Buffer[]): void {
    const draft = `${this.path}.new`
    writeFileSync(draft, Buffer.concat(entries), { flush: true })
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

  #entries(): { entries: { at: number; segment: number; value: bigint; bytes: Buffer }[]; bad: number[] } {
    const bytes = existsSync(this.path) ? readFileSync(this.path) : Buffer.alloc(0)
    const entries = []
    const bad: number[] = []
    for (let at = 0; at < bytes.length; at += ENTRY) {
      const entry = bytes.subarray(at, at + ENTRY)
      if (entry.length < ENTRY || crc32(entry.subarray(0, 12), this.#seed) !== entry.readUInt32BE(12))
        bad.push(at)
      else entries.push({ at, segment: entry.readUInt32BE(0), value: entry.readBigUInt64BE(4), bytes: entry })
    }
    return { entries, bad }
  }
}
