/**
 * Reason codes (spec payments 7, solana 3): why a payment was not taken, as it travels. The published vocabulary where
 * it has a word; rules of our own are under `aetherkit_`, so that they never pass for upstream ones.
 *
 * Peers add `: detail` tails and drop prefixes: compare with {@link isReason}.
 */
export const REASONS = [
  // generic
  'insufficient_funds',
  'invalid_network',
  'invalid_payload',
  'invalid_payment_requirements',
  'invalid_scheme',
  'unsupported_scheme',
  'invalid_x402_version',
  'invalid_transaction_state',
  'invalid_payment',
  'payment_expired',
  'unexpected_verify_error',
  'unexpected_settle_error',
  'duplicate_settlement',
  'extension_echo_mismatch',
  'settlement_pending',
  'post_settlement_transfer_not_confirmed',
  // exact on Solana: terms
  'invalid_exact_svm_unsupported_scheme',
  'invalid_exact_svm_network_mismatch',
  'invalid_exact_svm_fee_payer_not_managed_by_facilitator',
  'invalid_exact_svm_invalid_fee_payer',
  'invalid_exact_svm_fee_payer_mismatch',
  'invalid_exact_svm_transaction_simulation_failed',
  'invalid_exact_svm_verification_failed',
  'invalid_exact_svm_transaction_signing_failed',
  'invalid_exact_svm_transaction_failed',
  // exact on Solana: the transaction
  'invalid_exact_svm_payload_missing_fee_payer',
  'invalid_exact_svm_payload_transaction',
  'invalid_exact_svm_payload_transaction_version',
  'invalid_exact_svm_payload_transaction_could_not_be_decoded',
  'invalid_exact_svm_payload_address_lookup_tables_not_allowed',
  'invalid_exact_svm_payload_signature_invalid',
  'invalid_exact_svm_payload_excessive_signers',
  'invalid_exact_svm_payload_fee_payer_not_isolated',
  'invalid_exact_svm_payload_transaction_fee_payer_transferring_funds',
  'invalid_exact_svm_payload_transaction_instructions_length',
  'invalid_exact_svm_payload_transaction_instructions_compute_limit_instruction',
  'invalid_exact_svm_payload_transaction_instructions_compute_limit_instruction_too_high',
  'invalid_exact_svm_payload_transaction_instructions_compute_price_instruction',
  'invalid_exact_svm_payload_transaction_instructions_compute_price_instruction_too_high',
  'invalid_exact_svm_payload_no_transfer_instruction',
  'invalid_exact_svm_payload_mint_mismatch',
  'invalid_exact_svm_payload_recipient_mismatch',
  'invalid_exact_svm_payload_amount_mismatch',
  'invalid_exact_svm_payload_unknown_fourth_instruction',
  'invalid_exact_svm_payload_unknown_fifth_instruction',
  'invalid_exact_svm_payload_unknown_sixth_instruction',
  'invalid_exact_svm_payload_unknown_seventh_instruction',
  'invalid_exact_svm_payload_memo_count',
  'invalid_exact_svm_payload_memo_mismatch',
  'invalid_exact_svm_payload_token_extension_not_allowed',
  // ours
  'aetherkit_malformed_payment',
  'aetherkit_two_payments',
  'aetherkit_bare_signature',
  'aetherkit_offer_mismatch',
  'aetherkit_binding_missing',
  'aetherkit_binding_invalid',
  'aetherkit_binding_expired',
  'aetherkit_self_payment',
  'aetherkit_other_payer',
  'aetherkit_fee_too_high',
  'aetherkit_other_resource',
  'aetherkit_in_flight',
  'aetherkit_already_used',
  'aetherkit_payment_id_required',
  'aetherkit_payment_id_reused',
  'aetherkit_rate_limited',
  'aetherkit_dead',
  'aetherkit_facilitator_unavailable',
  'aetherkit_destination_missing',
] as const

export type Reason = (typeof REASONS)[number]

/** What hostile or unlucky input gets; `detail` is for logs and never travels. */
export interface Refusal {
  readonly ok: false
  readonly reason: Reason
  readonly detail?: string
}

export function refuse(reason: Reason, detail?: string): Refusal {
  return detail === undefined ? { ok: false, reason } : { ok: false, reason, detail }
}

/** Whether a reason from a peer means ours: a `: detail` tail is cut, and a missing prefix is forgiven. */
export function isReason(given: unknown, reason: Reason): boolean {
  if (typeof given !== 'string') return false
  const word = given.split(':', 1)[0] ?? ''
  return word !== '' && (word === reason || reason.endsWith(`_${word}`))
}
