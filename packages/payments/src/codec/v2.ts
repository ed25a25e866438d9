/**
 * x402 v2 (spec payments 4): terms in `PAYMENT-REQUIRED`, payment in `PAYMENT-SIGNATURE`, receipt in `PAYMENT-RESPONSE`,
 * each base64 JSON with `x402Version: 2` and CAIP-2 networks.
 */
import { isJsonObject, type JsonObject, writeJson } from '@aetherkit/core'
import { networkName, parseNetwork } from '../network.js'
import { type Refusal, refuse } from '../reason.js'
import type { Json, Offer, Payment, Receipt, Requirement, Resource } from '../requirement.js'
import { objectMember, textMember } from './header.js'
import {
  plainObject,
  readAddress,
  readAmount,
  readServiceText,
  readTerms,
  serviceText,
  writeExtra,
} from './terms.js'

export function writeRequirement(requirement: Requirement): Record<string, Json> {
  const { scheme, network, amount, asset, payTo, maxTimeoutSeconds } = requirement
  return {
    scheme,
    network: networkName(network, 'v2'),
    amount: amount.toString(),
    asset,
    payTo,
    maxTimeoutSeconds,
    extra: writeExtra(requirement),
  }
}

/** The object of `PAYMENT-REQUIRED`. */
export function writeChallenge(offer: Offer): Record<string, Json> {
  const { url, description, mimeType } = offer.resource
  const resource = { url, description, mimeType, ...serviceText(offer.resource) }
  return {
    x402Version: 2,
    error: offer.error ?? 'payment_required',
    resource,
    accepts: offer.accepts.map(writeRequirement),
    extensions: offer.extensions ?? {},
  }
}

/** Reads `PAYMENT-REQUIRED`; entries of other schemes and chains are left out. None left: `unsupported_scheme`. */
export function readChallenge(value: JsonObject): { ok: true; offer: Offer } | Refusal {
  if (value.x402Version !== 2) return refuse('invalid_x402_version')
  const resource = objectMember(value, 'resource')
  const url = resource && textMember(resource, 'url')
  if (resource === undefined || url === undefined)
    return refuse('invalid_payment_requirements', 'no resource')
  const accepts = readAccepts(value.accepts, 'v2')
  if (!accepts.ok) return accepts
  const extensions = plainObject(value, 'extensions')
  const error = textMember(value, 'error')
  return {
    ok: true,
    offer: {
      resource: readResource(resource, url),
      accepts: accepts.requirements,
      ...(extensions !== undefined && { extensions }),
      ...(error !== undefined && { error }),
    },
  }
}

/** Entries we can pay, in the server's order; the first refusal when there is none. */
export function readAccepts(
  value: unknown,
  dialect: 'v1' | 'v2',
): { ok: true; requirements: readonly Requirement[] } | Refusal {
  if (!Array.isArray(value) || value.length === 0)
    return refuse('invalid_payment_requirements', 'nothing accepted')
  const read = value.slice(0, 64).map((entry) => readTerms(entry, dialect))
  const requirements = read.flatMap((entry) => (entry.ok ? [entry.requirement] : []))
  const [first] = read
  return requirements.length > 0 || first === undefined || first.ok ? { ok: true, requirements } : first
}

/** The object of `PAYMENT-SIGNATURE`; `accepted`, `resource` and `extensions` are echoed as offered. */
export function writePayment(offer: Offer, accepted: Requirement, transaction: string): Record<string, Json> {
  const challenge = writeChallenge(offer)
  return {
    x402Version: 2,
    resource: challenge.resource ?? {},
    accepted: writeRequirement(accepted),
    payload: { transaction },
    extensions: challenge.extensions ?? {},
  }
}

/** Reads the object of a v2 payment. */
export function readPayment(value: JsonObject): { ok: true; payment: Payment } | Refusal {
  const accepted = readTerms(value.accepted ?? null, 'v2')
  if (!accepted.ok) return accepted
  const payload = objectMember(value, 'payload')
  const transaction = payload && textMember(payload, 'transaction')
  if (transaction === undefined) return refuse('aetherkit_malformed_payment', 'no transaction')
  const resource = objectMember(value, 'resource')
  const resourceUrl = resource && textMember(resource, 'url')
  const extensions = plainObject(value, 'extensions')
  return {
    ok: true,
    payment: {
      dialect: 'v2',
      network: accepted.requirement.network,
      transaction,
      accepted: accepted.requirement,
      ...(resourceUrl !== undefined && { resourceUrl }),
      ...(extensions !== undefined && { extensions }),
      raw: value,
    },
  }
}

/** The object of `PAYMENT-RESPONSE`. */
export function writeReceipt(receipt: Receipt): Record<string, Json> {
  const { success, transaction, network, payer, amount, errorReason, extensions } = receipt
  return {
    success,
    transaction,
    network: networkName(network, 'v2'),
    ...(payer !== undefined && { payer }),
    ...(amount !== undefined && { amount: amount.toString() }),
    ...(errorReason !== undefined && { errorReason }),
    ...(extensions !== undefined && { extensions }),
  }
}

/** Reads a receipt of v1 or v2: they differ in the spelling of the network alone. */
export function readReceipt(value: JsonObject): { ok: true; receipt: Receipt } | Refusal {
  const network = parseNetwork(value.network)
  if (typeof value.success !== 'boolean' || network === undefined)
    return refuse('invalid_payload', 'no receipt')
  const payer = readAddress(value.payer)
  const amount = readAmount(value.amount)
  const errorReason = textMember(value, 'errorReason')
  const extensions = plainObject(value, 'extensions')
  return {
    ok: true,
    receipt: {
      success: value.success,
      transaction: textMember(value, 'transaction') ?? '',
      network,
      ...(payer !== undefined && { payer }),
      ...(amount !== undefined && { amount }),
      ...(errorReason !== undefined && { errorReason }),
      ...(extensions !== undefined && { extensions }),
    },
  }
}

/** Whether an echoed extension still says what the server said: a client may append, never alter. */
export function echoesExtensions(offered: Offer['extensions'], echoed: Payment['extensions']): boolean {
  return Object.entries(offered ?? {}).every(
    ([name, value]) => echoed?.[name] === undefined || includes(echoed[name], value),
  )
}

/** Whether what an echo brings as `info` of each extension still holds what the server put there. */
export function echoesInfo(offered: Offer['extensions'], echoed: Payment['extensions']): boolean {
  return Object.entries(offered ?? {}).every(([name, value]) => {
    const info = isJsonObject(value) ? (value.info as Json | undefined) : undefined
    const given = echoed?.[name]
    if (given === undefined || info === undefined) return true
    return includes(isJsonObject(given) ? (given.info as Json | undefined) : undefined, info)
  })
}

function includes(given: Json | undefined, expected: Json): boolean {
  if (isJsonObject(expected) && isJsonObject(given)) {
    return Object.entries(expected).every(([name, value]) =>
      includes(given[name] as Json | undefined, value as Json),
    )
  }
  return writeJson(given ?? null) === writeJson(expected)
}

function readResource(resource: JsonObject, url: string): Resource {
  return {
    url,
    description: textMember(resource, 'description') ?? '',
    mimeType: textMember(resource, 'mimeType') ?? '',
    ...readServiceText(resource),
  }
}
