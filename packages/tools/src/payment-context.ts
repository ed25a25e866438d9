/**
 * The context of the payment tools: one wallet with its budget and its journal. The key stays inside the paying fetch;
 * no tool can reach it.
 */
import {
  type FetchFunction,
  type Journal,
  memoryJournal,
  type Network,
  type PayingFetch,
  type PayingFetchOptions,
  parseNetwork,
  payingFetch,
  type Quote,
  signerAddress,
  type WalletBalance,
  walletBalances,
} from '@aetherkit/payments'
import { type CallJournal, createJournal } from './call-journal.js'
import { DOLLARS, microDollars } from './dollars.js'
import type { ApprovalRequest, ToolContext } from './tool-definition.js'
import { ToolError } from './tool-error.js'

/** What a purchase comes to, before it is signed. */
export type Purchase = Extract<Quote, { readonly isFree: false }>['purchase']

/** What `payingFetch` takes, and the `fetch` that it wraps. Its `budget` holds, whatever a model or a human says. */
export interface PaymentWallet extends PayingFetchOptions {
  readonly fetch?: FetchFunction
}

export interface PaymentContextOptions {
  /** Dollars up to which a purchase needs no human, such as `'$0.05'`; `'0'` by default: every purchase is asked about. */
  readonly askAbove?: string
  /** Asks the human in hosts that have no gate of their own. */
  readonly approve?: (request: ApprovalRequest) => boolean | Promise<boolean>
  /** Put before call ids, where they repeat: the id of the conversation. */
  readonly scope?: string
  /** By default one in memory for each wallet. */
  readonly journal?: CallJournal
}

export interface PaymentContext extends ToolContext {
  /** Quotes, budget, recovery. */
  readonly payments: PayingFetch
  /** What the wallet signed, and what became of it. */
  readonly purchases: Journal
  /** The paying fetch of one purchase: asks `approve` before it signs, and sends by `fetch`. */
  payingFor(one: { fetch: FetchFunction; approve: (purchase: Purchase) => boolean }): PayingFetch
  /** As the wallet's; a host that cannot be reached is a `ToolError`. */
  readonly fetch: FetchFunction
  readonly address: string
  readonly network: Network
  /** Hosts that may be asked; all when left out. */
  readonly hosts: readonly string[] | undefined
  /** Micro-dollars. */
  readonly askAbove: bigint
  readonly scope: string
  /** Undefined without a node. */
  balances(): Promise<readonly WalletBalance[] | undefined>
}

/** How long one purchase keeps presenting its payment: within the deadline of the tool. */
const PATIENCE_MS = 60_000
const journals = new WeakMap<object, { readonly purchases: Journal; readonly calls: CallJournal }>()

/**
 * A context over one wallet. Making it again over the same `wallet` object, or the same `wallet.journal`, keeps what was
 * paid; cheap enough for each request.
 * @throws RangeError for an `askAbove` that is no amount; PaymentError as `payingFetch`
 */
export function paymentContext(wallet: PaymentWallet, options: PaymentContextOptions = {}): PaymentContext {
  const { askAbove = '0', scope = '', approve } = options
  if (!DOLLARS.test(askAbove)) throw new RangeError(`askAbove: "$0.05" expected, got ${askAbove}`)
  const { purchases, calls } = journalsOf(wallet)
  const fetch = reachable(wallet.fetch ?? globalThis.fetch)
  const patient = { patienceMs: PATIENCE_MS, ...wallet, journal: purchases }
  const payments = payingFetch(fetch, patient)
  const { rpcUrl, rpcFetch } = wallet
  const address = signerAddress(wallet.signer)
  return {
    payments,
    purchases,
    payingFor: (one) =>
      payingFetch(one.fetch, {
        ...patient,
        approve: async (purchase) => one.approve(purchase) && ((await wallet.approve?.(purchase)) ?? true),
      }),
    fetch,
    address,
    // `payingFetch` has refused every other.
    network: parseNetwork(wallet.network) as Network,
    hosts: wallet.policy?.hosts,
    askAbove: microDollars(askAbove),
    scope,
    balances: async () =>
      rpcUrl === undefined
        ? undefined
        : walletBalances({ owner: address, network: wallet.network, rpcUrl, fetch: rpcFetch }),
    journal: scoped(options.journal ?? calls, scope),
    ...(approve === undefined ? {} : { approve }),
  }
}

function journalsOf(wallet: PaymentWallet) {
  const owner = wallet.journal ?? wallet
  const known = journals.get(owner)
  if (known !== undefined) return known
  // The payment journal below finds the same payment by its call id, so that a replay may run again.
  const made = { purchases: wallet.journal ?? memoryJournal(), calls: createJournal(undefined, true) }
  journals.set(owner, made)
  return made
}

function scoped(journal: CallJournal, scope: string): CallJournal {
  return {
    once: (call, execute) => journal.once({ ...call, callId: `${scope} ${call.callId}` }, execute),
  }
}

function reachable(fetch: FetchFunction): FetchFunction {
  return async (input, init) => {
    try {
      return await fetch(input, init)
    } catch (cause) {
      init?.signal?.throwIfAborted()
      throw new ToolError({
        code: 'PEER_TIMEOUT',
        message: 'the host could not be reached',
        retryable: true,
        cause,
      })
    }
  }
}
