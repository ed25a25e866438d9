/** The seed's Express sample, route by route as it has it, over our `X402FacilitatorServer`: only the import is ours. */
import { createSolanaSettler, keypairSigner, X402FacilitatorServer } from '@aetherkit/payments'
import express from 'express'
import { decodeBase58 } from '../differential/message.mjs'
import { serveHttp, settings } from '../line.mjs'

const { rpcUrl, network, secretKey, payTo, mint } = settings
const sponsors = [keypairSigner(decodeBase58(secretKey))]
const facilitator = new X402FacilitatorServer({ settler: createSolanaSettler({ rpcUrl, network, sponsors }) })
const [{ feePayer }] = await createSolanaSettler({ rpcUrl, network, sponsors }).kinds()
const PRICE_USDC = 0.01
const requirements = {
  scheme: 'exact',
  network: 'solana-devnet',
  asset: mint,
  payTo,
  maxAmountRequired: String(PRICE_USDC * 1_000_000),
  resource: '/via/ours',
  description: 'what this test sells',
  mimeType: 'application/json',
  maxTimeoutSeconds: 120,
  // The seed has no fee payer; without one no buyer can sign (spec payments 2.3, 2).
  extra: { feePayer },
}
let runs = 0

const app = express()
app.get('/via/ours', async (request, response) => {
  const payment = request.headers['x-payment']
  if (!payment) {
    const header = Buffer.from(JSON.stringify(requirements)).toString('base64')
    response.setHeader('X-Payment-Requirements', header)
    return response.status(402).json({ error: 'payment_required', requirements })
  }
  const { isValid, invalidReason } = await facilitator.verify(payment, requirements)
  if (!isValid) return response.status(402).json({ error: 'payment_invalid', reason: invalidReason })
  const { success, txHash } = await facilitator.settle(payment, requirements)
  if (!success) return response.status(500).json({ error: 'settlement_failed' })
  runs++
  response.json({ sold: 'ours', receipt: { txHash, amount: PRICE_USDC } })
})
serveHttp({ listener: app, answer: () => ({ runs: { ours: runs } }) })
