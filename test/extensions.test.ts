/** Our extensions before the published `@x402/extensions`, over real sockets (spec payments 13, 16.1 P14 to P17). */
import { type Devnet, startDevnet } from '@aetherkit/devnet'
import { type Json, keypairSigner, parseNetwork, signInHeader, verifyReceipt } from '@aetherkit/payments'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeBase58, missingPackages, type Peer, startPeer } from './interop/suite.mjs'

const isMissing = missingPackages().includes('current')
const skipped = isMissing ? ' - SKIPPED: not installed, node test/interop/install.mjs gets it' : ''

describe.skipIf(isMissing)(`the published extensions package against our seller${skipped}`, () => {
  let devnet: Devnet
  let seller: Peer
  let peer: Peer
  let url: string
  beforeAll(async () => {
    devnet = await startDevnet({ slotMs: 20 })
    const { rpcUrl, network, wallets } = devnet
    const chain = { rpcUrl, network, price: '$0.01', payTo: wallets.merchant.publicKey }
    ;[seller, peer] = await Promise.all([
      startPeer('ours/extensions.mjs', { ...chain, secretKey: encodeBase58(wallets.facilitator.secretKey) }),
      startPeer('current/extensions.mjs', { ...chain, secretKey: encodeBase58(wallets.buyer.secretKey) }),
    ])
    url = `${seller.url}/report`
  }, 120_000)
  afterAll(async () => {
    await Promise.all([seller?.close(), peer?.close()])
    await devnet?.close()
  })

  test('the offers of a 402 are signed as they stand, and its discovery declaration is valid', async () => {
    const { offers, accepts, discovery } = await peer.ask({ command: 'challenge', url })
    const [accepted] = accepts as readonly Record<string, unknown>[]
    const { scheme, network, asset, payTo, amount } = accepted ?? {}
    expect(offers).toMatchObject([{ version: 1, resourceUrl: url, scheme, network, asset, payTo, amount }])
    expect(discovery).toEqual([true, true])
  })

  test('an offer with another amount does not verify', async () => {
    expect(await peer.ask({ command: 'tamper', url })).toMatchObject({ verified: false })
  })

  test('whoever has not paid does not enter by signing in; whoever has, does, and pays nothing', async () => {
    expect(await peer.ask({ command: 'enter', url })).toMatchObject({ status: 402 })
    const before = await devnet.tokensOf(devnet.wallets.buyer.publicKey)
    expect(await peer.ask({ command: 'buy', url, paymentId: 'pay_interop_sign_in' })).toMatchObject({
      status: 200,
    })
    const paid = await devnet.tokensOf(devnet.wallets.buyer.publicKey)
    expect(before! - paid!).toBe(10_000n)
    expect(await peer.ask({ command: 'enter', url })).toMatchObject({ status: 200 })
    expect(await devnet.tokensOf(devnet.wallets.buyer.publicKey)).toBe(paid)
  })

  test('the receipt of a purchase is signed and matches its offer', async () => {
    const bought = await peer.ask({ command: 'buy', url, paymentId: 'pay_interop_receipt' })
    const payer = devnet.wallets.buyer.publicKey
    expect(bought).toMatchObject({
      status: 200,
      matches: true,
      receipt: { version: 1, resourceUrl: url, payer, network: devnet.network },
    })
  })

  test('a payment id used twice is charged once and answered alike', async () => {
    const before = await devnet.tokensOf(devnet.wallets.buyer.publicKey)
    const first = await peer.ask({ command: 'buy', url, paymentId: 'pay_interop_twice_00' })
    const second = await peer.ask({ command: 'buy', url, paymentId: 'pay_interop_twice_00' })
    expect(first).toMatchObject({ status: 200 })
    expect([second.status, second.body, second.transaction]).toEqual([200, first.body, first.transaction])
    expect(before! - (await devnet.tokensOf(devnet.wallets.buyer.publicKey))!).toBe(10_000n)
  })

  test("our buyer's sign-in is valid to the published verifier", async () => {
    const response = await fetch(url)
    const header = response.headers.get('payment-required') ?? ''
    const { extensions } = JSON.parse(Buffer.from(header, 'base64').toString('utf8'))
    const signer = keypairSigner(devnet.wallets.buyer.secretKey)
    const network = parseNetwork(devnet.network)!
    if (!('secretKey' in signer)) throw new TypeError('a key pair expected')
    const signed = await signInHeader(extensions, signer, network, url)
    const checked = await peer.ask({ command: 'signedIn', header: signed, origin: seller.url })
    expect(checked).toMatchObject({ isValid: true, isSigned: true, payer: devnet.wallets.buyer.publicKey })
  })

  test('a receipt of the published issuer is valid to our buyer, for its own resource only', async () => {
    const payer = devnet.wallets.buyer.publicKey
    const { signed } = await peer.ask({ command: 'receipt', resourceUrl: url, payer })
    const extensions = { 'offer-receipt': { info: { receipt: signed as Json } } }
    expect(verifyReceipt(extensions, { resourceUrl: url, payer })).toMatchObject({ ok: true })
    const elsewhere = verifyReceipt(extensions, { resourceUrl: `${url}/else`, payer })
    expect(elsewhere).toMatchObject({ ok: false, reason: 'invalid_payload' })
  })
})
