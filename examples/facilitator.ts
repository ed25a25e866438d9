/** A facilitator over HTTP, and a seller who holds no sponsor key: verify and settle are asked of it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startDevnet } from '@aetherkit/devnet'
import { paywall } from '@aetherkit/express'
import {
  createFacilitator,
  createFacilitatorClient,
  createGate,
  createLedger,
  createSolanaSettler,
  DEVNET,
  facilitatorListener,
  keypairSigner,
  memoryStore,
  payingFetch,
} from '@aetherkit/payments'
import express from 'express'

const devnet = await startDevnet({ slotMs: 20 })
const { merchant, facilitator: sponsor, buyer } = devnet.wallets
const address = (server: { address(): unknown }) =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}`

// The facilitator: /supported, /verify, /settle, for x402 v1 and v2.
const settler = createSolanaSettler({
  rpcUrl: devnet.rpcUrl,
  network: DEVNET,
  sponsors: [keypairSigner(sponsor.secretKey)],
})
const facilitator = createFacilitator({ settler, ledger: createLedger(memoryStore()) })
const office = createServer(facilitatorListener(facilitator)).listen(0, '127.0.0.1')
await once(office, 'listening')
console.log(await (await fetch(`${address(office)}/supported`)).json())

// The seller.
const gate = createGate({
  settler: createFacilitatorClient({ url: address(office) }),
  ledger: createLedger(memoryStore()),
})
const app = express()
const shop = app.listen(0, '127.0.0.1')
await once(shop, 'listening')
const paid = paywall({ gate, network: 'solana-devnet', payTo: merchant.publicKey, baseUrl: address(shop) })
app.get('/weather', paid({ price: '$0.01' }), (_request, response) => void response.json({ sky: 'clear' }))

const buy = payingFetch(fetch, {
  signer: keypairSigner(buyer.secretKey),
  network: 'solana-devnet',
  rpcUrl: devnet.rpcUrl,
})
const response = await buy(`${address(shop)}/weather`)
assert.deepEqual(await response.json(), { sky: 'clear' })
assert.equal(await devnet.tokensOf(merchant.publicKey), 10_000n)
console.log('bought through the facilitator:', (await buy.receipts())[0]?.transaction)

gate.close()
shop.close()
office.close()
await devnet.close()
