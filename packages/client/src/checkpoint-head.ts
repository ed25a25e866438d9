/**
 * The record of a checkpoint: a parcel with the header
 *
 *   {v: 1, parent?, head: type, metadata: type, parts: [{name, version?, type, blob?}]}
 *
 * and the bytes of head, metadata and of every part that is not a blob, in this order.
 */
import type { CheckpointDraft, CheckpointPart, Typed } from './checkpoints.js'
import { readParcel, writeParcel } from './parcel.js'

interface PlacedPart extends CheckpointPart {
  /** Hash of the bytes, when they are somewhere else. */
  readonly blob: string | undefined
}

export interface CheckpointHead extends Pick<CheckpointDraft, 'parent' | 'head' | 'metadata'> {
  readonly parts: readonly (Omit<PlacedPart, 'value'> & Typed)[]
}

type Draft = Omit<CheckpointHead, 'parts'> & { readonly parts: readonly PlacedPart[] }

export function writeHead({ parent, head, metadata, parts }: Draft): Uint8Array {
  const listed = parts.map(({ name, version, value, blob }) => ({ name, version, type: value.type, blob }))
  const inline = parts.filter(({ blob }) => blob === undefined).map(({ value }) => value.bytes)
  const header = { v: 1, parent, head: head.type, metadata: metadata.type, parts: listed }
  return writeParcel(header, [head.bytes, metadata.bytes, ...inline])
}

/** Undefined for what is no record, or one of a version to come. */
export function readHead(record: Uint8Array): CheckpointHead | undefined {
  const parcel = readParcel(record)
  if (parcel === undefined || !isHeader(parcel.header)) return undefined
  const { header } = parcel
  const [head, metadata, ...inline] = parcel.parts
  const inlined = header.parts.filter(({ blob }) => blob === undefined).length
  if (head === undefined || metadata === undefined || inline.length !== inlined) return undefined
  const parts = header.parts.map(({ name, version, type, blob }) => {
    const bytes = blob === undefined ? inline.shift() : undefined
    return { name, version, type, blob, bytes: bytes ?? new Uint8Array() }
  })
  return {
    parent: header.parent,
    head: { type: header.head, bytes: head },
    metadata: { type: header.metadata, bytes: metadata },
    parts,
  }
}

/** Unix time, ns, of a UUID of version 6 in lower case; undefined for any other id. */
export function checkpointTime(id: string): bigint | undefined {
  const match = /^([0-9a-f]{8})-([0-9a-f]{4})-6([0-9a-f]{3})-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.exec(id)
  if (match === null) return undefined
  // Ticks of 100 ns since 15 October 1582 (RFC 9562, 5.6).
  const time = (BigInt(`0x${match[1]}${match[2]}${match[3]}`) - 0x01b21dd213814000n) * 100n
  return time < 0n ? undefined : time
}

/** Blobs that are known to be stored, so that they are not written again. */
export class BlobCache {
  readonly #threads = new Map<string, Set<string>>()
  #count = 0

  has(thread: string, hash: string): boolean {
    return this.#threads.get(thread)?.has(hash) === true
  }

  add(thread: string, hash: string): void {
    if (this.has(thread, hash)) return
    if (this.#count >= MAX_BLOBS) {
      this.#threads.clear()
      this.#count = 0
    }
    const hashes = this.#threads.get(thread) ?? new Set()
    this.#threads.set(thread, hashes.add(hash))
    this.#count++
  }

  forget(thread: string): void {
    this.#count -= this.#threads.get(thread)?.size ?? 0
    this.#threads.delete(thread)
  }
}

const MAX_BLOBS = 10_000

interface Header {
  readonly parent?: string
  readonly head: string
  readonly metadata: string
  readonly parts: readonly {
    readonly name: string
    readonly version?: string | number
    readonly type: string
    readonly blob?: string
  }[]
}

function isHeader(header: unknown): header is Header {
  if (!isObject(header) || header.v !== 1 || !Array.isArray(header.parts)) return false
  if (typeof header.head !== 'string' || typeof header.metadata !== 'string') return false
  return isTextOrNothing(header.parent) && header.parts.every(isPart)
}

function isPart(part: unknown): boolean {
  if (!isObject(part) || typeof part.name !== 'string' || typeof part.type !== 'string') return false
  return isTextOrNothing(part.blob) && (isTextOrNothing(part.version) || typeof part.version === 'number')
}

function isTextOrNothing(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
