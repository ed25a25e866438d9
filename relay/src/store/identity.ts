/**
 * What a segment store is born with, in one small file beside the log (spec 7.4). It is replaced as a whole, so a
 * crash leaves the old or the new one; `check` is the CRC-32 of the rest of it.
 */
import { randomInt } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { randomEpoch } from './epoch.js'
import type { LogPosition } from './log-record.js'
import { StoreError } from './store.js'

export interface Identity {
  /** Version of the layout of the directory; a store of another one is refused. */
  readonly format: number
  readonly epoch: string
  /** The epoch the log began with, which its index knows it by. A backup goes on with a new epoch, its log stays. */
  readonly born: string
  /** Of the checksums and hashes: u32, differs by store, so that nobody can prepare collisions. */
  readonly seed: number
  /** All seqs up to this one may have been handed out: decimal text. */
  readonly reserved: string
  /** The log was whole up to here when this was written. */
  readonly end: LogPosition
}

/** 1 had everything in LMDB; 2 had no graves, 3 none that say how long they are: both are taken over. */
export const FORMAT = 4
const TAKEN_OVER = [2, 3]

export function newIdentity(): Identity {
  const epoch = randomEpoch()
  return {
    format: FORMAT,
    epoch,
    born: epoch,
    seed: randomInt(2 ** 32),
    reserved: '0',
    end: { segment: 0, offset: 0 },
  }
}

/** Undefined when there is none. */
export function readIdentity(directory: string): Identity | undefined {
  let text: string
  try {
    text = readFileSync(file(directory), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const { check, ...fields } = parse(text)
  const { format, epoch, born = epoch, seed, reserved, end } = fields
  if (typeof format !== 'number' || (format !== FORMAT && !TAKEN_OVER.includes(format)))
    throw new StoreError(
      'wrong_format',
      `store ${directory} has format ${String(format)}, this version reads format ${FORMAT}: use the version that wrote it`,
    )
  if (
    typeof epoch !== 'string' ||
    typeof born !== 'string' ||
    typeof seed !== 'number' ||
    typeof reserved !== 'string' ||
    !/^\d+$/.test(reserved) ||
    !isPosition(end) ||
    (format !== 2 && check !== crc32(JSON.stringify(fields)))
  )
    throw new StoreError('wrong_format', `store ${directory} has a damaged ${FILE}: restore it from a copy`)
  return { format, epoch, born, seed, reserved, end }
}

/** On disk on return. */
export function writeIdentity(directory: string, identity: Identity): void {
  const draft = `${file(directory)}.new`
  const check = crc32(JSON.stringify(identity))
  writeFileSync(draft, `${JSON.stringify({ ...identity, check })}\n`, { flush: true })
  renameSync(draft, file(directory))
  syncDirectory(directory)
}

/** Makes new, renamed and removed names of the directory last. */
export function syncDirectory(directory: string): void {
  // There a directory cannot be opened.
  if (process.platform === 'win32') return
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function isPosition(value: unknown): value is LogPosition {
  if (typeof value !== 'object' || value === null) return false
  return (
    'segment' in value &&
    typeof value.segment === 'number' &&
    'offset' in value &&
    typeof value.offset === 'number'
  )
}

const FILE = 'identity.json'

function file(directory: string): string {
  return join(directory, FILE)
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
