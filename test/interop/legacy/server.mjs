/** Seller of the first generation: `x402-express` 1.2, one route `/via/<name>` for each facilitator. */
import express from 'express'
import { paymentMiddleware } from 'x402-express'
import { serveHttp, settings } from '../line.mjs'

const { payTo, price, facilitators } = settings
const runs = {}
const app = express()
for (const [name, url] of Object.entries(facilitators)) {
  const config = { description: 'what this test sells', mimeType: 'application/json' }
  app.use(
    paymentMiddleware(payTo, { [`GET /via/${name}`]: { price, network: 'solana-devnet', config } }, { url }),
  )
  app.get(`/via/${name}`, (_request, response) => {
    runs[name] = (runs[name] ?? 0) + 1
    response.json({ sold: name })
  })
}
serveHttp({ listener: app, answer: () => ({ runs }) })
