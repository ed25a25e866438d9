/** The checks before signing that need the offer alone (spec payments 12, 1 to 6). */
import { readOffer } from '../codec/classify.js'
import { PaymentError } from '../errors.js'
import type { AllowedMints } from '../exact/mint.js'
import type { Network } from '../network.js'
import type { Dialect, Offer, Requirement } from '../requirement.js'
import { TOKEN_PROGRAM, TOKENS, tokenBySymbol } from '../token.js'
import { readText } from './answer.js'

/** The buyer's own rules; what is left out is as the comment says. */
export interface BuyerPolicy {
  /** Tickers or mint addresses; the known tokens of the plain token program, and those of `allowedMints`. */
  readonly assets?: readonly string[]
  /** Token-2022 mints, with the extension types that each may have; none. */
  readonly allowedMints?: AllowedMints
  /** Hosts (with port) that may be paid; all. */
  readonly hosts?: readonly string[]
  /** Longest `maxTimeoutSeconds` of an offer; 3600. */
  readonly maxTimeoutSeconds?: number
  /** Whether a host may be paid through another wallet than before; never. */
  readonly allowPayee?: (change: PayeeChange) => boolean | Promise<boolean>
  /** One of the requirements that passed; the first. Undefined pays none of them. */
  readonly choose?: (requirements: readonly Requirement[]) => Requirement | undefined
  /** Hosts (with port) whose facilitator takes exactly three instructions; none. */
  readonly hostsWithoutMemo?: readonly string[]
}

export interface PayeeChange {
  readonly host: string
  readonly network: Network
  /** Wallets that this host was paid through. */
  readonly known: readonly string[]
  readonly offered: string
}

export interface Challenge {
  readonly dialect: Dialect
  readonly offer: Offer
}

const MAX_MEMO = 256
const MAX_TIMEOUT_SECONDS = 3_600
const PRINTABLE = /^\P{C}*$/u

/**
 * The offer in a 402, which stays readable; undefined when it is no payment challenge.
 * @throws PaymentError `offer_refused` for a challenge that holds nothing readable
 */
export async function readChallenge(response: Response): Promise<Challenge | undefined> {
  const read = (name: string) => response.headers.get(name) ?? undefined
  const body = read('payment-required') === undefined ? await readText(response) : ''
  const challenge = readOffer(read, body)
  if (challenge === undefined || challenge.ok) return challenge
  throw new PaymentError(
    'offer_refused',
    `the offer cannot be paid: ${challenge.detail ?? challenge.reason}`,
    {
      reason: challenge.reason,
    },
  )
}

/**
 * What will be paid, if anything.
 * @throws PaymentError `offer_refused` naming the rule of the requirement that came nearest
 */
export function chooseRequirement(
  { offer }: Challenge,
  url: URL,
  buyer: { readonly address: string; readonly network: Network; readonly policy: BuyerPolicy },
): Requirement {
  const { policy } = buyer
  if (policy.hosts !== undefined && !policy.hosts.includes(url.host))
    throw refused(`${url.host} is not among the hosts that may be paid`)
  const resource = offer.resource.url === '' ? url : parseUrl(offer.resource.url, url)
  if (resource?.origin !== url.origin)
    throw refused(`the offer of ${url.origin} is for ${offer.resource.url}`)
  const judged = offer.accepts.map((requirement) => ({ requirement, fault: faultOf(requirement, buyer) }))
  const good = judged.flatMap(({ requirement, fault }) => (fault === undefined ? [requirement] : []))
  if (good.length === 0) throw refused(judged[0]?.fault ?? 'nothing is offered')
  const chosen = policy.choose === undefined ? good[0] : policy.choose(good)
  if (chosen === undefined || !good.includes(chosen)) throw refused('none of the offered terms was chosen')
  return chosen
}

function faultOf(
  requirement: Requirement,
  { address, network, policy }: { address: string; network: Network; policy: BuyerPolicy },
): string | undefined {
  const { asset, memo, maxTimeoutSeconds, feePayer, payTo } = requirement
  const { maxTimeoutSeconds: longest = MAX_TIMEOUT_SECONDS } = policy
  if (requirement.network !== network) return `it is paid on ${requirement.network}, not on ${network}`
  if (!assetsOf(network, policy).includes(asset)) return `the token ${asset} is not on the list`
  if (maxTimeoutSeconds > longest) return `it wants ${maxTimeoutSeconds} s, at most ${longest}`
  if (feePayer === address) return 'the fee payer of the offer is the buyer'
  if (payTo === address) return 'the seller is the buyer'
  if (memo === undefined) return undefined
  if (new TextEncoder().encode(memo).length > MAX_MEMO) return `the memo has more than ${MAX_MEMO} bytes`
  return PRINTABLE.test(memo) ? undefined : 'the memo is not printable'
}

function assetsOf(network: Network, { assets, allowedMints = {} }: BuyerPolicy): readonly string[] {
  if (assets === undefined) {
    const plain = TOKENS[network].filter(({ program }) => program === TOKEN_PROGRAM)
    return [...plain.map(({ mint }) => mint), ...Object.keys(allowedMints)]
  }
  return assets.map((asset) => tokenBySymbol(network, asset)?.mint ?? asset)
}

function parseUrl(text: string, base: URL): URL | undefined {
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}

function refused(why: string): PaymentError {
  return new PaymentError('offer_refused', why)
}
