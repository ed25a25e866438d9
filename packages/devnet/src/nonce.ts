/**
 * Durable nonces: a transaction whose first instruction is AdvanceNonce may carry the nonce in place of a blockhash.
 *
 *   account   0   version u32 = 1
 *             4   state u32: 0 uninitialized, 1 initialized
 *             8   authority 32
 *             40  nonce 32
 *             72  lamports per signature u64
 */
import { createHash } from 'node:crypto'
import { encodeBase58 } from './base58.js'
import { SYSTEM_PROGRAM } from './program-ids.js'
import { keyBytes, type Svm } from './svm.js'
import { isSigner, isStaticWritable, type Message } from './transaction.js'

const NONCE_SIZE = 80
const ADVANCE_NONCE = 4

export interface NonceData {
  readonly authority: string
  readonly nonce: string
  readonly lamportsPerSignature: bigint
}

/** Address of the nonce account that the transaction advances first, if it is one of that kind. */
export function nonceAccountOf(message: Message): string | undefined {
  const [first] = message.instructions
  if (first === undefined || message.keys[first.program] !== SYSTEM_PROGRAM) return undefined
  if (first.data.length < 4 || new DataView(first.data.buffer).getUint32(0, true) !== ADVANCE_NONCE)
    return undefined
  const [index] = first.accounts
  return index !== undefined && isStaticWritable(message, index) ? message.keys[index] : undefined
}

/** Whether the nonce in the account is the transaction's lifetime, its authority signs, and this block may advance it. */
export function isNonceValid(svm: Svm, message: Message, latestBlockhash: string): boolean {
  const address = nonceAccountOf(message)
  const account = address === undefined ? undefined : svm.account(address)
  if (account === undefined || account.owner !== SYSTEM_PROGRAM) return false
  const state = readNonce(account.data)
  if (state === undefined || state.nonce !== message.blockhash) return false
  if (state.nonce === encodeBase58(nonceAfter(latestBlockhash))) return false
  const signers = message.instructions[0]?.accounts ?? []
  return signers.some((index) => isSigner(message, index) && message.keys[index] === state.authority)
}

/** Writes the nonce that follows from this block: LiteSVM leaves it as it was when the transaction fails. */
export function advanceNonce(svm: Svm, address: string, latestBlockhash: string): void {
  const account = svm.account(address)
  if (account === undefined || readNonce(account.data) === undefined) return
  const data = new Uint8Array(account.data)
  data.set(nonceAfter(latestBlockhash), 40)
  svm.setAccount(address, { ...account, data })
}

export function readNonce(data: Uint8Array): NonceData | undefined {
  if (data.length !== NONCE_SIZE) return undefined
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  if (view.getUint32(0, true) !== 1 || view.getUint32(4, true) !== 1) return undefined
  return {
    authority: encodeBase58(data.subarray(8, 40)),
    nonce: encodeBase58(data.subarray(40, 72)),
    lamportsPerSignature: view.getBigUint64(72, true),
  }
}

function nonceAfter(blockhash: string): Uint8Array {
  return createHash('sha256').update('DURABLE_NONCE').update(keyBytes(blockhash)).digest()
}
