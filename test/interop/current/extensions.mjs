/** `@x402/extensions` 2.27 as a buyer and as a verifier: signed offers and receipts, payment ids, discovery, sign-in. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { createKeyPairSignerFromBytes, getBase58Decoder, getBase58Encoder } from '@solana/kit'
import { x402Client, x402HTTPClient } from '@x402/core/client'
import {
  appendPaymentIdentifierToExtensions,
  createReceiptJWS,
  decodeSignedOffers,
  extractOffersFromPaymentRequired,
  extractReceiptFromResponse,
  parseSIWxHeader,
  validateDiscoveryExtension,
  validateDiscoveryExtensionSpec,
  validateSIWxMessage,
  verifyOfferSignatureJWS,
  verifyReceiptMatchesOffer,
  verifyReceiptSignatureJWS,
  verifySIWxSignature,
  wrapFetchWithSIWx,
} from '@x402/extensions'
import { ExactSvmScheme } from '@x402/svm/exact/client'
import { serveLines, settings } from '../line.mjs'

const { rpcUrl, network, secretKey } = settings
const signer = await createKeyPairSignerFromBytes(getBase58Encoder().encode(secretKey))
const client = new x402Client().register(network, new ExactSvmScheme(signer, { rpcUrl }))
const http = new x402HTTPClient(client)
const entering = wrapFetchWithSIWx(fetch, signer)

const commands = { challenge, buy, enter, tamper, signedIn, receipt }
serveLines(({ command, ...argument }) => commands[command](argument))

/** What the 402 declares, judged by the published validators. */
async function challenge({ url }) {
  const required = await requiredBy(url)
  const offers = extractOffersFromPaymentRequired(required)
  const { bazaar } = required.extensions
  return {
    offers: await Promise.all(offers.map((offer) => verifyOfferSignatureJWS(offer))),
    accepts: required.accepts,
    discovery: [validateDiscoveryExtension(bazaar).valid, validateDiscoveryExtensionSpec(bazaar).valid],
  }
}

/** One purchase under a payment id, and what its signed receipt says. */
async function buy({ url, paymentId }) {
  const required = await requiredBy(url)
  const [offer] = decodeSignedOffers(extractOffersFromPaymentRequired(required))
  const extensions = appendPaymentIdentifierToExtensions(structuredClone(required.extensions), paymentId)
  const payload = await client.createPaymentPayload({ ...required, extensions })
  const response = await fetch(url, { headers: http.encodePaymentSignatureHeader(payload) })
  const receipt = response.ok ? extractReceiptFromResponse(response) : undefined
  const settled = response.ok
    ? http.getPaymentSettleResponse((name) => response.headers.get(name))
    : undefined
  return {
    status: response.status,
    body: await response.text(),
    transaction: settled?.transaction,
    receipt: receipt && (await verifyReceiptSignatureJWS(receipt)),
    matches: receipt && verifyReceiptMatchesOffer(receipt, offer, [signer.address]),
  }
}

async function enter({ url }) {
  const response = await entering(url)
  return { status: response.status, body: await response.text() }
}

/** A signed offer with another amount must not verify. */
async function tamper({ url }) {
  const [offer] = extractOffersFromPaymentRequired(await requiredBy(url))
  const [head, body, signature] = offer.signature.split('.')
  const payload = { ...JSON.parse(Buffer.from(body, 'base64url').toString()), amount: '1' }
  const forged = `${head}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.${signature}`
  return verifyOfferSignatureJWS({ ...offer, signature: forged }).then(
    () => ({ verified: true }),
    () => ({ verified: false }),
  )
}

/** Our buyer's sign-in header before the published verifier. */
async function signedIn({ header, origin }) {
  const payload = parseSIWxHeader(header)
  const { isValid } = await validateSIWxMessage(payload, new URL(origin))
  const verified = await verifySIWxSignature(payload)
  return { isValid, isSigned: verified.isValid, payer: verified.payer }
}

/** A receipt signed by the published issuer, for our buyer to verify. */
async function receipt({ resourceUrl, payer }) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  const key = `z${getBase58Decoder().decode(Buffer.concat([Buffer.from([0xed, 1]), raw]))}`
  const issuer = {
    kid: `did:key:${key}#${key}`,
    format: 'jws',
    algorithm: 'EdDSA',
    sign: async (bytes) => sign(null, Buffer.from(bytes), privateKey).toString('base64url'),
  }
  return { signed: await createReceiptJWS({ resourceUrl, payer, network }, issuer) }
}

async function requiredBy(url) {
  const response = await fetch(url)
  return http.getPaymentRequiredResponse((name) => response.headers.get(name), await response.json())
}
