/**
 * Instructions in `jsonParsed`, for the programs that payments, nonces and lookup tables use. An instruction that is not
 * listed, or whose bytes do not fit, is given with accounts and base58 data, as a node does for unknown programs.
 */
import { encodeBase58 } from './base58.js'
import { ByteReader } from './byte-reader.js'
import type { Json, JsonObject } from './json.js'
import { tokenAmount } from './parsed-account.js'
import {
  ATA_PROGRAM,
  LOOKUP_TABLE_PROGRAM,
  MEMO_PROGRAM,
  MEMO_V1_PROGRAM,
  SYSTEM_PROGRAM,
  TOKEN_2022_PROGRAM,
  TOKEN_PROGRAM,
} from './program-ids.js'

interface Shape {
  readonly type: string
  /** Names of the accounts in order; surplus accounts are not named. */
  readonly accounts: readonly string[]
  readonly data?: (reader: ByteReader) => JsonObject
  /** The last account may be a multisig, its signers follow. */
  readonly authority?: true
}

const lamports = (reader: ByteReader) => ({ lamports: reader.u64() })
const key = (reader: ByteReader) => encodeBase58(reader.bytes(32))
const amount = (reader: ByteReader) => ({ amount: reader.u64().toString() })
const checkedAmount = (reader: ByteReader) => ({ tokenAmount: tokenAmount(reader.u64(), reader.u8()) })
const initializeMint = (reader: ByteReader) => ({
  decimals: reader.u8(),
  mintAuthority: key(reader),
  freezeAuthority: reader.u8() === 1 ? key(reader) : undefined,
})

const SYSTEM: Readonly<Record<number, Shape>> = {
  0: {
    type: 'createAccount',
    accounts: ['source', 'newAccount'],
    data: (reader) => ({ lamports: reader.u64(), space: reader.u64(), owner: key(reader) }),
  },
  1: { type: 'assign', accounts: ['account'], data: (reader) => ({ owner: key(reader) }) },
  2: { type: 'transfer', accounts: ['source', 'destination'], data: lamports },
  4: { type: 'advanceNonce', accounts: ['nonceAccount', 'recentBlockhashesSysvar', 'nonceAuthority'] },
  5: {
    type: 'withdrawFromNonce',
    accounts: ['nonceAccount', 'destination', 'recentBlockhashesSysvar', 'rentSysvar', 'nonceAuthority'],
    data: lamports,
  },
  6: {
    type: 'initializeNonce',
    accounts: ['nonceAccount', 'recentBlockhashesSysvar', 'rentSysvar'],
    data: (reader) => ({ nonceAuthority: key(reader) }),
  },
  8: { type: 'allocate', accounts: ['account'], data: (reader) => ({ space: reader.u64() }) },
}

const TOKEN: Readonly<Record<number, Shape>> = {
  0: { type: 'initializeMint', accounts: ['mint', 'rentSysvar'], data: initializeMint },
  1: { type: 'initializeAccount', accounts: ['account', 'mint', 'owner', 'rentSysvar'] },
  3: { type: 'transfer', accounts: ['source', 'destination', 'authority'], data: amount, authority: true },
  4: { type: 'approve', accounts: ['source', 'delegate', 'owner'], data: amount, authority: true },
  5: { type: 'revoke', accounts: ['source', 'owner'], authority: true },
  7: { type: 'mintTo', accounts: ['mint', 'account', 'mintAuthority'], data: amount, authority: true },
  8: { type: 'burn', accounts: ['account', 'mint', 'authority'], data: amount, authority: true },
  9: { type: 'closeAccount', accounts: ['account', 'destination', 'owner'], authority: true },
  10: { type: 'freezeAccount', accounts: ['account', 'mint', 'freezeAuthority'], authority: true },
  11: { type: 'thawAccount', accounts: ['account', 'mint', 'freezeAuthority'], authority: true },
  12: {
    type: 'transferChecked',
    accounts: ['source', 'mint', 'destination', 'authority'],
    data: checkedAmount,
    authority: true,
  },
  14: {
    type: 'mintToChecked',
    accounts: ['mint', 'account', 'mintAuthority'],
    data: checkedAmount,
    authority: true,
  },
  18: {
    type: 'initializeAccount3',
    accounts: ['account', 'mint'],
    data: (reader) => ({ owner: key(reader) }),
  },
  20: { type: 'initializeMint2', accounts: ['mint'], data: initializeMint },
  22: { type: 'initializeImmutableOwner', accounts: ['account'] },
}

const ATA_ACCOUNTS = ['source', 'account', 'wallet', 'mint', 'systemProgram', 'tokenProgram']
const ATA: Readonly<Record<number, Shape>> = {
  0: { type: 'create', accounts: ATA_ACCOUNTS },
  1: { type: 'createIdempotent', accounts: ATA_ACCOUNTS },
}

const LOOKUP_TABLE: Readonly<Record<number, Shape>> = {
  0: {
    type: 'createLookupTable',
    accounts: ['lookupTableAccount', 'lookupTableAuthority', 'payerAccount', 'systemProgram'],
    data: (reader) => ({ recentSlot: reader.u64(), bumpSeed: reader.u8() }),
  },
  1: { type: 'freezeLookupTable', accounts: ['lookupTableAccount', 'lookupTableAuthority'] },
  2: {
    type: 'extendLookupTable',
    accounts: ['lookupTableAccount', 'lookupTableAuthority'],
    data: (reader) => ({ newAddresses: Array.from({ length: Number(reader.u64()) }, () => key(reader)) }),
  },
  3: { type: 'deactivateLookupTable', accounts: ['lookupTableAccount', 'lookupTableAuthority'] },
  4: { type: 'closeLookupTable', accounts: ['lookupTableAccount', 'lookupTableAuthority', 'recipient'] },
}

/** `{program, parsed}`, or undefined when this instruction is not taken apart. */
export function parseInstruction(
  programId: string,
  accounts: readonly string[],
  data: Uint8Array,
): JsonObject | undefined {
  const reader = new ByteReader(data)
  try {
    switch (programId) {
      case SYSTEM_PROGRAM:
        return parsed('system', SYSTEM[reader.u32()], accounts, reader)
      case LOOKUP_TABLE_PROGRAM:
        return parsed('address-lookup-table', LOOKUP_TABLE[reader.u32()], accounts, reader)
      case TOKEN_PROGRAM:
      case TOKEN_2022_PROGRAM:
        return parsed('spl-token', TOKEN[reader.u8()], accounts, reader)
      case ATA_PROGRAM:
        return parsed(
          'spl-associated-token-account',
          ATA[data.length === 0 ? 0 : reader.u8()],
          accounts,
          reader,
        )
      case MEMO_PROGRAM:
      case MEMO_V1_PROGRAM:
        return { program: 'spl-memo', parsed: new TextDecoder('utf-8', { fatal: true }).decode(data) }
      default:
        return undefined
    }
  } catch (error) {
    // bytes that do not fit the table, or text that is not UTF-8
    if (error instanceof RangeError || error instanceof TypeError) return undefined
    throw error
  }
}

function parsed(
  program: string,
  shape: Shape | undefined,
  accounts: readonly string[],
  reader: ByteReader,
): JsonObject | undefined {
  if (shape === undefined || accounts.length < shape.accounts.length) return undefined
  const info: Record<string, Json | undefined> = {}
  for (const [index, name] of shape.accounts.entries()) info[name] = accounts[index]
  const signers = accounts.slice(shape.accounts.length)
  const last = shape.accounts.at(-1)
  if (shape.authority && signers.length > 0 && last !== undefined) {
    const multisig = `multisig${last.charAt(0).toUpperCase()}${last.slice(1)}`
    info[multisig] = info[last]
    info.signers = signers
    delete info[last]
  }
  return { program, parsed: { type: shape.type, info: { ...info, ...shape.data?.(reader) } } }
}
