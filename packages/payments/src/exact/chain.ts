/** What verification and settlement ask of the chain (spec solana 3 rule 17, 7). */
import { isJsonObject, type JsonValue, writeJson } from '@aetherkit/core'
import type { Confirmation } from '../confirmation.js'
import { PaymentError } from '../errors.js'
import { type Refusal, refuse } from '../reason.js'
import { type Rpc, RpcError, resultValue } from '../rpc.js'
import type { StaticallyVerified } from './static.js'

/** A blockhash lives for 150 blocks. */
const BLOCKHASH_LIFE = 150n
const HEIGHT_MS = 1_000
/** More blocks than a cluster makes in that time, at 400 ms each. */
const BLOCKS_SINCE = 5n
const SIMULATE_TRIES = 3

/**
 * Simulates without signature check and with the payment's own blockhash. Any error refuses; an RPC failure is no
 * verdict on the payment (`unexpected_verify_error`). It sees what the level lets count, so that one payer's payments die
 * here and not on the chain.
 */
export async function simulate(
  rpc: Rpc,
  verified: StaticallyVerified,
  base64: string,
  confirmation?: Confirmation,
): Promise<{ ok: true } | Refusal> {
  const options = {
    encoding: 'base64',
    sigVerify: false,
    replaceRecentBlockhash: false,
    commitment: confirmation === 'processed' ? 'processed' : 'confirmed',
  }
  for (let tries = 1; ; tries++) {
    let value: JsonValue
    try {
      value = resultValue(await rpc.call('simulateTransaction', [base64, options]))
    } catch (error) {
      if (error instanceof RpcError && error.rpcCode !== -32603)
        return refuse('invalid_exact_svm_transaction_simulation_failed', error.message)
      if (PaymentError.is(error)) return refuse('unexpected_verify_error', error.message)
      throw error
    }
    const fault = isJsonObject(value) ? (value.err ?? null) : null
    if (fault === null) return { ok: true }
    // A node that is a slot behind has not seen the blockhash yet: most field failures are this.
    if (fault !== 'BlockhashNotFound' || tries === SIMULATE_TRIES)
      return simulationRefusal(rpc, verified, fault)
    await new Promise((resolve) => setTimeout(resolve, 100 * tries))
  }
}

/**
 * The height from which a transaction seen now is certainly dead. Asked for at most once a second, by however many
 * settlements; the blocks that may have come since are added, for nothing may be called dead too early.
 */
export function createLastValidBlockHeight(rpc: Rpc): () => Promise<bigint> {
  let last: { readonly at: number; readonly asked: Promise<bigint> } | undefined
  return async () => {
    const now = performance.now()
    if (last === undefined || now - last.at >= HEIGHT_MS) {
      const asked = blockHeight(rpc)
      last = { at: now, asked }
      asked.catch(() => {
        if (last?.asked === asked) last = undefined
      })
    }
    return (await last.asked) + BLOCKHASH_LIFE + BLOCKS_SINCE
  }
}

export async function blockHeight(rpc: Rpc): Promise<bigint> {
  const height = await rpc.call('getBlockHeight', [{ commitment: 'confirmed' }])
  if (typeof height !== 'number' && typeof height !== 'bigint')
    throw new PaymentError('rpc_failed', 'getBlockHeight: no number')
  return BigInt(height)
}

/**
 * What the destination gained in this transaction, by its own metadata: other payments land between two balance queries.
 * Undefined while the node has no metadata for it.
 */
export async function receivedAmount(
  rpc: Rpc,
  signature: string,
  destination: string,
): Promise<bigint | undefined> {
  const options = { encoding: 'json', commitment: 'confirmed', maxSupportedTransactionVersion: 0 }
  const result = await rpc.call('getTransaction', [signature, options]).catch((error: unknown) => {
    if (PaymentError.is(error)) return null
    throw error
  })
  if (!isJsonObject(result) || !isJsonObject(result.meta) || !isJsonObject(result.transaction))
    return undefined
  const message = result.transaction.message
  if (!isJsonObject(message) || !Array.isArray(message.accountKeys)) return undefined
  const index = message.accountKeys.indexOf(destination)
  if (index === -1) return 0n
  return tokenAmount(result.meta.postTokenBalances, index) - tokenAmount(result.meta.preTokenBalances, index)
}

/** The text `amount`, never a JSON number of it. */
function tokenAmount(balances: JsonValue | undefined, index: number): bigint {
  if (!Array.isArray(balances)) return 0n
  const entry = balances.find((balance) => isJsonObject(balance) && balance.accountIndex === index)
  const ui = isJsonObject(entry) ? entry.uiTokenAmount : undefined
  return isJsonObject(ui) && typeof ui.amount === 'string' && /^\d+$/.test(ui.amount) ? BigInt(ui.amount) : 0n
}

/** Two faults deserve words of their own: an empty account, and a seller without an account. */
async function simulationRefusal(
  rpc: Rpc,
  { destination }: StaticallyVerified,
  fault: JsonValue,
): Promise<Refusal> {
  const detail = writeJson(fault)
  if (detail === '{"InstructionError":[2,{"Custom":1}]}') return refuse('insufficient_funds', detail)
  if (detail === '{"InstructionError":[2,"InvalidAccountData"]}') {
    const account = await rpc
      .call('getAccountInfo', [destination, { encoding: 'base64', commitment: 'confirmed' }])
      .catch(() => undefined)
    if (isJsonObject(account) && account.value === null)
      return refuse('aetherkit_destination_missing', `no token account ${destination}`)
  }
  return refuse('invalid_exact_svm_transaction_simulation_failed', detail)
}
