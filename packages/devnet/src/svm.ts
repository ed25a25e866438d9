/**
 * LiteSVM, loaded on demand: its native part exists for some platforms only, and an import at the top of a module would
 * end the process with the loader's own page of text (spec solana 14).
 */
import type { LiteSvm, Account as NativeAccount } from 'litesvm/dist/internal.js'
import { decodeBase58, encodeBase58 } from './base58.js'
import { DevnetError } from './errors.js'

/** An account as the chain holds it; lamports 0 means that it does not exist. */
export interface Account {
  readonly lamports: bigint
  readonly data: Uint8Array
  /** Address of the owning program. */
  readonly owner: string
  readonly executable: boolean
  readonly rentEpoch: bigint
}

/** The virtual machine with addresses in base58. */
export interface Svm {
  readonly native: LiteSvm
  account(address: string): Account | undefined
  lamports(address: string): bigint
  accountsOf(program: string): { readonly address: string; readonly account: Account }[]
  setAccount(address: string, account: Account): void
  /** Lamports that make an account of that many data bytes rent exempt. */
  rent(space: number): bigint
}

/** rentEpoch of an account that pays no rent. */
export const RENT_EXEMPT = 2n ** 64n - 1n

/** @throws DevnetError `platform_unsupported` */
export async function createSvm(): Promise<Svm> {
  const binding = await load()
  const native = new binding.LiteSvm()
  // Duplicates and age are ours to judge (chain.ts), and its own history would grow without bound.
  native.setTransactionHistory(0n)
  native.setBlockhashCheck(false)
  return {
    native,
    account(address) {
      const account = native.getAccount(keyBytes(address))
      return account === null || account.lamports() === 0n ? undefined : fromNative(account)
    },
    lamports: (address) => native.getBalance(keyBytes(address)) ?? 0n,
    accountsOf: (program) =>
      native
        .getProgramAccounts(keyBytes(program))
        .map((entry) => ({ address: encodeBase58(entry.address), account: fromNative(entry.account()) }))
        .filter((entry) => entry.account.lamports > 0n),
    setAccount(address, { lamports, data, owner, executable, rentEpoch }) {
      native.setAccount(
        keyBytes(address),
        new binding.Account(lamports, data, keyBytes(owner), executable, rentEpoch),
      )
    },
    rent: (space) => native.minimumBalanceForRentExemption(BigInt(space)),
  }
}

export function fromNative(account: NativeAccount): Account {
  return {
    lamports: account.lamports(),
    data: account.data(),
    owner: encodeBase58(account.owner()),
    executable: account.executable(),
    rentEpoch: account.rentEpoch(),
  }
}

/** @throws TypeError when the address is not 32 bytes of base58 */
export function keyBytes(address: string): Uint8Array {
  const bytes = decodeBase58(address, 32)
  if (bytes === undefined) throw new TypeError(`address: 32 bytes of base58 expected, got ${address}`)
  return bytes
}

async function load(): Promise<typeof import('litesvm/dist/internal.js')> {
  try {
    return await import('litesvm/dist/internal.js')
  } catch (cause) {
    throw new DevnetError(
      'platform_unsupported',
      `no LiteSVM binary for ${process.platform}-${process.arch}: the local chain runs on Linux and macOS, x64 and arm64`,
      { cause },
    )
  }
}
