/** A seller over real HTTP on the local chain, and wallets with money: what is proved with it is proved by balances. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Devnet, startDevnet } from '@aetherkit/devnet'
import {
  createGate,
  createLedger,
  createSolanaSettler,
  DEVNET,
  type GateOptions,
  keypairSigner,
  memoryStore,
  signerAddress,
} from '@aetherkit/payments'
import type { PaymentWallet } from '../src/payments.js'

export interface Shop {
  readonly chain: Devnet
  readonly origin: string
  readonly payTo: string
  /** Runs of the handler. */
  sold: number
  /** Requests that carried a payment. */
  presented: number
  /** Atomic; 100,000 by default, which is 0.10 USDC. */
  price: bigint
  /** What the handler of a priced route answers: its path, or 20 KiB of text under /long. */
  serve: (path: string, response: ServerResponse) => void
  /** Paid requests that are dropped without an answer. */
  silent: boolean
  /** The merchant's balance on the chain, atomic. */
  earned(): Promise<bigint>
  /** A wallet of its own, with so many atomic units; its journal is in memory, kept by the object. */
  wallet(change?: Partial<PaymentWallet>, tokens?: bigint): Promise<PaymentWallet>
  close(): Promise<void>
}

/** Every path is priced but those under /free. */
export async function openShop(
  options: Partial<GateOptions> & { readonly confirmTimeoutMs?: number } = {},
): Promise<Shop> {
  const { confirmTimeoutMs = 30_000, ...gateOptions } = options
  const chain = await startDevnet({ slotMs: 20 })
  const { merchant, facilitator } = chain.wallets
  const sponsors = [keypairSigner(facilitator.secretKey)]
  const gate = createGate({
    settler: createSolanaSettler({ rpcUrl: chain.rpcUrl, network: DEVNET, sponsors, confirmTimeoutMs }),
    ledger: createLedger(memoryStore()),
    rateLimit: false,
    watchEveryMs: 20,
    ...gateOptions,
  })
  const server = createServer(async ({ method = 'GET', url: path = '/', headers }, response) => {
    if (path.startsWith('/free')) return void response.end('free')
    const isPaid = (headers['payment-signature'] ?? headers['x-payment']) !== undefined
    if (isPaid) shop.presented++
    if (isPaid && shop.silent) return void response.destroy()
    const url = `${shop.origin}${path}`
    const verdict = await gate.decide(
      { method, url, header: (name) => headers[name]?.toString() },
      {
        resource: { url, description: 'a good thing', mimeType: 'text/plain' },
        accepts: [{ network: DEVNET, amount: shop.price, asset: chain.mint, payTo: shop.payTo }],
      },
    )
    if (verdict.kind === 'respond')
      return void response.writeHead(verdict.status, verdict.headers).end(verdict.body)
    if (verdict.kind === 'grant') throw new Error('nobody is let in free')
    shop.sold++
    for (const [name, value] of Object.entries(verdict.headers)) response.setHeader(name, value)
    let body = new Uint8Array()
    const end = response.end.bind(response)
    response.end = (chunk?: unknown) => {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) body = Buffer.from(chunk)
      void verdict.complete({ status: response.statusCode, body }).then(() => end(body))
      return response
    }
    shop.serve(path, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const shop: Shop = {
    chain,
    origin: `http://127.0.0.1:${port}`,
    payTo: merchant.publicKey,
    sold: 0,
    presented: 0,
    price: 100_000n,
    serve: (path, response) =>
      void response.end(path.startsWith('/long') ? 'ä'.repeat(10_000) : `goods of ${path}`),
    silent: false,
    earned: async () => (await chain.tokensOf(merchant.publicKey)) ?? 0n,
    async wallet(change = {}, tokens = 5_000_000n) {
      const signer = keypairSigner(crypto.getRandomValues(new Uint8Array(32)))
      await chain.setTokens(signerAddress(signer), tokens)
      return { signer, network: 'solana-devnet', rpcUrl: chain.rpcUrl, patienceMs: 8_000, ...change }
    },
    async close() {
      gate.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await chain.close()
    },
  }
  return shop
}
