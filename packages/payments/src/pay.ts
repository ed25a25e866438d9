/**
 * A `fetch` that pays (spec payments 12): it asks, reads the offer, checks it by the buyer's own rules, signs once, writes
 * the payment down, presents it, and presents the same one again until it is served or provably dead. A crash between
 * any two steps costs at most one payment: an equal request finds it in the journal.
 */
import { accountsOf, type BudgetCaps, type CapName, type Caps, DEFAULT_CAPS, readCaps } from './budget.js'
import { type BuyerPolicy, readChallenge } from './buyer/choose.js'
import { spendCredit } from './buyer/credit.js'
import { type Presenting, present } from './buyer/present.js'
import {
  appraise,
  type Buyer,
  balanceFault,
  budgetFault,
  type Purchase,
  signPurchase,
} from './buyer/purchase.js'
import {
  checkDestination,
  type FetchFunction,
  type PreparedRequest,
  prepareRequest,
} from './buyer/request.js'
import { createWallet } from './buyer/wallet.js'
import { PaymentError } from './errors.js'
import { type Journal, type JournalEntry, memoryJournal } from './journal.js'
import { formatMoney } from './money.js'
import { type Network, parseNetwork } from './network.js'
import type { Fetch } from './rpc.js'
import type { PaymentSigner } from './solana.js'

export interface PayingFetchOptions {
  /** A web3.js `Keypair`, a kit signer, or a function over message bytes. */
  readonly signer: PaymentSigner
  /** In any spelling: `solana-devnet`, or CAIP-2. */
  readonly network: string
  /**
   * The buyer's own node. Without it nothing is checked on the chain: only offers with a blockhash of their own are
   * paid, and a payment of unknown outcome stays unknown.
   */
  readonly rpcUrl?: string
  /** `{ perCall: '$1', perDay: '$10' }` by default. */
  readonly budget?: BudgetCaps
  /** In memory by default: a crash then forgets what was paid. Share one journal among all that share a budget. */
  readonly journal?: Journal
  /** The last word before the signature. */
  readonly approve?: (purchase: Purchase) => boolean | Promise<boolean>
  readonly policy?: BuyerPolicy
  /** Called once for each payment that the seller gave a receipt for. */
  readonly onReceipt?: (receipt: PaidReceipt) => void
  /** How long one call keeps presenting a payment, milliseconds; 120,000 by default. */
  readonly patienceMs?: number
  /** How long one answer to a payment may take, to its headers; 60,000 by default. */
  readonly attemptTimeoutMs?: number
  /** For the node. */
  readonly rpcFetch?: Fetch
  readonly now?: () => number
}

export interface PaidReceipt {
  readonly paymentId: string
  readonly method: string
  readonly url: string
  readonly description: string
  readonly network: Network
  readonly asset: string
  /** Atomic. */
  readonly amount: bigint
  /** As people read it: `0.10 USDC`. */
  readonly price: string
  readonly payTo: string
  /** Base58; empty while nobody told it. */
  readonly transaction: string
  readonly isServed: boolean
  /** Milliseconds since 1970. */
  readonly at: number
}

/** What a request would cost now. */
export type Quote =
  | { readonly isFree: true; readonly status: number }
  | {
      readonly isFree: false
      readonly purchase: Purchase
      /** Why it would not be paid, if so. */
      readonly fault?: PaymentError
    }

export interface PayingFetch {
  (input: RequestInfo | URL, init?: RequestInit): Promise<Response>
  /**
   * Asks without paying; a free route is run by it, as any request would.
   * @throws PaymentError for an offer that the buyer's rules refuse
   */
  quote(input: RequestInfo | URL, init?: RequestInit): Promise<Quote>
  /** What was paid, oldest first. */
  receipts(): Promise<readonly PaidReceipt[]>
  /** Asks the chain what became of the payments of unknown outcome; for the start. How many it decided. */
  recover(): Promise<number>
  /** Micro-dollars that are left of each cap that is set, for a host where it matters. */
  budgetLeft(host?: string): Promise<Readonly<Partial<Record<CapName, bigint>>>>
}

/** Payments that one call may sign: another only when the one before is provably dead. */
const MAX_PAYMENTS = 2

/**
 * Wraps a `fetch`. Give a request an `Idempotency-Key` header and it is paid at most once, however often it is repeated;
 * without one, an equal request adopts a payment that an earlier one left unfinished.
 * @throws PaymentError `unknown_network`, `invalid_option`, `demo_key`
 */
export function payingFetch(fetch: FetchFunction, options: PayingFetchOptions): PayingFetch {
  const { journal = memoryJournal(), policy = {}, now = Date.now, onReceipt } = options
  const { patienceMs = 120_000, attemptTimeoutMs = 60_000, rpcUrl, rpcFetch } = options
  const network = parseNetwork(options.network)
  if (network === undefined)
    throw new PaymentError('unknown_network', `no network is called ${options.network}`)
  for (const [name, value] of Object.entries({ patienceMs, attemptTimeoutMs })) {
    if (!Number.isSafeInteger(value) || value <= 0)
      throw new PaymentError('invalid_option', `${name} must be a positive integer, got ${value}`)
  }
  const caps: Caps = readCaps(options.budget ?? DEFAULT_CAPS)
  const { signer } = options
  const { allowedMints = {} } = policy
  const wallet = createWallet({ signer, network, rpcUrl, allowedMints, rpcFetch })
  const recover = () => recoverAll(buyer)
  const buyer: Buyer = { wallet, journal, network, caps, policy, approve: options.approve, now, recover }
  const presenting: Presenting = {
    fetch,
    wallet,
    journal,
    now,
    patienceMs,
    attemptTimeoutMs,
    onReceipt: (entry) => onReceipt?.(receiptOf(entry)),
  }

  const paying = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = await prepareRequest(input, init)
    if (request.isPaid) return request.unpaid(fetch)
    const run = () => payFor(buyer, presenting, request)
    return request.keyed ? journal.inTurn(request.intent, run) : run()
  }
  return Object.assign(paying, {
    async quote(input: RequestInfo | URL, init?: RequestInit): Promise<Quote> {
      const request = await prepareRequest(input, init)
      const response = await request.unpaid(fetch)
      const challenge = response.status === 402 ? await readChallenge(response) : undefined
      await response.body?.cancel()
      if (challenge === undefined) return { isFree: true, status: response.status }
      const url = checkDestination(request, response.url)
      const { requirement, purchase } = await appraise(buyer, request, url, challenge)
      const fault = (await budgetFault(buyer, purchase)) ?? (await balanceFault(buyer, requirement))
      return { isFree: false, purchase, ...(fault !== undefined && { fault }) }
    },
    async receipts() {
      const entries = await journal.entries()
      return entries.filter(({ state }) => state === 'paid' || state === 'served').map(receiptOf)
    },
    recover,
    budgetLeft: (host = '') => budgetLeft(buyer, host),
  })
}

async function payFor(buyer: Buyer, presenting: Presenting, request: PreparedRequest): Promise<Response> {
  const { journal } = buyer
  const { fetch } = presenting
  let entry = await journal.adopt(request.intent, request.keyed, {
    network: buyer.network,
    payer: buyer.wallet.address,
  })
  let signed = 0
  while (true) {
    if (entry === undefined) {
      const response = await request.unpaid(fetch)
      if (response.status !== 402) return response
      const challenge = await readChallenge(response)
      if (challenge === undefined) return response
      const url = checkDestination(request, response.url)
      await response.body?.cancel()
      const credited =
        signed === 0 ? await spendCredit(buyer, presenting, request, url, challenge) : undefined
      if (credited !== undefined) return credited
      entry = await signPurchase(buyer, request, url, challenge)
      signed++
    }
    const { id } = entry
    try {
      const presented = await present(presenting, request, entry)
      if (presented.kind === 'response') return presented.response
      const { state, reason } = presented
      if (signed >= MAX_PAYMENTS || (signed > 0 && state === 'failed')) {
        const why = reason === undefined ? {} : { reason }
        throw new PaymentError('payment_failed', `payment ${id} is ${state}; nothing was paid`, why)
      }
    } finally {
      journal.leave(id)
    }
    entry = undefined
  }
}

async function recoverAll({ wallet, journal, network }: Buyer): Promise<number> {
  let decided = 0
  for (const entry of await journal.entries()) {
    const isUndecided = entry.state === 'open' || entry.state === 'refused'
    if (!isUndecided || entry.network !== network) continue
    const fate = await wallet.fate(entry)
    if (fate.state === 'unknown') continue
    decided++
    if (fate.state === 'dead') await journal.update(entry.id, { state: 'dead' })
    else {
      const state = fate.state === 'landed' ? 'paid' : 'failed'
      await journal.update(entry.id, { state, transaction: fate.transaction })
    }
  }
  await journal.prune()
  return decided
}

async function budgetLeft(
  { caps, journal, network, now }: Buyer,
  host: string,
): Promise<Partial<Record<CapName, bigint>>> {
  const left: Partial<Record<CapName, bigint>> = caps.perCall === undefined ? {} : { perCall: caps.perCall }
  for (const { cap, key } of accountsOf({ network, host, at: now() })) {
    const limit = caps[cap]
    if (limit === undefined || (cap === 'perHost' && host === '')) continue
    const rest = limit - (await journal.spent(key))
    left[cap] = rest > 0n ? rest : 0n
  }
  return left
}

function receiptOf(entry: JournalEntry): PaidReceipt {
  const { id, method, url, description, network, asset, payTo, transaction = '', state, createdAt } = entry
  const amount = BigInt(entry.amount)
  return {
    paymentId: id,
    method,
    url,
    description,
    network,
    asset,
    amount,
    price: formatMoney({ asset, amount }, network),
    payTo,
    transaction,
    isServed: state === 'served',
    at: createdAt,
  }
}
