/**
 * A record as the SQLite store keeps it: with a checksum, so that a flipped bit is never taken for an event.
 *
 *   0   checksum   4   CRC-32 of the seq, u64 big-endian, and the record, begun with the seed of the store
 *   4   record     n   see `record.ts`
 */
import { crc32 } from 'node:zlib'
import { StoreError } from './store.js'

export const SEAL_LENGTH = 4

export function sealRecord(seq: Buffer, record: Buffer, seed: number): Buffer {
  const sealed = Buffer.allocUnsafe(SEAL_LENGTH + record.length)
  sealed.writeUInt32BE(crc32(record, crc32(seq, seed)), 0)
  record.copy(sealed, SEAL_LENGTH)
  return sealed
}

/** @throws StoreError `unavailable` when the record is not what was sealed; the message names path and seq. */
export function openRecord(path: string, seq: Buffer, sealed: Buffer, seed: number): Buffer {
  const record = sealed.subarray(SEAL_LENGTH)
  if (sealed.length < SEAL_LENGTH || crc32(record, crc32(seq, seed)) !== sealed.readUInt32BE(0))
    throw new StoreError(
      'unavailable',
      `store ${path} is corrupt: the record of seq ${seq.readBigUInt64BE()} is not what was written, restore it from a copy`,
    )
  return record
}
