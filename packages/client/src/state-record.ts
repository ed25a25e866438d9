/**
 * What is sealed in the event of a state entry: a parcel with the header
 *
 *   {v: 1, path, bytes}                       one part, the value
 *   {v: 1, path, bytes, chunks: {set, count}} no part: the value is in events of its own, each sealed, in this order
 *
 * `bytes` is the length of the value. An event with empty content is a tombstone: the entry was deleted.
 */
import { readParcel, writeParcel } from './parcel.js'

export interface Chunks {
  /** Tells the chunks of one version from those of another. */
  readonly set: string
  readonly count: number
}

export interface StateRecord {
  readonly path: readonly string[]
  readonly bytes: number
  /** The value, or where it is. */
  readonly body: Uint8Array | Chunks
}

export function writeStateRecord({ path, bytes, body }: StateRecord): Uint8Array {
  return body instanceof Uint8Array
    ? writeParcel({ v: 1, path, bytes }, [body])
    : writeParcel({ v: 1, path, bytes, chunks: body })
}

/** Undefined for what is no record, or one of a version to come. */
export function readStateRecord(plain: Uint8Array): StateRecord | undefined {
  const parcel = readParcel(plain)
  if (parcel === undefined || !isHeader(parcel.header)) return undefined
  const { path, bytes, chunks } = parcel.header
  const [value] = parcel.parts
  const body = chunks ?? value
  if (body === undefined || parcel.parts.length !== (chunks === undefined ? 1 : 0)) return undefined
  if (body instanceof Uint8Array && body.length !== bytes) return undefined
  return { path, bytes, body }
}

interface Header {
  readonly path: readonly string[]
  readonly bytes: number
  readonly chunks?: Chunks
}

function isHeader(header: unknown): header is Header {
  if (!isObject(header) || header.v !== 1) return false
  const { path, bytes, chunks } = header
  return (
    Array.isArray(path) &&
    path.every((part) => typeof part === 'string') &&
    isCount(bytes) &&
    (chunks === undefined || (isObject(chunks) && typeof chunks.set === 'string' && isCount(chunks.count)))
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
