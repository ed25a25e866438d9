import { fromHex, publicKeyOf, signDigest } from '@aetherkit/core'
import { expect, test } from 'vitest'
import { buyer, merchant, openShop } from '../../test/shop.js'
import { readOffer, readReceiptHeaders } from '../codec/classify.js'
import { decodeHeader, encodeHeader } from '../codec/header.js'
import { memoryStore } from '../ledger/memory.js'
import { DEVNET, MAINNET } from '../network.js'
import type { Offer } from '../requirement.js'
import { encodeBase58, signerAddress } from '../solana.js'
import { createDiscovery } from './discovery.js'
import { didOf, keyOfDid, signJws, verifyJws } from './jws.js'
import { createReceipts, verifyOffers, verifyReceipt } from './receipt.js'
import { createSignIn, signInHeader, type TextSigner } from './sign-in.js'

const SEED = new Uint8Array(32).fill(5)
const PUBLIC_KEY = fromHex(publicKeyOf(SEED))
const PAID_URL = 'https://shop.example/paid?x=1'
const lower = (headers: Readonly<Record<string, string>>) => {
  const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  return (name: string) => byName.get(name)
}
const offerOf = (answer: { headers: Readonly<Record<string, string>>; body: string }): Offer => {
  const read = readOffer(lower(answer.headers), answer.body)
  if (!read?.ok) throw new Error('no offer')
  return read.offer
}

test('a JWS is verified by its own did:key or a pinned one, and by no other', () => {
  const jws = signJws({ b: 1, a: 'ü' }, SEED)
  expect(verifyJws(jws)).toMatchObject({ ok: true, payload: { a: 'ü', b: 1 }, kid: didOf(PUBLIC_KEY) })
  expect(verifyJws(jws, PUBLIC_KEY).ok).toBe(true)
  expect(keyOfDid(didOf(PUBLIC_KEY))).toEqual(PUBLIC_KEY)
  const [head, body, signature] = jws.split('.')
  const none = Buffer.from(JSON.stringify({ alg: 'none', kid: didOf(PUBLIC_KEY) })).toString('base64url')
  const forged = [
    `${head}.${body}A.${signature}`,
    `${head}.${Buffer.from('{"a":"u","b":1}').toString('base64url')}.${signature}`,
    `${none}.${body}.`,
    `${head}.${body}.${signature}.x`,
    `${head}.${body}.${signature}=`,
    'x',
  ]
  for (const it of forged) expect(verifyJws(it)).toMatchObject({ ok: false, reason: 'invalid_payload' })
  expect(verifyJws(jws, fromHex(publicKeyOf(new Uint8Array(32))))).toMatchObject({ ok: false })
  expect(verifyJws(signJws({}, SEED, 'did:web:shop.example#1'))).toMatchObject({ ok: false })
})

test('offers and receipts are signed, and the same payment gets the same receipt again', async () => {
  const receipts = createReceipts({ secretKey: SEED })
  const shop = openShop({ extensions: [receipts], terms: { extensions: { mine: { info: {}, schema: {} } } } })
  const offer = offerOf(await shop.visit({}))
  expect(offer.extensions).toMatchObject({ mine: {}, 'offer-receipt': { schema: { required: ['offers'] } } })
  expect(verifyOffers(offer, PUBLIC_KEY)).toMatchObject({ ok: true, kid: didOf(PUBLIC_KEY) })
  const cheaper = { ...offer, accepts: offer.accepts.map((it) => ({ ...it, amount: it.amount - 1n })) }
  expect(verifyOffers(cheaper, PUBLIC_KEY)).toMatchObject({ ok: false, reason: 'invalid_payload' })
  expect(verifyOffers(offer, PUBLIC_KEY, Date.now() + 600_000)).toMatchObject({ reason: 'payment_expired' })

  const headers = await shop.pay()
  const [first, second] = [await shop.visit(headers), await shop.visit(headers)]
  expect(second.headers['PAYMENT-RESPONSE']).toBe(first.headers['PAYMENT-RESPONSE'])
  const receipt = readReceiptHeaders(lower(first.headers))
  const expected = { resourceUrl: PAID_URL, payer: signerAddress(buyer), publicKey: PUBLIC_KEY }
  const verified = verifyReceipt(receipt?.extensions, expected)
  expect(verified).toMatchObject({ ok: true, payload: { version: 1, network: DEVNET } })
  expect(verified.ok && verified.payload.transaction).toBeUndefined()
  expect(verifyReceipt(receipt?.extensions, { ...expected, payer: merchant })).toMatchObject({ ok: false })
  expect(verifyReceipt(undefined, expected)).toMatchObject({ ok: false, reason: 'invalid_payload' })
  expect(() => createReceipts({ secretKey: new Uint8Array(64) })).toThrow(
    expect.objectContaining({ code: 'invalid_option' }),
  )
})

function withSignIn(now: () => number = Date.now) {
  const signIn = createSignIn({
    origin: 'https://shop.example',
    store: memoryStore(),
    networks: [DEVNET],
    statement: 'Come again.',
    now,
  })
  const shop = openShop({ extensions: [signIn], onRequest: signIn.grant, onSettled: signIn.remember })
  return { signIn, shop }
}
const wallet = buyer as TextSigner

test('an address that has paid comes in again by its signature, once for each nonce; another pays', async () => {
  const { shop } = withSignIn()
  const extensions = async () => offerOf(await shop.visit({})).extensions
  const header = async (signer: TextSigner = wallet) => ({
    'sign-in-with-x': (await signInHeader(await extensions(), signer, DEVNET, PAID_URL)) ?? '',
  })
  expect((await shop.visit(await header())).status).toBe(402)
  expect((await shop.visit(await shop.pay())).status).toBe(200)
  const signed = await header()
  expect((await shop.visit(signed)).status).toBe(200)
  expect((await shop.visit(signed)).status).toBe(402)
  const other: TextSigner = {
    address: encodeBase58(PUBLIC_KEY),
    signMessageBytes: (message) => signDigest(message, SEED),
  }
  expect((await shop.visit(await header(other))).status).toBe(402)
  expect(shop.settler.settled).toBe(1)
})

test('a sign-in that is expired, for another place, altered or of another shape is refused with a code', async () => {
  let time = Date.now()
  const { signIn, shop } = withSignIn(() => time)
  const { extensions } = offerOf(await shop.visit({}))
  const header = (await signInHeader(extensions, wallet, DEVNET, PAID_URL)) ?? ''
  const decoded = decodeHeader(header)
  const message = decoded.ok ? { ...decoded.value } : {}
  const verify = (change: object) => signIn.verify(encodeHeader({ ...message, ...change }), PAID_URL)
  const small = encodeBase58(Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0)))
  expect(await verify({ domain: 'evil.example' })).toMatchObject({ reason: 'invalid_payload' })
  expect(await verify({ uri: 'https://evil.example/' })).toMatchObject({ reason: 'invalid_payload' })
  expect(await verify({ chainId: MAINNET })).toMatchObject({ reason: 'invalid_network' })
  expect(await verify({ statement: 'Give me all.' })).toMatchObject({ reason: 'invalid_payload' })
  expect(await verify({ statement: 'a\nURI: b' })).toMatchObject({ reason: 'invalid_payload' })
  expect(await verify({ address: small, signature: encodeBase58(new Uint8Array(64)) })).toMatchObject({
    reason: 'invalid_payload',
  })
  expect(await verify({ address: String(message.address).toLowerCase() })).toMatchObject({ ok: false })
  expect(await verify({ signature: 'O0' })).toMatchObject({ reason: 'invalid_payload' })
  expect(await verify({ version: '2' })).toMatchObject({ reason: 'invalid_payload' })
  expect(await signIn.verify('?', PAID_URL)).toMatchObject({ reason: 'aetherkit_malformed_payment' })
  expect(await signIn.verify(header, 'https://shop.example/other')).toMatchObject({
    reason: 'aetherkit_other_resource',
  })
  expect(await signIn.verify(header, PAID_URL)).toMatchObject({ ok: true, address: signerAddress(buyer) })
  expect(await signIn.verify(header, PAID_URL)).toMatchObject({ reason: 'aetherkit_already_used' })
  time += 301_000
  expect(await signIn.verify(header, PAID_URL)).toMatchObject({ reason: 'payment_expired' })
})

test('a buyer signs in nowhere but where the offer came from', async () => {
  const { shop } = withSignIn()
  const { extensions } = offerOf(await shop.visit({}))
  expect(await signInHeader(extensions, wallet, DEVNET, 'https://evil.example/paid')).toBeUndefined()
  expect(await signInHeader(extensions, wallet, MAINNET, PAID_URL)).toBeUndefined()
  expect(await signInHeader({}, wallet, DEVNET, PAID_URL)).toBeUndefined()
  expect(() =>
    createSignIn({ origin: 'https://shop.example/x', store: memoryStore(), networks: [] }),
  ).toThrow(expect.objectContaining({ code: 'invalid_option' }))
})

test('discovery declares the method of the request, and nothing for one it does not describe', async () => {
  const discovery = createDiscovery({
    queryParams: { city: 'Berlin' },
    querySchema: { properties: { city: { type: 'string' } }, required: ['city'] },
    routeTemplate: '/weather/:country',
    pathParams: { country: 'de' },
    output: { example: { degrees: 21 } },
  })
  const shop = openShop({ extensions: [discovery] })
  const read = async (method: string) => offerOf(await shop.visit({}, { method })).extensions?.bazaar
  expect(await read('HEAD')).toMatchObject({
    info: {
      input: { type: 'http', method: 'GET', queryParams: { city: 'Berlin' }, pathParams: { country: 'de' } },
      output: { type: 'json', example: { degrees: 21 } },
    },
    routeTemplate: '/weather/:country',
    schema: { properties: { input: { required: ['type', 'method'], additionalProperties: false } } },
  })
  expect(await read('POST')).toBeUndefined()
  const body = createDiscovery({ bodyType: 'json', body: { q: 1 }, bodySchema: { type: 'object' } })
  const poster = openShop({ extensions: [body] })
  expect(offerOf(await poster.visit({}, { method: 'POST' })).extensions?.bazaar).toMatchObject({
    info: { input: { method: 'POST', bodyType: 'json', body: { q: 1 } } },
  })
  for (const options of [{ routeTemplate: 'no slash' }, { body: {} }])
    expect(() => createDiscovery(options)).toThrow(expect.objectContaining({ code: 'invalid_option' }))
})
