/** An Express app on a free port, the real gate, and buyers with tokens on the local chain. */
import { request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Devnet } from '@aetherkit/devnet'
import {
  createBinding,
  createGate,
  createLedger,
  createSolanaSettler,
  DEVNET,
  type Gate,
  type GateOptions,
  keypairSigner,
  memoryStore,
  type PayingFetch,
  payingFetch,
} from '@aetherkit/payments'
import express5 from 'express'
import express4 from 'express4'
import { type Paywall, type PaywallOptions, paywall } from '../src/index.js'

export const VERSIONS = [
  ['4', express4],
  ['5', express5],
] as const

export interface Shop {
  readonly app: ReturnType<typeof express5>
  readonly express: typeof express5
  readonly paid: Paywall
  readonly gate: Gate
  readonly base: string
  /** Runs of handlers that count themselves. */
  runs: number
  readonly errors: unknown[]
  /** Pays in x402 v2. */
  readonly fetch: PayingFetch
  /** Pays in `X-Payment`, as seed and v1 buyers do. */
  readonly fetchV1: PayingFetch
  /** Every payment header that was sent. */
  readonly sent: string[]
  /** What each of them got. */
  readonly answers: { readonly status: number; readonly headers: Headers }[]
  /** As it is written: no path is tidied up. */
  raw(method: string, path: string, headers?: Record<string, string>): Promise<RawAnswer>
  earned(): Promise<bigint>
  close(): Promise<void>
}

export interface ShopOptions extends Partial<PaywallOptions> {
  readonly gates?: Partial<GateOptions>
  readonly confirmTimeoutMs?: number
}

interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export async function openShop(
  devnet: Devnet,
  express: typeof express5,
  options: ShopOptions = {},
): Promise<Shop> {
  const { gates, confirmTimeoutMs, ...rest } = options
  const { facilitator, merchant, buyer } = devnet.wallets
  const errors: unknown[] = []
  const gate = createGate({
    settler: createSolanaSettler({
      rpcUrl: devnet.rpcUrl,
      network: DEVNET,
      sponsors: [keypairSigner(facilitator.secretKey)],
      ...(confirmTimeoutMs !== undefined && { confirmTimeoutMs }),
    }),
    ledger: createLedger(memoryStore()),
    binding: createBinding({ keys: [crypto.getRandomValues(new Uint8Array(32))] }),
    rateLimit: false,
    ...gates,
  })
  const app = express()
  const server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening))
  })
  const { port } = server.address() as AddressInfo
  const base = `http://127.0.0.1:${port}`
  const sent: string[] = []
  const answers: Shop['answers'] = []
  const buying = (fetch: typeof globalThis.fetch) =>
    payingFetch(fetch, {
      signer: keypairSigner(buyer.secretKey),
      network: 'solana-devnet',
      rpcUrl: devnet.rpcUrl,
      budget: { perCall: '$1', total: '$50' },
    })
  const noted: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const header = request.headers.get('payment-signature')
    if (header === null) return globalThis.fetch(request)
    sent.push(header)
    const response = await globalThis.fetch(request)
    answers.push(response)
    return response
  }
  const inV1: typeof globalThis.fetch = (input, init) => {
    const request = new Request(input, init)
    const header = request.headers.get('payment-signature')
    if (header !== null) {
      request.headers.delete('payment-signature')
      request.headers.set('x-payment', asV1(header))
    }
    return globalThis.fetch(request)
  }
  return {
    app,
    express,
    gate,
    base,
    runs: 0,
    errors,
    sent,
    answers,
    paid: paywall({
      gate,
      network: 'solana-devnet',
      payTo: merchant.publicKey,
      baseUrl: base,
      onError: (error) => errors.push(error),
      ...rest,
    }),
    fetch: buying(noted),
    fetchV1: buying(inV1),
    raw: (method, path, headers = {}) =>
      new Promise((resolve, reject) => {
        const asked = httpRequest({ port, host: '127.0.0.1', method, path, headers }, (response) => {
          let body = ''
          response.setEncoding('utf8').on('data', (text) => (body += text))
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          )
        })
        asked.on('error', reject)
        asked.end()
      }),
    earned: async () => (await devnet.tokensOf(merchant.publicKey)) ?? 0n,
    close() {
      gate.close()
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** The same transaction, dressed as v1. */
function asV1(header: string): string {
  const { payload } = JSON.parse(Buffer.from(header, 'base64').toString())
  const value = { x402Version: 1, scheme: 'exact', network: 'solana-devnet', payload }
  return Buffer.from(JSON.stringify(value)).toString('base64')
}
