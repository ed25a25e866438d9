/**
 * The instructions of an `exact` payment (spec solana 1.4), little-endian; w writable, s signer, r readonly:
 *
 *   SetComputeUnitLimit  02, u32 units                    5 bytes    no accounts
 *   SetComputeUnitPrice  03, u64 micro-lamports per CU    9 bytes    no accounts
 *   TransferChecked      0c, u64 amount, u8 decimals     10 bytes    source w, mint r, destination w, authority s
 *   Memo                 UTF-8 text                                  no accounts
 */
import type { Instruction } from '../solana.js'

const COMPUTE_BUDGET = 'ComputeBudget111111111111111111111111111111'
export const MEMO_PROGRAM = 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr'
export const LIGHTHOUSE = 'L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAN1qA3S95'

export function computeUnitLimit(units: number): Instruction {
  const data = new Uint8Array(5)
  data[0] = 2
  new DataView(data.buffer).setUint32(1, units, true)
  return { program: COMPUTE_BUDGET, accounts: [], data }
}

export function computeUnitPrice(microLamports: bigint): Instruction {
  const data = new Uint8Array(9)
  data[0] = 3
  new DataView(data.buffer).setBigUint64(1, microLamports, true)
  return { program: COMPUTE_BUDGET, accounts: [], data }
}

export interface Transfer {
  readonly source: string
  readonly mint: string
  readonly destination: string
  readonly authority: string
  readonly amount: bigint
  readonly decimals: number
}

export function transferChecked(program: string, transfer: Transfer): Instruction {
  const data = new Uint8Array(10)
  data[0] = 12
  new DataView(data.buffer).setBigUint64(1, transfer.amount, true)
  data[9] = transfer.decimals
  const { source, mint, destination, authority } = transfer
  return {
    program,
    accounts: [
      { address: source, isSigner: false, isWritable: true },
      { address: mint, isSigner: false, isWritable: false },
      { address: destination, isSigner: false, isWritable: true },
      { address: authority, isSigner: true, isWritable: false },
    ],
    data,
  }
}

export function memo(text: string): Instruction {
  return { program: MEMO_PROGRAM, accounts: [], data: new TextEncoder().encode(text) }
}

type Parsed = { readonly program: string; readonly accounts: readonly string[]; readonly data: Uint8Array }

/** Units of an exact SetComputeUnitLimit, else undefined. */
export function readComputeUnitLimit({ program, accounts, data }: Parsed): number | undefined {
  if (program !== COMPUTE_BUDGET || accounts.length !== 0 || data.length !== 5 || data[0] !== 2)
    return undefined
  return view(data).getUint32(1, true)
}

/** Micro-lamports of an exact SetComputeUnitPrice, else undefined. */
export function readComputeUnitPrice({ program, accounts, data }: Parsed): bigint | undefined {
  if (program !== COMPUTE_BUDGET || accounts.length !== 0 || data.length !== 9 || data[0] !== 3)
    return undefined
  return view(data).getBigUint64(1, true)
}

/** An exact TransferChecked with four accounts, whatever its program; else undefined. */
export function readTransferChecked({ accounts, data }: Parsed): Transfer | undefined {
  const [source, mint, destination, authority] = accounts
  if (accounts.length !== 4 || data.length !== 10 || data[0] !== 12) return undefined
  if (source === undefined || mint === undefined || destination === undefined || authority === undefined)
    return undefined
  return {
    source,
    mint,
    destination,
    authority,
    amount: view(data).getBigUint64(1, true),
    decimals: data[9] as number,
  }
}

function view(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength)
}
