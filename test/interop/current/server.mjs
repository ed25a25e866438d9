/** Seller of today: `@x402/express` 2.27, one route `/via/<name>` for each facilitator. */
import { HTTPFacilitatorClient } from '@x402/core/server'
import { paymentMiddleware, x402ResourceServer } from '@x402/express'
import { ExactSvmScheme } from '@x402/svm/exact/server'
import express from 'express'
import { serveHttp, settings } from '../line.mjs'

const { network, payTo, price, facilitators } = settings
const runs = {}
const app = express()
for (const [name, url] of Object.entries(facilitators)) {
  const server = new x402ResourceServer(new HTTPFacilitatorClient({ url })).register(
    network,
    new ExactSvmScheme(),
  )
  const accepts = { scheme: 'exact', network, payTo, price }
  const route = { accepts, description: 'what this test sells', mimeType: 'application/json' }
  app.use(paymentMiddleware({ [`GET /via/${name}`]: route }, server))
  app.get(`/via/${name}`, (_request, response) => {
    runs[name] = (runs[name] ?? 0) + 1
    response.json({ sold: name })
  })
}
serveHttp({ listener: app, answer: () => ({ runs }) })
