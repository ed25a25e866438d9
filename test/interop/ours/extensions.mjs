/** Our seller with every extension that it serves, on one route. */
import { randomBytes } from 'node:crypto'
import { paywall } from '@aetherkit/express'
import {
  createBinding,
  createDiscovery,
  createGate,
  createLedger,
  createPaymentIdentifiers,
  createReceipts,
  createSignIn,
  createSolanaSettler,
  keypairSigner,
  memoryStore,
} from '@aetherkit/payments'
import express from 'express'
import { decodeBase58 } from '../differential/message.mjs'
import { serveHttp, settings } from '../line.mjs'

const { rpcUrl, network, secretKey, payTo, price } = settings
let runs = 0

serveHttp({
  make(baseUrl) {
    const store = memoryStore()
    const signIn = createSignIn({ origin: baseUrl, store, networks: [network] })
    const gate = createGate({
      settler: createSolanaSettler({ rpcUrl, network, sponsors: [keypairSigner(decodeBase58(secretKey))] }),
      ledger: createLedger(store),
      binding: createBinding({ keys: [randomBytes(32)] }),
      identifiers: createPaymentIdentifiers({ store }),
      extensions: [
        createReceipts({ secretKey: randomBytes(32) }),
        createDiscovery({ queryParams: { city: 'Graz' }, output: { example: { sold: 1 } } }),
        signIn,
      ],
      onRequest: signIn.grant,
      onSettled: signIn.remember,
    })
    const paid = paywall({ gate, baseUrl, network, payTo })
    const app = express()
    app.get('/report', paid({ price }), (_request, response) => response.json({ sold: ++runs }))
    return app
  },
  answer: () => ({ runs }),
})
