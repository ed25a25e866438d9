/** What travels between a resource server and a facilitator (spec payments 7), in both versions. */
import { isJsonObject, type JsonObject } from '@aetherkit/core'
import { objectMember } from '../codec/header.js'
import { readTerms } from '../codec/terms.js'
import {
  readPayment as readV1Payment,
  writeRequirement as writeV1,
  writePayment as writeV1Payment,
} from '../codec/v1.js'
import { readPayment as readV2Payment, writeRequirement as writeV2 } from '../codec/v2.js'
import { type Refusal, refuse } from '../reason.js'
import type { Json, Payment, Requirement } from '../requirement.js'

/** A request body of `/verify` and `/settle`, whichever version its payload says. */
export function readCall(
  body: JsonObject,
): { ok: true; payment: Payment; requirement: Requirement } | Refusal {
  const payload = objectMember(body, 'paymentPayload')
  if (payload === undefined) return refuse('invalid_payload', 'no paymentPayload')
  const version = payload.x402Version ?? body.x402Version
  if (version !== 1 && version !== 2) return refuse('invalid_x402_version')
  const read = version === 2 ? readV2Payment(payload) : readV1Payment(payload)
  if (!read.ok)
    return read.reason === 'aetherkit_malformed_payment' ? refuse('invalid_payload', read.detail) : read
  const terms = readTerms(body.paymentRequirements ?? null, version === 2 ? 'v2' : 'v1')
  if (!terms.ok) return terms
  return { ok: true, payment: read.payment, requirement: terms.requirement }
}

/**
 * The request body for a facilitator that speaks this version; the payment may have come in the other one, and with a
 * network spelled as in the seed.
 */
export function writeCall(
  payment: Payment,
  requirement: Requirement,
  version: 1 | 2,
): Record<string, unknown> {
  const { transaction, raw, resourceUrl } = payment
  if (version === 1) {
    const resource = { url: resourceUrl ?? 'https://resource.invalid/', description: '', mimeType: '' }
    return {
      x402Version: 1,
      paymentPayload: writeV1Payment(requirement, transaction, 'v1'),
      paymentRequirements: writeV1(requirement, resource, 'v1'),
    }
  }
  return {
    x402Version: 2,
    paymentPayload: {
      x402Version: 2,
      ...(raw.resource !== undefined && { resource: raw.resource }),
      accepted: writeV2(payment.accepted ?? requirement),
      payload: { transaction },
      extensions: payment.extensions ?? {},
    },
    paymentRequirements: writeV2(requirement),
  }
}

/** Plain members of a reply that a caller may want to see in full. */
export function isReply(value: unknown, flag: 'isValid' | 'success'): value is JsonObject {
  return isJsonObject(value) && typeof value[flag] === 'boolean'
}

export type Reply = Readonly<Record<string, Json>>
