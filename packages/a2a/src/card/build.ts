/**
 * An agent's card from what the application says and what is served (spec a2a 2.7): a capability is declared only when
 * it is there, and every binding of HTTP is listed once a version, 1.0 first.
 */
import type { AgentCard, AgentExtension, AgentInterface, AgentSkill, JsonRecord } from '../model.js'
import { compact } from '../read-message.js'
import type { Version } from '../version.js'
import { lintCard } from './lint.js'

export interface CardOptions {
  readonly name: string
  readonly description: string
  /** Of the agent, not of the protocol; `1.0.0` unless given. */
  readonly version?: string
  /** Tags default to the id. */
  readonly skills: readonly (Omit<AgentSkill, 'tags'> & { readonly tags?: readonly string[] })[]
  readonly provider?: { readonly organization: string; readonly url: string }
  readonly documentationUrl?: string
  readonly iconUrl?: string
  /** Media types; `text/plain` unless given. */
  readonly defaultInputModes?: readonly string[]
  readonly defaultOutputModes?: readonly string[]
  readonly securitySchemes?: JsonRecord
  readonly securityRequirements?: readonly JsonRecord[]
  /** Beside those of what is served. */
  readonly extensions?: readonly AgentExtension[]
}

/** What is there behind the card. */
export interface Served {
  /** Public base of the HTTP bindings, without a trailing slash; absent when there is none. */
  readonly url?: string
  readonly versions: readonly Version[]
  readonly streaming: boolean
  readonly pushNotifications: boolean
  readonly extendedAgentCard: boolean
  readonly extensions: readonly AgentExtension[]
  /** Custom bindings, behind those of HTTP. */
  readonly interfaces?: readonly AgentInterface[]
}

const BINDINGS = ['JSONRPC', 'HTTP+JSON'] as const

/** @throws TypeError for a card that the linter finds a fault in, with the names of the faults */
export function buildCard(options: CardOptions, served: Served): AgentCard {
  const { skills, extensions = [], version = '1.0.0', ...identity } = options
  const { url, streaming, pushNotifications, extendedAgentCard } = served
  const http =
    url === undefined
      ? []
      : served.versions.flatMap((protocolVersion) =>
          BINDINGS.map((protocolBinding) => ({ url, protocolBinding, protocolVersion })),
        )
  const declared = [...extensions, ...served.extensions]
  const card = compact({
    ...identity,
    version,
    supportedInterfaces: [...http, ...(served.interfaces ?? [])],
    capabilities: {
      streaming,
      pushNotifications,
      extendedAgentCard,
      ...(declared.length > 0 && { extensions: declared }),
    },
    defaultInputModes: options.defaultInputModes ?? ['text/plain'],
    defaultOutputModes: options.defaultOutputModes ?? ['text/plain'],
    skills: skills.map(({ tags, ...skill }) => ({ ...skill, tags: tags?.length ? tags : [skill.id] })),
  }) satisfies AgentCard
  const faults = lintCard(card)
  if (faults.length === 0) return card
  throw new TypeError(`card: ${faults.map(({ name, field }) => `${name} at ${field}`).join(', ')}`)
}
