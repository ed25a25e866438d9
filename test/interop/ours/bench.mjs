/** AetherKit under load: settler in this process, paywall before it, buyers (see test/bench/payments.mjs). */
import { createHash, randomBytes } from 'node:crypto'
import { paywall } from '@aetherkit/express'
import {
  createBinding,
  createGate,
  createLedger,
  createRecentBlockhash,
  createSolanaSettler,
  keypairSigner,
  memoryStore,
  payingFetch,
} from '@aetherkit/payments'
import express from 'express'
import { decodeBase58 } from '../differential/message.mjs'
import { serveHttp, settings } from '../line.mjs'
import { measure } from '../load.mjs'

const { rpcUrl, network, mint, secretKey, payTo, price, buyerKeys } = settings
const sponsors = [keypairSigner(decodeBase58(secretKey))]
const settler = createSolanaSettler({ rpcUrl, network, sponsors })
const buyers = buyerKeys.map((key) => {
  const signer = keypairSigner(decodeBase58(key))
  return payingFetch(fetch, { signer, network, rpcUrl, budget: { perCall: '$1' } })
})

const commands = {
  processor: () => process.cpuUsage(),
  verify: ({ calls, concurrency }) => {
    const read = calls.map(plain)
    return measure({ count: read.length, concurrency }, async (i) =>
      reasonOf(await settler.verify(...read[i])),
    )
  },
  settle: ({ calls, concurrency, pauseMs }) => {
    const read = calls.map(plain)
    return measure({ count: read.length, concurrency, pauseMs }, async (i) =>
      reasonOf(await settler.settle(...read[i])),
    )
  },
  static: ({ calls, concurrency }) => {
    const read = calls.map(plain)
    return measure({ count: read.length, concurrency }, async (i) =>
      reasonOf(await settler.verifyStatic(...read[i])),
    )
  },
  buy: ({ url, count, concurrency }) =>
    measure({ count, concurrency }, async (_i, worker) => {
      const response = await buyers[worker](url)
      const text = await response.text()
      return response.status === 200 ? undefined : `${response.status} ${text.slice(0, 200)}`
    }),
  gate: ({ calls }) => gateAlone(calls),
}
serveHttp({
  make(baseUrl) {
    const binding = createBinding({ keys: [randomBytes(32)] })
    const recentBlockhash = createRecentBlockhash({ rpcUrl, network })
    const gate = createGate({
      settler,
      ledger: createLedger(memoryStore()),
      binding,
      recentBlockhash,
      rateLimit: false,
    })
    const paid = paywall({ gate, baseUrl, network, payTo })
    const app = express()
    app.get('/paid', paid({ price }), (_request, response) => response.json({ sold: true }))
    app.get('/bare', (_request, response) => response.status(402).json({ error: 'payment_required' }))
    return app
  },
  answer: ({ command, ...argument }) => commands[command](argument),
})

/** The gate with a memory ledger and a settler that says yes at once: what is left is the gate. */
function gateAlone(calls) {
  const idOf = ({ transaction }) => createHash('sha256').update(transaction).digest('hex')
  const payer = payTo
  const instant = {
    kinds: () => settler.kinds(),
    verifyStatic: async (payment) => ({ ok: true, paymentId: idOf(payment), payer }),
    verify: async (payment) => ({ ok: true, paymentId: idOf(payment), payer }),
    settle: async (payment, { amount }) => {
      const paymentId = idOf(payment)
      return { ok: true, paymentId, transaction: paymentId, payer, received: amount }
    },
    fate: async () => ({ state: 'unknown' }),
  }
  const gate = createGate({ settler: instant, ledger: createLedger(memoryStore()), rateLimit: false })
  const url = 'http://127.0.0.1/paid'
  const amount = BigInt(calls[0].paymentRequirements.amount)
  const terms = {
    resource: { url, description: 'bench', mimeType: 'application/json' },
    accepts: [{ network, amount, asset: mint, payTo, maxTimeoutSeconds: 60 }],
    bind: 'off',
    requireBinding: 'off',
  }
  // The offer says that it is paid up front, and the buyer echoes it.
  const headers = calls.map(({ paymentPayload: { accepted, ...payload } }) => {
    const echoed = { ...accepted, extra: { ...accepted.extra, paymentFlow: 'upfront' } }
    return Buffer.from(JSON.stringify({ ...payload, accepted: echoed })).toString('base64')
  })
  const body = Buffer.from('{"sold":true}')
  return measure({ count: headers.length, concurrency: 1 }, async (i) => {
    const header = (name) => (name.toLowerCase() === 'payment-signature' ? headers[i] : undefined)
    const verdict = await gate.decide({ method: 'GET', url, header }, terms)
    if (verdict.kind !== 'pass') return `${verdict.status} ${verdict.reason}`
    await verdict.complete({ status: 200, body })
  })
}

/** A call of the wire as our settler takes it. */
function plain({ paymentPayload, paymentRequirements }) {
  const { scheme, network: at, amount, asset, payTo: payee, maxTimeoutSeconds, extra } = paymentRequirements
  const payment = { dialect: 'v2', network: at, transaction: paymentPayload.payload.transaction, raw: {} }
  const terms = { scheme, network: at, amount: BigInt(amount), asset, payTo: payee, maxTimeoutSeconds }
  return [payment, { ...terms, feePayer: extra.feePayer, flow: 'authorization' }]
}

function reasonOf(verdict) {
  return verdict.ok ? undefined : verdict.reason
}
