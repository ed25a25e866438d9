/**
 * Address lookup tables: the keys a v0 transaction loads besides its own.
 *
 *   account   0   kind u32 = 1
 *             4   deactivation slot u64, all ones while active
 *             12  last extended slot u64
 *             20  start index of the last extension u8
 *             21  authority: option u8, 32 bytes
 *             56  addresses, 32 each
 */
import { encodeBase58 } from './base58.js'
import type { Svm } from './svm.js'
import { isStaticWritable, type Message } from './transaction.js'

const HEADER_SIZE = 56

export interface LookupTable {
  readonly deactivationSlot: bigint
  readonly lastExtendedSlot: bigint
  readonly lastExtendedStartIndex: number
  readonly authority: string | undefined
  readonly addresses: readonly string[]
}

export interface LoadedAddresses {
  readonly writable: readonly string[]
  readonly readonly: readonly string[]
}

/** All keys of a transaction in index order: static, loaded writable, loaded readonly. */
export interface TransactionKeys {
  readonly all: readonly string[]
  readonly loaded: LoadedAddresses
  isWritable(index: number): boolean
}

/** An address that the tables do not have is left out: LiteSVM refuses such a transaction with its own error. */
export function resolveKeys(svm: Svm, message: Message): TransactionKeys {
  const writable: string[] = []
  const readonly: string[] = []
  for (const lookup of message.lookups) {
    const account = svm.account(lookup.table)
    const addresses = (account && readLookupTable(account.data)?.addresses) ?? []
    writable.push(...pick(addresses, lookup.writable))
    readonly.push(...pick(addresses, lookup.readonly))
  }
  const loadedWritable = message.keys.length + writable.length
  return {
    all: [...message.keys, ...writable, ...readonly],
    loaded: { writable, readonly },
    isWritable: (index) =>
      index < message.keys.length ? isStaticWritable(message, index) : index < loadedWritable,
  }
}

export function readLookupTable(data: Uint8Array): LookupTable | undefined {
  if (data.length < HEADER_SIZE) return undefined
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  if (view.getUint32(0, true) !== 1) return undefined
  const count = Math.floor((data.length - HEADER_SIZE) / 32)
  return {
    deactivationSlot: view.getBigUint64(4, true),
    lastExtendedSlot: view.getBigUint64(12, true),
    lastExtendedStartIndex: view.getUint8(20),
    authority: view.getUint8(21) === 1 ? encodeBase58(data.subarray(22, 54)) : undefined,
    addresses: Array.from({ length: count }, (_, index) =>
      encodeBase58(data.subarray(HEADER_SIZE + index * 32, HEADER_SIZE + (index + 1) * 32)),
    ),
  }
}

function pick(addresses: readonly string[], indices: readonly number[]): string[] {
  return indices.flatMap((index) => addresses[index] ?? [])
}
