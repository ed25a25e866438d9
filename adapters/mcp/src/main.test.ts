/** The built binary with a wallet: it buys within its budget, asks through its host, and forgets nothing over a restart. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createAgent } from '@aetherkit/a2a'
import { connect } from '@aetherkit/client'
import { keypairSigner, signerAddress } from '@aetherkit/payments'
import { createRelay, type Relay } from '@aetherkit/relay'
import { Client } from '@modelcontextprotocol/client'
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openShop, type Shop } from '../test/shop.js'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 })

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
let relay: Relay
let shop: Shop
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aether-mcp-'))
  relay = await createRelay()
  shop = await openShop()
})
afterAll(async () => {
  await shop?.close()
  await relay?.close()
  await rm(folder, { recursive: true })
})

/** A host whose human says yes to everything, and remembers what was asked. */
async function openHost(wallet: string, asked: string[]) {
  const host = new Client(
    { name: 'host', version: '1' },
    { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: 'auto' } },
  )
  host.setRequestHandler('elicitation/create', async ({ params }) => {
    asked.push(params.message)
    return { action: 'accept', content: { approve: true } }
  })
  const flags = ['--relay', relay.url, '--rpc', shop.devnet.rpcUrl, '--journal', join(folder, 'journal')]
  const caps = ['--per-call', '0.50', '--total', '0.25', '--ask-above', '0.10']
  await host.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [MAIN, ...flags, ...caps],
      env: { ...getDefaultEnvironment(), AETHER_WALLET: wallet },
      stderr: 'ignore',
    }),
  )
  const buy = async (path: string, max_price: string) => {
    const order = { url: shop.origin + path, max_price, pay_to: shop.seller.payTo }
    const key = { idempotency_key: `order-${path.slice(1)}` }
    return host.callTool({ name: 'paid_fetch', arguments: { ...order, ...key } })
  }
  return { buy, close: () => host.close() }
}

it('pays once for a key over a restart, asks above the threshold, and stops at the budget', async () => {
  const signer = keypairSigner(crypto.getRandomValues(new Uint8Array(32)))
  if (!('secretKey' in signer)) throw new TypeError('a keypair has its secret key')
  await shop.devnet.setTokens(signerAddress(signer), 1_000_000n)
  const wallet = JSON.stringify([...signer.secretKey])
  const asked: string[] = []
  const before = await shop.earned()
  for (let start = 0; start < 2; start++) {
    const host = await openHost(wallet, asked)
    const bought = await host.buy('/small-one', '0.10')
    expect(bought.structuredContent).toMatchObject({ paid: true, receipt: { amount: '0.10 USDC' } })
    await host.close()
  }
  expect([(await shop.earned()) - before, asked.length]).toEqual([100_000n, 0])

  const host = await openHost(wallet, asked)
  expect((await host.buy('/dearer-one', '0.20')).isError ?? false).toBe(false)
  expect(asked).toEqual([expect.stringContaining('Pay up to $0.20')])
  const refused = await host.buy('/one-too-many', '0.10')
  expect(JSON.stringify(refused.content)).toContain('OVER_LIMIT')
  await host.close()
  expect((await shop.earned()) - before).toBe(200_000n)
})

it('makes tools of the skills of an A2A agent that is known by its key', async () => {
  const key = crypto.getRandomValues(new Uint8Array(32))
  const mailbox = await connect(relay.url, { signer: key })
  const agent = createAgent({
    key,
    card: {
      name: 'Echo',
      description: 'Says it again',
      skills: [{ id: 'echo', name: 'echo', description: 'Says it again', tags: ['text'] }],
    },
    executor: { execute: async ({ text, write }) => write(`again: ${text}`) },
  })
  const served = agent.serveOn(mailbox)
  await served.ready
  const host = new Client({ name: 'host', version: '1' })
  const flags = ['--relay', relay.url, '--agent', `echo=aether:${mailbox.publicKey}`]
  await host.connect(
    new StdioClientTransport({ command: process.execPath, args: [MAIN, ...flags], stderr: 'ignore' }),
  )
  const { tools } = await host.listTools()
  expect(tools.map(({ name }) => name)).toContain('echo__echo')
  const order = { message: 'hello', idempotency_key: 'call-1' }
  const said = await host.callTool({ name: 'echo__echo', arguments: order })
  expect(said.structuredContent).toMatchObject({ state: 'completed', untrusted_text: 'again: hello' })
  await host.close()
  await served.close()
  await agent.close()
  await mailbox.close()
})
