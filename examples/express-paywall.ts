/** A priced Express route in three lines of ours, on a local test chain. The buyer is in paying-fetch.ts. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { startDevnet } from '@aetherkit/devnet'
import { paywall } from '@aetherkit/express'
import {
  createGate,
  createLedger,
  createSolanaSettler,
  DEVNET,
  keypairSigner,
  memoryStore,
  payingFetch,
} from '@aetherkit/payments'
import express from 'express'

const devnet = await startDevnet({ slotMs: 20 })
const { merchant, facilitator, buyer } = devnet.wallets
const app = express()
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const settler = createSolanaSettler({
  rpcUrl: devnet.rpcUrl,
  network: DEVNET,
  sponsors: [keypairSigner(facilitator.secretKey)],
})
const gate = createGate({ settler, ledger: createLedger(memoryStore()) })
const paid = paywall({ gate, network: 'solana-devnet', payTo: merchant.publicKey, baseUrl })

app.get(
  '/api/premium-content',
  paid({ price: '$0.10', description: 'Premium content access' }),
  (_request, response) => {
    response.json({ content: 'Premium content here...' })
  },
)

const unpaid = await fetch(`${baseUrl}/api/premium-content`)
console.log(`without a payment: ${unpaid.status}, ${JSON.parse(await unpaid.text()).error}`)
assert.equal(unpaid.status, 402)

const buy = payingFetch(fetch, {
  signer: keypairSigner(buyer.secretKey),
  network: 'solana-devnet',
  rpcUrl: devnet.rpcUrl,
})
const response = await buy(`${baseUrl}/api/premium-content`)
assert.deepEqual(await response.json(), { content: 'Premium content here...' })
const [receipt] = await buy.receipts()
console.log(`with one: ${response.status}, ${receipt?.price} in ${receipt?.transaction}`)
assert.equal(await devnet.tokensOf(merchant.publicKey), 100_000n)

gate.close()
server.close()
await devnet.close()
