/** Buyer of the first generation: `x402-fetch` 1.2, three instructions and no memo. */
import { createSigner, wrapFetchWithPayment } from 'x402-fetch'
import { reportResponse, serveLines, settings } from '../line.mjs'

const { rpcUrl, secretKey } = settings
const signer = await createSigner('solana-devnet', secretKey)
const payingFetch = wrapFetchWithPayment(fetch, signer, undefined, undefined, { svmConfig: { rpcUrl } })

serveLines(async ({ url, method = 'GET', headers = {}, body }) => {
  const started = performance.now()
  const response = await payingFetch(url, { method, headers, body })
  return reportResponse(response, started)
})
