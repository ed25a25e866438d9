/** Facilitator of the first generation: `verify` and `settle` of `x402` 1.2 behind Express, as its example has it. */
import express from 'express'
import { settle, verify } from 'x402/facilitator'
import { createSigner } from 'x402/types'
import { serveHttp, settings } from '../line.mjs'

const { rpcUrl, secretKey } = settings
const signer = await createSigner('solana-devnet', secretKey)
const config = { svmConfig: { rpcUrl } }

const app = express()
app.use(express.json({ limit: '64kb' }))
app.get('/supported', (_request, response) => {
  const extra = { feePayer: signer.address }
  response.json({ kinds: [{ x402Version: 1, scheme: 'exact', network: 'solana-devnet', extra }] })
})
for (const [path, call] of Object.entries({ verify, settle })) {
  app.post(`/${path}`, async ({ body: { paymentPayload, paymentRequirements } }, response) => {
    try {
      response.json(await call(signer, paymentPayload, paymentRequirements, config))
    } catch (error) {
      response.status(500).json({ error: String(error?.message ?? error) })
    }
  })
}
serveHttp({ listener: app })
