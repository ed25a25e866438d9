/**
 * Building a payment (spec solana 2): version 0, no lookup tables, the sponsor first, then
 * [compute limit 20,000, price 1, TransferChecked, Memo]. What is built passes our own rules before it leaves.
 */
import { isJsonObject } from '@aetherkit/core'
import { PaymentError } from '../errors.js'
import type { Requirement } from '../requirement.js'
import { type Rpc, resultValue } from '../rpc.js'
import {
  associatedAccount,
  decodeAddress,
  encodeMessage,
  type PaymentSigner,
  signerAddress,
  signMessage,
} from '../solana.js'
import { tokenByMint } from '../token.js'
import { encodeTransaction } from '../wire.js'
import { computeUnitLimit, computeUnitPrice, memo, transferChecked } from './instruction.js'
import { type AllowedMints, checkMint, fetchMint, type Mint } from './mint.js'

/** 20,000 units are what hosted facilitators are known to take; 100,000 are refused by at least two. */
const COMPUTE_UNITS = 20_000
const COMPUTE_UNIT_PRICE = 1n

export interface BuiltPayment {
  /** Wire bytes, the sponsor's signature still zero. */
  readonly wire: Uint8Array
  readonly message: Uint8Array
  /** The buyer's own signature: how a landed payment is found before the server tells the transaction id. */
  readonly signature: Uint8Array
  readonly payer: string
  readonly source: string
  readonly memo: string | undefined
  readonly blockhash: string
  /** After this height it can no longer land. */
  readonly lastValidBlockHeight: bigint | undefined
}

export interface BuildOptions {
  readonly signer: PaymentSigner
  readonly rpc: Rpc
  /** Mints read before, by address. */
  readonly mints: Map<string, Mint>
  readonly allowedMints: AllowedMints
  /** `false` for the v1 facilitators that take exactly three instructions. */
  readonly withMemo?: boolean
  readonly randomBytes?: (length: number) => Uint8Array
}

/**
 * Builds and signs one payment for a requirement.
 * @throws PaymentError `offer_refused` for terms that cannot be paid safely, `rpc_failed`, `invalid_option`
 */
export async function buildPayment(requirement: Requirement, options: BuildOptions): Promise<BuiltPayment> {
  const {
    signer,
    withMemo = true,
    randomBytes = (length) => crypto.getRandomValues(new Uint8Array(length)),
  } = options
  const payer = signerAddress(signer)
  checkAddresses(requirement, payer)
  const mint = await resolveMint(requirement, options)
  const { blockhash, lastValidBlockHeight } = await resolveBlockhash(requirement, options.rpc)
  const source = associatedAccount(payer, mint.program, mint.address)
  const text = withMemo ? (requirement.memo ?? hex(randomBytes(16))) : undefined
  if (text !== undefined && new TextEncoder().encode(text).length > 256) {
    throw new PaymentError('offer_refused', 'the memo that the seller asks for has more than 256 bytes')
  }
  const message = encodeMessage({
    feePayer: requirement.feePayer,
    blockhash,
    instructions: [
      computeUnitLimit(COMPUTE_UNITS),
      computeUnitPrice(COMPUTE_UNIT_PRICE),
      transferChecked(mint.program, {
        source,
        mint: mint.address,
        destination: associatedAccount(requirement.payTo, mint.program, mint.address),
        authority: payer,
        amount: requirement.amount,
        decimals: mint.decimals,
      }),
      ...(text === undefined ? [] : [memo(text)]),
    ],
  })
  const signature = await signMessage(signer, message, requirement.feePayer)
  const wire = encodeTransaction([new Uint8Array(64), signature], message)
  return { wire, message, signature, payer, source, memo: text, blockhash, lastValidBlockHeight }
}

/** The mint of a requirement: from our table, from the cache, or read once. */
export async function resolveMint(
  requirement: Requirement,
  { rpc, mints, allowedMints }: Pick<BuildOptions, 'rpc' | 'mints' | 'allowedMints'>,
): Promise<Mint> {
  const cached = mints.get(requirement.asset) ?? knownMint(requirement)
  if (cached !== undefined) return cached
  const fetched = await fetchMint(rpc, requirement.asset)
  if (!fetched.ok) throw new PaymentError('unknown_asset', `${requirement.asset} is no mint on this network`)
  const checked = checkMint(fetched.mint, allowedMints)
  if (!checked.ok)
    throw new PaymentError('unknown_asset', `${requirement.asset}: ${checked.detail ?? checked.reason}`)
  mints.set(requirement.asset, fetched.mint)
  return fetched.mint
}

/** A plain Token mint of our table needs no account read; Token-2022 mints are always looked at. */
export function knownMint({ network, asset }: Requirement): Mint | undefined {
  const token = tokenByMint(network, asset)
  if (token === undefined || token.program.startsWith('Tokenz')) return undefined
  return { address: asset, program: token.program, decimals: token.decimals, extensions: [] }
}

async function resolveBlockhash(
  { recentBlockhash, lastValidBlockHeight }: Requirement,
  rpc: Rpc,
): Promise<{ blockhash: string; lastValidBlockHeight: bigint | undefined }> {
  if (recentBlockhash !== undefined && decodeAddress(recentBlockhash) !== undefined) {
    return { blockhash: recentBlockhash, lastValidBlockHeight }
  }
  const value = resultValue(await rpc.call('getLatestBlockhash', [{ commitment: 'confirmed' }]))
  if (!isJsonObject(value) || typeof value.blockhash !== 'string') {
    throw new PaymentError('rpc_failed', 'getLatestBlockhash: no blockhash in the answer')
  }
  const height = value.lastValidBlockHeight
  const isHeight = typeof height === 'number' || typeof height === 'bigint'
  return { blockhash: value.blockhash, lastValidBlockHeight: isHeight ? BigInt(height) : undefined }
}

function checkAddresses({ payTo, feePayer, asset }: Requirement, payer: string): void {
  for (const [name, address] of Object.entries({ payTo, feePayer, asset })) {
    if (decodeAddress(address) === undefined)
      throw new PaymentError('offer_refused', `${name} is no address: ${address}`)
  }
  if (payTo === payer) throw new PaymentError('offer_refused', 'the seller is the buyer')
  if (feePayer === payer) throw new PaymentError('offer_refused', 'the fee payer of the offer is the buyer')
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
