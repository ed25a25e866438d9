/** What all dialects share of a requirement: the numbers, the addresses, and `extra` (spec payments 4). */
import { isJsonObject, type JsonObject, type JsonValue, writeJson } from '@aetherkit/core'
import { parseNetwork } from '../network.js'
import { type Refusal, refuse } from '../reason.js'
import type { Dialect, Json, Requirement, Resource } from '../requirement.js'
import { member, objectMember, textMember } from './header.js'

/** A base58 address of 32 bytes has 32 to 44 digits of the Bitcoin alphabet. */
const ADDRESS = /^[1-9A-HJ-NP-Za-km-z]{32,44}$/
const INTERPRETED = ['feePayer', 'memo', 'recentBlockhash', 'lastValidBlockHeight']
const U64 = 0xffff_ffff_ffff_ffffn

/**
 * Reads one entry of `accepts`. `amountField` is `amount` in v2 and `maxAmountRequired` elsewhere. Other schemes and
 * chains are `unsupported_scheme` and `invalid_network`: skip them. Anything else wrong: `invalid_payment_requirements`.
 */
export function readTerms(
  value: JsonValue,
  dialect: Dialect,
): { ok: true; requirement: Requirement } | Refusal {
  if (!isJsonObject(value)) return refuse('invalid_payment_requirements', 'not an object')
  if (value.scheme !== 'exact') return refuse('unsupported_scheme')
  const network = parseNetwork(value.network)
  if (network === undefined) return refuse('invalid_network')
  const amount = readAmount(member(value, dialect === 'v2' ? 'amount' : 'maxAmountRequired'))
  if (amount === undefined) return refuse('invalid_payment_requirements', 'amount is no positive integer')
  const asset = readAddress(value.asset)
  const payTo = readAddress(value.payTo)
  if (asset === undefined || payTo === undefined) return refuse('invalid_payment_requirements', 'no address')
  const extra = objectMember(value, 'extra')
  const feePayer = readAddress(extra?.feePayer)
  if (extra === undefined || feePayer === undefined)
    return refuse('invalid_exact_svm_payload_missing_fee_payer')
  const seconds = member(value, 'maxTimeoutSeconds') ?? 60
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 1 || seconds > 86_400) {
    return refuse('invalid_payment_requirements', 'maxTimeoutSeconds out of range')
  }
  const terms = {
    scheme: 'exact',
    network,
    amount,
    asset,
    payTo,
    maxTimeoutSeconds: seconds,
    feePayer,
  } as const
  return { ok: true, requirement: { ...terms, ...readExtra(extra) } }
}

/** `extra` as every dialect carries it. */
export function writeExtra(requirement: Requirement): Record<string, Json> {
  const { feePayer, memo, recentBlockhash, lastValidBlockHeight, flow, extra } = requirement
  return {
    ...extra,
    feePayer,
    ...(memo !== undefined && { memo }),
    ...(recentBlockhash !== undefined && { recentBlockhash }),
    ...(lastValidBlockHeight !== undefined && { lastValidBlockHeight: lastValidBlockHeight.toString() }),
    ...(flow === 'upfront' && { paymentFlow: 'upfront' }),
  }
}

/** How the seller presents the service, as far as it does. */
export function serviceText({ serviceName, tags, iconUrl }: Resource): Record<string, Json> {
  return {
    ...(serviceName !== undefined && { serviceName }),
    ...(tags !== undefined && { tags }),
    ...(iconUrl !== undefined && { iconUrl }),
  }
}

export function readServiceText(value: JsonObject): Pick<Resource, 'serviceName' | 'tags' | 'iconUrl'> {
  const serviceName = textMember(value, 'serviceName')
  const iconUrl = textMember(value, 'iconUrl')
  const tags = member(value, 'tags')
  return {
    ...(serviceName !== undefined && { serviceName }),
    ...(Array.isArray(tags) && { tags: tags.filter((tag) => typeof tag === 'string') }),
    ...(iconUrl !== undefined && { iconUrl }),
  }
}

/** Plain JSON of a lossless value: integers beyond a double become text. */
export function plainJson(value: JsonValue): Json {
  return JSON.parse(writeJson(value), (_name, item) => item) as Json
}

/** An object member as plain JSON. */
export function plainObject(object: JsonObject, name: string): Readonly<Record<string, Json>> | undefined {
  const value = objectMember(object, name)
  return value === undefined ? undefined : (plainJson(value) as Readonly<Record<string, Json>>)
}

/** An address by its shape; whether it is 32 bytes is for the code that decodes it. */
export function readAddress(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && ADDRESS.test(value) ? value : undefined
}

/** An atomic amount: text of decimal digits (all dialects say string; a plain integer is forgiven), above zero. */
export function readAmount(value: JsonValue | undefined): bigint | undefined {
  const isDigits = typeof value === 'string' && /^[1-9]\d{0,19}$/.test(value)
  if (!isDigits && typeof value !== 'number' && typeof value !== 'bigint') return undefined
  if (typeof value === 'number' && !Number.isInteger(value)) return undefined
  const amount = BigInt(value as string | number | bigint)
  return amount > 0n && amount <= U64 ? amount : undefined
}

function readExtra(
  extra: JsonObject,
): Pick<Requirement, 'flow' | 'memo' | 'recentBlockhash' | 'lastValidBlockHeight' | 'extra'> {
  const memo = textMember(extra, 'memo')
  const recentBlockhash = readAddress(extra.recentBlockhash)
  const height = textMember(extra, 'lastValidBlockHeight')
  const rest = Object.entries(extra).filter(
    ([name, value]) =>
      value != null &&
      // Any other flow is one we do not know by name: a buyer echoes the server's word for it.
      (name === 'paymentFlow' ? value !== 'upfront' : !INTERPRETED.includes(name)),
  )
  return {
    flow: extra.paymentFlow === 'upfront' ? 'upfront' : 'authorization',
    ...(memo !== undefined && { memo }),
    ...(recentBlockhash !== undefined && { recentBlockhash }),
    ...(height !== undefined && /^\d{1,19}$/.test(height) && { lastValidBlockHeight: BigInt(height) }),
    ...(rest.length > 0 && {
      extra: Object.fromEntries(rest.map(([name, value]) => [name, plainJson(value as JsonValue)])),
    }),
  }
}
