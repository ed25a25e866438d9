/** Facilitator of today: `@x402/core` with `@x402/svm` 2.27, v1 and v2 on the same paths. */
import { createKeyPairSignerFromBytes, getBase58Encoder } from '@solana/kit'
import { x402Facilitator } from '@x402/core/facilitator'
import { toFacilitatorSvmSigner } from '@x402/svm'
import { ExactSvmScheme } from '@x402/svm/exact/facilitator'
import { ExactSvmSchemeV1 } from '@x402/svm/exact/v1/facilitator'
import express from 'express'
import { serveHttp, settings } from '../line.mjs'

const { rpcUrl, network, secretKey } = settings
const keypair = await createKeyPairSignerFromBytes(getBase58Encoder().encode(secretKey))
const signer = toFacilitatorSvmSigner(keypair, { defaultRpcUrl: rpcUrl })
const facilitator = new x402Facilitator()
  .register(network, new ExactSvmScheme(signer))
  .registerV1('solana-devnet', new ExactSvmSchemeV1(signer))

const app = express()
app.use(express.json({ limit: '64kb' }))
app.get('/supported', (_request, response) => {
  response.json(facilitator.getSupported())
})
for (const call of ['verify', 'settle']) {
  app.post(`/${call}`, async ({ body: { paymentPayload, paymentRequirements } }, response) => {
    try {
      response.json(await facilitator[call](paymentPayload, paymentRequirements))
    } catch (error) {
      response.status(500).json({ error: String(error?.message ?? error) })
    }
  })
}
serveHttp({ listener: app })
