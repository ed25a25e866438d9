/**
 * Token accounts and mints of both token programs, little-endian (spec solana 1.4).
 *
 *   mint      0    authority: option u32, 32 bytes
 *             36   supply u64
 *             44   decimals u8
 *             45   initialized u8
 *             46   freeze authority: option u32, 32 bytes          (82 bytes)
 *   account   0    mint 32
 *             32   owner 32
 *             64   amount u64
 *             72   delegate: option u32, 32 bytes
 *             108  state u8: 1 initialized, 2 frozen
 *             109  native: option u32, u64 rent reserve
 *             121  delegated amount u64
 *             129  close authority: option u32, 32 bytes           (165 bytes)
 *   Token-2022 beyond 165: kind u8 (1 mint, 2 account), then extensions: type u16, length u16, value
 */
import { getAddressEncoder, getProgramDerivedAddress, address as toAddress } from '@solana/kit'
import { encodeBase58 } from './base58.js'
import { ATA_PROGRAM, isTokenProgram } from './program-ids.js'
import { type Account, keyBytes, RENT_EXEMPT, type Svm } from './svm.js'

const MINT_SIZE = 82
export const TOKEN_ACCOUNT_SIZE = 165

export interface Mint {
  readonly authority: string | undefined
  readonly supply: bigint
  readonly decimals: number
  readonly isInitialized: boolean
  readonly freezeAuthority: string | undefined
}

export interface TokenAccount {
  readonly mint: string
  readonly owner: string
  readonly amount: bigint
  readonly delegate: string | undefined
  readonly state: 'initialized' | 'frozen'
  readonly rentReserve: bigint | undefined
  readonly delegatedAmount: bigint
  readonly closeAuthority: string | undefined
}

export async function associatedTokenAddress(
  owner: string,
  mint: string,
  tokenProgram: string,
): Promise<string> {
  const encoder = getAddressEncoder()
  const seeds = [owner, tokenProgram, mint].map((seed) => encoder.encode(toAddress(seed)))
  const [derived] = await getProgramDerivedAddress({ programAddress: toAddress(ATA_PROGRAM), seeds })
  return derived
}

export function readMint(account: Account): Mint | undefined {
  const { data } = account
  if (!isTokenProgram(account.owner) || !isShape(data, MINT_SIZE, 1)) return undefined
  const view = viewOf(data)
  if (data[45] !== 1) return undefined
  return {
    authority: optionalKey(data, 0),
    supply: view.getBigUint64(36, true),
    decimals: view.getUint8(44),
    isInitialized: true,
    freezeAuthority: optionalKey(data, 46),
  }
}

export function readTokenAccount(account: Account): TokenAccount | undefined {
  const { data } = account
  if (!isTokenProgram(account.owner) || !isShape(data, TOKEN_ACCOUNT_SIZE, 2)) return undefined
  const view = viewOf(data)
  const state = data[108]
  if (state !== 1 && state !== 2) return undefined
  return {
    mint: encodeBase58(data.subarray(0, 32)),
    owner: encodeBase58(data.subarray(32, 64)),
    amount: view.getBigUint64(64, true),
    delegate: optionalKey(data, 72),
    state: state === 1 ? 'initialized' : 'frozen',
    rentReserve: view.getUint32(109, true) === 1 ? view.getBigUint64(113, true) : undefined,
    delegatedAmount: view.getBigUint64(121, true),
    closeAuthority: optionalKey(data, 129),
  }
}

export function mintOf(svm: Svm, address: string): Mint | undefined {
  const account = svm.account(address)
  return account && readMint(account)
}

export function tokenAccountOf(svm: Svm, address: string): TokenAccount | undefined {
  const account = svm.account(address)
  return account && readTokenAccount(account)
}

/** Puts a mint of the classic token program in place. */
export function placeMint(svm: Svm, address: string, mint: Mint, tokenProgram: string): void {
  const data = new Uint8Array(MINT_SIZE)
  writeOptionalKey(data, 0, mint.authority)
  viewOf(data).setBigUint64(36, mint.supply, true)
  data[44] = mint.decimals
  data[45] = 1
  writeOptionalKey(data, 46, mint.freezeAuthority)
  place(svm, address, data, tokenProgram)
}

/** Puts a token account in place; the supply of the mint follows, so that the sums stay true. */
export function placeTokenAccount(
  svm: Svm,
  address: string,
  token: Pick<TokenAccount, 'mint' | 'owner' | 'amount'> & Partial<TokenAccount>,
  tokenProgram: string,
): void {
  const before = svm.account(address)
  const old = before && readTokenAccount(before)
  const data =
    old === undefined || before === undefined ? new Uint8Array(TOKEN_ACCOUNT_SIZE) : before.data.slice()
  const view = viewOf(data)
  data.set(keyBytes(token.mint), 0)
  data.set(keyBytes(token.owner), 32)
  view.setBigUint64(64, token.amount, true)
  writeOptionalKey(data, 72, token.delegate ?? old?.delegate)
  data[108] = (token.state ?? old?.state) === 'frozen' ? 2 : 1
  view.setBigUint64(121, token.delegatedAmount ?? old?.delegatedAmount ?? 0n, true)
  writeOptionalKey(data, 129, token.closeAuthority ?? old?.closeAuthority)
  place(svm, address, data, tokenProgram)
  const mint = svm.account(token.mint)
  if (mint === undefined) return
  const supply = viewOf(mint.data).getBigUint64(36, true) - (old?.amount ?? 0n) + token.amount
  const mintData = mint.data.slice()
  viewOf(mintData).setBigUint64(36, supply, true)
  svm.setAccount(token.mint, { ...mint, data: mintData })
}

function place(svm: Svm, address: string, data: Uint8Array, owner: string): void {
  const lamports = svm.rent(data.length)
  svm.setAccount(address, { lamports, data, owner, executable: false, rentEpoch: RENT_EXEMPT })
}

function isShape(data: Uint8Array, size: number, kind: number): boolean {
  return data.length === size || (data.length > TOKEN_ACCOUNT_SIZE && data[TOKEN_ACCOUNT_SIZE] === kind)
}

function optionalKey(data: Uint8Array, at: number): string | undefined {
  return viewOf(data).getUint32(at, true) === 1 ? encodeBase58(data.subarray(at + 4, at + 36)) : undefined
}

function writeOptionalKey(data: Uint8Array, at: number, key: string | undefined): void {
  viewOf(data).setUint32(at, key === undefined ? 0 : 1, true)
  data.fill(0, at + 4, at + 36)
  if (key !== undefined) data.set(keyBytes(key), at + 4)
}

function viewOf(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength)
}
