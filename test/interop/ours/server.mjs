/** Our seller: the Express paywall, one route `/via/<name>` for each facilitator over HTTP. */
import { randomBytes } from 'node:crypto'
import { paywall } from '@aetherkit/express'
import {
  createBinding,
  createFacilitatorClient,
  createGate,
  createLedger,
  memoryStore,
} from '@aetherkit/payments'
import express from 'express'
import { serveHttp, settings } from '../line.mjs'

const { rpcUrl, network, payTo, price, facilitators } = settings
const binding = createBinding({ keys: [randomBytes(32)] })
const runs = {}

serveHttp({
  make(baseUrl) {
    const app = express()
    for (const [name, url] of Object.entries(facilitators)) {
      const settler = createFacilitatorClient({ url, rpcUrl })
      const gate = createGate({ settler, ledger: createLedger(memoryStore()), binding })
      const paid = paywall({ gate, baseUrl, network, payTo })
      // The facilitator of the first generation refuses every memo (spec payments 3).
      const terms = name === 'legacy' ? { bind: 'off' } : {}
      app.get(`/via/${name}`, paid({ price, ...terms }), (_request, response) => {
        runs[name] = (runs[name] ?? 0) + 1
        response.json({ sold: name })
      })
    }
    return app
  },
  answer: () => ({ runs }),
})
