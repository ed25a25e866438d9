/**
 * From an offer to a signed payment in the journal (spec payments 12): rules, payee, budget, balance, approval, then the
 * signature, and it is written down before anybody else sees it.
 */
import { toHex } from '@aetherkit/core'
import { sha256 } from '@noble/hashes/sha2.js'
import { accountsOf, brokenCap, type Caps, dollarsOf, formatDollars, type Withdrawal } from '../budget.js'
import { encodeHeader } from '../codec/header.js'
import { writePayment as writeV1 } from '../codec/v1.js'
import { writePayment as writeV2 } from '../codec/v2.js'
import { PaymentError } from '../errors.js'
import { withPaymentId } from '../extension/payment-identifier.js'
import type { BrokenCap, Journal, JournalEntry } from '../journal.js'
import { formatMoney } from '../money.js'
import type { Network } from '../network.js'
import type { Requirement } from '../requirement.js'
import { type BuyerPolicy, type Challenge, chooseRequirement } from './choose.js'
import type { PreparedRequest } from './request.js'
import type { SignedPayment, Wallet } from './wallet.js'

/** What a person or a policy is asked to approve, or a quote says. */
export interface Purchase {
  readonly method: string
  readonly url: string
  readonly host: string
  readonly description: string
  readonly network: Network
  readonly asset: string
  /** Atomic. */
  readonly amount: bigint
  readonly decimals: number
  /** As people read it: `0.10 USDC`. */
  readonly price: string
  /** Micro-dollars, as the budget counts it. */
  readonly dollars: bigint
  readonly payTo: string
  /** Whether this host was paid through this wallet before. */
  readonly isKnownPayee: boolean
  readonly scheme: 'exact'
  /** `upfront`: paid before delivery. */
  readonly flow: 'upfront' | 'authorization'
}

const utf8 = new TextEncoder()

export interface Buyer {
  readonly wallet: Wallet
  readonly journal: Journal
  readonly network: Network
  readonly caps: Caps
  readonly policy: BuyerPolicy
  readonly approve: ((purchase: Purchase) => boolean | Promise<boolean>) | undefined
  readonly now: () => number
  /** Asks the chain about all payments of unknown fate: what is dead is free again. */
  readonly recover: () => Promise<unknown>
}

/** @throws PaymentError `offer_refused`, `unknown_asset`, `payee_changed`, `unknown_network`, `rpc_failed` */
export async function appraise(
  buyer: Buyer,
  request: PreparedRequest,
  url: URL,
  challenge: Challenge,
): Promise<{ readonly requirement: Requirement; readonly purchase: Purchase }> {
  const { wallet, network, policy, journal } = buyer
  const requirement = chooseRequirement(challenge, url, { address: wallet.address, network, policy })
  await wallet.checkNetwork()
  const { asset, amount, payTo, flow } = requirement
  const { host } = url
  const known = await journal.payees(network, host)
  const isKnownPayee = known.includes(payTo)
  if (!isKnownPayee && known.length > 0) {
    const isAllowed = await policy.allowPayee?.({ host, network, known, offered: payTo })
    if (isAllowed !== true) {
      throw new PaymentError(
        'payee_changed',
        `${host} was paid through ${known.join(', ')}, now it wants ${payTo}`,
      )
    }
  }
  const decimals = await wallet.decimalsOf(requirement)
  const purchase: Purchase = {
    method: request.method,
    url: url.href,
    host,
    description: challenge.offer.resource.description,
    network,
    asset,
    amount,
    decimals,
    price: formatMoney({ asset, amount }, network),
    dollars: dollarsOf(amount, decimals),
    payTo,
    isKnownPayee,
    scheme: 'exact',
    flow,
  }
  return { requirement, purchase }
}

/**
 * The entry to present: a new one, or with a key the one that the same intent got meanwhile.
 * @throws PaymentError as {@link appraise}, and `budget_exceeded`, `insufficient_funds`, `not_approved`
 */
export async function signPurchase(
  buyer: Buyer,
  request: PreparedRequest,
  url: URL,
  challenge: Challenge,
): Promise<JournalEntry> {
  const { wallet, journal, caps, policy } = buyer
  const { requirement, purchase } = await appraise(buyer, request, url, challenge)
  const { network, host, dollars } = purchase
  const spending = { network, host, dollars, at: buyer.now() }
  const { asset, amount } = requirement
  const hold = await reserve(buyer, spending, { payer: wallet.address, asset, amount })
  try {
    const short = await balanceFault(buyer, requirement, hold)
    if (short !== undefined) throw short
    if (buyer.approve !== undefined && (await buyer.approve(purchase)) !== true)
      throw new PaymentError('not_approved', `${purchase.price} for ${purchase.url} was not approved`)
    request.signal.throwIfAborted()
    const signed = await wallet.sign(requirement, policy.hostsWithoutMemo?.includes(host) !== true)
    const entry = entryOf(
      request,
      purchase,
      spending.at,
      signed,
      paymentHeader(challenge, requirement, request, signed),
    )
    const recorded = await journal.record(entry, hold, caps, request.keyed)
    if ('cap' in recorded) throw exceeded(recorded, dollars)
    return recorded.entry
  } catch (error) {
    journal.drop(hold)
    throw error
  }
}

/** Why a purchase would not fit the budget now, if so. */
export async function budgetFault(
  { journal, caps, now }: Buyer,
  { network, host, dollars }: Purchase,
): Promise<PaymentError | undefined> {
  const spending = { network, host, dollars, at: now() }
  const accounts = accountsOf(spending).map(async ({ key }) => [key, await journal.spent(key)] as const)
  const spent = new Map(await Promise.all(accounts))
  const broken = brokenCap(spending, caps, (key) => spent.get(key) ?? 0n)
  return broken && exceeded(broken, dollars)
}

/**
 * Why the wallet could not pay it now, if so: what payments under way may still take counts as gone. Undefined without
 * a node.
 */
export async function balanceFault(
  buyer: Buyer,
  requirement: Requirement,
  hold?: symbol,
): Promise<PaymentError | undefined> {
  const { wallet, journal } = buyer
  const { network, asset, amount } = requirement
  const look = async () => {
    // First what is under way: a payment that lands meanwhile is counted twice, and never not at all.
    const inFlight = await journal.inFlight({ network, payer: wallet.address, asset }, hold)
    return { inFlight, balance: await wallet.balanceOf(requirement) }
  }
  let { inFlight, balance } = await look()
  if (balance !== undefined && balance >= amount && balance - inFlight < amount) {
    // Some of it may have landed or died since.
    await buyer.recover()
    const again = await look()
    inFlight = again.inFlight
    balance = again.balance
  }
  if (balance === undefined || balance - inFlight >= amount) return undefined
  const money = (atomic: bigint) => formatMoney({ asset, amount: atomic }, network)
  const taken = inFlight === 0n ? '' : `, ${money(inFlight)} of it for payments under way`
  return new PaymentError(
    'insufficient_funds',
    `${money(amount)} is asked, ${money(balance)} is there${taken}`,
  )
}

async function reserve(
  buyer: Buyer,
  spending: Parameters<Journal['hold']>[0],
  withdrawal: Withdrawal,
): Promise<symbol> {
  const { journal, caps } = buyer
  const first = await journal.hold(spending, caps, withdrawal)
  if ('hold' in first) return first.hold
  if (first.cap === 'perCall') throw exceeded(first, spending.dollars)
  // What died since gives its amount back.
  await buyer.recover()
  const second = await journal.hold(spending, caps, withdrawal)
  if ('hold' in second) return second.hold
  throw exceeded(second, spending.dollars)
}

function exceeded({ cap, left }: BrokenCap, dollars: bigint): PaymentError {
  return new PaymentError(
    'budget_exceeded',
    `${formatDollars(dollars)} is asked, the budget ${cap} leaves ${formatDollars(left)}`,
  )
}

function paymentHeader(
  { dialect, offer }: Challenge,
  requirement: Requirement,
  request: PreparedRequest,
  { base64, id, payer }: SignedPayment,
): readonly [name: string, value: string] {
  if (dialect !== 'v2') return ['X-PAYMENT', encodeHeader(writeV1(requirement, base64, dialect))]
  // With a key it is the same for every payment of the intent: a seller who serves ids charges once even if the journal is lost.
  const name = request.keyed ? toHex(sha256(utf8.encode(`${request.intent}\n${payer}`))) : id
  const extensions = withPaymentId(offer.extensions, `pay_${name.slice(0, 32)}`)
  const echoed = extensions === undefined ? offer : { ...offer, extensions }
  return ['PAYMENT-SIGNATURE', encodeHeader(writeV2(echoed, requirement, base64))]
}

function entryOf(
  { intent }: PreparedRequest,
  { method, url, host, description, network, asset, amount, decimals, payTo, dollars }: Purchase,
  createdAt: number,
  { id, payer, source, signature, memo, blockhash, lastValidBlockHeight }: SignedPayment,
  header: readonly [name: string, value: string],
): JournalEntry {
  return {
    id,
    intent,
    state: 'open',
    method,
    url,
    host,
    description,
    network,
    asset,
    amount: amount.toString(),
    decimals,
    payTo,
    header,
    claim: Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url'),
    payer,
    source,
    signature,
    ...(memo !== undefined && { memo }),
    blockhash,
    ...(lastValidBlockHeight !== undefined && { lastValidBlockHeight }),
    dollars: dollars.toString(),
    createdAt,
  }
}
