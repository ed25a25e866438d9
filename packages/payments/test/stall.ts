/** A seller over real HTTP on the local chain, for the buyer's tests: what it says can be changed on the way out. */
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Gate, GateOptions } from '../src/gate.js'
import { keypairSigner, type PaymentSigner, signerAddress } from '../src/solana.js'
import type { AcceptedTerms, RouteTerms } from '../src/terms.js'
import type { Market } from './market.js'

interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly isPaid: boolean
}

export interface Stall {
  readonly origin: string
  readonly gate: Gate
  /** Every request, in order. */
  readonly asked: Asked[]
  /** Runs of the handler. */
  runs: number
  /** So many of the next paid answers get lost after the handler has run. */
  losses: number
  /** Answers in the seller's place; `true` when it did. */
  before: (asked: Asked, response: ServerResponse) => boolean | Promise<boolean>
  /** What the handler answers. */
  serve: (asked: Asked, response: ServerResponse) => void | Promise<void>
  terms: Partial<RouteTerms> & { readonly accept?: Partial<AcceptedTerms> }
  /** Who is paid for a path, in place of the merchant. */
  readonly payees: Map<string, string>
  /** Header of each request that carried a payment. */
  payments(): string[]
  close(): Promise<void>
}

export async function openStall(market: Market, options: Partial<GateOptions> = {}): Promise<Stall> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = 'GET', url = '/', headers } = request
    const isPaid = headers['payment-signature'] !== undefined || headers['x-payment'] !== undefined
    const asked: Asked = { method, url, headers, body: Buffer.concat(chunks).toString(), isPaid }
    stall.asked.push(asked)
    if (await stall.before(asked, response)) return
    if (url.startsWith('/free')) return void response.end('free')
    await sell(stall, market, asked, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const stall: Stall = {
    origin: `http://127.0.0.1:${port}`,
    gate: market.gate({ watchEveryMs: 20, ...options }),
    asked: [],
    runs: 0,
    losses: 0,
    before: () => false,
    serve: ({ body }, response) => void response.end(`goods${body}`),
    terms: {},
    payees: new Map(),
    payments: () =>
      stall.asked
        .flatMap(({ headers }) => headers['payment-signature'] ?? headers['x-payment'] ?? [])
        .map(String),
    close() {
      stall.gate.close()
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return stall
}

async function sell(stall: Stall, market: Market, asked: Asked, response: ServerResponse): Promise<void> {
  const { accept, ...change } = stall.terms
  const payTo = stall.payees.get(asked.url)
  const url = `${stall.origin}${asked.url}`
  const verdict = await stall.gate.decide(
    { method: asked.method, url, header: (name) => asked.headers[name]?.toString() },
    {
      ...market.terms,
      resource: { url, description: 'goods', mimeType: 'text/plain' },
      accepts: market.terms.accepts.map((terms) => ({ ...terms, ...(payTo && { payTo }), ...accept })),
      ...change,
    },
  )
  if (asked.isPaid && verdict.kind === 'respond' && stall.losses > 0) {
    stall.losses--
    response.destroy()
    return
  }
  if (verdict.kind === 'respond') {
    response.writeHead(verdict.status, verdict.headers).end(verdict.body)
    return
  }
  if (verdict.kind === 'grant') throw new Error('nobody is let in free')
  stall.runs++
  for (const [name, value] of Object.entries(verdict.headers)) response.setHeader(name, value)
  const chunks: Buffer[] = []
  const write = response.write.bind(response)
  const end = response.end.bind(response)
  response.write = (chunk: string | Uint8Array) => {
    chunks.push(Buffer.from(chunk))
    return write(chunk)
  }
  response.end = (chunk?: unknown) => {
    if (typeof chunk === 'string') chunks.push(Buffer.from(chunk))
    const body = new Uint8Array(Buffer.concat(chunks))
    void verdict.complete({ status: response.statusCode, body }).then(() => {
      if (stall.losses-- > 0) response.destroy()
      else if (typeof chunk === 'string') end(chunk)
      else end()
    })
    return response
  }
  await stall.serve(asked, response)
}

/** A buyer with tokens of his own. */
export async function newBuyer(
  market: Market,
  tokens: bigint,
  seed: Uint8Array = randomBytes(32),
): Promise<{ signer: PaymentSigner; address: string; tokens(): Promise<bigint> }> {
  const signer = keypairSigner(seed)
  const address = signerAddress(signer)
  await market.chain.setTokens(address, tokens)
  return { signer, address, tokens: async () => (await market.chain.tokensOf(address)) ?? 0n }
}
