// One seller process on a shared ledger, for tests that kill it. Prints its port; each run of the handler is a line in a
// file. With `killAt` every seam of the settler, the ledger and the handler is a step, and it kills itself at the named one.
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createBinding } from '../dist/binding.js'
import { createSolanaSettler } from '../dist/exact/settle.js'
import { createGate } from '../dist/gate.js'
import { createLedger } from '../dist/ledger/ledger.js'
import { lmdbStore } from '../dist/ledger/lmdb.js'
import { keypairSigner, signerAddress, signMessage } from '../dist/solana.js'

const { rpcUrl, network, sponsor, ledger, runs, terms, bindingKey, hang, steps, killAt, leaseMs } =
  JSON.parse(process.argv[2])
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'))
const { accepts, ...rest } = terms

const counts = new Map()
function step(name) {
  if (steps === undefined) return
  const count = (counts.get(name) ?? 0) + 1
  counts.set(name, count)
  const label = count === 1 ? name : `${name} (${count})`
  appendFileSync(steps, `${label}\n`)
  if (label === killAt) process.kill(process.pid, 'SIGKILL')
}
async function around(name, run) {
  step(`before ${name}`)
  const result = await run()
  step(`after ${name}`)
  return result
}

const store = lmdbStore(ledger)
const named = (key) => key.slice(0, key.indexOf('/'))
const steppedStore = {
  ...store,
  get: (key) => around(`reading ${named(key)}`, () => store.get(key)),
  swap: (key, ...rest) => around(`writing ${named(key)}`, () => store.swap(key, ...rest)),
}
const secret = keypairSigner(bytes(sponsor))
const signer = {
  address: signerAddress(secret),
  signMessageBytes: (message) => around('signing', () => signMessage(secret, message, '')),
}
const gate = createGate({
  settler: createSolanaSettler({
    rpcUrl,
    network,
    sponsors: [signer],
    fetch: (url, init) => around(methodsIn(init.body), () => fetch(url, init)),
  }),
  ledger: createLedger(steppedStore),
  binding: createBinding({ keys: [bytes(bindingKey)] }),
  leaseMs: leaseMs ?? 400,
  watchEveryMs: 50,
  waitMs: 5_000,
  rateLimit: false,
})

function methodsIn(body) {
  const call = JSON.parse(body)
  return Array.isArray(call) ? call.map(({ method }) => method).join(' and ') : call.method
}

/** Each payee has a path of its own; the root belongs to the one of the terms. */
const server = createServer(async (request, response) => {
  const payee = request.url.slice(1)
  const payTo = payee === '' ? {} : { payTo: payee }
  const resource = { ...rest.resource, url: new URL(payee, rest.resource.url).href }
  const verdict = await gate.decide(
    { method: request.method, url: resource.url, header: (name) => request.headers[name] },
    {
      ...rest,
      resource,
      accepts: accepts.map((offer) => ({ ...offer, ...payTo, amount: BigInt(offer.amount) })),
    },
  )
  if (verdict.kind === 'respond') {
    response.writeHead(verdict.status, verdict.headers).end(verdict.body)
    return
  }
  await around('the handler', async () => {
    appendFileSync(runs, `${process.pid} ${payee} ${verdict.paid.paymentId}\n`)
    if (hang) await new Promise(() => {})
  })
  await verdict.complete({ status: 200, body: Buffer.from('ok') })
  step('before the answer')
  response.writeHead(200, verdict.headers).end('ok', () => step('after the answer'))
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
