/** SIGHUP: which settings changed, which of them can be taken over while the relay runs, and which cannot. */
import type { Limits } from './limits.js'
import type { CommandLine } from './options.js'
import type { AsyncPolicy } from './policy/async-policy.js'
import { limitsOf, policiesOf } from './serve-options.js'
import { RELOADABLE_LIMITS, type RelayChanges } from './settings.js'
import type { TlsCredentials } from './tls.js'

export interface Change {
  /** `ws-port`, or within a section `limits.maxFilters`. */
  readonly key: string
  readonly from: unknown
  readonly to: unknown
}

export interface Difference {
  readonly changed: readonly Change[]
  readonly needsRestart: readonly Change[]
}

const RELOADABLE_FLAGS: ReadonlySet<string> = new Set([
  'ws-origin',
  'http-origin',
  'http-admin-token-file',
  'retention-ns',
  'max-size',
  'pow-difficulty',
  'rate-limit-capacity',
  'rate-limit-per-sec',
  'policy-plugin',
  'tls-cert',
  'tls-key',
  'log-level',
  'retention',
  ...RELOADABLE_LIMITS.map((name) => `limits.${name}`),
])
const SECTIONS: ReadonlySet<string> = new Set(['limits', 'policies', 'capabilities', 'auth'])

/** As it may be printed. */
export function withoutSecrets(effective: CommandLine['effective']): CommandLine['effective'] {
  return Object.fromEntries(Object.entries(effective).map(([key, value]) => [key, shown(key, value)]))
}

function shown(key: string, value: unknown): unknown {
  return /token|secret|password/.test(key) && value !== null ? '(hidden)' : value
}

/** Of two sets of settings in effect. TLS cannot be turned on or off, only exchanged. */
export function difference(before: CommandLine['effective'], after: CommandLine['effective']): Difference {
  const [old, now] = [flat(before), flat(after)]
  const changes = [...new Set([...old.keys(), ...now.keys()])]
    .map((key): Change => ({ key, from: old.get(key) ?? null, to: now.get(key) ?? null }))
    .filter(({ from, to }) => JSON.stringify(from) !== JSON.stringify(to))
    .map(({ key, from, to }) => ({ key, from: shown(key, from), to: shown(key, to) }))
  const isLive = ({ key, from, to }: Change) => {
    if (key.startsWith('tls-')) return from !== null && to !== null
    return RELOADABLE_FLAGS.has(key) || key.startsWith('policies.')
  }
  return { changed: changes.filter(isLive), needsRestart: changes.filter((change) => !isLive(change)) }
}

export interface ChangesOptions {
  readonly command: CommandLine
  readonly difference: Difference
  readonly asyncPolicies: readonly AsyncPolicy[]
  readonly tls: TlsCredentials | undefined
  readonly adminToken: string | undefined
}

/** What a running relay is told. Policies that did not change keep their state. */
export function changesOf(options: ChangesOptions): RelayChanges {
  const { command, difference, asyncPolicies, tls, adminToken = null } = options
  const keys = new Set(difference.changed.map(({ key }) => key))
  const isNewPolicy = [...keys].some((key) => key.startsWith('policies.') || POLICY_FLAGS.has(key))
  return {
    ...(isNewPolicy && { policies: policiesOf(command) }),
    asyncPolicies,
    adminToken,
    limits: reloadable(limitsOf(command), keys),
    ...(keys.has('ws-origin') && { origins: command.wsOrigins ?? 'all' }),
    ...(keys.has('http-origin') && { httpOrigins: command.httpOrigins ?? [] }),
    ...(keys.has('retention') && { retention: command.file.retention }),
    ...(keys.has('retention-ns') && { retentionNs: command.retentionNs ?? 'off' }),
    ...(tls !== undefined && { tls }),
  }
}

/** What holds after a reload: the new settings, but for those that wait for a restart. */
export function merged(
  before: CommandLine['effective'],
  after: CommandLine['effective'],
  waiting: readonly Change[],
): CommandLine['effective'] {
  const result: Record<string, unknown> = { ...after }
  for (const { key, from } of waiting) {
    const [name = key, inner] = SECTIONS.has(key.split('.')[0] ?? '') ? key.split('.') : [key]
    if (inner === undefined) result[name] = from ?? undefined
    else result[name] = { ...objectOf(result[name]), [inner]: objectOf(before[name])[inner] }
  }
  return result
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

const POLICY_FLAGS: ReadonlySet<string> = new Set([
  'pow-difficulty',
  'rate-limit-capacity',
  'rate-limit-per-sec',
])

/** Those that changed; one that is gone from the file is again as it is by default. */
function reloadable(limits: Limits, keys: ReadonlySet<string>): Partial<Limits> {
  const names = RELOADABLE_LIMITS.filter(
    (name) => keys.has(`limits.${name}`) || (name === 'event' && keys.has('max-size')),
  )
  return Object.fromEntries(names.map((name) => [name, limits[name]]))
}

function flat(effective: CommandLine['effective']): ReadonlyMap<string, unknown> {
  return new Map(
    Object.entries(effective).flatMap(([key, value]) =>
      SECTIONS.has(key) && typeof value === 'object' && value !== null
        ? Object.entries(value).map(([name, each]: [string, unknown]) => [`${key}.${name}`, each] as const)
        : [[key, value] as const],
    ),
  )
}
