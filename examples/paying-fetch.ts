/** A fetch that pays: within a budget, after asking, and never twice for one call. Works as `fetch` of any library. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDevnet } from '@aetherkit/devnet'
import { paywall } from '@aetherkit/express'
import {
  createGate,
  createLedger,
  createSolanaSettler,
  DEVNET,
  fileJournal,
  keypairSigner,
  memoryStore,
  payingFetch,
} from '@aetherkit/payments'
import express from 'express'

// A shop with two prices, on a local test chain.
const devnet = await startDevnet({ slotMs: 20 })
const { merchant, facilitator, buyer } = devnet.wallets
const settler = createSolanaSettler({
  rpcUrl: devnet.rpcUrl,
  network: DEVNET,
  sponsors: [keypairSigner(facilitator.secretKey)],
})
const gate = createGate({ settler, ledger: createLedger(memoryStore()) })
const app = express()
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const paid = paywall({ gate, network: 'solana-devnet', payTo: merchant.publicKey, baseUrl })
app.get(
  '/joke',
  paid({ price: '$0.02' }),
  (_request, response) => void response.send('Why did the agent cross the relay?'),
)
app.get(
  '/novel',
  paid({ price: '$5.00' }),
  (_request, response) => void response.send('It was a dark and stormy night.'),
)

// The buyer.
const directory = await mkdtemp(join(tmpdir(), 'aether-buyer-'))
const buy = payingFetch(fetch, {
  signer: keypairSigner(buyer.secretKey),
  network: 'solana-devnet',
  rpcUrl: devnet.rpcUrl,
  budget: { perCall: '$0.10', perDay: '$1' },
  journal: fileJournal(join(directory, 'payments')),
  approve: ({ price, payTo }) => {
    console.log(`asked for ${price} by ${payTo.slice(0, 8)}...: yes`)
    return true
  },
})

const quote = await buy.quote(`${baseUrl}/joke`)
assert.equal(quote.isFree, false)
console.log(await (await buy(`${baseUrl}/joke`)).text())
await assert.rejects(buy(`${baseUrl}/novel`), { name: 'PaymentError', code: 'budget_exceeded' })
console.log('the novel is over the cap: not signed, not paid')
assert.equal(await devnet.tokensOf(merchant.publicKey), 20_000n)
for (const { price, url, transaction } of await buy.receipts())
  console.log(`${price} for ${url}: ${transaction}`)

gate.close()
server.close()
await devnet.close()
await rm(directory, { recursive: true })
