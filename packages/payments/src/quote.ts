/** The offer for one request (spec payments 4, 6, 9): the route's terms with sponsor, memo and, on request, blockhash. */
import type { Binding } from './binding.js'
import { PaymentError } from './errors.js'
import type { Network } from './network.js'
import type { Json, Offer, Requirement } from './requirement.js'
import type { Settler } from './settler.js'
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
 * @throws PaymentError `invalid_option` when no settler serves a network of the terms; whatever `kinds()` throws
 */
export async function makeOffer(
  request: GateRequest,
  terms: RouteTerms,
  options: QuoteOptions,
  extensions: (offer: Offer) => Promise<Readonly<Record<string, Json>>>,
): Promise<Offer> {
  const kinds = await options.settler.kinds()
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
