/** The sections of the configuration file: settings that are too rich for a flag. */
import { parseHex } from '@aetherkit/core'
import { type AccessConfig, readAccess } from './access-config.js'
import { FlagError, Section } from './config-section.js'
import { LIMITS, type Limits } from './limits.js'
import { type PolicyConfig, readPolicies } from './policy/policy-config.js'
import { type RetentionRule, readRetention } from './retention.js'
import type { KindRange } from './store/store.js'

export const SECTIONS = ['limits', 'policies', 'retention', 'capabilities', 'auth'] as const

export interface FileSettings {
  readonly limits: Partial<Limits>
  readonly policies: PolicyConfig
  readonly retention: readonly RetentionRule[]
  readonly capabilities: CapabilityConfig | undefined
  readonly auth: AccessConfig
}

/** Kinds that need a capability; see `capability-policy.ts`. */
interface CapabilityConfig {
  /** Ed25519 key, hex, of who issues the first token; absent: the relay's own. */
  readonly owner: string | undefined
  readonly publish: readonly KindRange[]
  readonly subscribe: readonly KindRange[]
}

/** @throws FlagError that names the key, and the file. */
export function readFileSettings(file: Section): FileSettings {
  return {
    limits: readLimits(file.section('limits')),
    policies: readPolicies(file.section('policies') ?? new Section({}, 'policies', 'no file')),
    retention: readRules(file),
    capabilities: readCapabilities(file.section('capabilities')),
    auth: readAccess(file.section('auth')),
  }
}

function readRules(file: Section): readonly RetentionRule[] {
  const value = file.raw('retention')
  return value === undefined ? [] : file.guard('retention', () => readRetention(value))
}

/** Under the names of {@link LIMITS}; `event` is a section of its own. */
function readLimits(section: Section | undefined): Partial<Limits> {
  if (section === undefined) return {}
  const event = section.section('event')
  const read: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(LIMITS)) {
    const set =
      typeof value === 'boolean'
        ? section.boolean(key)
        : typeof value === 'number'
          ? section.integer(key, 1, 2 ** 40)
          : undefined
    if (set !== undefined) read[key] = set
  }
  section.end()
  const limits: Partial<Limits> = read
  if (event === undefined) return limits
  const sizes: Record<string, number> = { ...LIMITS.event }
  for (const [key, most] of Object.entries(LIMITS.event)) sizes[key] = event.integer(key, 1, most) ?? most
  event.end()
  return { ...limits, event: { ...LIMITS.event, ...sizes } }
}

function readCapabilities(section: Section | undefined): CapabilityConfig | undefined {
  if (section === undefined) return undefined
  const text = section.text('owner')
  const owner = text === undefined ? undefined : parseHex(text, 32)
  if (text !== undefined && owner === undefined)
    throw new FlagError(`${section.nameOf('owner')} must be 64 hex digits, got ${JSON.stringify(text)}`)
  const publish = section.kinds('publish') ?? []
  const subscribe = section.kinds('subscribe') ?? []
  section.end()
  return { owner, publish, subscribe }
}
