/** The local chain with a seller on it: the gate, priced HTTP routes for `paid_fetch`, and wallets with 100 USDC. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Devnet, startDevnet } from '@aetherkit/devnet'
import {
  createBinding,
  createGate,
  createLedger,
  createSolanaSettler,
  DEVNET,
  type Gate,
  keypairSigner,
  memoryStore,
  type PayingFetchOptions,
  priceRoute,
  signerAddress,
} from '@aetherkit/payments'

export interface Shop {
  readonly devnet: Devnet
  readonly gate: Gate
  /** `gate`, `network` and `payTo`. */
  readonly seller: { readonly gate: Gate; readonly network: string; readonly payTo: string }
  /** Every path costs 0.10 USDC and answers more than 8 KiB. */
  readonly origin: string
  /** Runs of these routes. */
  readonly sold: number
  /** A new wallet with 100 USDC. */
  wallet(change?: Partial<PayingFetchOptions>): Promise<PayingFetchOptions>
  /** Atomic, on the account of the merchant. */
  earned(): Promise<bigint>
  close(): Promise<void>
}
export async function openShop(): Promise<Shop> {
  const devnet = await startDevnet({ slotMs: 20 })
  const { merchant, facilitator } = devnet.wallets
  const gate = createGate({
    settler: createSolanaSettler({
      rpcUrl: devnet.rpcUrl,
      network: DEVNET,
      sponsors: [keypairSigner(facilitator.secretKey)],
    }),
    ledger: createLedger(memoryStore()),
    binding: createBinding({ keys: [crypto.getRandomValues(new Uint8Array(32))] }),
    rateLimit: false,
  })
  const seller = { gate, network: 'solana-devnet', payTo: merchant.publicKey }
  const terms = priceRoute({ price: '$0.10', mimeType: 'text/plain' }, seller)
  let sold = 0
  const server = createServer(async ({ method = 'GET', url = '/', headers }, response) => {
    const header = (name: string) => [headers[name]].flat()[0]
    const request = { method, url: `${origin()}${url}`, header }
    const verdict = await gate.decide(request, await terms(request, undefined, undefined))
    if (verdict.kind === 'respond')
      return response.writeHead(verdict.status, verdict.headers).end(verdict.body)
    sold++
    const body = `goods of ${url} ${'.'.repeat(9_000)}`
    response.writeHead(200, { 'Content-Type': 'text/plain', ...verdict.headers }).end(body)
    if (verdict.kind === 'pass') await verdict.complete({ status: 200, body: new TextEncoder().encode(body) })
  })
  const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    devnet,
    gate,
    seller,
    origin: origin(),
    get sold() {
      return sold
    },
    async wallet(change = {}) {
      const signer = keypairSigner(crypto.getRandomValues(new Uint8Array(32)))
      await devnet.setTokens(signerAddress(signer), 100_000_000n)
      return { signer, network: 'solana-devnet', rpcUrl: devnet.rpcUrl, patienceMs: 8_000, ...change }
    },
    earned: async () => (await devnet.tokensOf(merchant.publicKey)) ?? 0n,
    async close() {
      gate.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await devnet.close()
    },
  }
}
