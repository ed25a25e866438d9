/** The fee we report is the fee LiteSVM charges (spec solana 4). */
import {
  AddressLookupTableProgram,
  ComputeBudgetProgram,
  Ed25519Program,
  Keypair,
  PublicKey,
  SystemProgram,
  TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CHAIN_DEFAULTS, Chain } from './chain.js'
import { feeOf } from './fee.js'
import { MEMO_PROGRAM, SYSTEM_PROGRAM } from './program-ids.js'
import { RENT_EXEMPT } from './svm.js'
import { decodeTransaction } from './transaction.js'

const payer = Keypair.generate()
const address = payer.publicKey.toBase58()
let chain: Chain
beforeAll(async () => {
  chain = await Chain.create({ ...CHAIN_DEFAULTS, landing: 'immediate' })
  chain.pause()
  chain.svm.setAccount(address, {
    lamports: 10_000_000_000n,
    data: new Uint8Array(),
    owner: SYSTEM_PROGRAM,
    executable: false,
    rentEpoch: RENT_EXEMPT,
  })
})
afterAll(() => chain.stop())

const price = (microLamports: number) => ComputeBudgetProgram.setComputeUnitPrice({ microLamports })
const limit = (units: number) => ComputeBudgetProgram.setComputeUnitLimit({ units })
const nothing = SystemProgram.transfer({
  fromPubkey: payer.publicKey,
  toPubkey: payer.publicKey,
  lamports: 0,
})
const memo = new TransactionInstruction({
  programId: new PublicKey(MEMO_PROGRAM),
  keys: [],
  data: Buffer.from('m'),
})
const signature = Ed25519Program.createInstructionWithPrivateKey({
  privateKey: payer.secretKey,
  message: Buffer.from('m'),
})
const [freeze] = AddressLookupTableProgram.createLookupTable({
  authority: payer.publicKey,
  payer: payer.publicKey,
  recentSlot: 1,
})

it.each<[string, bigint, TransactionInstruction[]]>([
  ['a signature alone', 5_000n, [nothing]],
  ['a payment as we build it', 5_001n, [limit(20_000), price(1), nothing]],
  ['a price without a limit, builtin programs', 11_000n, [price(1_000_000), nothing]],
  ['a price without a limit, other programs', 408_000n, [price(1_000_000), memo, memo]],
  ['a limit beyond the maximum', 1_405_000n, [limit(2_000_000), price(1_000_000), nothing]],
  ['a precompile signature', 10_000n, [signature]],
  ['a price on a precompile', 16_000n, [price(1_000_000), signature]],
  ['a failing instruction', 208_000n, [price(1_000_000), freeze]],
])('charges %s', (_, expected, instructions) => {
  const message = new TransactionMessage({
    payerKey: payer.publicKey,
    recentBlockhash: chain.latestBlockhash.blockhash,
    instructions,
  }).compileToV0Message()
  const signed = new VersionedTransaction(message)
  signed.sign([payer])
  const transaction = decodeTransaction(signed.serialize())
  const before = chain.svm.lamports(address)
  chain.submit(transaction)
  expect(before - chain.svm.lamports(address)).toBe(expected)
  expect(feeOf(transaction.message)).toBe(expected)
})
