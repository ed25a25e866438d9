/** Landed transactions as JSON: json, jsonParsed, base64, base58, and their metadata (spec solana 10, point 10). */
import { encodeBase58 } from './base58.js'
import type { LandedTransaction, ReturnData } from './history.js'
import { parseInstruction } from './instruction-json.js'
import type { Json, JsonObject } from './json.js'
import type { InnerInstructions, TokenBalance } from './metadata.js'
import { tokenAmount } from './parsed-account.js'
import { invalidParams, RpcError } from './rpc-error.js'
import { type Instruction, isSigner, isStaticWritable } from './transaction.js'

const ENCODINGS = ['json', 'jsonParsed', 'base64', 'base58'] as const
export type TransactionEncoding = (typeof ENCODINGS)[number]

export function transactionEncoding(config: JsonObject): TransactionEncoding {
  const encoding = ENCODINGS.find((known) => known === (config.encoding ?? 'json'))
  if (encoding === undefined)
    throw invalidParams(`Invalid params: unknown encoding ${String(config.encoding)}.`)
  return encoding
}

/** @throws RpcError -32015 when the caller does not say that it can read this version */
export function transactionJson(
  landed: LandedTransaction,
  encoding: TransactionEncoding,
  { maxSupportedTransactionVersion: most }: JsonObject,
): JsonObject {
  const { version } = landed.transaction.message
  if (version !== 'legacy' && (typeof most !== 'number' || most < version)) {
    throw new RpcError(
      'transactionVersion',
      `Transaction version (${version}) is not supported by the requesting client. ` +
        `Please try the request again with the following configuration parameter: "maxSupportedTransactionVersion": ${version}`,
    )
  }
  return {
    slot: landed.slot,
    blockTime: landed.blockTime,
    transaction: encodeTransaction(landed, encoding),
    meta: metaJson(landed, encoding === 'jsonParsed'),
    version: typeof most === 'number' ? version : undefined,
  }
}

export function innerJson(
  inner: readonly InnerInstructions[],
  keys: readonly string[],
  parsed: boolean,
): JsonObject[] {
  return inner.map(({ index, instructions }) => ({
    index,
    instructions: instructions.map((instruction) =>
      instructionJson(instruction, keys, parsed, instruction.stackHeight),
    ),
  }))
}

export function returnDataJson(returned: ReturnData | undefined): JsonObject | undefined {
  if (returned === undefined) return undefined
  return { programId: returned.program, data: [Buffer.from(returned.data).toString('base64'), 'base64'] }
}

function encodeTransaction(landed: LandedTransaction, encoding: TransactionEncoding): Json {
  const { transaction, keys } = landed
  if (encoding === 'base64') return [Buffer.from(transaction.bytes).toString('base64'), encoding]
  if (encoding === 'base58') return [encodeBase58(transaction.bytes), encoding]
  const { message } = transaction
  const parsed = encoding === 'jsonParsed'
  const { signatures, readonlySigned, readonlyUnsigned } = message.header
  return {
    signatures: transaction.signatures.map(encodeBase58),
    message: {
      accountKeys: parsed ? parsedKeys(landed) : message.keys,
      header: parsed
        ? undefined
        : {
            numRequiredSignatures: signatures,
            numReadonlySignedAccounts: readonlySigned,
            numReadonlyUnsignedAccounts: readonlyUnsigned,
          },
      recentBlockhash: message.blockhash,
      instructions: message.instructions.map((instruction) => instructionJson(instruction, keys, parsed, 1)),
      addressTableLookups:
        message.version === 0
          ? message.lookups.map(({ table, writable, readonly }) => ({
              accountKey: table,
              writableIndexes: writable,
              readonlyIndexes: readonly,
            }))
          : undefined,
    },
  }
}

function parsedKeys({ transaction: { message }, loaded }: LandedTransaction): JsonObject[] {
  const table = (pubkey: string, writable: boolean) => ({
    pubkey,
    signer: false,
    source: 'lookupTable',
    writable,
  })
  return [
    ...message.keys.map((pubkey, index) => ({
      pubkey,
      signer: isSigner(message, index),
      source: 'transaction',
      writable: isStaticWritable(message, index),
    })),
    ...loaded.writable.map((pubkey) => table(pubkey, true)),
    ...loaded.readonly.map((pubkey) => table(pubkey, false)),
  ]
}

function instructionJson(
  instruction: Instruction,
  keys: readonly string[],
  parsed: boolean,
  stackHeight: number,
): JsonObject {
  const { program, accounts, data } = instruction
  if (!parsed) return { programIdIndex: program, accounts, data: encodeBase58(data), stackHeight }
  const programId = keys[program] ?? ''
  const addresses = accounts.map((index) => keys[index] ?? '')
  const known = parseInstruction(programId, addresses, data)
  if (known !== undefined) return { ...known, programId, stackHeight }
  return { programId, accounts: addresses, data: encodeBase58(data), stackHeight }
}

function metaJson(landed: LandedTransaction, parsed: boolean): JsonObject {
  const { err, fee, loaded } = landed
  return {
    err,
    status: err === null ? { Ok: null } : { Err: err },
    fee,
    preBalances: landed.preBalances,
    postBalances: landed.postBalances,
    preTokenBalances: landed.preTokenBalances.map(tokenBalanceJson),
    postTokenBalances: landed.postTokenBalances.map(tokenBalanceJson),
    innerInstructions: innerJson(landed.innerInstructions, landed.keys, parsed),
    logMessages: landed.logs,
    loadedAddresses: parsed ? undefined : { writable: loaded.writable, readonly: loaded.readonly },
    returnData: returnDataJson(landed.returnData),
    computeUnitsConsumed: landed.computeUnits,
    rewards: [],
  }
}

function tokenBalanceJson({
  accountIndex,
  mint,
  owner,
  program,
  amount,
  decimals,
}: TokenBalance): JsonObject {
  return { accountIndex, mint, owner, programId: program, uiTokenAmount: tokenAmount(amount, decimals) }
}
