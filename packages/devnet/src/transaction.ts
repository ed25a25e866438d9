/**
 * A transaction from its wire bytes. Decoded strictly before LiteSVM sees it: its deserializer aborts the process on
 * bytes that are cut short.
 *
 *   legacy, v0   signatures: count (compact-u16), 64 each; then the message
 *   message      v0 only: 80; header: 3 bytes (required signatures, readonly signed, readonly unsigned);
 *                keys: count, 32 each; blockhash 32; instructions: count, each program u8, accounts (count, u8 each),
 *                data (count, bytes); v0 only: lookups: count, each table 32, writable (count, u8), readonly (count, u8)
 *   v1           81: message first, decoded in transaction-v1.ts
 *
 * Bytes behind the transaction are cut off, as a node's RPC does. A count in non-minimal form is refused.
 */
import { createHash } from 'node:crypto'
import { encodeBase58 } from './base58.js'
import { ByteReader } from './byte-reader.js'
import { decodeV1 } from './transaction-v1.js'

interface MessageHeader {
  readonly signatures: number
  readonly readonlySigned: number
  readonly readonlyUnsigned: number
}

export interface Instruction {
  readonly program: number
  readonly accounts: readonly number[]
  readonly data: Uint8Array
}

interface TableLookup {
  readonly table: string
  readonly writable: readonly number[]
  readonly readonly: readonly number[]
}

export interface Message {
  readonly version: 'legacy' | 0 | 1
  readonly header: MessageHeader
  /** Static keys, base58. */
  readonly keys: readonly string[]
  readonly blockhash: string
  readonly instructions: readonly Instruction[]
  readonly lookups: readonly TableLookup[]
  /** Version 1 carries these here, elsewhere they are instructions: compute units and lamports. */
  readonly config?: { readonly computeUnits?: number; readonly priorityFee?: bigint }
}

export interface Transaction {
  /** Wire bytes without anything behind them. */
  readonly bytes: Uint8Array
  readonly signatures: readonly Uint8Array[]
  /** First signature, base58: the transaction's id. */
  readonly id: string
  readonly message: Message
  /** SHA-256 of the message bytes, hex: two transactions with one hash are duplicates (spec solana 10, point 3). */
  readonly messageHash: string
}

/** Largest wire size by version (spec solana 10, point 7). */
export const PACKET_SIZE = 1_232
export const PACKET_SIZE_V1 = 4_096

/** @throws RangeError with the reason when the bytes are no transaction; size is not judged here */
export function decodeTransaction(wire: Uint8Array): Transaction {
  const first = wire[0]
  if (first === undefined) throw new RangeError('no bytes')
  if (first & 0x80) {
    const { message, messageLength, signatures, length } = decodeV1(wire)
    return finish(wire.slice(0, length), signatures, message, wire.subarray(0, messageLength))
  }
  const reader = new ByteReader(wire)
  const signatures = reader.list(() => reader.bytes(64))
  const start = reader.offset
  const message = readMessage(reader)
  return finish(
    wire.slice(0, reader.offset),
    signatures,
    message,
    new Uint8Array(wire.subarray(start, reader.offset)),
  )
}

/** A message alone, as `getFeeForMessage` takes it. @throws RangeError */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes[0] === 0x81) return decodeV1(bytes, 'message').message
  return readMessage(new ByteReader(bytes))
}

export function isSigner(message: Message, index: number): boolean {
  return index < message.header.signatures
}

/** Whether a static key is writable by the header; loaded keys are not covered. */
export function isStaticWritable({ header, keys }: Message, index: number): boolean {
  return index < header.signatures
    ? index < header.signatures - header.readonlySigned
    : index < keys.length - header.readonlyUnsigned
}

function readMessage(reader: ByteReader): Message {
  const versioned = (reader.peek() & 0x80) !== 0
  if (versioned && reader.u8() !== 0x80) throw new RangeError('unknown message version')
  const header = { signatures: reader.u8(), readonlySigned: reader.u8(), readonlyUnsigned: reader.u8() }
  const keys = reader.list(() => encodeBase58(reader.bytes(32)))
  const blockhash = encodeBase58(reader.bytes(32))
  const instructions = reader.list(() => ({
    program: reader.u8(),
    accounts: reader.list(() => reader.u8()),
    data: reader.bytes(reader.compact()),
  }))
  const lookups = versioned
    ? reader.list(() => ({
        table: encodeBase58(reader.bytes(32)),
        writable: reader.list(() => reader.u8()),
        readonly: reader.list(() => reader.u8()),
      }))
    : []
  return { version: versioned ? 0 : 'legacy', header, keys, blockhash, instructions, lookups }
}

function finish(
  bytes: Uint8Array,
  signatures: readonly Uint8Array[],
  message: Message,
  messageBytes: Uint8Array,
): Transaction {
  const { header, keys } = message
  const [id] = signatures
  if (id === undefined || signatures.length !== header.signatures) {
    throw new RangeError(`${header.signatures} signatures required, ${signatures.length} present`)
  }
  if (
    keys.length < header.signatures + header.readonlyUnsigned ||
    header.readonlySigned >= header.signatures
  ) {
    throw new RangeError('header does not fit the keys')
  }
  return {
    bytes,
    signatures,
    id: encodeBase58(id),
    message,
    messageHash: createHash('sha256').update(messageBytes).digest('hex'),
  }
}
