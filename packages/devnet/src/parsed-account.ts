/** Accounts in `jsonParsed`: tokens, mints, nonces and lookup tables; every other comes as base64. */
import { encodeBase58 } from './base58.js'
import type { Json, JsonObject } from './json.js'
import { readLookupTable } from './lookup-table.js'
import { readNonce } from './nonce.js'
import { LOOKUP_TABLE_PROGRAM, SYSTEM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from './program-ids.js'
import type { Account, Svm } from './svm.js'
import {
  type Mint,
  mintOf,
  readMint,
  readTokenAccount,
  TOKEN_ACCOUNT_SIZE,
  type TokenAccount,
} from './token.js'

const PROGRAM_NAMES: ReadonlyMap<string, string> = new Map([
  [TOKEN_PROGRAM, 'spl-token'],
  [TOKEN_2022_PROGRAM, 'spl-token-2022'],
])

/** Token-2022 extensions in the order of their type numbers, from 1. */
const EXTENSIONS = [
  'transferFeeConfig',
  'transferFeeAmount',
  'mintCloseAuthority',
  'confidentialTransferMint',
  'confidentialTransferAccount',
  'defaultAccountState',
  'immutableOwner',
  'memoTransfer',
  'nonTransferable',
  'interestBearingConfig',
  'cpiGuard',
  'permanentDelegate',
  'nonTransferableAccount',
  'transferHook',
  'transferHookAccount',
  'confidentialTransferFeeConfig',
  'confidentialTransferFeeAmount',
  'metadataPointer',
  'tokenMetadata',
  'groupPointer',
  'tokenGroup',
  'groupMemberPointer',
  'tokenGroupMember',
  'confidentialMintBurn',
  'scaledUiAmountConfig',
  'pausableConfig',
  'pausableAccount',
] as const

export function parseAccount(svm: Svm, account: Account): JsonObject | undefined {
  const { data, owner } = account
  const parsed = (program: string, type: string, info: JsonObject): JsonObject => ({
    program,
    parsed: { type, info },
    space: data.length,
  })
  const tokenProgram = PROGRAM_NAMES.get(owner)
  if (tokenProgram !== undefined) {
    const mint = readMint(account)
    if (mint !== undefined) return parsed(tokenProgram, 'mint', mintInfo(mint, data))
    const token = readTokenAccount(account)
    const decimals = token && mintOf(svm, token.mint)?.decimals
    if (token === undefined || decimals === undefined) return undefined
    return parsed(tokenProgram, 'account', tokenInfo(token, decimals, data))
  }
  if (owner === SYSTEM_PROGRAM) {
    const state = readNonce(data)
    if (state === undefined) return undefined
    const feeCalculator = { lamportsPerSignature: state.lamportsPerSignature.toString() }
    return parsed('nonce', 'initialized', {
      authority: state.authority,
      blockhash: state.nonce,
      feeCalculator,
    })
  }
  if (owner === LOOKUP_TABLE_PROGRAM) {
    const table = readLookupTable(data)
    if (table === undefined) return undefined
    return parsed('address-lookup-table', 'lookupTable', {
      addresses: table.addresses,
      authority: table.authority,
      deactivationSlot: table.deactivationSlot.toString(),
      lastExtendedSlot: table.lastExtendedSlot.toString(),
      lastExtendedSlotStartIndex: table.lastExtendedStartIndex,
    })
  }
  return undefined
}

/** `uiAmount` is a float and for display alone; count with `amount`. */
export function tokenAmount(amount: bigint, decimals: number): JsonObject {
  const digits = amount.toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '')
  const uiAmountString = fraction === '' || decimals === 0 ? whole : `${whole}.${fraction}`
  return { amount: amount.toString(), decimals, uiAmount: Number(uiAmountString), uiAmountString }
}

function mintInfo(mint: Mint, data: Uint8Array): JsonObject {
  return {
    decimals: mint.decimals,
    freezeAuthority: mint.freezeAuthority ?? null,
    isInitialized: mint.isInitialized,
    mintAuthority: mint.authority ?? null,
    supply: mint.supply.toString(),
    extensions: extensions(data),
  }
}

function tokenInfo(token: TokenAccount, decimals: number, data: Uint8Array): JsonObject {
  const { mint, owner, state, delegate, rentReserve, closeAuthority } = token
  return {
    isNative: rentReserve !== undefined,
    mint,
    owner,
    state,
    tokenAmount: tokenAmount(token.amount, decimals),
    delegate,
    delegatedAmount: delegate === undefined ? undefined : tokenAmount(token.delegatedAmount, decimals),
    rentExemptReserve: rentReserve === undefined ? undefined : tokenAmount(rentReserve, decimals),
    closeAuthority,
    extensions: extensions(data),
  }
}

/** Names, and the bytes of each value in base58 under `state.data`: their fields are not taken apart. */
function extensions(data: Uint8Array): Json | undefined {
  if (data.length <= TOKEN_ACCOUNT_SIZE + 1) return undefined
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const found: JsonObject[] = []
  let at = TOKEN_ACCOUNT_SIZE + 1
  while (at + 4 <= data.length) {
    const type = view.getUint16(at, true)
    const length = view.getUint16(at + 2, true)
    if (type === 0) break
    const value = data.subarray(at + 4, at + 4 + length)
    const extension = EXTENSIONS[type - 1] ?? 'unparseableExtension'
    found.push(length === 0 ? { extension } : { extension, state: { data: encodeBase58(value) } })
    at += 4 + length
  }
  return found
}
