/**
 * Agents and what they offer (spec 2.1, 11.3): kind 0 holds who an agent is, kind 10002 what it can be asked for.
 *
 *   kind 0      content  {name, description?, capabilities: [{name, description?}]}        kept for ever, newest counts
 *   kind 10002  tags     ["c", name] each     content  invoice attachment                    newest replaces
 *
 * An agent offers a capability as long as its newest kind 10002 names it. All of it is what agents say of themselves.
 */
import {
  type Event,
  type EventTemplate,
  type Filter,
  isJsonObject,
  type JsonValue,
  parseHex,
  parseJson,
  readInvoice,
  type Tag,
  type VerifiedEvent,
  writeInvoice,
  writeJson,
} from '@aetherkit/core'
import type { Published, PublishOptions } from './publish.js'
import { newestFirst, type QueryOptions } from './query.js'

export interface Capability {
  /** 1 to 256 characters: the action to request. */
  readonly name: string
  readonly description?: string | undefined
}

/** What an agent says of itself. */
export interface AgentProfile {
  /** 1 to 256 characters. */
  readonly name: string
  readonly description?: string | undefined
  /** At most 128; none withdraws all offers. */
  readonly capabilities: readonly Capability[]
}

/** What another agent says of itself: bounded in length, otherwise as it came. */
export interface AgentInfo {
  readonly publicKey: string
  readonly name?: string
  readonly description?: string
  readonly capabilities: readonly { readonly name: string; readonly description?: string }[]
}

export type DiscoverQuery = { readonly capability: string } | { readonly publicKey: string }

export interface DiscoverOptions extends QueryOptions {
  /** Agents at most, default 100. */
  readonly limit?: number | undefined
}

/** What this needs of a client. */
export interface DiscoverHost {
  readonly publicKey: string
  publish(event: EventTemplate, options?: PublishOptions): Promise<Published>
  query(filters: readonly Filter[], options?: QueryOptions): Promise<VerifiedEvent[]>
}

const PROFILE_KIND = 0
const OFFER_KIND = 10002
const MAX_NAME = 256
const MAX_DESCRIPTION = 4096
const MAX_CAPABILITIES = 128
/** Filters of one query are 32 (spec 7.5), one of them for the offers. */
const AGENTS_A_QUERY = 31

/**
 * Publishes who this agent is and what it offers, free of charge; the result is that of the offer.
 * @throws RangeError for names and lists out of bounds; ClientError as `publish`.
 */
export async function advertise(
  host: DiscoverHost,
  agent: AgentProfile,
  options: PublishOptions = {},
): Promise<Published> {
  const { name, description, capabilities } = agent
  checkText('name', name, MAX_NAME)
  if (description !== undefined) checkText('description', description, MAX_DESCRIPTION, 0)
  if (capabilities.length > MAX_CAPABILITIES)
    throw new RangeError(`at most ${MAX_CAPABILITIES} capabilities, got ${capabilities.length}`)
  for (const capability of capabilities) {
    checkText('capability name', capability.name, MAX_NAME)
    if (capability.description !== undefined)
      checkText('capability description', capability.description, MAX_DESCRIPTION, 0)
  }
  const described = capabilities.map((each) => ({ name: each.name, description: each.description }))
  const profile = writeJson({ name, description, capabilities: described })
  const tags = capabilities.map((each): Tag => ['c', each.name])
  const content = writeInvoice({ invoice: 'free', amountMsat: 0n })
  await host.publish({ kind: PROFILE_KIND, content: profile }, options)
  return host.publish({ kind: OFFER_KIND, content, tags }, options)
}

/** Agents that offer a capability, those with the newest offers first; or the one agent of a key, if it said anything. */
export async function discover(
  host: DiscoverHost,
  query: DiscoverQuery,
  { limit = 100, ...options }: DiscoverOptions = {},
): Promise<AgentInfo[]> {
  if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`limit must be 1 or more, got ${limit}`)
  if ('publicKey' in query) {
    const key = parseHex(query.publicKey, 32)
    if (key === undefined) throw new TypeError('publicKey must be 32 bytes of hex')
    return describeAgents(host, [key], options)
  }
  const { capability } = query
  checkText('capability', capability, MAX_NAME)
  const filter = { kinds: [OFFER_KIND], tags: [{ key: 'c', any: [capability] }], limit }
  const keys = [...new Set((await host.query([filter], options)).map(({ pubkey }) => pubkey))]
  const agents = await describeAgents(host, keys, options)
  return agents.filter(({ capabilities }) => capabilities.some(({ name }) => name === capability))
}

/** The newest word of each agent, from every relay: one that is behind may still hold an older offer. */
async function describeAgents(
  host: DiscoverHost,
  keys: readonly string[],
  options: QueryOptions,
): Promise<AgentInfo[]> {
  const agents: AgentInfo[] = []
  for (let at = 0; at < keys.length; at += AGENTS_A_QUERY) {
    const authors = keys.slice(at, at + AGENTS_A_QUERY)
    const offers = { kinds: [OFFER_KIND], authors, limit: authors.length }
    const profiles = authors.map((author) => ({ kinds: [PROFILE_KIND], authors: [author], limit: 1 }))
    const events = (await host.query([offers, ...profiles], options)).sort(newestFirst)
    for (const key of authors) {
      const newest = (kind: number) => events.find((event) => event.pubkey === key && event.kind === kind)
      const agent = describe(key, newest(PROFILE_KIND), newest(OFFER_KIND))
      if (agent !== undefined) agents.push(agent)
    }
  }
  return agents
}

function describe(
  publicKey: string,
  profile: VerifiedEvent | undefined,
  offer: VerifiedEvent | undefined,
): AgentInfo | undefined {
  if (profile === undefined && offer === undefined) return undefined
  const { name, description, descriptions } = readProfile(profile)
  const offered = offer !== undefined && readInvoice(offer.text).ok ? offeredNames(offer) : []
  return {
    publicKey,
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    capabilities: offered.map((each) => {
      const text = descriptions.get(each)
      return text === undefined ? { name: each } : { name: each, description: text }
    }),
  }
}

/** First values of the `c` tags, each once. */
function offeredNames(offer: Event): string[] {
  const names = new Set<string>()
  for (const [key, name] of offer.tags) {
    if (key === 'c' && name !== undefined && name !== '' && name.length <= MAX_NAME) names.add(name)
    if (names.size === MAX_CAPABILITIES) break
  }
  return [...names]
}

/** What of it has the right shape, cut to length. */
function readProfile(profile: VerifiedEvent | undefined): {
  name?: string
  description?: string
  descriptions: ReadonlyMap<string, string>
} {
  const descriptions = new Map<string, string>()
  const json = profile === undefined ? undefined : parseJson(profile.text)
  if (json?.ok !== true || !isJsonObject(json.value)) return { descriptions }
  const { capabilities } = json.value
  for (const each of Array.isArray(capabilities) ? capabilities.slice(0, MAX_CAPABILITIES) : []) {
    if (!isJsonObject(each) || typeof each.name !== 'string') continue
    const description = readText(each.description, MAX_DESCRIPTION)
    if (description !== undefined) descriptions.set(each.name, description)
  }
  const name = readText(json.value.name, MAX_NAME)
  const description = readText(json.value.description, MAX_DESCRIPTION)
  return {
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    descriptions,
  }
}

/** Cut between characters, never inside one. */
function readText(value: JsonValue | undefined, max: number): string | undefined {
  if (typeof value !== 'string') return undefined
  const cut = value.slice(0, max)
  return cut.isWellFormed() ? cut : cut.slice(0, -1).toWellFormed()
}

function checkText(what: string, text: string, max: number, min = 1): void {
  if (typeof text !== 'string' || text.length < min || text.length > max)
    throw new RangeError(`${what} must have ${min} to ${max} characters`)
}
