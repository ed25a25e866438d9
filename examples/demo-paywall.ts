/**
 * `npm run demo:paywall`: a shop with three priced routes on a local Solana chain, a LangChain agent and an AI SDK agent
 * that buy there with a tool, and a person with `curl`. Every payment settles for real; balances before and after.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { toAiSdkTools } from '@aetherkit/ai-sdk'
import { startDevnet } from '@aetherkit/devnet'
import { paywall } from '@aetherkit/express'
import { toLangChainTools } from '@aetherkit/langchain'
import {
  createBinding,
  createGate,
  createLedger,
  createSolanaSettler,
  DEVNET,
  keypairSigner,
  memoryStore,
} from '@aetherkit/payments'
import { paymentContext, paymentTools } from '@aetherkit/tools/payments'
import { stepCountIs, ToolLoopAgent } from 'ai'
import express from 'express'
import { createAgent, HumanMessage } from 'langchain'
import { aiSdkModel, langChainModel } from './demo/script.js'

const devnet = await startDevnet({ slotMs: 100 })
const { merchant, facilitator, buyer } = devnet.wallets
console.log(
  `local test chain, not Solana devnet: ${devnet.rpcUrl}, ready in ${Math.round(devnet.readyMs)} ms`,
)

// The shop.
const settler = createSolanaSettler({
  rpcUrl: devnet.rpcUrl,
  network: DEVNET,
  sponsors: [keypairSigner(facilitator.secretKey)],
})
const binding = createBinding({ keys: [crypto.getRandomValues(new Uint8Array(32))] })
const gate = createGate({ settler, ledger: createLedger(memoryStore()), binding })
const app = express()
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
const shop = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const paid = paywall({ gate, network: 'solana-devnet', payTo: merchant.publicKey, baseUrl: shop })
let presented = ''
app.get('/report', paid({ price: '$0.10', description: 'a market report' }), (request, response) => {
  presented = String(request.headers['payment-signature'])
  response.json({ report: 'Agents buy more than they sell.' })
})
app.get(
  '/search',
  paid({ price: (request) => (request.url?.includes('deep') ? '$0.05' : '$0.02') }),
  (request, response) => void response.json({ hits: [`something about ${request.query.q}`] }),
)
app.get('/story', paid({ price: '$0.03', mimeType: 'text/event-stream' }), async (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const line of ['Once upon a time', 'an agent paid', 'and got what it paid for.'])
    response.write(`data: ${line}\n\n`)
  response.end()
})

const balances = async () => ({
  buyer: `${Number(await devnet.tokensOf(buyer.publicKey)) / 1e6} USDC`,
  merchant: `${Number((await devnet.tokensOf(merchant.publicKey)) ?? 0n) / 1e6} USDC`,
})
console.log('before', await balances())

// One wallet, two agents: small purchases need no human, and the budget holds whatever a model says.
const wallet = {
  signer: keypairSigner(buyer.secretKey),
  network: 'solana-devnet',
  rpcUrl: devnet.rpcUrl,
  budget: { perCall: '$0.20', perDay: '$1' },
} as const
const context = (scope: string) => paymentContext(wallet, { askAbove: '0.20', scope })
const buy = (path: string, price: string) => ({
  tool: 'paid_fetch',
  input: { url: `${shop}${path}`, max_price: price, pay_to: merchant.publicKey },
})

const analyst = createAgent({
  model: langChainModel(
    () => ({ tool: 'quote', input: { url: `${shop}/report` } }),
    () => buy('/report', '0.10'),
    (result) => `Bought the report: ${JSON.parse(JSON.parse(result).untrusted_text).report}`,
  ),
  tools: toLangChainTools(paymentTools, context('analyst')),
})
const { messages } = await analyst.invoke({
  messages: [new HumanMessage(`Buy the report at ${shop}/report.`)],
})
console.log(`\nLangChain agent: ${messages.at(-1)?.text}`)

const reader = new ToolLoopAgent({
  model: aiSdkModel(
    () => buy('/search?q=relays&deep', '0.05'),
    () => buy('/story', '0.03'),
    (result) =>
      `Searched, and read: ${JSON.parse(result)
        .untrusted_text.replaceAll(/data: |\n/g, ' ')
        .trim()}`,
  ),
  tools: toAiSdkTools(paymentTools, context('reader')),
  stopWhen: stepCountIs(6),
})
const { text } = await reader.generate({
  prompt: `Search ${shop}/search for relays, then read ${shop}/story.`,
})
console.log(`AI SDK agent: ${text}`)

// A person looks at the shop, and tries the analyst's payment on another route.
const curl = async (...args: string[]): Promise<string> => {
  console.log(`\n$ curl ${args.map((arg) => (arg.length > 70 ? `${arg.slice(0, 60)}...` : arg)).join(' ')}`)
  const { stdout } = await promisify(execFile)('curl', args).catch(() => ({ stdout: '' }))
  for (const line of stdout.split(/\r?\n/).filter((each) => each !== '')) console.log(line.slice(0, 110))
  return stdout
}
const hasCurl = await promisify(execFile)('curl', ['--version']).then(
  () => true,
  () => false,
)
if (hasCurl) {
  assert.match(await curl('-si', `${shop}/report`), /^HTTP\/1\.1 402 /)
  assert.match(
    await curl('-si', '-H', `PAYMENT-SIGNATURE: ${presented}`, `${shop}/story`),
    /^HTTP\/1\.1 402 /,
  )
} else console.log('\n(no curl on this machine: its part is left out)')

console.log('\nafter ', await balances())
for (const { price, url, transaction } of await context('bill').payments.receipts()) {
  console.log(`  ${price} for ${url.slice(shop.length)}: ${transaction}`)
}
assert.equal(await devnet.tokensOf(merchant.publicKey), 180_000n, 'the shop earned 0.10 + 0.05 + 0.03')

gate.close()
server.closeAllConnections()
server.close()
await devnet.close()
