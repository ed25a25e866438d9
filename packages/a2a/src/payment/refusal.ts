/**
 * What the gate answers instead of work, on its way to a carrier that has a form of its own for it: the dialect's
 * `payment_required`, or HTTP 402 (spec a2a 4.2). The engine lets it pass as any A2AError.
 */
import type { Respond } from '@aetherkit/payments'
import { A2AError } from '../errors.js'

export class PaymentRefusal extends A2AError {
  readonly respond: Respond

  constructor(respond: Respond) {
    super('INVALID_REQUEST', 'Payment required')
    this.respond = respond
  }

  static override is(value: unknown): value is PaymentRefusal {
    return A2AError.is(value) && 'respond' in value
  }
}
