// One buyer process, for tests that kill it: every seam of the paying fetch is a step, and it kills itself at one of them.
// Prints the steps it made and what it was served, as one line of JSON.
import { fileJournalStore } from '../dist/buyer/journal-store.js'
import { createJournal } from '../dist/journal.js'
import { payingFetch } from '../dist/pay.js'
import { keypairSigner, signMessage } from '../dist/solana.js'

const { rpcUrl, seed, journal: path, url, key, killAt, budget } = JSON.parse(process.argv[2])
const steps = []
const step = (name) => {
  steps.push(name)
  if (steps.length === killAt) process.kill(process.pid, 'SIGKILL')
}
const around = async (name, run) => {
  step(`before ${name}`)
  const result = await run()
  step(`after ${name}`)
  return result
}
const secret = keypairSigner(Uint8Array.from(Buffer.from(seed, 'hex')))
const store = fileJournalStore(path)
const journal = createJournal({
  transact: (run) => around('the journal is written', () => store.transact(run)),
  close: () => store.close(),
})
const paying = payingFetch(
  (input, init) =>
    around(new Headers(init.headers).has('payment-signature') ? 'paying' : 'asking', () =>
      fetch(input, init),
    ),
  {
    network: 'solana-devnet',
    rpcUrl,
    journal,
    signer: {
      address: secret.publicKey.toBase58(),
      signMessageBytes: (message) => around('signing', () => signMessage(secret, message, '')),
    },
    approve: () => around('approval', async () => true),
    ...(budget && { budget }),
    rpcFetch: (input, init) => around(JSON.parse(init.body).method, () => fetch(input, init)),
  },
)
try {
  const response = await paying(url, key === undefined ? {} : { headers: { 'idempotency-key': key } })
  const body = await response.text()
  step('the body is read')
  console.log(JSON.stringify({ status: response.status, body, steps }))
} catch (error) {
  console.log(JSON.stringify({ code: error.code, steps }))
}
await journal.close()
