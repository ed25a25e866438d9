/**
 * Which interface of a card is spoken (spec a2a 2.12, 7.1): 1.0 before 0.3, then the card's own order, of what this
 * client can speak and the policy lets it reach.
 */

import { AETHER_BINDING } from '../events/interface.js'
import type { AgentCard, AgentInterface } from '../model.js'
import type { Version } from '../version.js'
import { AgentError } from './errors.js'

export type BindingName = 'JSONRPC' | 'HTTP+JSON' | 'aether'

export interface Choice {
  readonly binding: BindingName
  readonly version: Version
  readonly url: string
  readonly tenant: string | undefined
}

export interface ChoosePolicy {
  /** In the order of preference; a version that is not listed is not spoken. */
  readonly versions: readonly Version[]
  /** In the order of preference; the card's order among those listed unless `ordered`. */
  readonly bindings: readonly BindingName[]
  readonly isOrdered: boolean
  /** Where the card was found; undefined for one that the caller brought, who vouches for it. */
  readonly cardUrl: string | undefined
  /** Base58 of the key that signed the card, where that was verified. */
  readonly signer: string | undefined
  /** Asked about an interface of another origin than the card. */
  approve(entry: AgentInterface, card: AgentCard): boolean | Promise<boolean>
  addressOf(publicKey: string): string
}

/** All that may be spoken, best first. @throws AgentError NO_INTERFACE saying why there is none */
export async function chooseInterfaces(card: AgentCard, policy: ChoosePolicy): Promise<readonly Choice[]> {
  const choices: Choice[] = []
  const refusals: string[] = []
  for (const entry of card.supportedInterfaces) {
    const spoken = spokenOf(entry, policy)
    if (typeof spoken === 'string') refusals.push(spoken)
    else if (await isReachable(entry, card, policy)) choices.push(spoken)
    else refusals.push(`${entry.url} is of another origin than the card and was not approved`)
  }
  const rank = ({ version, binding }: Choice) =>
    policy.versions.indexOf(version) * 16 + (policy.isOrdered ? policy.bindings.indexOf(binding) : 0)
  if (choices.length > 0) return choices.sort((a, b) => rank(a) - rank(b))
  const why = refusals.length === 0 ? 'the card lists none' : refusals.slice(0, 4).join('; ')
  throw new AgentError('NO_INTERFACE', `the agent has no interface that can be used: ${why}`)
}

function spokenOf(entry: AgentInterface, { versions, bindings }: ChoosePolicy): Choice | string {
  const { url, protocolBinding, protocolVersion, tenant } = entry
  const name = `${protocolBinding.slice(0, 64)} ${protocolVersion.slice(0, 16)}`
  const binding =
    protocolBinding === AETHER_BINDING ? 'aether' : bindings.find((each) => each === protocolBinding)
  const [, number] = /^(\d+\.\d+)(?:\.\d+)?$/.exec(protocolVersion) ?? []
  const version = versions.find((each) => each === number)
  if (binding === undefined || !bindings.includes(binding) || version === undefined)
    return `${name} is not spoken`
  const pattern = binding === 'aether' ? /^aether:[0-9a-f]{64}$/ : /^https?:\/\//
  if (!pattern.test(url) || !URL.canParse(url)) return `${name} has no URL of its kind`
  return { binding, version, url, tenant: tenant === undefined || tenant === '' ? undefined : tenant }
}

function isReachable(
  entry: AgentInterface,
  card: AgentCard,
  policy: ChoosePolicy,
): boolean | Promise<boolean> {
  const { cardUrl, signer, addressOf } = policy
  if (cardUrl === undefined) return true
  // An address that is the very key that signed the card needs no other word.
  if (entry.url.startsWith('aether:')) {
    const isSigner = signer !== undefined && addressOf(entry.url.slice('aether:'.length)) === signer
    return isSigner || policy.approve(entry, card)
  }
  return new URL(entry.url).origin === new URL(cardUrl).origin || policy.approve(entry, card)
}
