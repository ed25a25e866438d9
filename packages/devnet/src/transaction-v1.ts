/**
 * Wire version 1 (SIMD-0385): message first, signatures behind it.
 *
 *   0    81
 *   1    header 3
 *   4    config mask u32: bits 0 and 1 priority fee (both or none), 2 compute units, 3 loaded bytes, 4 heap
 *   8    blockhash 32
 *   40   instruction count u8, key count u8
 *   42   keys, 32 each
 *        config values in mask order: priority fee u64 lamports, the others u32
 *        per instruction: program u8, account count u8, data length u16
 *        per instruction: accounts u8 each, data
 *        signatures, 64 each
 */
import { encodeBase58 } from './base58.js'
import { ByteReader } from './byte-reader.js'
import type { Message } from './transaction.js'

export interface DecodedV1 {
  readonly message: Message
  readonly messageLength: number
  readonly signatures: readonly Uint8Array[]
  readonly length: number
}

/** @throws RangeError */
export function decodeV1(wire: Uint8Array, part: 'transaction' | 'message' = 'transaction'): DecodedV1 {
  const reader = new ByteReader(wire)
  if (reader.u8() !== 0x81) throw new RangeError('unknown transaction version')
  const header = { signatures: reader.u8(), readonlySigned: reader.u8(), readonlyUnsigned: reader.u8() }
  const mask = reader.u32()
  const blockhash = encodeBase58(reader.bytes(32))
  const instructionCount = reader.u8()
  const keyCount = reader.u8()
  const keys = Array.from({ length: keyCount }, () => encodeBase58(reader.bytes(32)))
  const config = readConfig(reader, mask)
  const shapes = Array.from({ length: instructionCount }, () => ({
    program: reader.u8(),
    accounts: reader.u8(),
    data: reader.u16(),
  }))
  const instructions = shapes.map((shape) => ({
    program: shape.program,
    accounts: [...reader.bytes(shape.accounts)],
    data: reader.bytes(shape.data),
  }))
  const messageLength = reader.offset
  const count = part === 'transaction' ? header.signatures : 0
  const signatures = Array.from({ length: count }, () => reader.bytes(64))
  const message: Message = { version: 1, header, keys, blockhash, instructions, lookups: [], config }
  return { message, messageLength, signatures, length: reader.offset }
}

function readConfig(reader: ByteReader, mask: number): NonNullable<Message['config']> {
  const fee = mask & 0b11
  if (fee === 0b01 || fee === 0b10 || mask >>> 5 !== 0) throw new RangeError('unknown config mask')
  const priorityFee = fee === 0 ? {} : { priorityFee: reader.u64() }
  const computeUnits = (mask & 0b100) === 0 ? {} : { computeUnits: reader.u32() }
  if ((mask & 0b1000) !== 0) reader.u32()
  if ((mask & 0b10000) !== 0) reader.u32()
  return { ...priorityFee, ...computeUnits }
}
