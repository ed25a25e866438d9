/**
 * Which of a route's terms a payment pays (spec payments 4 and 9): every field that carries money or place is equal,
 * the server's `extra` is contained in what was echoed, and the memo is authenticated instead of compared.
 */
import type { Binding, BoundRequest } from './binding.js'
import { echoesExtensions, echoesInfo } from './codec/v2.js'
import { type Refusal, refuse } from './reason.js'
import type { Payment, Requirement } from './requirement.js'
import { type AcceptedTerms, DEFAULT_TIMEOUT_SECONDS, type Peeked, type RouteTerms } from './terms.js'

export interface Match {
  readonly requirement: Requirement
  /** The challenge is past its time: good for fetching what was paid, not for paying. */
  readonly expired: boolean
}

/**
 * The requirements a payment may be meant for, most often one; static verification tells which.
 * `aetherkit_offer_mismatch`, `extension_echo_mismatch`, `aetherkit_binding_missing`, `aetherkit_binding_invalid`.
 */
export function matchTerms(
  payment: Payment,
  peeked: Peeked | undefined,
  request: BoundRequest,
  terms: RouteTerms,
  binding: Binding | undefined,
): { ok: true; matches: readonly [Match, ...Match[]] } | Refusal {
  // What is made for each challenge checks itself; what the route declares is known here.
  if (!echoesInfo(terms.extensions, payment.extensions)) return refuse('extension_echo_mismatch')
  const candidates = terms.accepts.flatMap((accepted) => candidate(payment, peeked, accepted, terms))
  const checked = candidates.map((requirement) => authenticate(payment, requirement, request, terms, binding))
  const [first, ...others] = checked.flatMap((check) => (check.ok ? [check.match] : []))
  if (first !== undefined) return { ok: true, matches: [first, ...others] }
  const [refusal] = checked
  return refusal === undefined || refusal.ok ? refuse('aetherkit_offer_mismatch') : refusal
}

/** The terms with what the payment itself brings: its sponsor, and the memo it claims to be bound by. */
function candidate(
  payment: Payment,
  peeked: Peeked | undefined,
  offered: AcceptedTerms,
  terms: RouteTerms,
): readonly Requirement[] {
  const { accepted } = payment
  const { network, amount, asset, payTo, maxTimeoutSeconds = DEFAULT_TIMEOUT_SECONDS, extra } = offered
  const { flow = 'upfront', confirmation } = terms
  if (payment.network !== network) return []
  if (accepted !== undefined) {
    const isSame =
      accepted.amount === amount &&
      accepted.asset === asset &&
      accepted.payTo === payTo &&
      accepted.maxTimeoutSeconds === maxTimeoutSeconds &&
      (flow !== 'upfront' || accepted.flow === 'upfront') &&
      Object.keys(extra ?? {}).every((name) => accepted.extra?.[name] !== undefined) &&
      echoesExtensions(extra, accepted.extra)
    if (!isSame) return []
  }
  const memo = accepted === undefined ? boundMemo(peeked?.memo) : accepted.memo
  const feePayer = accepted?.feePayer ?? peeked?.feePayer ?? ''
  return [
    {
      scheme: 'exact',
      network,
      amount,
      asset,
      payTo,
      maxTimeoutSeconds,
      feePayer,
      flow,
      ...(memo !== undefined && { memo }),
      ...(confirmation !== undefined && { confirmation }),
      ...(extra !== undefined && { extra }),
    },
  ]
}

/** v1 payments may carry a memo of the client's own making: only one that claims to be ours is looked at. */
function boundMemo(memo: string | undefined): string | undefined {
  return memo?.startsWith('x1.') ? memo : undefined
}

function authenticate(
  payment: Payment,
  requirement: Requirement,
  request: BoundRequest,
  terms: RouteTerms,
  binding: Binding | undefined,
): { ok: true; match: Match } | Refusal {
  const { requireBinding = 'v2-only' } = terms
  const { memo, ...unbound } = requirement
  if (binding === undefined || terms.bind === 'off')
    return { ok: true, match: { requirement: unbound, expired: false } }
  if (memo === undefined) {
    const isNeeded = requireBinding === 'always' || (requireBinding === 'v2-only' && payment.dialect === 'v2')
    if (isNeeded) return refuse('aetherkit_binding_missing')
    return { ok: true, match: { requirement: unbound, expired: false } }
  }
  const checked = binding.check(memo, request, requirement)
  if (checked.ok) return { ok: true, match: { requirement, expired: false } }
  if (checked.reason === 'aetherkit_binding_expired')
    return { ok: true, match: { requirement, expired: true } }
  return checked
}
