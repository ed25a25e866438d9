/** The headers of a settled call (spec a2a 4.2): `PAYMENT-RESPONSE` for v2 readers, `X-PAYMENT-RESPONSE` for the others. */
import { networkName, parseNetwork } from '@aetherkit/payments'
import type { Json } from '../model.js'

export function receiptHeaders(receipt: Json | undefined): Readonly<Record<string, string>> {
  if (typeof receipt !== 'object' || receipt === null || Array.isArray(receipt)) return {}
  const network = parseNetwork('network' in receipt ? receipt.network : undefined)
  const v1 = network === undefined ? receipt : { ...receipt, network: networkName(network, 'v1') }
  return { 'PAYMENT-RESPONSE': encode(receipt), 'X-PAYMENT-RESPONSE': encode(v1) }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64')
}
