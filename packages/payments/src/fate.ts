/**
 * What became of a payment, as its buyer finds out (spec payments 8.6, 12). The transaction id begins with the sponsor's
 * signature, which the buyer does not know: the payment is looked for among the transactions of the paying token account,
 * by the buyer's own signature in slot 1. What a seller says is a hint where to look, never a proof.
 *
 * Dead: the height is past or the blockhash gone, both read before the search, and then nothing found.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '@aetherkit/core'
import { PaymentError } from './errors.js'
import { type Rpc, resultValue } from './rpc.js'

export interface Traceable {
  /** The token account that pays, base58. */
  readonly source: string
  /** The buyer's signature, base58. */
  readonly signature: string
  readonly memo?: string
  readonly blockhash: string
  /** Decimal; without it the blockhash alone is asked about, twice, two slots apart. */
  readonly lastValidBlockHeight?: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** A transaction id that the seller told. */
  readonly transaction?: string
}

export type BuyerFate =
  | { readonly state: 'landed'; readonly transaction: string }
  | { readonly state: 'failed'; readonly transaction: string }
  | { readonly state: 'dead' }
  | { readonly state: 'unknown' }

/** Signatures of transactions that were looked at, by id: they never change. */
export type SeenTransactions = Map<string, readonly string[]>

const PAGE = 1_000
const MAX_SEEN = 10_000
/** A clock may be wrong, but not by that much. */
const CLOCK_SECONDS = 86_400
const SLOT_WAIT_MS = 400
const SLOT_TRIES = 25

/** A node that is away is no verdict: `unknown`. */
export async function fateOf(
  rpc: Rpc,
  payment: Traceable,
  seen: SeenTransactions = new Map(),
): Promise<BuyerFate> {
  try {
    const past = await isPast(rpc, payment)
    const landed = await findLanded(rpc, payment, seen)
    if (landed !== undefined) return landed
    return past ? { state: 'dead' } : { state: 'unknown' }
  } catch (error) {
    if (PaymentError.is(error)) return { state: 'unknown' }
    throw error
  }
}

async function isPast(rpc: Rpc, { blockhash, lastValidBlockHeight }: Traceable): Promise<boolean> {
  if (lastValidBlockHeight !== undefined) {
    const height = await rpc.call('getBlockHeight', [{ commitment: 'confirmed' }])
    if (typeof height !== 'number' && typeof height !== 'bigint') return false
    if (BigInt(height) <= BigInt(lastValidBlockHeight)) return false
    return !(await validity(rpc, blockhash)).valid
  }
  const first = await validity(rpc, blockhash)
  if (first.valid) return false
  for (let tries = 0; tries < SLOT_TRIES; tries++) {
    await new Promise((resolve) => setTimeout(resolve, SLOT_WAIT_MS))
    const second = await validity(rpc, blockhash)
    if (second.valid) return false
    if (second.slot >= first.slot + 2n) return true
  }
  return false
}

/** Whether the node knows the blockhash as a recent one, and at which slot it said so. */
export async function validity(rpc: Rpc, blockhash: string): Promise<{ valid: boolean; slot: bigint }> {
  const result = await rpc.call('isBlockhashValid', [blockhash, { commitment: 'confirmed' }])
  const context = isJsonObject(result) && isJsonObject(result.context) ? result.context : undefined
  const value = resultValue(result)
  const slot = context?.slot
  if (typeof value !== 'boolean' || (typeof slot !== 'number' && typeof slot !== 'bigint'))
    throw new PaymentError('rpc_failed', 'isBlockhashValid: no answer')
  return { valid: value, slot: BigInt(slot) }
}

async function findLanded(
  rpc: Rpc,
  payment: Traceable,
  seen: SeenTransactions,
): Promise<Extract<BuyerFate, { state: 'landed' | 'failed' }> | undefined> {
  const { transaction: told, memo, source, createdAt } = payment
  if (told !== undefined) {
    const result = await transactionOf(rpc, told)
    if (result !== undefined && signaturesOf(result).includes(payment.signature))
      return { state: hasFailed(result) ? 'failed' : 'landed', transaction: told }
  }
  let before: string | undefined
  while (true) {
    const options: { limit: number; commitment: string; before?: string } = {
      limit: PAGE,
      commitment: 'confirmed',
      ...(before !== undefined && { before }),
    }
    const page = await rpc.call('getSignaturesForAddress', [source, options])
    if (!Array.isArray(page)) throw new PaymentError('rpc_failed', 'getSignaturesForAddress: no list')
    for (const item of page) {
      const entry = readEntry(item)
      if (entry === undefined) continue
      before = entry.signature
      if (entry.time !== undefined && entry.time < createdAt / 1000 - CLOCK_SECONDS) return undefined
      if (memo !== undefined && entry.memo !== undefined && !entry.memo.includes(memo)) continue
      const signatures = await signaturesIn(rpc, entry.signature, seen)
      if (!signatures.includes(payment.signature)) continue
      return { state: entry.failed ? 'failed' : 'landed', transaction: entry.signature }
    }
    if (page.length < PAGE) return undefined
    if (before === options.before)
      throw new PaymentError('rpc_failed', 'getSignaturesForAddress: no signatures')
  }
}

interface Entry {
  readonly signature: string
  readonly failed: boolean
  readonly memo: string | undefined
  readonly time: number | undefined
}

function readEntry(item: JsonValue): Entry | undefined {
  if (!isJsonObject(item) || typeof item.signature !== 'string') return undefined
  const { signature, err, memo, blockTime } = item
  return {
    signature,
    failed: err !== null && err !== undefined,
    memo: typeof memo === 'string' ? memo : undefined,
    time: typeof blockTime === 'number' ? blockTime : undefined,
  }
}

async function signaturesIn(rpc: Rpc, id: string, seen: SeenTransactions): Promise<readonly string[]> {
  const known = seen.get(id)
  if (known !== undefined) return known
  const result = await transactionOf(rpc, id)
  // It is in the list of the account: a node that cannot show it yet cannot prove anything either.
  if (result === undefined) throw new PaymentError('rpc_failed', `getTransaction: ${id} is not there yet`)
  const signatures = signaturesOf(result)
  if (seen.size >= MAX_SEEN) seen.clear()
  seen.set(id, signatures)
  return signatures
}

async function transactionOf(rpc: Rpc, id: string): Promise<JsonObject | undefined> {
  const options = { encoding: 'json', commitment: 'confirmed', maxSupportedTransactionVersion: 0 }
  const result = await rpc.call('getTransaction', [id, options])
  return isJsonObject(result) ? result : undefined
}

function signaturesOf({ transaction }: JsonObject): readonly string[] {
  if (!isJsonObject(transaction) || !Array.isArray(transaction.signatures)) return []
  return transaction.signatures.filter((signature) => typeof signature === 'string')
}

function hasFailed({ meta }: JsonObject): boolean {
  return !isJsonObject(meta) || (meta.err !== null && meta.err !== undefined)
}
