/**
 * x402 v1 and the seed dialect (spec payments 2 and 3). v1 has its terms in the 402 body and its payment in `X-PAYMENT`;
 * the seed says the same words with other network names, one more header (`X-Payment-Requirements`) and one more member
 * (`requirements`). A v1 payment and a seed payment are the same bytes.
 */
import type { JsonObject } from '@aetherkit/core'
import { networkName, parseNetwork } from '../network.js'
import { type Refusal, refuse } from '../reason.js'
import type { Json, Offer, Payment, Receipt, Requirement, Resource } from '../requirement.js'
import { decodeBase64, objectMember, textMember } from './header.js'
import { readServiceText, readTerms, serviceText, writeExtra } from './terms.js'
import { readAccepts, writeReceipt as writeReceiptV2 } from './v2.js'

/** One entry of a v1 `accepts`, or the seed's `requirements`: `resource` absolute, description and type never empty. */
export function writeRequirement(
  requirement: Requirement,
  resource: Resource,
  dialect: 'seed' | 'v1',
): Record<string, Json> {
  const { scheme, network, amount, asset, payTo, maxTimeoutSeconds } = requirement
  return {
    scheme,
    network: networkName(network, dialect),
    maxAmountRequired: amount.toString(),
    resource: resource.url,
    description: resource.description || resource.url,
    mimeType: resource.mimeType || 'application/json',
    // Not in the dialect: readers of either skip what they do not know, and ours shows it.
    ...serviceText(resource),
    payTo,
    maxTimeoutSeconds,
    asset,
    extra: writeExtra(requirement),
  }
}

/** Reads a v1 402 body. */
export function readChallenge(body: JsonObject): { ok: true; offer: Offer } | Refusal {
  if (body.x402Version !== 1) return refuse('invalid_x402_version')
  const accepts = readAccepts(body.accepts, 'v1')
  if (!accepts.ok) return accepts
  const [entry] = body.accepts as JsonObject[]
  const error = textMember(body, 'error')
  const offer = { resource: readResource(entry ?? {}), accepts: accepts.requirements }
  return { ok: true, offer: error === undefined ? offer : { ...offer, error } }
}

/** Reads seed requirements: the object itself, or a whole body that holds them (spec payments 2.3, 13). */
export function readSeedChallenge(value: JsonObject): { ok: true; offer: Offer } | Refusal {
  const requirements = objectMember(value, 'requirements') ?? value
  const read = readTerms(requirements, 'seed')
  if (!read.ok) return read
  return { ok: true, offer: { resource: readResource(requirements), accepts: [read.requirement] } }
}

/** The object of `X-PAYMENT`, in the spelling of the dialect that asked. */
export function writePayment(
  accepted: Requirement,
  transaction: string,
  dialect: 'seed' | 'v1',
): Record<string, Json> {
  const { scheme, network } = accepted
  return { x402Version: 1, scheme, network: networkName(network, dialect), payload: { transaction } }
}

/** Reads the object of a v1 or seed payment. */
export function readPayment(value: JsonObject): { ok: true; payment: Payment } | Refusal {
  if (value.scheme !== 'exact') return refuse('unsupported_scheme')
  const network = parseNetwork(value.network)
  if (network === undefined) return refuse('invalid_network')
  const payload = objectMember(value, 'payload')
  const transaction = payload && textMember(payload, 'transaction')
  if (transaction === undefined) return refuse('aetherkit_malformed_payment', 'no transaction')
  return { ok: true, payment: { dialect: 'v1', network, transaction, raw: value } }
}

/** The object of `X-PAYMENT-RESPONSE`. */
export function writeReceipt(receipt: Receipt): Record<string, Json> {
  return { ...writeReceiptV2(receipt), network: networkName(receipt.network, 'v1') }
}

/** A header that is a bare transaction signature: the seed left its content open, we refuse it with a word of its own. */
export function isBareSignature(header: string): boolean {
  return /^[1-9A-HJ-NP-Za-km-z]{86,88}$/.test(header) || decodeBase64(header)?.length === 64
}

function readResource(entry: JsonObject): Resource {
  return {
    url: textMember(entry, 'resource') ?? '',
    description: textMember(entry, 'description') ?? '',
    mimeType: textMember(entry, 'mimeType') ?? '',
    ...readServiceText(entry),
  }
}
