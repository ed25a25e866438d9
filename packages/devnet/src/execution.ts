/** One transaction through LiteSVM, for real or as a simulation. */
import type {
  FailedTransactionMetadata,
  SimulatedTransactionInfo,
  TransactionMetadata,
} from 'litesvm/dist/internal.js'
import { encodeBase58 } from './base58.js'
import type { Json } from './json.js'
import { type Account, fromNative, type Svm } from './svm.js'
import type { Transaction } from './transaction.js'
import { errorJson } from './transaction-error.js'

export interface Outcome {
  /** Solana's error JSON, or null. */
  readonly err: Json
  readonly meta: TransactionMetadata
}

export interface Simulated extends Outcome {
  /** Accounts after the transaction, by address; none when it failed. */
  readonly accounts: ReadonlyMap<string, Account>
}

/** `nonce`: the lifetime is a durable nonce, so LiteSVM's own check is on for this one. */
export function execute(svm: Svm, { bytes }: Transaction, nonce: boolean): Outcome {
  svm.native.setBlockhashCheck(nonce)
  try {
    const result = svm.native.sendVersionedTransaction(bytes)
    return isFailed(result) ? { err: errorJson(result), meta: result.meta() } : { err: null, meta: result }
  } finally {
    svm.native.setBlockhashCheck(false)
  }
}

export function simulate(svm: Svm, { bytes }: Transaction, verifySignatures: boolean): Simulated {
  svm.native.setSigverify(verifySignatures)
  try {
    const result = svm.native.simulateVersionedTransaction(bytes)
    if (isFailed(result)) return { err: errorJson(result), meta: result.meta(), accounts: new Map() }
    const accounts = new Map<string, Account>()
    for (const entry of result.postAccounts()) {
      accounts.set(encodeBase58(entry.address), fromNative(entry.account()))
    }
    return { err: null, meta: result.meta(), accounts }
  } finally {
    svm.native.setSigverify(true)
  }
}

function isFailed(
  result: TransactionMetadata | SimulatedTransactionInfo | FailedTransactionMetadata,
): result is FailedTransactionMetadata {
  return 'err' in result
}
