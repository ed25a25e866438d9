/** One transaction in a block: executed, charged, recorded - or dropped without a trace (spec solana 10, point 5). */
import { execute } from './execution.js'
import { feeOf } from './fee.js'
import type { LandedTransaction } from './history.js'
import { resolveKeys } from './lookup-table.js'
import { balancesOf, innerInstructionsOf, returnDataOf } from './metadata.js'
import { advanceNonce, nonceAccountOf } from './nonce.js'
import type { Svm } from './svm.js'
import type { Transaction } from './transaction.js'

export interface Block {
  readonly slot: number
  readonly blockhash: string
  /** Unix seconds. */
  readonly time: number
  /** Milliseconds, by the server's clock. */
  readonly now: number
}

/** `byNonce`: the lifetime is a durable nonce. Age and duplicates are the caller's to judge before. */
export function land(
  svm: Svm,
  transaction: Transaction,
  byNonce: boolean,
  block: Block,
): LandedTransaction | { readonly dropped: string } {
  const { message } = transaction
  const keys = resolveKeys(svm, message)
  const before = balancesOf(svm, message, keys.all)
  const { err, meta } = execute(svm, transaction, byNonce)
  // what fails before execution is not charged, and then it is not in the block either
  const payer = message.keys[0] ?? ''
  if (err !== null && svm.lamports(payer) === before.lamports[0]) return { dropped: errorName(err) }
  const nonce = nonceAccountOf(message)
  if (nonce !== undefined && (byNonce || err === null)) advanceNonce(svm, nonce, block.blockhash)
  const after = balancesOf(svm, message, keys.all)
  return {
    transaction,
    keys: keys.all,
    loaded: keys.loaded,
    slot: block.slot,
    blockTime: block.time,
    landedAt: block.now,
    err,
    fee: feeOf(message),
    preBalances: before.lamports,
    postBalances: after.lamports,
    preTokenBalances: before.tokens,
    postTokenBalances: after.tokens,
    innerInstructions: innerInstructionsOf(meta),
    logs: meta.logs(),
    computeUnits: meta.computeUnitsConsumed(),
    returnData: returnDataOf(meta),
  }
}

function errorName(err: NonNullable<LandedTransaction['err']>): string {
  return typeof err === 'object' ? (Object.keys(err)[0] ?? 'unknown') : String(err)
}
