/** PaymentRequired as JSON, where there is no header to carry it (spec a2a 4.1, 4.2): x402 v2 and v1, and the docs' three fields. */
import { networkName, type Respond, TOKENS } from '@aetherkit/payments'
import type { JsonRecord } from '../model.js'

/** The v2 object of an answer that offers terms. */
export function requiredIn({ headers, body }: Respond): JsonRecord {
  const v2 = JSON.parse(
    Buffer.from(headers['PAYMENT-REQUIRED'] ?? '', 'base64').toString('utf8'),
  ) as JsonRecord
  // Extensions too large for a header are in the body.
  const { extensions } = bodyOf(body)
  return extensions === undefined ? v2 : { ...v2, extensions }
}

/** The v1 object of the same answer. */
function requiredV1In({ body }: Respond): JsonRecord {
  const { error = 'payment_required', accepts = [] } = bodyOf(body)
  return { x402Version: 1, error, accepts }
}

/** The docs' members, an old reader's whole truth, and beside them what x402 clients read. */
export function paymentRequired(respond: Respond): JsonRecord {
  const [first] = respond.offer?.accepts ?? []
  if (first === undefined) throw new TypeError('an answer that offers no terms')
  const symbol = TOKENS[first.network].find(({ mint }) => mint === first.asset)?.symbol
  return {
    amount: first.amount.toString(),
    asset: symbol ?? first.asset,
    payTo: first.payTo,
    network: networkName(first.network, 'seed'),
    x402: requiredIn(respond),
    x402v1: requiredV1In(respond),
  }
}

function bodyOf(body: Respond['body']): JsonRecord {
  return JSON.parse(typeof body === 'string' ? body : Buffer.from(body).toString('utf8')) as JsonRecord
}
