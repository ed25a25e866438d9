/**
 * A devnet of its own for each test, its clock paused: slots pass when a test says so. Asked over plain JSON-RPC, with
 * transactions of web3.js.
 */
import {
  Keypair,
  SystemProgram,
  type TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js'
import { afterEach, beforeEach } from 'vitest'
import { type Devnet, startDevnet } from '../src/devnet.js'

/** Another one in each test. */
export let devnet: Devnet
export const payer = Keypair.generate()
export const payerAddress = payer.publicKey.toBase58()
/** Lamports of the payer when a test begins. */
export const START = 10_000_000_000n

beforeEach(async () => {
  devnet = await startDevnet()
  devnet.pauseClock()
  devnet.setLamports(payerAddress, START)
})
afterEach(() => devnet.close())

interface Answer {
  result?: unknown
  error?: { code: number; message: string; data?: { err: unknown } }
}

/** The text of the answer. */
export async function post(method: string, ...params: unknown[]): Promise<string> {
  const response = await fetch(devnet.rpcUrl, {
    method: 'POST',
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  return response.text()
}
export const rpc = async (method: string, ...params: unknown[]): Promise<Answer> =>
  JSON.parse(await post(method, ...params))
export const result = async (method: string, ...params: unknown[]): Promise<unknown> =>
  (await rpc(method, ...params)).result
export const value = async (method: string, ...params: unknown[]): Promise<unknown> =>
  JSON.parse(await post(method, ...params)).result.value

export async function blockhash(): Promise<string> {
  return JSON.parse(await post('getLatestBlockhash')).result.value.blockhash
}

export function transfer(lamports: number, to = Keypair.generate().publicKey): TransactionInstruction {
  return SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey: to, lamports })
}

export function sign(recentBlockhash: string, instructions: TransactionInstruction[], signers = [payer]) {
  const message = new TransactionMessage({ payerKey: payer.publicKey, recentBlockhash, instructions })
  const transaction = new VersionedTransaction(message.compileToV0Message())
  transaction.sign(signers)
  return transaction
}

export const base64 = (transaction: VersionedTransaction) =>
  Buffer.from(transaction.serialize()).toString('base64')
export const simulate = (text: string, options = {}) =>
  value('simulateTransaction', text, { encoding: 'base64', sigVerify: false, ...options })
export const send = (text: string, options = {}) =>
  rpc('sendTransaction', text, { encoding: 'base64', ...options })
export const status = async (id: unknown) => {
  const statuses = await value('getSignatureStatuses', [id])
  return Array.isArray(statuses) ? statuses[0] : undefined
}
