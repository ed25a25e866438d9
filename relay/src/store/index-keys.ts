/**
 * The ordered index of the durable stores; what a seq, u64 big-endian, stands for is theirs to keep.
 *
 *   index key                                          value
 *   00  name                                           see `META`
 *   01  id 32                                          seq 8
 *   02  BLAKE3 of the replace key 32                   seq 8 of the winner
 *   04  kind 2                                         events 8, their bytes 8: what is stored of the kind
 *   05  kind 2                                         seq 8: the first of the kind, see `pruned.ts`
 *   10                     place 20                    -
 *   11  kind 2             place 20                    -
 *   12  author 8, 00       place 20                    -
 *   12  author 8, 01, kind 2   place 20                -
 *   13  tag pair 8         place 20                    -
 *   14  expires at 8, seq 8                            -   for events that expire (spec 2.6), nanoseconds
 *   15  id 32, author 32, seq 8                        -   a deletion names the id, see `deletion.ts`
 *   16  BLAKE3 of a replace key 32, created at 8, seq 8   -   a deletion names its versions
 *
 *   place:  0   u64 max - created at   8   newest first
 *           8   id                     4   its first bytes: ties by lower id (spec 2.7), all but the rarest
 *           12  seq                    8   finds the record; makes the key unique
 *
 * Both dimensions of an author stand side by side, so that most events change one page for the two.
 * Authors are cut to 8 bytes and tag pairs hashed to 8: whoever reads must still match the event itself.
 */
import { blake3, type Event } from '@aetherkit/core'
import { expiresAt } from '../expiration.js'
import { DELETION, targetsOf } from './deletion.js'
import type { KindRange, Position, StoredEvent } from './store.js'

export const META = {
  /** Version of this layout, decimal text. */
  format: Buffer.from('\x00format'),
  epoch: Buffer.from('\x00epoch'),
  /** All seqs up to this one may have been handed out: u64 big-endian. */
  reserved: Buffer.from('\x00reserved'),
  /** Of all kinds, as older versions kept it: u64 big-endian; none is 0. See `pruned.ts`. */
  firstSeq: Buffer.from('\x00first-seq'),
  /** Seed of the tag pair hash, u32 big-endian: differs by store, so that nobody can prepare collisions. */
  hashSeed: Buffer.from('\x00hash-seed'),
} as const

const ID = 0x01
const REPLACE = 0x02
const TIME = 0x10
const KIND = 0x11
const AUTHOR = 0x12
const TAG = 0x13
const EXPIRES = 0x14
const DELETED_ID = 0x15
const DELETED_KEY = 0x16
const USAGE = 0x04
const FIRST_SEQ = 0x05

/** Behind the author: all of theirs, or those of one kind. */
const ANY_KIND = 0x00
const ONE_KIND = 0x01

export const PLACE_LENGTH = 20
const U64_MAX = 0xffff_ffff_ffff_ffffn
/** Sorts behind every place. */
export const BEHIND_ALL = Buffer.alloc(PLACE_LENGTH + 1, 0xff)

export function seqKey(seq: bigint): Buffer {
  const key = Buffer.allocUnsafe(8)
  key.writeBigUInt64BE(seq)
  return key
}

export function idKey(id: string): Buffer {
  const key = Buffer.allocUnsafe(33)
  key[0] = ID
  key.write(id, 1, 32, 'hex')
  return key
}

/** The first and the last key that an id with this prefix (any number of digits) can have. */
export function idRange(prefix: string): [first: Buffer, last: Buffer] {
  return [idKey(prefix.padEnd(64, '0')), idKey(prefix.padEnd(64, 'f'))]
}

/** Key and end of the range of keys. */
export function usageKeys([from, to]: KindRange): [start: Buffer, end: Buffer] {
  return [usageKey(from), Buffer.concat([usageKey(to), BEHIND_ALL])]
}

export function usageKey(kind: number): Buffer {
  return Buffer.of(USAGE, kind >> 8, kind & 0xff)
}

/** See `pruned.ts`. */
export function firstSeqKey(kind: number): Buffer {
  return Buffer.of(FIRST_SEQ, kind >> 8, kind & 0xff)
}

export const allFirstSeqKeys: readonly [start: Buffer, end: Buffer] = [
  Buffer.of(FIRST_SEQ),
  Buffer.of(FIRST_SEQ + 1),
]

/** Of a usage key or a first seq key. */
export function kindOfKey(key: Buffer): number {
  return key.readUInt16BE(1)
}

/** Keys of events that are over at `now`; their last 8 bytes are the seq. */
export function expiredKeys(now: bigint): [start: Buffer, end: Buffer] {
  return [Buffer.of(EXPIRES), Buffer.concat([Buffer.of(EXPIRES), seqKey(now), BEHIND_ALL])]
}

/** What any deletion names. */
export const allDeletedKeys: readonly [start: Buffer, end: Buffer] = [
  Buffer.of(DELETED_ID),
  Buffer.of(DELETED_KEY + 1),
]

/** A key in the range: a deletion of the author names the id. */
export function deletedIdKeys({ id, pubkey }: Event): [start: Buffer, end: Buffer] {
  const start = deletedIdKey(id, pubkey)
  return [start, Buffer.concat([start, BEHIND_ALL])]
}

/** The same for a version of a replaceable event: by a deletion that is not older. */
export function deletedKeyKeys(replaceKey: string, { createdAt }: Event): [start: Buffer, end: Buffer] {
  const key = deletedKeyKey(replaceKey)
  return [Buffer.concat([key, seqKey(createdAt)]), Buffer.concat([key, BEHIND_ALL])]
}

function deletedIdKey(id: string, author: string): Buffer {
  return Buffer.concat([Buffer.of(DELETED_ID), Buffer.from(id, 'hex'), Buffer.from(author, 'hex')])
}

function deletedKeyKey(replaceKey: string): Buffer {
  return Buffer.concat([Buffer.of(DELETED_KEY), blake3(Buffer.from(replaceKey))])
}

export function replaceIndexKey(replaceKey: string): Buffer {
  return Buffer.concat([Buffer.of(REPLACE), blake3(Buffer.from(replaceKey))])
}

/** A dimension is what stands before the place: all events that share it follow one another, newest first. */
export const everything: Buffer = Buffer.of(TIME)

export function kindDimension(kind: number): Buffer {
  return Buffer.of(KIND, kind >> 8, kind & 0xff)
}

export const AUTHOR_DIMENSION_LENGTH = 10

/** `author`: at least 16 hex digits. */
export function authorDimension(author: string): Buffer {
  return Buffer.concat([Buffer.of(AUTHOR), Buffer.from(author.slice(0, 16), 'hex'), Buffer.of(ANY_KIND)])
}

/** The first key behind all dimensions of the author. */
export function behindAuthor(author: Buffer): Buffer {
  return Buffer.of(...author.subarray(0, 9), ONE_KIND + 1)
}

/** From the author dimension of the same author. */
export function authorKindDimension(author: Buffer, kind: number): Buffer {
  return Buffer.of(...author.subarray(0, 9), ONE_KIND, kind >> 8, kind & 0xff)
}

export function tagDimension(key: string, value: string, hashSeed: number): Buffer {
  const dimension = Buffer.allocUnsafe(9)
  dimension[0] = TAG
  hashPair(key, value, hashSeed)
  dimension.writeInt32BE(hashHigh, 1)
  dimension.writeInt32BE(hashLow, 5)
  return dimension
}

/** Where events of this time begin within a dimension. */
export function timePlace(createdAt: bigint): Buffer {
  return seqKey(U64_MAX - createdAt)
}

export function createdAtOf(place: Buffer): bigint {
  return U64_MAX - place.readBigUInt64BE()
}

/** Not behind the position itself: events that share its time and first id bytes still need a look. */
export function positionPlace({ createdAt, id }: Position): Buffer {
  return Buffer.concat([timePlace(createdAt), Buffer.from(id.slice(0, 8), 'hex')])
}

/** The keys of one event that have no value; hands the same bytes to `visit` again and again, so copy what is kept. */
export function visitEventKeys(stored: StoredEvent, hashSeed: number, visit: (key: Buffer) => void): void {
  const { event, seq } = stored
  const { kind } = event
  place.writeBigUInt64BE(U64_MAX - event.createdAt, 0)
  place.write(event.id, 8, 4, 'hex')
  place.writeBigUInt64BE(seq, 12)

  scratch[0] = TIME
  visit(withPlace(1))
  scratch[0] = KIND
  scratch[1] = kind >> 8
  scratch[2] = kind & 0xff
  visit(withPlace(3))
  scratch[0] = AUTHOR
  scratch.write(event.pubkey, 1, 8, 'hex')
  scratch[9] = ANY_KIND
  visit(withPlace(10))
  scratch[9] = ONE_KIND
  scratch[10] = kind >> 8
  scratch[11] = kind & 0xff
  visit(withPlace(12))
  visitTagPairs(event, (key, value) => {
    hashPair(key, value, hashSeed)
    scratch[0] = TAG
    scratch.writeInt32BE(hashHigh, 1)
    scratch.writeInt32BE(hashLow, 5)
    visit(withPlace(9))
  })
  const expires = expiresAt(event)
  if (expires !== undefined && expires <= U64_MAX)
    visit(Buffer.concat([Buffer.of(EXPIRES), seqKey(expires), seqKey(seq)]))
  if (kind === DELETION) visitDeletedKeys(stored, visit)
}

function visitDeletedKeys({ event, seq }: StoredEvent, visit: (key: Buffer) => void): void {
  const { ids, replaceKeys } = targetsOf(event)
  for (const id of ids) visit(Buffer.concat([deletedIdKey(id, event.pubkey), seqKey(seq)]))
  for (const key of replaceKeys)
    visit(Buffer.concat([deletedKeyKey(key), seqKey(event.createdAt), seqKey(seq)]))
}

const place = Buffer.alloc(PLACE_LENGTH)
const scratch = Buffer.alloc(12 + PLACE_LENGTH)

/** The starts of `scratch`, by length: making them anew for each key would cost as much as writing it. */
const starts = Array.from({ length: scratch.length + 1 }, (_, length) => scratch.subarray(0, length))

function withPlace(length: number): Buffer {
  place.copy(scratch, length)
  return starts[length + PLACE_LENGTH]!
}

/** Every value of a tag counts (spec 6.1); a pair that occurs twice is visited twice and has one key. */
function visitTagPairs(event: Event, visit: (key: string, value: string) => void): void {
  for (const tag of event.tags) for (let i = 1; i < tag.length; i++) visit(tag[0], tag[i]!)
}

let hashHigh = 0
let hashLow = 0

/** Two multiplicative hashes of 32 bits over the UTF-16 units; the separator is no unit, so `a:b` is not `a`, `b`. */
function hashPair(key: string, value: string, seed: number): void {
  hashHigh = seed ^ 0x9e3779b9
  hashLow = Math.imul(seed, 0x85ebca6b) ^ 0x27d4eb2f
  for (let i = 0; i < key.length; i++) hashUnit(key.charCodeAt(i))
  hashUnit(0x10000)
  for (let i = 0; i < value.length; i++) hashUnit(value.charCodeAt(i))
  const high = hashHigh
  hashHigh =
    Math.imul(hashHigh ^ (hashHigh >>> 16), 0x85ebca6b) ^ Math.imul(hashLow ^ (hashLow >>> 13), 0xc2b2ae35)
  hashLow = Math.imul(hashLow ^ (hashLow >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35)
}

function hashUnit(unit: number): void {
  hashHigh = Math.imul(hashHigh ^ unit, 0x9e3779b1)
  hashLow = Math.imul(hashLow ^ unit, 0x5f356495)
}
