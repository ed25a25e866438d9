/**
 * The append-only log that is the truth of a segment store (spec 2.4). One batch is one write and one sync; a batch
 * that fails is cut off again. When a batch does not fit, the segment is sealed and the next one begun.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { syncDirectory } from './identity.js'
import { type Entry, type LogPosition, packBatch, RECORD_HEAD } from './log-record.js'
import { SegmentReader } from './segment-reader.js'

export class SegmentLog extends SegmentReader {
  readonly #segmentBytes: number
  readonly #sizes = new Map<number, number>()
  #segment = 0
  #offset = 0
  #file: FileHandle | undefined
  /** Something may stand behind #offset. */
  #torn = false

  /** Takes the directory as it is; what stands behind the last whole batch is for `log-recovery.ts` to judge. */
  constructor(directory: string, seed: number, segmentBytes: number) {
    mkdirSync(directory, { recursive: true })
    super(directory, seed)
    this.#segmentBytes = segmentBytes
    for (const segment of this.list()) {
      this.#segment = segment
      this.#offset = this.size(segment)
      this.#sizes.set(segment, this.#offset)
    }
  }

  get end(): LogPosition {
    return { segment: this.#segment, offset: this.#offset }
  }

  /** Segments and their lengths in bytes, rising. */
  get sizes(): ReadonlyMap<number, number> {
    return this.#sizes
  }

  /** Resolves to its bytes when the batch is on disk; rejects with the system's error when nothing of it counts. */
  async append(entries: readonly Entry[]): Promise<number> {
    let size = 0
    for (const { event } of entries) size += RECORD_HEAD + event.length
    if (this.#torn) await this.#cut()
    const isFull = this.#offset > 0 && this.#offset + size > this.#segmentBytes
    if (this.#segment === 0 || isFull) await this.#begin(this.#segment + 1)
    this.#file ??= await open(this.file(this.#segment), 'r+')
    const bytes = packBatch(entries, this.#offset, this.seed)
    this.#torn = true
    try {
      await writeAll(this.#file, bytes, this.#offset)
      await this.#file.datasync()
    } catch (error) {
      // Should this fail too, the next batch tries again before it writes.
      await this.#cut().catch(() => undefined)
      throw error
    }
    this.#torn = false
    this.#offset += bytes.length
    this.#sizes.set(this.#segment, this.#offset)
    return bytes.length
  }

  /** Nothing behind this offset of the last segment counts; it is cut off before the next batch is written. */
  cutTo(offset: number): void {
    this.#offset = offset
    this.#sizes.set(this.#segment, offset)
    this.#torn = true
  }

  /** A sealed segment, of which nothing is needed any more. */
  remove(segment: number): void {
    this.forget(segment)
    rmSync(this.file(segment), { force: true })
    syncDirectory(this.directory)
    this.#sizes.delete(segment)
  }

  /** To be called when nothing is under way. */
  async close(): Promise<void> {
    this.forgetAll()
    await this.#file?.close()
    this.#file = undefined
  }

  async #begin(segment: number): Promise<void> {
    const file = await open(this.file(segment), 'w')
    try {
      syncDirectory(this.directory)
    } catch (error) {
      await file.close()
      throw error
    }
    await this.#file?.close()
    this.#file = file
    this.#segment = segment
    this.#offset = 0
    this.#sizes.set(segment, 0)
  }

  async #cut(): Promise<void> {
    this.#file ??= await open(this.file(this.#segment), 'r+')
    await this.#file.truncate(this.#offset)
    await this.#file.datasync()
    this.#torn = false
  }
}

/** The system may take a part only: of a disk that is almost full, say. */
async function writeAll(file: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, offset + at)
    at += bytesWritten
  }
}
