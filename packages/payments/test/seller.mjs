// One seller process on a shared ledger, for tests that kill it. Prints its port; each run of the handler is a line in a file.
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createBinding } from '../dist/binding.js'
import { createSolanaSettler } from '../dist/exact/settle.js'
import { createGate } from '../dist/gate.js'
import { createLedger } from '../dist/ledger/ledger.js'
import { lmdbStore } from '../dist/ledger/lmdb.js'
import { keypairSigner } from '../dist/solana.js'

const { rpcUrl, network, sponsor, ledger, runs, terms, bindingKey, hang } = JSON.parse(process.argv[2])
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'))
const { accepts, ...rest } = terms
const gate = createGate({
  settler: createSolanaSettler({ rpcUrl, network, sponsors: [keypairSigner(bytes(sponsor))] }),
  ledger: createLedger(lmdbStore(ledger)),
  binding: createBinding({ keys: [bytes(bindingKey)] }),
  leaseMs: 400,
  watchEveryMs: 50,
  waitMs: 5_000,
  rateLimit: false,
})

const server = createServer(async (request, response) => {
  const verdict = await gate.decide(
    { method: request.method, url: rest.resource.url, header: (name) => request.headers[name] },
    { ...rest, accepts: accepts.map((offer) => ({ ...offer, amount: BigInt(offer.amount) })) },
  )
  if (verdict.kind === 'respond') {
    response.writeHead(verdict.status, verdict.headers).end(verdict.body)
    return
  }
  appendFileSync(runs, `${process.pid} ${verdict.paid.paymentId}\n`)
  if (hang) await new Promise(() => {})
  await verdict.complete({ status: 200, body: Buffer.from('ok') })
  response.writeHead(200, verdict.headers).end('ok')
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
