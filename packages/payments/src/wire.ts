/**
 * Transactions as they travel (spec solana 3, rules 4 and 5), read strictly: one payment is one byte string.
 *
 *   signatures      n   count, 64 each; as many as the header requires
 *   message             0x80 for version 0, nothing for legacy
 *     header        3   required signatures, how many of them are readonly, how many others are
 *     accounts      n   count, 32 each, none twice
 *     blockhash    32
 *     instructions  n   count; each: program index u8, account indices u8 with their count, data with its count
 *     lookups       n   version 0 alone: count; each: table 32, two lists of indices u8 with their counts
 *
 * A count takes 7 bits of each byte, low ones first, in as few bytes as possible; the high bit announces another byte.
 */
import { encodeBase58 } from './solana.js'

export interface ParsedTransaction {
  readonly version: 'legacy' | 0
  /** 64 bytes each, in the order of the required signers. */
  readonly signatures: readonly Uint8Array[]
  /** What the signatures cover. */
  readonly message: Uint8Array
  /** Base58, in the message's order. */
  readonly accounts: readonly string[]
  readonly requiredSignatures: number
  readonly hasLookupTables: boolean
  readonly blockhash: string
  /** With lookup tables, accounts from them are the empty text. */
  readonly instructions: readonly {
    readonly program: string
    readonly accounts: readonly string[]
    readonly data: Uint8Array
  }[]
}

/** The packet limit of legacy and version 0. */
export const MAX_WIRE = 1232
const SIGNATURE = 64
const KEY = 32
const VERSION_0 = 0x80

/** Undefined for anything that an encoder would not write, or that names an account that is not there; never throws. */
export function parseTransaction(bytes: Uint8Array): ParsedTransaction | undefined {
  if (bytes.length > MAX_WIRE) return undefined
  try {
    return readTransaction(bytes)
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}

/** Wire bytes: the signatures in the order of the message's signers, then the message. */
export function encodeTransaction(signatures: readonly Uint8Array[], message: Uint8Array): Uint8Array {
  if (signatures.length >= 128) throw new RangeError(`${signatures.length} signatures`)
  const bytes = new Uint8Array(1 + signatures.length * SIGNATURE + message.length)
  bytes[0] = signatures.length
  signatures.forEach((signature, i) => {
    bytes.set(signature, 1 + i * SIGNATURE)
  })
  bytes.set(message, 1 + signatures.length * SIGNATURE)
  return bytes
}

/** Wire bytes with another first signature: how a sponsor completes a payment. */
export function withFirstSignature(transaction: Uint8Array, signature: Uint8Array): Uint8Array {
  const bytes = transaction.slice()
  bytes.set(signature, 1)
  return bytes
}

class Malformed extends Error {}

function readTransaction(bytes: Uint8Array): ParsedTransaction {
  let at = 0
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new Malformed('too short')
    at += length
    return bytes.subarray(at - length, at)
  }
  const byte = (): number => take(1)[0] as number
  const count = (): number => {
    let value = 0
    for (let shift = 0; shift < 21; shift += 7) {
      const next = byte()
      value |= (next & 0x7f) << shift
      if (next >= 0x80) continue
      if ((next === 0 && shift > 0) || value > 0xffff) break
      return value
    }
    throw new Malformed('count')
  }
  const list = <T>(read: () => T): T[] => Array.from({ length: count() }, read)
  const key = (): string => encodeBase58(take(KEY))

  const signatures = list(() => take(SIGNATURE))
  const messageAt = at
  const isVersioned = (bytes[at] ?? 0) >= VERSION_0
  if (isVersioned && byte() !== VERSION_0) throw new Malformed('version')
  const requiredSignatures = byte()
  take(2)
  const accounts = list(key)
  const blockhash = key()
  const compiled = list(() => ({ program: byte(), accounts: [...take(count())], data: take(count()) }))
  const lookups = isVersioned ? list(() => [take(KEY), take(count()), take(count())]) : []
  if (at !== bytes.length || signatures.length !== requiredSignatures) throw new Malformed('length')
  if (new Set(accounts).size !== accounts.length) throw new Malformed('an account twice')
  const hasLookupTables = lookups.length > 0
  const named = (index: number): string => {
    const account = accounts[index]
    if (account === undefined) throw new Malformed('account index')
    return account
  }
  return {
    version: isVersioned ? 0 : 'legacy',
    signatures,
    message: bytes.subarray(messageAt),
    accounts,
    requiredSignatures,
    hasLookupTables,
    blockhash,
    instructions: compiled.map(({ program, accounts: indices, data }) => ({
      program: named(program),
      accounts: indices.map((index) => (hasLookupTables ? (accounts[index] ?? '') : named(index))),
      data,
    })),
  }
}
