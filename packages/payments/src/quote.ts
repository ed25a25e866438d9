/** The offer for one request (spec payments 4, 6, 9): the route's terms with sponsor, memo and, on request, blockhash. */
import type { Binding } from './binding.js'
import { PaymentError } from './errors.js'
import type { Network } from './network.js'
import type { Json, Offer, Requirement } from './requirement.js'
import type { Kind, Settler } from './settler.js'
import {
  type AcceptedTerms,
  boundRequest,
  DEFAULT_TIMEOUT_SECONDS,
  type GateRequest,
  type RouteTerms,
} from './terms.js'

export interface RecentBlockhash {
  readonly blockhash: string
  readonly lastValidBlockHeight: bigint
}

export interface QuoteOptions {
  readonly settler: Settler
  readonly binding?: Binding
  /** With it, a buyer that knows the token pays without asking a node (spec payments 16, P9). */
  readonly recentBlockhash?: (network: Network) => Promise<RecentBlockhash | undefined>
}

/**
 * @throws PaymentError `invalid_option` when no settler serves a network of the terms, `unsupported` as
 * `checkConfirmation`; whatever `kinds()` throws
 */
export async function makeOffer(
  request: GateRequest,
  terms: RouteTerms,
  options: QuoteOptions,
  extensions: (offer: Offer) => Promise<Readonly<Record<string, Json>>>,
): Promise<Offer> {
  const kinds = await options.settler.kinds()
  checkConfirmation(kinds, terms)
  const accepts = await Promise.all(
    terms.accepts.map(async (accepted): Promise<Requirement> => {
      const kind = kinds.find(({ network }) => network === accepted.network)
      if (kind === undefined)
        throw new PaymentError(
          'invalid_option',
          `no settler for ${accepted.network}: add one, or drop the price`,
        )
      const recent = await options.recentBlockhash?.(accepted.network).catch(() => undefined)
      return requirementOf(request, terms, accepted, kind.feePayer, options.binding, recent)
    }),
  )
  const offer: Offer = { resource: terms.resource, accepts }
  return { ...offer, extensions: { ...terms.extensions, ...(await extensions(offer)) } }
}

/**
 * A level that the settler does not have is no payment at another: nothing is sold.
 * @throws PaymentError `unsupported`
 */
export function checkConfirmation(
  kinds: readonly Kind[],
  { confirmation = 'confirmed', accepts }: RouteTerms,
): void {
  for (const { network } of accepts) {
    const kind = kinds.find((kind) => kind.network === network)
    if (kind === undefined || (kind.confirmations ?? ['confirmed']).includes(confirmation)) continue
    const message = `confirmation ${confirmation}: who settles ${network} has a level of its own`
    throw new PaymentError('unsupported', `${message}; settle in this process, with createSolanaSettler`)
  }
}

function requirementOf(
  request: GateRequest,
  terms: RouteTerms,
  accepted: AcceptedTerms,
  feePayer: string,
  binding: Binding | undefined,
  recent: RecentBlockhash | undefined,
): Requirement {
  const { network, amount, asset, payTo, maxTimeoutSeconds = DEFAULT_TIMEOUT_SECONDS, extra } = accepted
  const isBound = binding !== undefined && terms.bind !== 'off'
  return {
    scheme: 'exact',
    network,
    amount,
    asset,
    payTo,
    maxTimeoutSeconds,
    feePayer,
    flow: terms.flow ?? 'upfront',
    ...(isBound && { memo: binding.make(boundRequest(request, terms), accepted, maxTimeoutSeconds) }),
    ...(recent !== undefined && {
      recentBlockhash: recent.blockhash,
      lastValidBlockHeight: recent.lastValidBlockHeight,
    }),
    ...(extra !== undefined && { extra }),
  }
}
