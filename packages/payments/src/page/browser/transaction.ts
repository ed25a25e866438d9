/**
 * The one transaction the page makes (spec solana 2): version 0, no lookup tables, always the same shape.
 *
 *   0   80                       version 0
 *   1   02 01 04                 signers, read-only signers, read-only others
 *   4   08, 8 x 32               sponsor, payer, source, destination, compute budget, token program, mint, memo program
 *       32                       blockhash
 *       04                       limit, price, TransferChecked, memo
 *       00                       no lookup tables
 */
import { associatedAccount, decodeAddress } from './address.js'

const COMPUTE_BUDGET = 'ComputeBudget111111111111111111111111111111'
const MEMO = 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr'
const COMPUTE_UNITS = 20_000

export interface Transfer {
  readonly feePayer: string
  readonly payer: string
  readonly payTo: string
  readonly asset: string
  readonly tokenProgram: string
  readonly decimals: number
  /** Atomic. */
  readonly amount: bigint
  /** At most 127 bytes: lengths are one byte here. */
  readonly memo: string
  readonly blockhash: string
}

/** Wire bytes with two empty signatures: the wallet writes the second, the seller the first. */
export async function paymentTransaction(transfer: Transfer): Promise<Uint8Array> {
  const { feePayer, payer, payTo, asset, tokenProgram, decimals, amount, blockhash } = transfer
  const memo = new TextEncoder().encode(transfer.memo)
  if (memo.length > 127) throw new RangeError('the memo is too long')
  const source = await associatedAccount(payer, tokenProgram, asset)
  const destination = await associatedAccount(payTo, tokenProgram, asset)
  const keys = [feePayer, payer, source, destination, COMPUTE_BUDGET, tokenProgram, asset, MEMO]
  return Uint8Array.from([
    ...[2, ...new Uint8Array(128)],
    ...[0x80, 2, 1, 4, keys.length, ...keys.flatMap((key) => [...decodeAddress(key)])],
    ...decodeAddress(blockhash),
    4,
    ...instruction(4, [], [2, ...littleEndian(BigInt(COMPUTE_UNITS), 4)]),
    ...instruction(4, [], [3, ...littleEndian(1n, 8)]),
    ...instruction(5, [2, 6, 3, 1], [12, ...littleEndian(amount, 8), decimals]),
    ...instruction(7, [], [...memo]),
    0,
  ])
}

/** Whether the payer's place, the second, has a signature. */
export function isSigned(wire: Uint8Array): boolean {
  return wire[0] === 2 && wire.subarray(65, 129).some((byte) => byte !== 0)
}

function instruction(program: number, accounts: readonly number[], data: readonly number[]): number[] {
  return [program, accounts.length, ...accounts, data.length, ...data]
}

function littleEndian(value: bigint, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))
}
