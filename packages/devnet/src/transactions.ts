/** RPC methods that send, simulate and look up transactions (spec solana 10.1). */
import { type AccountEncoding, accountJson, accountView } from './account-json.js'
import { decodeBase58 } from './base58.js'
import type { Simulated } from './execution.js'
import { feeOf } from './fee.js'
import type { LandedTransaction } from './history.js'
import { isObject, type Json, type JsonObject } from './json.js'
import { resolveKeys } from './lookup-table.js'
import { innerInstructionsOf, returnDataOf } from './metadata.js'
import { addressOf, addressParam, configParam, countOf, listOf, stringParam, u64Of } from './params.js'
import { isMemoProgram } from './program-ids.js'
import { type RpcContext, type RpcMethods, withContext } from './rpc.js'
import { invalidParams, RpcError } from './rpc-error.js'
import {
  decodeMessage,
  decodeTransaction,
  PACKET_SIZE,
  PACKET_SIZE_V1,
  type Transaction,
} from './transaction.js'
import { errorText, SIGNATURE_FAILURE } from './transaction-error.js'
import { innerJson, returnDataJson, transactionEncoding, transactionJson } from './transaction-json.js'

const MAX_STATUSES = 256
const MAX_SIGNATURES = 1_000

export const TRANSACTION_METHODS: RpcMethods = {
  getFeeForMessage(params, { chain }) {
    const bytes = Buffer.from(stringParam(params, 0, 'a message'), 'base64')
    try {
      const message = decodeMessage(bytes)
      return withContext(chain, chain.isBlockhashValid(message.blockhash) ? feeOf(message) : null)
    } catch (error) {
      throw decodingFailure('message', error)
    }
  },
  simulateTransaction(params, context) {
    const { chain } = context
    const config = configParam(params, 1)
    const transaction = wireTransaction(params, config, 'base58')
    const replace = config.replaceRecentBlockhash === true
    if (config.sigVerify === true) {
      if (replace) throw invalidParams('sigVerify may not be used with replaceRecentBlockhash')
      checkSignatures(transaction, context)
    }
    const simulated = chain.simulate(transaction, replace)
    return withContext(chain, {
      ...simulationJson(simulated, transaction, config, context),
      replacementBlockhash: replace ? { ...chain.latestBlockhash } : null,
    })
  },
  sendTransaction(params, context) {
    const { chain, faults } = context
    const config = configParam(params, 1)
    const transaction = wireTransaction(params, config, 'base58')
    if (config.skipPreflight !== true) preflight(transaction, context)
    const fate = faults.takeSend()
    if (fate !== 'drop') chain.submit(transaction)
    if (fate === 'fail') throw new RpcError('internal', 'Internal error: answer lost by a fault switch')
    return transaction.id
  },
  requestAirdrop(params, { chain, faucet }) {
    const transaction = faucet.airdrop(addressParam(params, 0), u64Of(params[1], 'lamports'))
    chain.submit(transaction)
    return transaction.id
  },
  getSignatureStatuses(params, { chain }) {
    const ids = listOf(params[0], 'signatures', MAX_STATUSES).map(signatureOf)
    return withContext(
      chain,
      ids.map((id) => statusJson(chain.landed(id))),
    )
  },
  getTransaction(params, { chain }) {
    const id = signatureOf(params[0])
    const config = typeof params[1] === 'string' ? { encoding: params[1] } : configParam(params, 1)
    const landed = chain.landed(id)
    const encoding = transactionEncoding(config)
    return landed === undefined ? null : transactionJson(landed, encoding, config)
  },
  getSignaturesForAddress(params, { chain }) {
    const address = addressParam(params, 0)
    const config = configParam(params, 1)
    const limit = config.limit === undefined ? MAX_SIGNATURES : countOf(config.limit, 'a limit', 1)
    if (limit > MAX_SIGNATURES) throw invalidParams(`Invalid limit; max ${MAX_SIGNATURES}`)
    let found = chain.landedNewestFirst()
    if (config.before !== undefined) {
      const at = found.findIndex((entry) => entry.transaction.id === config.before)
      found = at < 0 ? [] : found.slice(at + 1)
    }
    if (config.until !== undefined) {
      const at = found.findIndex((entry) => entry.transaction.id === config.until)
      if (at >= 0) found = found.slice(0, at)
    }
    return found
      .filter((entry) => entry.keys.includes(address))
      .slice(0, limit)
      .map((entry) => ({
        signature: entry.transaction.id,
        slot: entry.slot,
        err: entry.err,
        memo: memoOf(entry),
        blockTime: entry.blockTime,
        confirmationStatus: 'finalized',
      }))
  },
}

export function signatureOf(value: Json | undefined): string {
  if (typeof value !== 'string' || decodeBase58(value, 64) === undefined) {
    throw invalidParams('Invalid param: WrongSize')
  }
  return value
}

/** All memos of a transaction as a node lists them: `[length] text; …`. */
function memoOf({ transaction: { message } }: LandedTransaction): string | null {
  const memos = message.instructions
    .filter(({ program }) => isMemoProgram(message.keys[program]))
    .map(({ data }) => `[${data.length}] ${Buffer.from(data).toString('utf8')}`)
  return memos.length === 0 ? null : memos.join('; ')
}

function preflight(transaction: Transaction, context: RpcContext): void {
  checkSignatures(transaction, context)
  const simulated = context.chain.simulate(transaction)
  if (simulated.err === null) return
  throw new RpcError(
    'preflightFailed',
    `Transaction simulation failed: ${errorText(simulated.err)}`,
    simulationJson(simulated, transaction, {}, context),
  )
}

function checkSignatures(transaction: Transaction, { chain }: RpcContext): void {
  if (!chain.isSigned(transaction)) {
    throw new RpcError('signatureVerification', errorText(SIGNATURE_FAILURE))
  }
}

/** The transaction in the first parameter: base58 or base64 text of at most one packet. */
function wireTransaction(params: readonly Json[], config: JsonObject, fallback: string): Transaction {
  const text = stringParam(params, 0, 'a transaction')
  const encoding = config.encoding ?? fallback
  const bytes =
    encoding === 'base64' ? base64Bytes(text) : encoding === 'base58' ? decodeBase58(text) : undefined
  if (bytes === undefined) throw invalidParams(`Transaction is not ${String(encoding)}, or too large for it`)
  const limit = bytes[0] === 0x81 ? PACKET_SIZE_V1 : PACKET_SIZE
  if (bytes.length > limit) {
    throw invalidParams(`decoded Transaction too large: ${bytes.length} bytes (max: ${limit} bytes)`)
  }
  try {
    return decodeTransaction(bytes)
  } catch (error) {
    throw decodingFailure('Transaction', error)
  }
}

function base64Bytes(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

function decodingFailure(what: string, error: unknown): RpcError {
  const reason = error instanceof Error ? error.message : String(error)
  return invalidParams(`failed to deserialize ${what}: ${reason}`)
}

function simulationJson(
  simulated: Simulated | { readonly err: string },
  transaction: Transaction,
  config: JsonObject,
  context: RpcContext,
): JsonObject {
  const accounts = simulatedAccounts(simulated, config, context)
  const fee = feeOf(transaction.message)
  if (!('meta' in simulated)) {
    return {
      err: simulated.err,
      accounts,
      logs: [],
      unitsConsumed: 0,
      returnData: null,
      innerInstructions: null,
      fee,
    }
  }
  const { err, meta } = simulated
  const keys = resolveKeys(context.chain.svm, transaction.message).all
  return {
    err,
    accounts,
    logs: meta.logs(),
    unitsConsumed: meta.computeUnitsConsumed(),
    returnData: returnDataJson(returnDataOf(meta)) ?? null,
    innerInstructions:
      config.innerInstructions === true ? innerJson(innerInstructionsOf(meta), keys, true) : null,
    fee,
  }
}

/** Accounts after the simulation, those that were asked for. */
function simulatedAccounts(
  simulated: Simulated | { readonly err: string },
  config: JsonObject,
  { chain }: RpcContext,
): Json {
  if (!isObject(config.accounts)) return null
  const fallback: AccountEncoding = 'base64'
  const view = accountView({ encoding: config.accounts.encoding ?? fallback }, fallback)
  if (view.encoding === 'base58' || view.encoding === 'binary') {
    throw invalidParams('base58 encoding not supported')
  }
  const addresses = listOf(config.accounts.addresses, 'addresses', 64).map(addressOf)
  return addresses.map((address) => {
    const account = 'accounts' in simulated ? simulated.accounts.get(address) : undefined
    return account === undefined ? null : accountJson(chain.svm, account, view)
  })
}

function statusJson(landed: LandedTransaction | undefined): Json {
  if (landed === undefined) return null
  const { slot, err } = landed
  const status = err === null ? { Ok: null } : { Err: err }
  return { slot, confirmations: null, err, status, confirmationStatus: 'finalized' }
}
