/**
 * Airdrops: real transfers from a random key, so that they have a signature, land at a slot and can be confirmed. Each
 * carries a counting memo, or two equal airdrops under one blockhash would be duplicates.
 */
import type { Chain } from './chain.js'
import { randomKeypair, signMessage } from './keypair.js'
import { MEMO_PROGRAM, SYSTEM_PROGRAM } from './program-ids.js'
import { keyBytes, RENT_EXEMPT } from './svm.js'
import { decodeTransaction, type Transaction } from './transaction.js'

/** 500,000,000 SOL. */
const SUPPLY = 500_000_000n * 1_000_000_000n

export interface Faucet {
  /** A signed transfer of that many lamports under the latest blockhash. */
  airdrop(to: string, lamports: bigint): Transaction
}

export function createFaucet(chain: Chain): Faucet {
  const keypair = randomKeypair()
  chain.svm.setAccount(keypair.publicKey, {
    lamports: SUPPLY,
    data: new Uint8Array(),
    owner: SYSTEM_PROGRAM,
    executable: false,
    rentEpoch: RENT_EXEMPT,
  })
  let count = 0
  return {
    airdrop(to, lamports) {
      const transfer = new DataView(new ArrayBuffer(12))
      transfer.setUint32(0, 2, true)
      transfer.setBigUint64(4, lamports, true)
      const memo = Buffer.from(`airdrop ${++count}`)
      // legacy message: one signer, two readonly programs, keys [faucet, to, System, Memo]
      const message = Buffer.concat([
        Uint8Array.of(1, 0, 2, 4),
        ...[keypair.publicKey, to, SYSTEM_PROGRAM, MEMO_PROGRAM].map(keyBytes),
        keyBytes(chain.latestBlockhash.blockhash),
        Uint8Array.of(2, 2, 2, 0, 1, 12),
        new Uint8Array(transfer.buffer),
        Uint8Array.of(3, 0, memo.length),
        memo,
      ])
      return decodeTransaction(Buffer.concat([Uint8Array.of(1), signMessage(message, keypair), message]))
    },
  }
}
