/**
 * The names an x402 user knows (spec payments 12): `x402Client` as in `@x402/core` and `ExactSvmScheme` as in `@x402/svm`,
 * in front of {@link payingFetch}. What pays is ours, with its journal and its budget: a client holds settings.
 *
 * Not there: schemes but `exact`, chains but Solana, extensions of the client, hooks that replace a payload.
 */
import type { BudgetCaps } from '../budget.js'
import { DEFAULT_CAPS } from '../budget.js'
import type { Purchase } from '../buyer/purchase.js'
import { writeExtra } from '../codec/terms.js'
import { PaymentError } from '../errors.js'
import { type Network, parseNetwork } from '../network.js'
import type { PaidReceipt, PayingFetchOptions } from '../pay.js'
import type { Json, Requirement } from '../requirement.js'
import type { PaymentSigner } from '../solana.js'
import { TOKEN_PROGRAM, TOKENS, tokenBySymbol } from '../token.js'

/** A requirement as x402 version 2 has it. */
export interface X402Requirements {
  readonly scheme: string
  readonly network: string
  readonly amount: string
  readonly asset: string
  readonly payTo: string
  readonly maxTimeoutSeconds: number
  readonly extra: Readonly<Record<string, Json>>
}

/** The version is 2 whatever the seller speaks: what it asked is in the words of version 2. */
export type X402Policy = (version: number, requirements: X402Requirements[]) => X402Requirements[]
export type X402Selector = (version: number, requirements: X402Requirements[]) => X402Requirements

export interface X402SpendControls {
  /** `"$1"` by default; `false` for none. */
  readonly maxAmountPerPayment?: string | number | false
  /** Tokens beside the known ones; caps are atomic. */
  readonly allowedAssets?: readonly {
    readonly network: string
    readonly asset: string
    readonly maxAmountPerPayment?: string
  }[]
}

/** Asked before the signature; an abort ends the call with `not_approved`. */
export type X402BeforeHook = (context: {
  readonly selectedRequirements: Omit<X402Requirements, 'maxTimeoutSeconds' | 'extra'>
  readonly resource: { readonly url: string; readonly description: string }
}) => Promise<undefined | { abort: true; reason: string }>

/** Told of each payment that a seller gave a receipt for. */
export type X402ResponseHook = (context: {
  readonly settleResponse: { readonly success: true; readonly transaction: string; readonly network: string }
  readonly requirements: Omit<X402Requirements, 'maxTimeoutSeconds' | 'extra'>
}) => Promise<void>

export interface X402ClientConfig {
  readonly schemes: readonly { readonly network: string; readonly client: ExactSvmScheme }[]
  readonly policies?: readonly X402Policy[]
  readonly paymentRequirementsSelector?: X402Selector
  readonly spendControls?: X402SpendControls | false
}

/** Who signs, and the node that is asked. */
export class ExactSvmScheme {
  readonly scheme = 'exact'
  readonly signer: PaymentSigner
  readonly rpcUrl: string | undefined

  constructor(signer: PaymentSigner, config: { readonly rpcUrl?: string } = {}) {
    this.signer = signer
    this.rpcUrl = config.rpcUrl
  }
}

interface X402Registration {
  /** CAIP-2, or `solana:*`. */
  readonly network: string
  readonly scheme: ExactSvmScheme
}

export class x402Client {
  readonly #selector: X402Selector | undefined
  readonly #policies: X402Policy[] = []
  readonly #before: X402BeforeHook[] = []
  readonly #responses: X402ResponseHook[] = []
  #registered: X402Registration | undefined
  #controls: X402SpendControls | false = {}

  constructor(selector?: X402Selector) {
    this.#selector = selector
  }

  static fromConfig(config: X402ClientConfig): x402Client {
    const client = new x402Client(config.paymentRequirementsSelector)
    for (const { network, client: scheme } of config.schemes) client.register(network, scheme)
    for (const policy of config.policies ?? []) client.registerPolicy(policy)
    return config.spendControls === undefined ? client : client.setSpendControls(config.spendControls)
  }

  /**
   * One network a client, in any spelling; `solana:*` is that of the scheme's node.
   * @throws PaymentError `unsupported` for another chain, or a second network
   */
  register(network: string, scheme: ExactSvmScheme): this {
    if (network !== ANY && parseNetwork(network) === undefined)
      throw new PaymentError('unsupported', `${network}: only Solana is paid on`)
    const known = this.#registered
    const name = parseNetwork(network) ?? ANY
    if (known !== undefined && (known.network !== name || known.scheme !== scheme))
      throw new PaymentError('unsupported', 'one network and one signer a client: make another for another')
    this.#registered = { network: name, scheme }
    return this
  }

  /** The same: every version of the protocol is spoken. */
  registerV1(network: string, scheme: ExactSvmScheme): this {
    return this.register(network, scheme)
  }

  registerPolicy(policy: X402Policy): this {
    this.#policies.push(policy)
    return this
  }

  /** `false` lifts the cap of a payment; that of a day stays, see {@link DEFAULT_CAPS}. */
  setSpendControls(controls: X402SpendControls | false): this {
    this.#controls = controls
    return this
  }

  onBeforePaymentCreation(hook: X402BeforeHook): this {
    this.#before.push(hook)
    return this
  }

  onPaymentResponse(hook: X402ResponseHook): this {
    this.#responses.push(hook)
    return this
  }

  /** @throws PaymentError `invalid_option` when there is none */
  get registered(): X402Registration {
    if (this.#registered !== undefined) return this.#registered
    throw new PaymentError('invalid_option', 'register a network and its scheme first')
  }

  /** What the settings come to on a network; a response hook that fails is told to `onError`. */
  settings(network: Network, onError: (error: unknown) => void): PayingFetchOptions {
    const { signer, rpcUrl } = this.registered.scheme
    const known = TOKENS[network].filter(({ program }) => program === TOKEN_PROGRAM)
    const { allowedAssets = [] } = this.#controls === false ? {} : this.#controls
    return {
      signer,
      network,
      ...(rpcUrl !== undefined && { rpcUrl }),
      budget: this.#budget(),
      policy: {
        assets: [...known.map(({ mint }) => mint), ...allowedAssets.map(({ asset }) => asset)],
        choose: (requirements) => this.#choose(requirements),
      },
      approve: (purchase) => this.#approve(purchase),
      onReceipt: (receipt) => void this.#tell(receipt).catch(onError),
    }
  }

  #budget(): BudgetCaps {
    const { perCall = '$1', ...others } = DEFAULT_CAPS
    const { maxAmountPerPayment = perCall } =
      this.#controls === false ? { maxAmountPerPayment: false as const } : this.#controls
    return maxAmountPerPayment === false ? others : { ...others, perCall: maxAmountPerPayment }
  }

  #choose(requirements: readonly Requirement[]): Requirement | undefined {
    const pairs = requirements
      .filter((requirement) => this.#isWithin(requirement))
      .map((requirement) => [writeRequirement(requirement), requirement] as const)
    let offered = pairs.map(([written]) => written)
    for (const policy of this.#policies) offered = policy(VERSION, [...offered])
    if (offered.length === 0) return undefined
    const chosen = this.#selector === undefined ? offered[0] : this.#selector(VERSION, offered)
    return pairs.find(([written]) => isSame(written, chosen))?.[1]
  }

  #isWithin({ network, asset, amount }: Requirement): boolean {
    const { allowedAssets = [] } = this.#controls === false ? {} : this.#controls
    const listed = allowedAssets.find(
      (each) =>
        parseNetwork(each.network) === network &&
        (tokenBySymbol(network, each.asset)?.mint ?? each.asset) === asset,
    )
    return listed?.maxAmountPerPayment === undefined || amount <= BigInt(listed.maxAmountPerPayment)
  }

  async #approve(purchase: Purchase): Promise<boolean> {
    const { url, description } = purchase
    for (const hook of this.#before) {
      const answer = await hook({
        selectedRequirements: requirementsOf(purchase),
        resource: { url, description },
      })
      if (answer?.abort === true) throw new PaymentError('not_approved', answer.reason)
    }
    return true
  }

  async #tell(receipt: PaidReceipt): Promise<void> {
    const { transaction, network } = receipt
    for (const hook of this.#responses)
      await hook({
        settleResponse: { success: true, transaction, network },
        requirements: requirementsOf(receipt),
      })
  }
}

export const ANY = 'solana:*'
const VERSION = 2

function requirementsOf({
  network,
  amount,
  asset,
  payTo,
}: Pick<Purchase, 'network' | 'amount' | 'asset' | 'payTo'>) {
  return { scheme: 'exact', network, amount: amount.toString(), asset, payTo }
}

function writeRequirement(requirement: Requirement): X402Requirements {
  const { scheme, network, asset, payTo, maxTimeoutSeconds } = requirement
  const amount = requirement.amount.toString()
  return { scheme, network, amount, asset, payTo, maxTimeoutSeconds, extra: writeExtra(requirement) }
}

/** Policies may copy what they were given. */
function isSame(a: X402Requirements, b: X402Requirements | undefined): boolean {
  const { network, amount, asset, payTo, maxTimeoutSeconds } = a
  return (
    network === b?.network &&
    amount === b.amount &&
    asset === b.asset &&
    payTo === b.payTo &&
    maxTimeoutSeconds === b.maxTimeoutSeconds
  )
}
