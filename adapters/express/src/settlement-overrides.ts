/** A name that x402 servers have (spec payments 16, P19), and what to use here in its place. */
import { PaymentError } from '@aetherkit/payments'

/**
 * Charging another amount than was signed is not served: what was asked is what is charged.
 * @throws PaymentError `unsupported`, always
 */
export function setSettlementOverrides(): never {
  throw new PaymentError(
    'unsupported',
    'settlement overrides are not served: give back by createRefunds, or sell by prepaid credit (createCredits)',
  )
}
