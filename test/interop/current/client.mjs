/** Buyer of today: `@x402/fetch` 2.27. `mode`: `v2`, `v1` (its v1 scheme), `seed` (raw fetch with the seed's headers). */
import { createKeyPairSignerFromBytes, getBase58Encoder } from '@solana/kit'
import { wrapFetchWithPayment, x402Client } from '@x402/fetch'
import { ExactSvmScheme } from '@x402/svm/exact/client'
import { ExactSvmSchemeV1 } from '@x402/svm/exact/v1/client'
import { reportResponse, serveLines, settings } from '../line.mjs'

const { rpcUrl, network, secretKey } = settings
const signer = await createKeyPairSignerFromBytes(getBase58Encoder().encode(secretKey))
const scheme = new ExactSvmScheme(signer, { rpcUrl })
const schemeV1 = new ExactSvmSchemeV1(signer, { rpcUrl })
const fetches = {
  v2: wrapFetchWithPayment(fetch, new x402Client().register(network, scheme)),
  v1: wrapFetchWithPayment(withoutHeader, new x402Client().registerV1('solana-devnet', schemeV1)),
  seed: seedFetch,
}

serveLines(async ({ mode, url, method = 'GET', headers, body }) => {
  const started = performance.now()
  const response = await fetches[mode](url, { method, headers, body })
  return reportResponse(response, started)
})

/** The published client prefers the v2 header where there is one; a v1 server would not have sent it. */
async function withoutHeader(input, init) {
  const response = await fetch(input, init)
  if (response.status !== 402) return response
  const headers = new Headers(response.headers)
  headers.delete('payment-required')
  return new Response(await response.text(), { status: 402, headers })
}

/** The seed's buyer: terms from `X-Payment-Requirements`, payment in `X-Payment`, receipt in the body. */
async function seedFetch(url, init) {
  const challenge = await fetch(url, init)
  const header = challenge.headers.get('x-payment-requirements')
  if (challenge.status !== 402 || header === null) return challenge
  const requirements = JSON.parse(Buffer.from(header, 'base64').toString('utf8'))
  const { payload } = await schemeV1.createPaymentPayload(1, requirements)
  const payment = { x402Version: 1, scheme: 'exact', network: requirements.network, payload }
  const value = Buffer.from(JSON.stringify(payment)).toString('base64')
  return fetch(url, { ...init, headers: { ...init.headers, 'X-Payment': value } })
}
