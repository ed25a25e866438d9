/**
 * Verification by bytes alone (spec solana 3, rules 1 to 16): no I/O, before anything that costs an RPC call. Hostile
 * input never throws. Whatever is not exactly the layout is refused: an allowlist by position leaves nothing to interpret.
 */
import { toHex, verifyDigest } from '@aetherkit/core'
import { sha256 } from '@noble/hashes/sha2.js'
import { decodeBase64 } from '../codec/header.js'
import { type Reason, type Refusal, refuse } from '../reason.js'
import type { Payment, Requirement } from '../requirement.js'
import { associatedAccount, decodeAddress } from '../solana.js'
import { MAX_WIRE, type ParsedTransaction, parseTransaction } from '../wire.js'
import {
  LIGHTHOUSE,
  MEMO_PROGRAM,
  readComputeUnitLimit,
  readComputeUnitPrice,
  readTransferChecked,
  type Transfer,
} from './instruction.js'
import { type AllowedMints, checkMint, type Mint } from './mint.js'

/** What a payment may cost the sponsor (spec solana 3 rule 11 and 4). */
export interface SponsorLimits {
  /** Compute units; 60,000 by default. */
  readonly maxComputeUnits: number
  /** Micro-lamports per compute unit; 100,000 by default. */
  readonly maxComputeUnitPrice: bigint
  /** Lamports of the worst case, computed; 20,000 by default. */
  readonly maxFeeLamports: bigint
}

export const DEFAULT_SPONSOR_LIMITS: SponsorLimits = {
  maxComputeUnits: 60_000,
  maxComputeUnitPrice: 100_000n,
  maxFeeLamports: 20_000n,
}

export interface StaticRules {
  /** All our sponsor keys, base58: compared with the set, for offers may rotate them. */
  readonly sponsors: ReadonlySet<string>
  readonly network: Requirement['network']
  readonly limits: SponsorLimits
  readonly allowedMints: AllowedMints
  /** A buyer's own check: that the seller is the sponsor too is no fault of his. Never set by a sponsor. */
  readonly mayPaySponsor?: boolean
}

export interface StaticallyVerified {
  readonly ok: true
  readonly paymentId: string
  readonly payer: string
  readonly destination: string
  readonly wire: Uint8Array
  readonly transaction: ParsedTransaction
}

const MAX_MEMO = 256
const LAMPORTS_PER_SIGNATURE = 5_000n
const UNKNOWN: readonly Reason[] = [
  'invalid_exact_svm_payload_unknown_fourth_instruction',
  'invalid_exact_svm_payload_unknown_fifth_instruction',
  'invalid_exact_svm_payload_unknown_sixth_instruction',
  'invalid_exact_svm_payload_unknown_seventh_instruction',
]

export function verifyStatic(
  payment: Payment,
  requirement: Requirement,
  mint: Mint,
  rules: StaticRules,
): StaticallyVerified | Refusal {
  const terms = checkTerms(payment, requirement, rules)
  if (!terms.ok) return terms
  const read = readWire(payment.transaction)
  if (!read.ok) return read
  const { wire, transaction } = read
  const signers = checkSigners(transaction, requirement, rules)
  if (!signers.ok) return signers
  const { payer } = signers
  const layout = checkLayout(transaction, rules.limits)
  if (!layout.ok) return layout
  const transfer = checkTransfer(transaction, payer, requirement, mint, rules)
  if (!transfer.ok) return transfer
  const memo = checkMemo(transaction, requirement)
  if (!memo.ok) return memo
  const extensions = checkMint(mint, rules.allowedMints)
  if (!extensions.ok) return extensions
  const paymentId = toHex(sha256(transaction.message))
  return { ok: true, paymentId, payer, destination: transfer.destination, wire, transaction }
}

/** The memo of a payment, for whoever must authenticate it before any other rule; undefined when there is not exactly one. */
export function memoOf({ instructions }: ParsedTransaction): string | undefined {
  const memos = instructions.filter(({ program }) => program === MEMO_PROGRAM)
  const [memo] = memos
  if (memo === undefined || memos.length > 1) return undefined
  return new TextDecoder().decode(memo.data)
}

/** Rules 1 and 2. */
function checkTerms(payment: Payment, requirement: Requirement, rules: StaticRules): { ok: true } | Refusal {
  if (requirement.scheme !== 'exact') return refuse('invalid_exact_svm_unsupported_scheme')
  if (payment.network !== requirement.network || requirement.network !== rules.network) {
    return refuse('invalid_exact_svm_network_mismatch')
  }
  if (requirement.feePayer === '') return refuse('invalid_exact_svm_payload_missing_fee_payer')
  if (!rules.sponsors.has(requirement.feePayer))
    return refuse('invalid_exact_svm_fee_payer_not_managed_by_facilitator')
  return { ok: true }
}

/** Rules 3 to 6: size, version before any library looks, strict decoding, no lookup tables. */
function readWire(base64: string): { ok: true; wire: Uint8Array; transaction: ParsedTransaction } | Refusal {
  if (base64.length > 2 * MAX_WIRE) return refuse('invalid_exact_svm_payload_transaction', 'too long')
  const wire = decodeBase64(base64)
  if (wire === undefined || wire.length > MAX_WIRE) return refuse('invalid_exact_svm_payload_transaction')
  if (wire[0] !== 2) {
    const isCount = (wire[0] as number) < 0x80
    return refuse(
      isCount
        ? 'invalid_exact_svm_payload_excessive_signers'
        : 'invalid_exact_svm_payload_transaction_version',
    )
  }
  const transaction = parseTransaction(wire)
  if (transaction === undefined) return refuse('invalid_exact_svm_payload_transaction_could_not_be_decoded')
  if (transaction.hasLookupTables)
    return refuse('invalid_exact_svm_payload_address_lookup_tables_not_allowed')
  return { ok: true, wire, transaction }
}

/** Rules 7 to 9: the sponsor and the payer sign, nobody else; our keys are named nowhere; the payer's signature is good. */
function checkSigners(
  transaction: ParsedTransaction,
  requirement: Requirement,
  { sponsors }: StaticRules,
): { ok: true; payer: string } | Refusal {
  const { accounts, signatures, message, instructions } = transaction
  const [feePayer, payer] = accounts
  const [, signature] = signatures
  if (transaction.requiredSignatures !== 2 || signatures.length !== 2)
    return refuse('invalid_exact_svm_payload_excessive_signers')
  if (feePayer !== requirement.feePayer) return refuse('invalid_exact_svm_fee_payer_mismatch')
  const authority = instructions[2]?.accounts[3]
  if (authority !== undefined && sponsors.has(authority)) {
    return refuse('invalid_exact_svm_payload_transaction_fee_payer_transferring_funds')
  }
  const named = instructions.some(
    ({ program, accounts }) => sponsors.has(program) || accounts.some((key) => sponsors.has(key)),
  )
  if (named) return refuse('invalid_exact_svm_payload_fee_payer_not_isolated')
  const publicKey = payer === undefined ? undefined : decodeAddress(payer)
  if (
    payer === undefined ||
    publicKey === undefined ||
    signature === undefined ||
    !verifyDigest(signature, message, publicKey)
  ) {
    return refuse('invalid_exact_svm_payload_signature_invalid')
  }
  return { ok: true, payer }
}

/** Rules 10 and 11: the layout, and what it may cost. */
function checkLayout({ instructions }: ParsedTransaction, limits: SponsorLimits): { ok: true } | Refusal {
  const [limitAt, priceAt] = instructions
  if (instructions.length < 3 || instructions.length > 7 || limitAt === undefined || priceAt === undefined) {
    return refuse('invalid_exact_svm_payload_transaction_instructions_length')
  }
  const units = readComputeUnitLimit(limitAt)
  if (units === undefined)
    return refuse('invalid_exact_svm_payload_transaction_instructions_compute_limit_instruction')
  const price = readComputeUnitPrice(priceAt)
  if (price === undefined)
    return refuse('invalid_exact_svm_payload_transaction_instructions_compute_price_instruction')
  if (units > limits.maxComputeUnits) {
    return refuse('invalid_exact_svm_payload_transaction_instructions_compute_limit_instruction_too_high')
  }
  if (price > limits.maxComputeUnitPrice) {
    return refuse('invalid_exact_svm_payload_transaction_instructions_compute_price_instruction_too_high')
  }
  const fee = 2n * LAMPORTS_PER_SIGNATURE + (BigInt(units) * price + 999_999n) / 1_000_000n
  if (fee > limits.maxFeeLamports) return refuse('aetherkit_fee_too_high', `${fee} lamports`)
  const foreign = instructions
    .slice(3)
    .findIndex(({ program }) => program !== MEMO_PROGRAM && program !== LIGHTHOUSE)
  return foreign === -1 ? { ok: true } : refuse(UNKNOWN[foreign] as Reason)
}

/** Rules 12 to 14: the transfer is the one that was asked for; and no sponsor owns either end of it (spec payments 8.4). */
function checkTransfer(
  { instructions }: ParsedTransaction,
  payer: string,
  requirement: Requirement,
  mint: Mint,
  { sponsors, mayPaySponsor = false }: StaticRules,
): { ok: true; destination: string } | Refusal {
  const [, , instruction] = instructions
  const transfer: Transfer | undefined = instruction && readTransferChecked(instruction)
  if (transfer === undefined || instruction?.program !== mint.program || transfer.authority !== payer) {
    return refuse('invalid_exact_svm_payload_no_transfer_instruction')
  }
  if (
    transfer.mint !== requirement.asset ||
    mint.address !== requirement.asset ||
    transfer.decimals !== mint.decimals
  ) {
    return refuse('invalid_exact_svm_payload_mint_mismatch')
  }
  if (transfer.amount !== requirement.amount || transfer.amount === 0n)
    return refuse('invalid_exact_svm_payload_amount_mismatch')
  if (decodeAddress(requirement.payTo) === undefined)
    return refuse('invalid_payment_requirements', 'payTo is no address')
  const destination = associatedAccount(requirement.payTo, mint.program, requirement.asset)
  if (transfer.destination !== destination) return refuse('invalid_exact_svm_payload_recipient_mismatch')
  const owners = [...sponsors].map((sponsor) => associatedAccount(sponsor, mint.program, requirement.asset))
  if (payer === requirement.payTo || transfer.source === destination) return refuse('aetherkit_self_payment')
  const ends = mayPaySponsor ? [transfer.source] : [transfer.source, destination]
  if (ends.some((end) => owners.includes(end)))
    return refuse('invalid_exact_svm_payload_fee_payer_not_isolated')
  return { ok: true, destination }
}

/** Rule 15. */
function checkMemo({ instructions }: ParsedTransaction, requirement: Requirement): { ok: true } | Refusal {
  const memos = instructions.filter(({ program }) => program === MEMO_PROGRAM)
  if (memos.some(({ data }) => data.length > MAX_MEMO))
    return refuse('invalid_exact_svm_payload_memo_mismatch', 'too long')
  if (requirement.memo === undefined) return { ok: true }
  const [memo] = memos
  if (memos.length !== 1 || memo === undefined) return refuse('invalid_exact_svm_payload_memo_count')
  const expected = new TextEncoder().encode(requirement.memo)
  const equal = memo.data.length === expected.length && expected.every((byte, i) => byte === memo.data[i])
  return equal ? { ok: true } : refuse('invalid_exact_svm_payload_memo_mismatch')
}
