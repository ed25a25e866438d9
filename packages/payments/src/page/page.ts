/**
 * The page a person sees where a program sees a 402 (spec payments 11). It pays with a wallet of the browser and hands
 * the payment over in a cookie of this one path, so that what was bought arrives as a page, a picture or a download of
 * its own, and a reload brings the same payment again and never a new one.
 */
import type { HeaderReader } from '../codec/classify.js'
import { PaymentError } from '../errors.js'
import { DEMO_ADDRESSES } from '../exact/demo-address.js'
import { formatMoney } from '../money.js'
import { DEVNET, MAINNET, type Network, networkName, parseNetwork, TESTNET } from '../network.js'
import { wantsPage } from '../offer.js'
import type { Respond } from '../outcome.js'
import type { Offer, Requirement } from '../requirement.js'
import { type Fetch, isLoopback } from '../rpc.js'
import { keypairSigner, signerAddress } from '../solana.js'
import type { GateRequest } from '../terms.js'
import { tokenByMint } from '../token.js'
import { notePage, PAGE_HEADERS, type PageText, paymentPage } from './markup.js'
import { type Note, noteOf } from './note.js'
import type { PageTerms } from './page-data.js'
import { createProxy } from './proxy.js'

export interface PaymentPageOptions {
  /** The seller's node: the page asks it through the seller, and never a public one. */
  readonly rpcUrl: string
  /** In any spelling; offers of other networks are shown and not paid here. */
  readonly network: string
  /** Another page; undefined leaves ours. Whatever it shows of the offer it must escape itself. */
  readonly html?: (answer: Respond, offer: Offer) => string | undefined
  /** Secret key of a demo buyer of the local chain, for a wallet inside the page. Refused for every other key and node. */
  readonly testWallet?: Uint8Array
  readonly fetch?: Fetch
}

export interface PaymentPage {
  /** The headers of a request, with the payment of a browser's cookie where a program has a header. */
  read(header: HeaderReader): HeaderReader
  /** Answers the page's own questions to the chain; undefined for every other request. */
  ask(request: GateRequest): Promise<Pick<Respond, 'status' | 'headers' | 'body'> | undefined>
  /** An answer of the gate for the eye; the same answer for whoever is no browser. */
  show(answer: Respond, request: GateRequest): Respond
}

const COOKIE = 'aetherkit-payment'
const CHAINS: Readonly<Record<Network, { readonly chain: string; readonly name: string }>> = {
  [MAINNET]: { chain: 'solana:mainnet', name: 'Solana' },
  [DEVNET]: { chain: 'solana:devnet', name: 'Solana devnet' },
  [TESTNET]: { chain: 'solana:testnet', name: 'Solana testnet' },
}

/** @throws PaymentError `unknown_network`; `demo_key` for a test wallet that is not a demo key on a chain of this machine */
export function createPaymentPage(options: PaymentPageOptions): PaymentPage {
  const network = parseNetwork(options.network)
  if (network === undefined)
    throw new PaymentError('unknown_network', `no network is called ${options.network}`)
  const testWallet = options.testWallet && demoSeed(options.testWallet, options.rpcUrl)
  const proxy = createProxy(options.rpcUrl, options.fetch)

  function offerPage(offer: Offer, resource: GateRequest['url'], note: Note | undefined): string {
    const { terms, text } = describe(offer, resource, network as Network)
    return paymentPage(
      { ...text, ...(note !== undefined && { note }) },
      {
        name: COOKIE,
        network: network as Network,
        networkName: networkName(network as Network, 'v1'),
        chain: CHAINS[network as Network].chain,
        terms,
        ...(testWallet !== undefined && { testWallet }),
      },
    )
  }

  return {
    read(header) {
      const isProgram = header('payment-signature') !== undefined || header('x-payment') !== undefined
      const payment = isProgram || !isBrowser(header) ? undefined : paymentCookie(header)
      return payment === undefined ? header : (name) => (name === 'x-payment' ? payment : header(name))
    },
    async ask({ method, header, ip }) {
      const answered = method === 'GET' ? await proxy(header, ip) : undefined
      const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }
      return answered && { ...answered, headers }
    },
    show(answer, request) {
      const { outcome, offer, headers } = answer
      if (request.method !== 'GET' || outcome === 'replayed' || !isBrowser(request.header)) return answer
      const note = noteOf(answer)
      const isDone = note === undefined || note.tone === 'bad'
      const html = offer && options.html?.(answer, offer)
      return {
        ...answer,
        headers: {
          ...headers,
          ...(html === undefined ? PAGE_HEADERS : { 'Content-Type': 'text/html; charset=utf-8' }),
          ...(isDone &&
            paymentCookie(request.header) !== undefined && { 'Set-Cookie': expired(request.url) }),
          ...(note?.againIn !== undefined && { Refresh: String(note.againIn) }),
        },
        body: html ?? (offer ? offerPage(offer, request.url, note) : tell(request.url, note, answer)),
      }
    },
  }
}

/** What the offer says to a person, and those of its terms that the page can pay. */
function describe(
  { resource, accepts }: Offer,
  url: string,
  network: Network,
): { terms: readonly PageTerms[]; text: PageText } {
  const [first] = accepts as [Requirement, ...Requirement[]]
  const payable = accepts.filter(
    (each) => each.network === network && each.payTo === first.payTo && tokenByMint(network, each.asset),
  )
  const shown = payable[0] ?? first
  const { host } = new URL(url)
  const text: PageText = {
    host: resource.serviceName === undefined ? host : `${resource.serviceName} (${host})`,
    title: resource.description || resource.url,
    url: resource.url,
    prices: (payable.length > 0 ? payable : [shown]).map((each) => formatMoney(each, each.network)),
    payTo: shown.payTo,
    networkName: CHAINS[shown.network].name,
    isTestNetwork: shown.network !== MAINNET,
    flow: shown.flow,
  }
  const terms = payable.flatMap(({ amount, asset, payTo }): PageTerms[] => {
    const token = tokenByMint(network, asset)
    if (token === undefined) return []
    const { program: tokenProgram, decimals, symbol } = token
    return [{ amount: amount.toString(), asset, payTo, tokenProgram, decimals, symbol }]
  })
  return { terms, text }
}

function tell(url: string, note: Note | undefined, { outcome, reason }: Respond): string {
  const what: Note = note ?? { tone: 'bad', title: 'Not paid', lines: [reason ?? outcome] }
  const { host, href } = new URL(url)
  return notePage(host, what, href)
}

function isBrowser(header: HeaderReader): boolean {
  return wantsPage(header('accept'), header('user-agent'))
}

function paymentCookie(header: HeaderReader): string | undefined {
  const pairs = (header('cookie') ?? '').split(/; */)
  const value = pairs.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1)
  return value === '' ? undefined : value
}

/** The path is the one under which the script has set it. */
function expired(url: string): string {
  const { pathname } = new URL(url)
  return `${COOKIE}=; Path=${pathname.includes(';') ? '/' : pathname}; Max-Age=0; SameSite=Strict`
}

function demoSeed(secretKey: Uint8Array, rpcUrl: string): string {
  const address = signerAddress(keypairSigner(secretKey))
  if (!DEMO_ADDRESSES.includes(address) || !isLoopback(rpcUrl))
    throw new PaymentError('demo_key', 'a test wallet is a demo key of a local chain, and nothing else')
  return Buffer.from(secretKey.subarray(0, 32)).toString('base64')
}
