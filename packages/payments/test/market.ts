/** The same shop on the local chain, with the real settler: what is proved here is proved by the ledger of the chain. */
import { type Devnet, type StartOptions, startDevnet } from '@aetherkit/devnet'
import { createBinding } from '../src/binding.js'
import { encodeHeader } from '../src/codec/header.js'
import { writePayment as writeV1 } from '../src/codec/v1.js'
import { writePayment as writeV2 } from '../src/codec/v2.js'
import { buildPayment } from '../src/exact/build.js'
import { createSolanaSettler, type SolanaSettlerOptions } from '../src/exact/settle.js'
import { createGate, type Gate, type GateOptions } from '../src/gate.js'
import { createLedger } from '../src/ledger/ledger.js'
import { memoryStore } from '../src/ledger/memory.js'
import { DEVNET } from '../src/network.js'
import { createRpc } from '../src/rpc.js'
import { keypairSigner } from '../src/solana.js'
import type { GateRequest, RouteTerms } from '../src/terms.js'

const URL_PAID = 'https://shop.example/paid'
export const PRICE = 100_000n
export const BINDING_KEY = new Uint8Array(32).fill(9)

export interface Market {
  readonly chain: Devnet
  readonly terms: RouteTerms
  settler(options?: Partial<SolanaSettlerOptions>): ReturnType<typeof createSolanaSettler>
  gate(options?: Partial<GateOptions>): Gate
  request(headers?: Record<string, string>, url?: string): GateRequest
  /** For the offer of these terms; those of the market by default. */
  pay(dialect?: 'v1' | 'v2', offered?: RouteTerms): Promise<Record<string, string>>
  balances(): Promise<{ buyer: bigint; merchant: bigint; sponsor: bigint }>
  close(): Promise<void>
}

export async function openMarket(options: StartOptions = {}): Promise<Market> {
  const chain = await startDevnet({ slotMs: 20, ...options })
  const { buyer, merchant, facilitator } = chain.wallets
  const rpc = createRpc(chain.rpcUrl)
  const terms: RouteTerms = {
    resource: { url: URL_PAID, description: 'a thing', mimeType: 'text/plain' },
    accepts: [
      {
        network: DEVNET,
        amount: PRICE,
        asset: chain.mint,
        payTo: merchant.publicKey,
        maxTimeoutSeconds: 60,
      },
    ],
  }
  const market: Market = {
    chain,
    terms,
    settler: (more = {}) =>
      createSolanaSettler({
        rpcUrl: chain.rpcUrl,
        network: DEVNET,
        sponsors: [keypairSigner(facilitator.secretKey)],
        ...more,
      }),
    gate: (more = {}) =>
      createGate({
        settler: market.settler(),
        ledger: createLedger(memoryStore()),
        binding: createBinding({ keys: [BINDING_KEY] }),
        rateLimit: false,
        ...more,
      }),
    request: (headers = {}, url = URL_PAID) => ({ method: 'GET', url, header: (name) => headers[name] }),
    async pay(dialect = 'v2', offered = terms) {
      const gate = market.gate()
      const offer = await gate.offer(market.request(), offered)
      gate.close()
      const [accepted] = offer.accepts
      if (accepted === undefined) throw new Error('an empty offer')
      const signer = keypairSigner(buyer.secretKey)
      const built = await buildPayment(accepted, { signer, rpc, mints: new Map(), allowedMints: {} })
      const transaction = Buffer.from(built.wire).toString('base64')
      return dialect === 'v1'
        ? { 'x-payment': encodeHeader(writeV1(accepted, transaction, 'v1')) }
        : { 'payment-signature': encodeHeader(writeV2(offer, accepted, transaction)) }
    },
    async balances() {
      const [bought, sold] = await Promise.all([
        chain.tokensOf(buyer.publicKey),
        chain.tokensOf(merchant.publicKey),
      ])
      return { buyer: bought ?? 0n, merchant: sold ?? 0n, sponsor: chain.lamportsOf(facilitator.publicKey) }
    },
    close: () => chain.close(),
  }
  return market
}
