/**
 * `offer-receipt` (spec payments 13): the seller signs what it offers and what it delivered, so that a buyer can prove
 * both. Compact JWS with EdDSA; the key is of its own and never a wallet's.
 *
 *   offer    version, resourceUrl, scheme, network, asset, payTo, amount, validUntil      seconds since 1970
 *   receipt  version, network, resourceUrl, payer, issuedAt, transaction only when asked for
 */
import { isJsonObject, type JsonObject } from '@aetherkit/core'
import { PaymentError } from '../errors.js'
import type { GateExtension } from '../gate.js'
import { type Refusal, refuse } from '../reason.js'
import type { Json, Offer, Requirement } from '../requirement.js'
import type { Paid } from '../serve.js'
import { signJws, verifyJws } from './jws.js'

const OFFER_RECEIPT = 'offer-receipt'

export interface ReceiptOptions {
  /** 32-byte Ed25519 seed. */
  readonly secretKey: Uint8Array
  /** DID URL of the key, such as `did:web:shop.example#key-1`; its `did:key` by default. */
  readonly kid?: string
  /** Names the transaction in the receipt: verifiable by anyone, and less private. */
  readonly includeTxHash?: boolean
  /** 300 s by default. */
  readonly offerSeconds?: number
  readonly now?: () => number
}

/** Receipts of the last payments, so that the same payment gets the same receipt again. */
const KEPT = 10_000

const text = { type: 'string' }
const SIGNED = {
  type: 'object',
  properties: { format: text, acceptIndex: { type: 'integer' }, signature: text },
  required: ['format', 'signature'],
}
const schema = (name: string, of: Json): Json => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: { [name]: of },
  required: [name],
})

/** @throws PaymentError `invalid_option` for a key of another length */
export function createReceipts(options: ReceiptOptions): GateExtension {
  const { secretKey, kid, includeTxHash = false, offerSeconds = 300, now = Date.now } = options
  if (secretKey.length !== 32) throw new PaymentError('invalid_option', 'a receipt key is a seed of 32 bytes')
  const issued = new Map<string, Json>()
  const seconds = (): number => Math.floor(now() / 1000)
  return {
    key: OFFER_RECEIPT,
    offer(offer: Offer) {
      const validUntil = seconds() + offerSeconds
      const offers = offer.accepts.map((accepted, acceptIndex) => ({
        format: 'jws',
        acceptIndex,
        signature: signJws(offerPayload(offer.resource.url, accepted, validUntil), secretKey, kid),
      }))
      return { info: { offers }, schema: schema('offers', { type: 'array', items: SIGNED }) }
    },
    receipt(paid: Paid) {
      const known = issued.get(paid.paymentId)
      if (known !== undefined) return known
      const payload = {
        version: 1,
        network: paid.network,
        resourceUrl: paid.resourceUrl,
        payer: paid.payer,
        issuedAt: seconds(),
        ...(includeTxHash && { transaction: paid.transaction }),
      }
      const receipt = { format: 'jws', signature: signJws(payload, secretKey, kid) }
      const made: Json = { info: { receipt }, schema: schema('receipt', SIGNED) }
      const [oldest] = issued.keys()
      if (issued.size >= KEPT && oldest !== undefined) issued.delete(oldest)
      issued.set(paid.paymentId, made)
      return made
    },
  }
}

/**
 * The signed receipt in the extensions of a receipt header, for buyers. Pin `publicKey`, or trust the `kid` it comes
 * with for no more than it is.
 */
export function verifyReceipt(
  extensions: Readonly<Record<string, Json>> | undefined,
  expected: { readonly resourceUrl: string; readonly payer: string; readonly publicKey?: Uint8Array },
): { ok: true; payload: JsonObject; kid: string } | Refusal {
  const info = infoOf(extensions)
  const receipt = info?.receipt
  const jws = isJsonObject(receipt) && receipt.format === 'jws' ? receipt.signature : undefined
  if (typeof jws !== 'string') return refuse('invalid_payload', 'no signed receipt')
  const verified = verifyJws(jws, expected.publicKey)
  if (!verified.ok) return verified
  const { resourceUrl, payer, version } = verified.payload
  const isSame = version === 1 && resourceUrl === expected.resourceUrl && payer === expected.payer
  return isSame ? verified : refuse('invalid_payload', 'a receipt for something else')
}

/** The signed offers of a 402 against its terms: each entry of `accepts` must be signed as it stands. */
export function verifyOffers(
  offer: Offer,
  publicKey?: Uint8Array,
  now: number = Date.now(),
): { ok: true; kid: string } | Refusal {
  const offers = infoOf(offer.extensions)?.offers
  if (!Array.isArray(offers) || offers.length < offer.accepts.length)
    return refuse('invalid_payload', 'offers are not signed')
  let by = ''
  for (const [index, accepted] of offer.accepts.entries()) {
    const signed = offers.find((entry) => isJsonObject(entry) && entry.acceptIndex === index)
    if (!isJsonObject(signed) || typeof signed.signature !== 'string')
      return refuse('invalid_payload', `offer ${index} is not signed`)
    const verified = verifyJws(signed.signature, publicKey)
    if (!verified.ok) return verified
    const { validUntil } = verified.payload
    if (typeof validUntil !== 'number' || validUntil * 1000 < now) return refuse('payment_expired')
    const terms = Object.entries(offerPayload(offer.resource.url, accepted, validUntil))
    if (terms.some(([name, value]) => verified.payload[name] !== value))
      return refuse('invalid_payload', `offer ${index} says something else`)
    by = verified.kid
  }
  return { ok: true, kid: by }
}

function offerPayload(resourceUrl: string, accepted: Requirement, validUntil: number) {
  const { scheme, network, asset, payTo, amount } = accepted
  return { version: 1, resourceUrl, scheme, network, asset, payTo, amount: amount.toString(), validUntil }
}

function infoOf(extensions: Readonly<Record<string, Json>> | undefined): JsonObject | undefined {
  const extension = extensions?.[OFFER_RECEIPT]
  const info = isJsonObject(extension) ? extension.info : undefined
  return isJsonObject(info) ? info : undefined
}
