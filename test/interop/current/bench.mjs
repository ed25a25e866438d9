/** The published packages under load: facilitator in this process, seller before it, buyers (see test/bench/payments.mjs). */
import { createKeyPairSignerFromBytes, getBase58Encoder } from '@solana/kit'
import { x402Facilitator } from '@x402/core/facilitator'
import { paymentMiddleware, x402ResourceServer } from '@x402/express'
import { wrapFetchWithPayment, x402Client } from '@x402/fetch'
import { toFacilitatorSvmSigner } from '@x402/svm'
import { ExactSvmScheme as ClientScheme } from '@x402/svm/exact/client'
import { ExactSvmScheme as FacilitatorScheme } from '@x402/svm/exact/facilitator'
import { ExactSvmScheme as ServerScheme } from '@x402/svm/exact/server'
import express from 'express'
import { serveHttp, settings } from '../line.mjs'
import { measure } from '../load.mjs'

const { rpcUrl, network, secretKey, payTo, price, buyerKeys } = settings
const signerOf = (key) => createKeyPairSignerFromBytes(getBase58Encoder().encode(key))
const sponsor = toFacilitatorSvmSigner(await signerOf(secretKey), { defaultRpcUrl: rpcUrl })
const facilitator = new x402Facilitator().register(network, new FacilitatorScheme(sponsor))
const buyers = await Promise.all(
  buyerKeys.map(async (key) => {
    const scheme = new ClientScheme(await signerOf(key), { rpcUrl })
    return wrapFetchWithPayment(fetch, new x402Client().register(network, scheme))
  }),
)

const app = express()
const local = {
  verify: (payload, requirements) => facilitator.verify(payload, requirements),
  settle: (payload, requirements) => facilitator.settle(payload, requirements),
  getSupported: async () => facilitator.getSupported(),
}
const server = new x402ResourceServer(local).register(network, new ServerScheme())
const accepts = { scheme: 'exact', network, payTo, price }
app.use(
  paymentMiddleware({ 'GET /paid': { accepts, description: 'bench', mimeType: 'application/json' } }, server),
)
app.get('/paid', (_request, response) => response.json({ sold: true }))

const commands = {
  processor: () => process.cpuUsage(),
  verify: ({ calls, concurrency }) =>
    measure({ count: calls.length, concurrency }, async (i) => {
      const { isValid, invalidReason } = await facilitator.verify(...parts(calls[i]))
      return isValid ? undefined : invalidReason
    }),
  settle: ({ calls, concurrency, pauseMs }) =>
    measure({ count: calls.length, concurrency, pauseMs }, async (i) => {
      const { success, errorReason } = await facilitator.settle(...parts(calls[i]))
      return success ? undefined : errorReason
    }),
  buy: ({ url, count, concurrency }) =>
    measure({ count, concurrency }, async (_i, worker) => {
      const response = await buyers[worker](url)
      const text = await response.text()
      return response.status === 200 ? undefined : `${response.status} ${text.slice(0, 200)}`
    }),
}
serveHttp({ listener: app, answer: ({ command, ...argument }) => commands[command](argument) })

function parts({ paymentPayload, paymentRequirements }) {
  return [paymentPayload, paymentRequirements]
}
